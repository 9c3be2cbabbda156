import { type ResolvedRegister, resolveLayout } from './resolve.ts';
import type { Layout, ResetClass } from './types.ts';

/** What a register file must offer to be checked (structurally `Registers`). */
export interface Conforming {
  read(offset: number, width: 1 | 2 | 4 | 8): number;
  write(offset: number, width: 1 | 2 | 4 | 8, lo: number, hi?: number): void;
  peek(offset: number, width: 1 | 2 | 4 | 8): number;
  reset(kind: ResetClass | 'power-on'): void;
  poke(offset: number, width: 1 | 2 | 4 | 8, value: number): void;
}

/**
 * Tests every layout gets for nothing: reset values, write masks, a one walked through every bit, narrow writes, peek
 * without effect. Gives one sentence per failure. `rwl` fields are expected unlocked after a power-on reset.
 */
export function conformance(layout: Layout, make: () => Conforming, changes: () => number): string[] {
  const failures: string[] = [];
  const { registers } = resolveLayout(layout);
  const space = make();
  const check = (register: ResolvedRegister, what: string, got: number, want: number) => {
    if (got >>> 0 !== want >>> 0) {
      failures.push(
        `${layout.id} ${register.name}: ${what} is 0x${(got >>> 0).toString(16)}, not 0x${(want >>> 0).toString(16)}`,
      );
    }
  };
  for (const register of registers) {
    const { offset, width, reset } = register;
    check(register, 'value after power-on', space.read(offset, width), reset);
    const before = changes();
    space.peek(offset, width);
    if (changes() !== before) failures.push(`${layout.id} ${register.name}: peek left an event`);
    check(register, 'value after all ones', written(space, register, 0xffffffff), settled(register, 0xffffffff));
    space.reset('power-on');
    check(register, 'value after all zeros', written(space, register, 0), settled(register, 0));
    for (let bit = 0; bit < width * 8; bit++) {
      space.reset('power-on');
      const one = (1 << bit) >>> 0;
      check(register, `value after writing bit ${bit}`, written(space, register, one), settled(register, one));
    }
    space.reset('power-on');
    walkClear(space, register, check);
    space.reset('power-on');
    for (let byte = 0; byte < width; byte++) space.write(offset + byte, 1, 0xff);
    check(register, 'value after bytes of ones', space.read(offset, width), settled(register, 0xffffffff));
    space.reset('power-on');
    check(register, 'value after reset', space.read(offset, width), reset);
  }
  return failures;
}

function written(space: Conforming, register: ResolvedRegister, value: number): number {
  space.write(register.offset, register.width, (value & all(register)) >>> 0);
  return space.read(register.offset, register.width);
}

/** What the declaration says a write from the reset state leaves. */
function settled(register: ResolvedRegister, value: number): number {
  const { reset, writable, w1c, rwo } = register;
  const plain = (reset & ~writable) | (value & writable);
  return (((plain & ~(value & w1c)) | (value & rwo)) & all(register)) >>> 0;
}

/** Every write-1-to-clear bit clears by 1 and stays by 0; a write-once bit stays. */
function walkClear(
  space: Conforming,
  register: ResolvedRegister,
  check: (register: ResolvedRegister, what: string, got: number, want: number) => void,
): void {
  const { offset, width, w1c, rwo } = register;
  for (let bit = 0; bit < width * 8; bit++) {
    const one = (1 << bit) >>> 0;
    if ((w1c & one) >>> 0) {
      space.poke(offset, width, all(register));
      check(register, `bit ${bit} after writing 0`, space.read(offset, width) & one, one);
      written(space, register, 0);
      check(register, `bit ${bit} after writing 0`, space.read(offset, width) & one, one);
      written(space, register, one);
      check(register, `bit ${bit} after writing 1`, space.read(offset, width) & one, 0);
    }
    if ((rwo & one) >>> 0) {
      written(space, register, one);
      written(space, register, 0);
      check(register, `write-once bit ${bit}`, space.read(offset, width) & one, one);
    }
  }
}

function all(register: ResolvedRegister): number {
  return register.width === 4 ? 0xffffffff : 2 ** (register.width * 8) - 1;
}
