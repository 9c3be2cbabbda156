import { beforeAll, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { CellsAt, Row } from '../log/index.ts';
import { functionsOf } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import type { CxlRegionState } from '../state/schema.ts';
import { xlat } from '../state/xlat.ts';
import { backendBytes } from './export/backend.ts';
import { Lab } from './lab.ts';
import { liveState } from './live-state.ts';
import { host, WALKTHROUGH } from './testing/host.ts';

let lab: Lab;
const region = () => lab.log.object('cxl/l2/region0') as unknown as CxlRegionState;

beforeAll(async () => {
  lab = await Lab.start({ seed: 1, host });
  await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
});

test('after the walkthrough L2 has a committed region', () => {
  expect(region()).toMatchObject({ kind: 'region', state: 'commit', size: 0x10000000 });
});

test('xlat of an L2 address is where the byte lands: on L1’s bus, in the backend, and on the way back up', () => {
  const random = new Prng(11);
  const l1 = lab.machines.get('l1');
  const l2 = lab.machines.get('l2');
  if (!l1 || !l2) throw new Error('guests are not running');
  const reader = liveState(lab.log);
  const { start, size } = region();
  const wanted = new Map<number, number>();
  for (let n = 0; n < 200; n++) {
    const offset = random.below(size / 4) * 4;
    const value = random.next();
    l2.cpu.bus.store(start + offset, 4, value);
    wanted.set(offset, value);
  }
  const backend = backendBytes(lab, 'host', 'vmem0');
  const view = new DataView(backend.buffer);
  for (const [offset, value] of wanted) {
    const chain = xlat(reader, 'l2-gpa', start + offset);
    const spaces = chain.hops.map((hop) => hop.space);
    expect(spaces).toEqual(['l2-gpa', 'l1-hva', 'l1-hpa', 'dpa', 'backend']);
    const [, , hpa, dpa, at] = chain.hops;
    expect(l1.cpu.bus.load(hpa?.address ?? -1, 4)).toBe(value);
    expect(dpa?.address).toBe(at?.address);
    expect(view.getUint32(at?.address ?? -1, true)).toBe(value);
    expect(xlat(reader, 'backend', at?.address ?? -1).hops[0]).toMatchObject({
      space: 'l2-gpa',
      address: start + offset,
    });
  }
});

test('before the commit the same address ends at the VMM, with the reason', () => {
  const { log } = lab;
  const cell = log.find('cxl/l2/region0')?.first;
  let row = log.length;
  // The first row that published the region: everything before it is before the commit.
  for (let at = log.start; at < log.length; at++) {
    if (log.kind(at) === Row.OBJ && log.a(at) === cell) {
      row = at;
      break;
    }
  }
  const cells = new CellsAt(log, row).cells;
  const reader: StateReader = {
    object(path) {
      const found = log.find(path);
      return found ? (log.values[cells[found.first] as number] ?? null) : null;
    },
    objectPaths: (prefix) =>
      log.blocks
        .filter(({ first, block }) => block.kind === 'object' && block.path.startsWith(prefix) && cells[first] !== 0)
        .map(({ block }) => block.path),
    register(path, offset) {
      const found = log.find(path);
      return found && offset / 4 < found.count ? (cells[found.first + offset / 4] as number) : null;
    },
  };
  const chain = xlat(reader, 'l2-gpa', region().start + 0x40);
  expect(chain.hops.map((hop) => hop.space)).toEqual(['l2-gpa']);
  expect(chain.end).toMatch(/no memory slot maps it/);
});

test('a session given again from its recorded inputs has the same log and the same hash', async () => {
  const first = await Lab.start({ seed: 5, host });
  await first.type(WALKTHROUGH, 'modprobe cxl-accel');
  const again = await Lab.start({ seed: 5, host, inputs: first.record().inputs });
  await again.settled();
  expect(again.log.length).toBe(first.log.length);
  expect(again.hash()).toBe(first.hash());
});

test('a decoder that is no longer committed is seen by the very next load, however warm the caches', () => {
  const l1 = lab.machines.get('l1');
  const l2 = lab.machines.get('l2');
  const bar0 = functionsOf(liveState(lab.log), 'l1').find((fn) => fn.type === 'cxl-accel')?.bars[0]?.addr;
  if (!l1 || !l2 || bar0 === undefined || bar0 === null) throw new Error('no device');
  const { start } = region();
  l2.cpu.bus.store(start + 0x3000, 4, 0x1234);
  const rows = lab.log.length;
  for (let n = 0; n < 3; n++) expect(l2.cpu.bus.load(start + 0x3000, 4)).toBe(0x1234);
  // Silicon: counted, not logged one by one.
  expect(lab.log.length).toBe(rows);
  const control = bar0 + 0x1128 + 0x20;
  const committed = l1.cpu.bus.load(control, 4);
  l1.cpu.bus.store(control, 4, committed & ~0x200);
  expect(l2.cpu.bus.load(start + 0x3000, 4)).toBe(0);
  l2.cpu.bus.store(start + 0x3000, 4, 0x5678);
  l1.cpu.bus.store(control, 4, committed);
  expect(l2.cpu.bus.load(start + 0x3000, 4)).toBe(0x1234);
  const bytes = new Uint8Array(0x3010).fill(7);
  l2.cpu.bus.copyTo(start, bytes);
  expect(l2.cpu.bus.load(start + 0x3000, 4)).toBe(0x07070707);
});
