import type { Width } from '../../base/addr.ts';
import type { Layout, ResetClass } from '../../spec/dsl/types.ts';

/**
 * A register space: one `Layout` instantiated with cells in the event log. Implemented by `RegisterSpace`
 * (register-space.ts). Offsets are bytes in the layout; 8-byte values are halves with the high one in `hi`.
 */
export interface Registers {
  readonly path: string;
  readonly layout: Layout;
  hi: number;
  /** A software read. Undeclared bytes read 0. */
  read(offset: number, width: Width): number;
  /** A software write: masks by access type and locks; a dropped bit leaves a note saying why; then the hooks run. */
  write(offset: number, width: Width, lo: number, hi?: number): void;
  /** No side effects, no events. */
  peek(offset: number, width: Width): number;
  /** Register by name (`CTRL0`), or a field of it, as an unsigned number. */
  get(register: string, field?: string): number;
  /** The device itself sets a register or a field (logged, no access rules, no hooks). */
  set(register: string, value: number, field?: string): void;
  /** The device sets raw bytes (logged, no access rules, no hooks). */
  poke(offset: number, width: Width, value: number): void;
  /** Puts fields of this reset class and of the weaker ones back to their reset values. */
  reset(kind: ResetClass | 'power-on'): void;
  /** Runs after a software write changed or touched the register. */
  onWrite(register: string, hook: (before: number, after: number) => void): void;
}
