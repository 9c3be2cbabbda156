import { expect, test } from 'vitest';
import { EventLog } from '../../log/index.ts';
import { layout } from '../../spec/layouts.ts';
import { MemoryCore } from '../memory/memory.ts';
import { CxlComponent, endpoint_dpa, hdm_find_target, NOWHERE, type Silicon } from './index.ts';

const MiB256 = 0x10000000;
const BASE = 0x490000000;
const COMMITTED = 0x400;
const ERROR = 0x800;

function component(silicon: Silicon | null, kind = 'cxl-type3'): CxlComponent {
  const log = new EventLog();
  const core = new MemoryCore({ log, layer: 0 });
  return new CxlComponent({ log, core, machine: 'l1', layer: 0 }, 'c', layout(`${kind}.component`), kind, silicon);
}
const endpoint = (capacity = 4 * MiB256) => component({ capacity, type: 1 });

interface Program {
  readonly base?: number;
  readonly size?: number;
  readonly iw?: number;
  readonly ig?: number;
  readonly skip?: number;
  readonly lock?: boolean;
}
/** Programs decoder n through its memory region as Linux does; gives CTRL as it reads afterwards. */
function commit(target: CxlComponent, n: number, program: Program = {}): number {
  const { base = BASE, size = MiB256, iw = 0, ig = 0, skip = 0, lock = false } = program;
  const at = CxlComponent.decoderOffset(n);
  const write = (offset: number, value: number) => poke(target, at + offset, value);
  write(0, base % 2 ** 32);
  write(4, Math.floor(base / 2 ** 32));
  write(8, size % 2 ** 32);
  write(12, Math.floor(size / 2 ** 32));
  write(0x14, skip);
  write(0x10, 0x1200 | (iw << 4) | ig | (lock ? 0x100 : 0));
  return target.registers.peek(at + 0x10, 4);
}
function poke(target: CxlComponent, offset: number, value: number): void {
  target.memory.subregions.find((sub) => sub.name === '.cache_mem')?.ops?.write(offset, 4, value >>> 0, 0);
}

test('QEMU commits anything; strict silicon refuses with Error Not Committed, and a cleared Commit clears it', () => {
  expect(commit(component(null), 1, { size: 0 }) & (COMMITTED | ERROR)).toBe(COMMITTED);
  const strict = endpoint();
  const bits = (n: number, program: Program) => commit(strict, n, program) & (COMMITTED | ERROR);
  expect(bits(1, {})).toBe(ERROR);
  poke(strict, CxlComponent.decoderOffset(1) + 0x10, 0x1000);
  expect(strict.registers.get('CTRL1')).toBe(0x1000);
  for (const wrong of [
    { size: 0 },
    { iw: 5 },
    { iw: 11 },
    { ig: 7 },
    { ig: 6, iw: 2, size: 4 * MiB256 },
    { iw: 1, size: MiB256 },
    { iw: 8, size: 4 * MiB256 },
    { size: 5 * MiB256 },
    { skip: 0x40000000 },
    { base: 2 ** 52 - MiB256, size: 2 * MiB256 },
  ]) {
    poke(strict, CxlComponent.decoderOffset(0) + 0x10, 0);
    expect([wrong, bits(0, wrong)]).toEqual([wrong, ERROR]);
  }
  poke(strict, CxlComponent.decoderOffset(0) + 0x10, 0);
  expect(bits(0, {})).toBe(COMMITTED);
  expect(bits(1, { base: BASE })).toBe(ERROR);
  poke(strict, CxlComponent.decoderOffset(1) + 0x10, 0);
  expect(bits(1, { base: BASE + MiB256 })).toBe(COMMITTED);
});

test('ports refuse ways their capability does not have', () => {
  const port = component({ capacity: null, type: null }, 'cxl-upstream');
  expect(commit(port, 0, { iw: 4, size: 16 * MiB256 }) & ERROR).toBe(ERROR);
  poke(port, CxlComponent.decoderOffset(0) + 0x10, 0);
  expect(commit(port, 0, { iw: 3, size: 8 * MiB256 }) & COMMITTED).toBe(COMMITTED);
});

test('Lock On Commit freezes a decoder until reset; QEMU’s protects nothing', () => {
  const strict = endpoint();
  const lax = component(null);
  for (const target of [strict, lax]) {
    commit(target, 0, { lock: true });
    poke(target, CxlComponent.decoderOffset(0), 0xa0000000);
    poke(target, CxlComponent.decoderOffset(0) + 0x10, 0x1000);
  }
  expect([strict.registers.get('BASE_LO0'), strict.registers.get('CTRL0')]).toEqual([0x90000000, 0x1700]);
  expect([lax.registers.get('BASE_LO0'), lax.registers.get('CTRL0')]).toEqual([0xa0000000, 0x1000]);
  strict.reset();
  expect(commit(strict, 0, { base: BASE + MiB256 })).toBe(0x1600);
});

test('the target range type of a one-type device is read-only', () => {
  expect(commit(component({ capacity: 4 * MiB256, type: 0 }), 0)).toBe(0x600);
  const strict = endpoint();
  expect(strict.registers.get('CTRL0')).toBe(0x1000);
  poke(strict, CxlComponent.decoderOffset(0) + 0x10, 0);
  expect(strict.registers.get('CTRL0')).toBe(0x1000);
});

test('a hole left below a committed decoder hides it in QEMU only; device addresses stay those of the commit', () => {
  for (const target of [endpoint(), component(null)]) {
    commit(target, 0);
    commit(target, 1, { base: BASE + MiB256, skip: 0x10000000 });
    expect(endpoint_dpa(target, BASE + MiB256 + 0x40)).toBe(2 * MiB256 + 0x40);
    poke(target, CxlComponent.decoderOffset(0) + 0x10, 0x1000);
    expect(endpoint_dpa(target, BASE + MiB256 + 0x40)).toBe(target.silicon ? 2 * MiB256 + 0x40 : NOWHERE);
  }
});

test('a port takes the first committed decoder in strict silicon, the first that holds the address in QEMU', () => {
  for (const silicon of [{ capacity: null, type: null }, null]) {
    const port = component(silicon, 'cxl-upstream');
    commit(port, 0, {});
    poke(port, CxlComponent.decoderOffset(0) + 0x10, 0x1000);
    const at = CxlComponent.decoderOffset(1);
    poke(port, at + 0x14, 0x03);
    // Strict silicon asks for a committed decoder 0 first: it gets one elsewhere, then both.
    commit(port, 0, { base: BASE - MiB256 });
    commit(port, 1, { skip: 3 });
    poke(port, CxlComponent.decoderOffset(0) + 0x10, 0x1000);
    poke(port, CxlComponent.decoderOffset(0), 0x90000000);
    expect(hdm_find_target(port, BASE)).toBe(silicon ? 3 : NOWHERE);
  }
});
