/**
 * Physical addresses and 64-bit values (ARCHITECTURE, decision 5).
 *
 * A physical address is at most 52 bits wide, so a JavaScript number holds it exactly as long as it is never
 * put through a 32-bit bitwise operator. 64-bit register values travel as two unsigned 32-bit halves.
 * `bigint` belongs to the edges (printing, shell arithmetic), never to a hot path.
 */

/** A physical or guest-physical address, or a size, in bytes; 0 … 2^52-1. */
export type Addr = number;
/** A user-space virtual address inside one process, in bytes. */
export type Hva = number;
/** Width of one access in bytes. */
export type Width = 1 | 2 | 4 | 8;

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const PAGE_SIZE = 4096;
/** Two to the 32nd: the weight of the high half. */
export const TWO32 = 0x1_0000_0000;

/** High 32 bits of an address, unsigned. */
export function hi32(value: Addr): number {
  return Math.floor(value / TWO32) >>> 0;
}
/** Low 32 bits of an address, unsigned. */
export function lo32(value: Addr): number {
  return (value % TWO32) >>> 0;
}
/** Joins two unsigned 32-bit halves; exact while the high half is below 2^20. */
export function fromHalves(hi: number, lo: number): Addr {
  return (hi >>> 0) * TWO32 + (lo >>> 0);
}
/** Largest multiple of `unit` (any positive integer, bytes) not above `value`. */
export function alignDown(value: Addr, unit: number): Addr {
  return value - (value % unit);
}
/** Smallest multiple of `unit` (any positive integer, bytes) not below `value`. */
export function alignUp(value: Addr, unit: number): Addr {
  const rest = value % unit;
  return rest === 0 ? value : value + (unit - rest);
}
/** `value >> bits` for addresses (no 32-bit truncation). */
export function shiftRight(value: Addr, bits: number): Addr {
  return Math.floor(value / 2 ** bits);
}
/** Both halves as an unsigned bigint, for printing and shell arithmetic. */
export function toBigInt(hi: number, lo: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** Lower-case hexadecimal without prefix, left-padded with zeros to `digits`. */
export function hex(value: Addr, digits = 0): string {
  return value.toString(16).padStart(digits, '0');
}
/** `0x…`, as C's `%#x` prints a non-zero value. */
export function hex0x(value: Addr, digits = 0): string {
  return `0x${hex(value, digits)}`;
}
