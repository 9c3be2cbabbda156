/** SeaBIOS src/e820map.c: a sorted list of ranges in which a later addition replaces what it overlaps. */
import type { Addr } from '../../base/addr.ts';
import type { E820Entry } from '../bus/boot-params.ts';

type Kind = E820Entry['type'] | 'hole';

export class E820Map {
  private ranges: { start: Addr; end: Addr; type: Kind }[] = [];

  add(start: Addr, size: number, type: Kind): void {
    const end = start + size;
    if (size <= 0) return;
    const out: { start: Addr; end: Addr; type: Kind }[] = [];
    for (const range of this.ranges) {
      if (range.end <= start || range.start >= end) out.push(range);
      else {
        if (range.start < start) out.push({ ...range, end: start });
        if (range.end > end) out.push({ ...range, start: end });
      }
    }
    if (type !== 'hole') out.push({ start, end, type });
    out.sort((a, b) => a.start - b.start);
    this.ranges = [];
    for (const range of out) {
      const last = this.ranges.at(-1);
      if (last && last.end === range.start && last.type === range.type) last.end = range.end;
      else this.ranges.push({ ...range });
    }
  }

  /** e820_is_used(): whether something is declared in the range. */
  used(start: Addr, size: number): boolean {
    return this.ranges.some((range) => range.start < start + size && range.end > start);
  }

  entries(): E820Entry[] {
    const out: E820Entry[] = [];
    for (const { start, end, type } of this.ranges) if (type !== 'hole') out.push({ start, size: end - start, type });
    return out;
  }
}

/** Adds the entries of fw_cfg `etc/e820` (struct e820_entry: u64 address, u64 length, u32 type). */
export function addQemuE820(map: E820Map, bytes: Uint8Array): { readonly low: number; readonly high: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  let low = 0;
  let high = 0;
  for (let at = 0; at + 20 <= bytes.length; at += 20) {
    const start = number(at);
    const size = number(at + 8);
    const type = view.getUint32(at + 16, true);
    map.add(start, size, type === 1 ? 'usable' : type === 3 ? 'ACPI data' : type === 4 ? 'ACPI NVS' : 'reserved');
    if (type !== 1) continue;
    if (start < 2 ** 32) low = Math.max(low, start + size);
    else high = Math.max(high, start + size - 2 ** 32);
  }
  return { low, high };
}
