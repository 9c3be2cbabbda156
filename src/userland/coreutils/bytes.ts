/** Bytes in rows for the dumping tools. */
import { SEEK_CUR } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { readSome } from '../misc/io.ts';
import { parseSize } from './inputs.ts';

export const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');

export const printable = (b: number): string => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.');

/** Sizes in C notation: 0x10, 020, 16, 4k. */
export const number = (text: string): number =>
  /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : /^-/.test(text) ? -parseSize(text.slice(1)) : parseSize(text);

/** Skips by seeking where possible (device memory is not read on the way), else by reading. */
export async function skip(sys: Sys, fd: number, count: number): Promise<void> {
  if (count <= 0 || sys.lseek(fd, count, SEEK_CUR) >= 0) return;
  for (let left = count; left > 0; ) {
    const data = await readSome(sys, fd, Math.min(left, 65536));
    if (typeof data === 'number' || data.length === 0) return;
    left -= data.length;
  }
}

/** Whole rows of `size` bytes until end or `limit`; a negative errno ends and is given back. */
export async function rows(
  sys: Sys,
  fd: number,
  size: number,
  limit: number,
  each: (row: Uint8Array, at: number) => Promise<void>,
  start = 0,
): Promise<number> {
  let held = new Uint8Array(0);
  let at = start;
  let left = limit;
  for (;;) {
    const want = Math.min(left, Math.max(size, Math.min(4096, left)) - held.length);
    const data = want > 0 ? await readSome(sys, fd, want) : new Uint8Array(0);
    if (typeof data === 'number') return data;
    left -= data.length;
    const all = new Uint8Array(held.length + data.length);
    all.set(held);
    all.set(data, held.length);
    let i = 0;
    for (; i + size <= all.length; i += size) {
      await each(all.subarray(i, i + size), at);
      at += size;
    }
    held = all.slice(i);
    if (data.length === 0) {
      if (held.length > 0) await each(held, at);
      return 0;
    }
  }
}
