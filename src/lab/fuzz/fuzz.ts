/**
 * Seeded random operations on a running stack, and the laws that must hold after them: what the log says is what is, every change has a
 * cause in the layer that owns it, results are values or errno.
 */
import { assert, InvariantError, present } from '../../base/assert.ts';
import { E, errnoName } from '../../base/errno.ts';
import { Prng } from '../../base/prng.ts';
import { ProcessExit } from '../../linux/uapi/sys.ts';
import { CellsAt, LAYERS, Row } from '../../log/index.ts';
import { functionsOf, publishedAs } from '../../state/functions.ts';
import type { CxlRegionState } from '../../state/schema.ts';
import type { Lab } from '../lab.ts';
import { liveState } from '../live-state.ts';
import { beginEnding } from './endings.ts';
import { type Operation, randomOperation, type Target } from './operations.ts';

export interface FuzzResult {
  readonly steps: number;
  /** How often each errno came back, by name; `ok` for success. */
  readonly results: ReadonlyMap<string, number>;
  /** Times L1 or L2 died of an operation and the stack was made again. */
  readonly deaths: number;
  readonly hash: string;
}

/** @param makeLab gives a lab whose L2 has a committed region on the passed-through device */
export async function fuzz(makeLab: () => Promise<Lab>, seed: number, steps: number): Promise<FuzzResult> {
  const random = new Prng(seed);
  const results = new Map<string, number>();
  let deaths = 0;
  let ending = '';
  let lab = await makeLab();
  let target = targetOf(lab);
  let from = lab.log.length;
  for (let step = 0; step < steps; step++) {
    const operation = randomOperation(random, target);
    const result = await attempt(operation);
    const name = result < 0 ? errnoName(-result) : 'ok';
    assert(name !== '', `step ${step}, ${operation.text}: result ${result} is no errno`);
    results.set(name, (results.get(name) ?? 0) + 1);
    if (step % LIFE === LIFE - MEANWHILE) ending = await beginEnding(lab, random);
    if (step % 4096 === 4095) {
      await lab.settled();
      checkCauses(lab, from);
      from = lab.log.length;
    }
    const over = ending !== '' && step % LIFE === LIFE - 1;
    if (over) await lab.settled();
    if (over || target.l1.tasks.dead || target.l2.tasks.dead || lab.machines.get('l2') !== target.l2) {
      deaths++;
      ending = '';
      await lab.settled();
      await stillAnswers(lab);
      checkCauses(lab, from);
      checkFold(lab);
      lab.stop();
      lab = await makeLab();
      target = targetOf(lab);
      from = lab.log.length;
    }
  }
  await lab.settled();
  checkCauses(lab, from);
  checkFold(lab);
  const hash = lab.hash();
  lab.stop();
  return { steps, results, deaths, hash };
}

/** Steps until a passthrough is ended by one of `endings.ts`, and steps that go on while that happens. */
const LIFE = 5000;
const MEANWHILE = 200;

/** A process that ended under the operation is an answer too. */
async function attempt(operation: Operation): Promise<number> {
  try {
    return await operation.run();
  } catch (error) {
    if (!(error instanceof ProcessExit)) throw error;
    return -E.ESRCH;
  }
}

/** The host's second login takes a line, whatever became of its guests. */
async function stillAnswers(lab: Lab): Promise<void> {
  const console = lab.openTerminal('host');
  await lab.settled();
  if (console === null) return;
  const before = lab.consoles.shell(console).prompts;
  lab.allow(10e9);
  lab.input(console, 'true\r');
  await lab.settled();
  assert(lab.consoles.shell(console).prompts > before, 'the host does not answer any more');
}

/** Folding every row gives the live cells: back to the beginning, and forward again. */
export function checkFold(lab: Lab): void {
  const { log } = lab;
  const cells = new CellsAt(log, log.start);
  cells.seek(log.length);
  for (let cell = 0; cell < log.cellCount; cell++)
    assert(cells.cells[cell] === log.cells[cell], `cell ${cell}: the rows give another value than the live one`);
}

/** Which layers may change a register block, by the beginning of its path: the one that keeps it, or its emulator. */
const KEEPERS: readonly (readonly [prefix: string, layers: readonly string[]])[] = [
  ['hw/l1/', ['host.qemu', 'host.kvm']],
  ['hw/l2/', ['l1.qemu', 'l1.kvm']],
  ['vfio/l1/', ['l1.kernel']],
];

/** Every register change since `from` happened under a span of the layer that keeps the register. */
function checkCauses(lab: Lab, from: number): void {
  const { log } = lab;
  const keepers = new Map<number, readonly string[] | null>();
  for (const { first, count, block } of log.blocks) {
    const allowed = KEEPERS.find(([prefix]) => block.path.startsWith(prefix))?.[1] ?? null;
    if (block.kind === 'registers') for (let cell = first; cell < first + count; cell++) keepers.set(cell, allowed);
  }
  for (let row = Math.max(from, log.start); row < log.length; row++) {
    if (log.kind(row) !== Row.SET) continue;
    const allowed = keepers.get(log.a(row)) ?? null;
    if (allowed === null) continue;
    const cause = log.causeOf(row);
    const site = cause > 0 ? log.sites[log.a(cause - 1)] : undefined;
    const layer = LAYERS[site?.layer ?? 0]?.id ?? 'lab';
    if (allowed.includes(layer)) continue;
    const at = log.blocks.find(({ first, count }) => log.a(row) >= first && log.a(row) < first + count);
    throw new InvariantError(`row ${row}: a register of ${at?.block.path} changed under ${site?.name} of ${layer}`);
  }
}

function targetOf(lab: Lab): Target {
  const l1 = present(lab.machines.get('l1'), 'L1 runs');
  const l2 = present(lab.machines.get('l2'), 'L2 runs');
  const reader = liveState(lab.log);
  const guest = present(
    functionsOf(reader, 'l2').find((fn) => fn.host !== undefined),
    'a function passed through to L2',
  );
  const own = present(
    functionsOf(reader, 'l1').find((fn) => `0000:${fn.bdf}` === guest.host),
    'the device on L1’s bus',
  );
  const region = present(publishedAs<CxlRegionState>(reader.object('cxl/l2/region0')), 'L2’s region');
  const vmm = present(
    [...l1.tasks.processes.values()].find((task) => task.comm.startsWith('qemu')),
    'L1’s VMM',
  );
  const files = [...vmm.files.entries()];
  const device = present(
    files.find(([, file]) => /vfio-device|vfio\/devices/.test(file.path)),
    'the VMM’s VFIO device',
  )[0];
  const others = files.filter(([, file]) => file.path.startsWith('/dev/')).map(([fd]) => fd);
  const bar = (fn: typeof guest): number =>
    present(fn.bars.find((one) => one.index === 0)?.addr, 'BAR 0 has an address');
  const ecam = (fn: typeof guest): number => {
    const [bus = 0, slot = 0, number = 0] = fn.bdf.split(/[:.]/).map((part) => Number.parseInt(part, 16));
    return 0xb0000000 + bus * 0x100000 + (slot * 8 + number) * 0x1000;
  };
  return {
    l1,
    l2,
    sys: vmm.sys,
    device,
    others,
    bar: { l1: bar(own), l2: bar(guest) },
    ecam: { l1: ecam(own), l2: ecam(guest) },
    region,
  };
}
