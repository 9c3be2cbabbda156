/** How strace writes values: quoted bytes, flag sets, addresses. */
import { hex } from '../../base/addr.ts';
import { E, errnoName, strerror } from '../../base/errno.ts';

export interface Style {
  /** -s: bytes of a string that are shown. */
  readonly limit: number;
  /** -x: strings with other bytes than ASCII in hexadecimal; -xx: all strings. */
  readonly hex: 'never' | 'non-ascii' | 'always';
  /** -v: nothing left out. */
  readonly verbose: boolean;
}

const ESCAPES = new Map([
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [34, '\\"'],
  [92, '\\\\'],
]);

function printable(byte: number): boolean {
  return byte >= 32 && byte < 127;
}

/** Bytes as a C string, cut after `style.limit` bytes. */
export function quoted(bytes: Uint8Array, style: Style): string {
  const shown = bytes.subarray(0, style.limit);
  const asHex =
    style.hex === 'always' || (style.hex === 'non-ascii' && shown.some((b) => !printable(b) && !(b >= 9 && b <= 13)));
  let out = '"';
  shown.forEach((byte, n) => {
    if (asHex) out += `\\x${hex(byte, 2)}`;
    else if (ESCAPES.has(byte)) out += ESCAPES.get(byte);
    else if (printable(byte)) out += String.fromCharCode(byte);
    else {
      // Octal as short as the next character allows.
      const next = shown[n + 1];
      const long = next !== undefined && next >= 48 && next <= 57;
      out += `\\${byte.toString(8).padStart(long ? 3 : 1, '0')}`;
    }
  });
  return `${out}"${bytes.length > style.limit ? '...' : ''}`;
}

export type Bits = readonly (readonly [value: number, name: string])[];

/** `A|B|0x8`; `zero` when no bit is set. */
export function bits(value: number, names: Bits, zero = '0'): string {
  const out: string[] = [];
  let left = value;
  for (const [bit, name] of names)
    if (bit !== 0 && (left & bit) === bit) {
      out.push(name);
      left = (left & ~bit) >>> 0;
    }
  if (left !== 0) out.push(`0x${hex(left >>> 0)}`);
  return out.length > 0 ? out.join('|') : zero;
}

/** Hexadecimal with 0x; a plain 0 for zero. */
export function address(value: number): string {
  return value === 0 ? '0' : `0x${hex(value)}`;
}

/** What follows ` = `. */
export function outcome(result: number, pointer = false): string {
  if (result >= 0) return pointer ? address(result) : String(result);
  const name = errnoName(-result) ?? `ERRNO_${-result}`;
  return `-1 ${name} (${strerror(result)})`;
}

export const interrupted = (result: number): boolean => result === -E.EINTR;
