/** FlatView of QEMU 9 system/memory.c: the region tree rendered to disjoint ranges (render_memory_region, flatview_simplify). */
import type { Addr, Hva } from '../../base/addr.ts';
import type { FlatRange, HostMemory } from './api.ts';
import type { MemoryRegion } from './memory-region.ts';

/** One range of a flat view; `mr` is the leaf region that answers. */
export class FlatEntry implements FlatRange {
  readonly name: string;
  readonly kind: FlatRange['kind'];
  readonly priority: number;
  readonly hva: Hva | null;
  readonly host: HostMemory | null;
  readonly end: Addr;

  constructor(
    readonly mr: MemoryRegion,
    readonly start: Addr,
    readonly size: number,
    readonly regionOffset: number,
    readonly readonly: boolean,
  ) {
    this.end = start + size;
    this.name = mr.name;
    this.priority = mr.priority;
    this.host = mr.host;
    this.hva = mr.hva === null ? null : mr.hva + regionOffset;
    this.kind =
      mr.kind === 'ram' || mr.kind === 'rom'
        ? readonly
          ? 'rom'
          : 'ram'
        : mr.kind === 'ram-device'
          ? 'ram-device'
          : 'io';
  }

  /** flatrange_equal(): the same bytes of the same region at the same place. */
  equals(other: FlatEntry): boolean {
    return (
      this.mr === other.mr &&
      this.start === other.start &&
      this.size === other.size &&
      this.regionOffset === other.regionOffset &&
      this.readonly === other.readonly
    );
  }
}

/** Immutable; rebuilt at every commit. Lookup by binary search over typed arrays. */
export class FlatView {
  readonly starts: Float64Array;
  readonly ends: Float64Array;

  constructor(readonly ranges: readonly FlatEntry[]) {
    this.starts = new Float64Array(ranges.length);
    this.ends = new Float64Array(ranges.length);
    for (let n = 0; n < ranges.length; n++) {
      const range = ranges[n] as FlatEntry;
      this.starts[n] = range.start;
      this.ends[n] = range.end;
    }
  }

  /** Index of the range holding `addr`, or -1. */
  find(addr: Addr): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (addr < (this.starts[middle] as number)) high = middle - 1;
      else if (addr >= (this.ends[middle] as number)) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** First address above `addr` where a range begins, or Infinity. */
  nextStart(addr: Addr): Addr {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] as number) > addr) high = middle;
      else low = middle + 1;
    }
    return low < this.starts.length ? (this.starts[low] as number) : Number.POSITIVE_INFINITY;
  }
}

/** generate_memory_topology() */
export function generate_memory_topology(root: MemoryRegion): FlatView {
  const out: FlatEntry[] = [];
  render_memory_region(out, root, 0, 0, Number.POSITIVE_INFINITY, false);
  return new FlatView(flatview_simplify(out));
}

/** `view` with these addresses rendered anew; the same as generate_memory_topology() if nothing else changed. */
export function render_again(
  view: FlatView,
  root: MemoryRegion,
  touched: readonly (readonly [start: Addr, end: Addr])[],
): FlatView {
  const { ranges } = view;
  const out: FlatEntry[] = [];
  let next = 0;
  for (const [from, to] of merged(view, touched)) {
    while (next < ranges.length && (ranges[next] as FlatEntry).end <= from) out.push(ranges[next++] as FlatEntry);
    render_memory_region_into(out, root, from, to);
    while (next < ranges.length && (ranges[next] as FlatEntry).start < to) next++;
  }
  while (next < ranges.length) out.push(ranges[next++] as FlatEntry);
  return new FlatView(flatview_simplify(out));
}

function render_memory_region_into(out: FlatEntry[], root: MemoryRegion, from: Addr, to: Addr): void {
  const part: FlatEntry[] = [];
  render_memory_region(part, root, 0, from, to, false);
  for (const entry of part) out.push(entry);
}

/** The ranges widened to whole entries of the view, in order, without overlaps. */
function merged(view: FlatView, touched: readonly (readonly [start: Addr, end: Addr])[]): [Addr, Addr][] {
  const wide = touched.map(([start, end]): [Addr, Addr] => {
    const first = view.find(start);
    const last = view.find(end - 1);
    return [first < 0 ? start : (view.starts[first] as number), last < 0 ? end : (view.ends[last] as number)];
  });
  wide.sort((a, b) => a[0] - b[0]);
  const out: [Addr, Addr][] = [];
  for (const range of wide) {
    const last = out.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else out.push(range);
  }
  return out;
}

/** Renders `mr` below everything already in `view`: highest priority comes first, later ones only fill the gaps. */
function render_memory_region(
  view: FlatEntry[],
  mr: MemoryRegion,
  parentBase: number,
  clipStart: Addr,
  clipEnd: Addr,
  parentReadonly: boolean,
): void {
  if (!mr.enabled) return;
  const base = parentBase + mr.addr;
  const readonly = parentReadonly || mr.readonly;
  const start = Math.max(clipStart, base);
  const end = Math.min(clipEnd, base + mr.size);
  if (start >= end) return;
  if (mr.alias) {
    render_memory_region(view, mr.alias, base - mr.alias.addr - mr.aliasOffset, start, end, readonly);
    return;
  }
  for (const sub of mr.subregions) render_memory_region(view, sub, base, start, end, readonly);
  if (!mr.terminates) return;
  let at = start;
  let first = 0;
  let past = view.length;
  while (first < past) {
    const middle = (first + past) >> 1;
    if ((view[middle] as FlatEntry).end <= at) first = middle + 1;
    else past = middle;
  }
  for (let n = first; n < view.length && at < end; n++) {
    const range = view[n] as FlatEntry;
    if (at >= range.end) continue;
    if (at < range.start) {
      const stop = Math.min(end, range.start);
      view.splice(n, 0, new FlatEntry(mr, at, stop - at, at - base, readonly));
      at = stop;
      n++;
      if (at >= end) return;
    }
    at = Math.min(end, range.end);
  }
  if (at < end) view.push(new FlatEntry(mr, at, end - at, at - base, readonly));
}

/** Joins neighbours that continue each other in the same region. */
function flatview_simplify(view: readonly FlatEntry[]): FlatEntry[] {
  const out: FlatEntry[] = [];
  for (const range of view) {
    const last = out.at(-1);
    if (
      last &&
      last.mr === range.mr &&
      last.end === range.start &&
      last.regionOffset + last.size === range.regionOffset &&
      last.readonly === range.readonly
    )
      out[out.length - 1] = new FlatEntry(
        last.mr,
        last.start,
        last.size + range.size,
        last.regionOffset,
        last.readonly,
      );
    else out.push(range);
  }
  return out;
}
