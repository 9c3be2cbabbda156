/** Stands for mm/page_alloc.c: hands out System RAM in 2 MiB granules, highest address first. Left out: zones, orders, reclaim. */
import { type Addr, alignDown, alignUp, MiB } from '../../base/addr.ts';
import type { E820Entry } from '../../hw/bus/boot-params.ts';

export const GRANULE = 2 * MiB;
/** Memory below this is the kernel's own (image, page tables, per-cpu areas). */
const KERNEL_RESERVED = 64 * MiB;

export interface Extent {
  readonly phys: Addr;
  readonly size: number;
}

export class PageAllocator {
  /** Free ranges in address order. */
  private free: { start: Addr; end: Addr }[] = [];
  /** Granules that were used and freed: their next owner must see zeros. */
  private readonly dirty = new Set<number>();
  freeBytes = 0;
  /** Ranges put online later; taken from only when everything else is gone, as other nodes are. */
  private readonly hot: { readonly start: Addr; readonly end: Addr }[] = [];
  private hotFree: { start: Addr; end: Addr }[] = [];

  /** After a reboot: granules known to be clean, of memory that may hold anything; null: fresh memory. */
  private readonly known: Set<number> | null;

  constructor(e820: readonly E820Entry[], warm = false) {
    this.known = warm ? new Set() : null;
    for (const entry of e820) {
      if (entry.type !== 'usable') continue;
      const start = alignUp(Math.max(entry.start, KERNEL_RESERVED), GRANULE);
      const end = alignDown(entry.start + entry.size, GRANULE);
      if (start >= end) continue;
      this.free.push({ start, end });
      this.freeBytes += end - start;
    }
    this.free.sort((a, b) => a.start - b.start);
  }

  /** Extents for `size` bytes (rounded up to granules), or null when memory is exhausted. */
  alloc(size: number): Extent[] | null {
    let left = alignUp(size, GRANULE);
    if (left > this.freeBytes) return null;
    this.freeBytes -= left;
    const out: Extent[] = [];
    while (left > 0) {
      const list = this.free.length > 0 ? this.free : this.hotFree;
      const range = list.at(-1);
      if (!range) return null;
      const take = Math.min(left, range.end - range.start);
      range.end -= take;
      out.push({ phys: range.end, size: take });
      if (range.end === range.start) list.pop();
      left -= take;
    }
    return out;
  }

  release(extents: readonly Extent[]): void {
    for (const { phys, size } of extents) {
      const isHot = this.hot.some((range) => phys >= range.start && phys < range.end);
      (isHot ? this.hotFree : this.free).push({ start: phys, end: phys + size });
      this.freeBytes += size;
    }
    this.free = merge(this.free);
    this.hotFree = merge(this.hotFree);
  }

  /** More memory, of unknown content. */
  add(start: Addr, size: number): void {
    this.hot.push({ start, end: start + size });
    for (let at = start; at < start + size; at += GRANULE) this.markDirty(at);
    this.release([{ phys: start, size }]);
  }

  /** Takes memory of `add` back; false when some of it is in use. */
  remove(start: Addr, size: number): boolean {
    const end = start + size;
    const range = this.hotFree.find((one) => one.start <= start && one.end >= end);
    const at = this.hot.findIndex((one) => one.start === start && one.end === end);
    if (!range || at < 0) return false;
    this.hot.splice(at, 1);
    const rest = [
      { start: range.start, end: start },
      { start: end, end: range.end },
    ].filter((one) => one.start < one.end);
    this.hotFree.splice(this.hotFree.indexOf(range), 1, ...rest);
    this.freeBytes -= size;
    for (let granule = start; granule < end; granule += GRANULE) this.dirty.delete(granule);
    return true;
  }

  /** Bytes of a range that are free. */
  freeIn(start: Addr, end: Addr): number {
    const overlap = (range: { start: Addr; end: Addr }): number =>
      Math.max(0, Math.min(range.end, end) - Math.max(range.start, start));
    return [...this.free, ...this.hotFree].reduce((sum, range) => sum + overlap(range), 0);
  }

  markDirty(granule: Addr): void {
    this.dirty.add(granule);
  }
  isDirty(granule: Addr): boolean {
    return this.dirty.has(granule) || this.known?.has(granule) === false;
  }
  /** True once for a granule somebody else has written: clear it before use. */
  takeDirty(granule: Addr): boolean {
    const unknown = this.known?.has(granule) === false;
    this.known?.add(granule);
    return this.dirty.delete(granule) || unknown;
  }
}

/** Ranges in address order, neighbours as one. */
function merge(ranges: readonly { start: Addr; end: Addr }[]): { start: Addr; end: Addr }[] {
  const merged: { start: Addr; end: Addr }[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && last.end === range.start) last.end = range.end;
    else merged.push(range);
  }
  return merged;
}
