/**
 * By which rule L2's writes of a register are taken: found out by writing ones, zeros, and ones again. What stands at reset value 0 and
 * only ever is cleared (a status bit nobody set) cannot be told from read-only this way.
 */
import type { Place, Stack } from './layers.ts';

/** Bits by rule, as the specification's words have them. */
export interface AccessRule {
  /** Follow what is written. */
  readonly rw: number;
  /** Cleared by writing one. */
  readonly rw1c: number;
  /** Take a one, once, and keep it. */
  readonly rwo: number;
}

/** Null where L2 has no way to the device. What the probe leaves behind is the caller's to undo. */
export function accessRule(stack: Stack, place: Place): AccessRule | null {
  if (!stack.ports.l2) return null;
  const full = 2 ** (8 * place.width) - 1;
  const written = (value: number): number => {
    stack.write('l2', place, value);
    return stack.read('l2', place) ?? 0;
  };
  const before = stack.read('l2', place) ?? 0;
  const ones = written(full);
  const zeros = written(0);
  const again = written(full);
  return {
    rw: (ones & ~zeros & again) >>> 0,
    rw1c: (before & ~ones & ~again) >>> 0,
    rwo: (~before & ones & zeros & again) >>> 0,
  };
}

/** `rw ffff`, or what there is. */
export function ruleText(rule: AccessRule | null, digits: number): string {
  if (!rule) return '-';
  const parts = Object.entries(rule).filter(([, bits]) => bits !== 0);
  return parts.map(([name, bits]) => `${name} ${Number(bits).toString(16).padStart(digits, '0')}`).join(', ') || 'ro';
}
