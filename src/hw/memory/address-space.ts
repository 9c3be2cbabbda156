/**
 * AddressSpace of QEMU 9 (system/memory.c, system/physmem.c): accesses through a flat view, split and sized as
 * flatview_read_continue, memory_access_size and access_with_adjusted_size do. Left out: IOMMUs, endianness other than little.
 */
import { type Addr, TWO32, type Width } from '../../base/addr.ts';
import { viewOf } from '../../base/bytes.ts';
import type { MemoryRegionOps } from './api.ts';
import { type FlatEntry, FlatView, generate_memory_topology, render_again } from './flat-view.ts';
import type { MemoryCore, Topology } from './memory.ts';
import type { MemoryRegion } from './memory-region.ts';
import { EVERYWHERE, memoryExtents, type Touched } from './tree-changes.ts';

/** struct MemoryListener. Within one commit all region_del come before all region_add, each in address order. */
export interface MemoryListener {
  readonly name: string;
  begin?(): void;
  region_add?(section: FlatEntry): void;
  region_del?(section: FlatEntry): void;
  /** The range was there before and still is. */
  region_nop?(section: FlatEntry): void;
  /** @param deferred device changes of earlier commits, told because somebody looked or the burst of work is over */
  commit?(deferred: boolean): void;
}

/** Changed ranges beyond which everything is rendered again. */
const MANY = 256;

export class AddressSpace implements Topology {
  /** High half of the last 8-byte `load`. */
  hi = 0;
  private view = new FlatView([]);
  /** What changed since the view was rendered; null: nothing. */
  private dirty: Touched | null = EVERYWHERE;
  /** Where host memory is, whatever lies over it; null: not known. */
  private memory: ReturnType<typeof memoryExtents> | null = null;
  private readonly listeners: MemoryListener[] = [];
  /** Last range hit, as plain fields: most accesses fall into the same one as before. */
  private hit: FlatEntry | null = null;
  private hitStart = 0;
  private hitEnd = -1;
  /** The one before: configuration cycles go to two ports in turn. */
  private other: FlatEntry | null = null;
  private readonly scratch = new Uint8Array(8);
  private readonly scratchView = viewOf(this.scratch);

  constructor(
    readonly core: MemoryCore,
    readonly name: string,
    readonly root: MemoryRegion,
  ) {
    core.address_space_init(this);
  }

  /** The ranges as they stand now, in address order. */
  get flatview(): readonly FlatEntry[] {
    this.refresh();
    return this.view.ranges;
  }

  /** Leaves the core: no more updates. */
  destroy(): void {
    this.core.address_space_destroy(this);
  }

  /** memory_listener_register(): hears of every present range at once. */
  memory_listener_register(listener: MemoryListener): void {
    this.refresh();
    this.core.keepInformed(this);
    this.listeners.push(listener);
    listener.begin?.();
    for (const range of this.view.ranges) listener.region_add?.(range);
    listener.commit?.(false);
  }
  memory_listener_unregister(listener: MemoryListener): void {
    const at = this.listeners.indexOf(listener);
    if (at < 0) return;
    this.listeners.splice(at, 1);
    listener.begin?.();
    for (const range of this.view.ranges) listener.region_del?.(range);
    listener.commit?.(false);
  }

  topology_begin(): void {
    for (const listener of this.listeners) listener.begin?.();
  }
  topology_commit(deferred = false): void {
    for (const listener of this.listeners) listener.commit?.(deferred);
  }
  get listened(): boolean {
    return this.listeners.length > 0;
  }
  invalidate(touched: Touched, device: boolean): boolean {
    this.forgetHits();
    if (!device) this.memory = null;
    this.dirty =
      this.dirty === EVERYWHERE || touched === EVERYWHERE || (this.dirty?.length ?? 0) > MANY
        ? EVERYWHERE
        : [...(this.dirty ?? []), ...touched];
    return this.dirty !== EVERYWHERE;
  }
  showsMemory(start: Addr, end: Addr): boolean {
    this.memory ??= memoryExtents(this.root);
    return this.memory.some((range) => range[0] < end && start < range[1]);
  }

  /** address_space_set_flatview(): renders again and compares with the old view (two passes: deletions, additions). */
  update_topology(): void {
    this.forgetHits();
    const before = this.view;
    const after = this.render();
    this.topology_pass(before, after, false);
    this.view = after;
    this.forgetHits();
    this.topology_pass(before, after, true);
  }
  settle(): void {
    if (this.dirty === null) return;
    this.topology_begin();
    this.update_topology();
    this.topology_commit(true);
  }

  private forgetHits(): void {
    this.hit = null;
    this.hitEnd = -1;
    this.other = null;
  }

  private render(): FlatView {
    const { dirty } = this;
    this.dirty = null;
    this.core.keepInformed(this);
    return dirty === null || dirty === EVERYWHERE
      ? generate_memory_topology(this.root)
      : render_again(this.view, this.root, dirty);
  }

  private refresh(): void {
    // What an open transaction has changed is not visible before its commit.
    if (this.dirty === null || this.core.changing) return;
    if (this.listeners.length > 0) this.settle();
    else this.view = this.render();
  }

  private topology_pass(before: FlatView, after: FlatView, adding: boolean): void {
    const nops = adding ? this.listeners.filter((listener) => listener.region_nop) : [];
    const [old, now] = [before.ranges, after.ranges];
    let o = 0;
    let n = 0;
    while (o < old.length || n < now.length) {
      const was = old[o];
      const is = now[n];
      // Most ranges are the very same object: untouched since they were rendered.
      if (was !== undefined && is !== undefined && (was === is || was.equals(is))) {
        for (const listener of nops) listener.region_nop?.(is);
        o++;
        n++;
      } else if (was && (!is || was.start <= is.start)) {
        if (!adding) for (const listener of [...this.listeners].reverse()) listener.region_del?.(was);
        o++;
      } else if (is) {
        if (adding) for (const listener of this.listeners) listener.region_add?.(is);
        n++;
      }
    }
  }

  /** The range that answers at `addr`, or null. */
  lookup(addr: Addr): FlatEntry | null {
    if (addr >= this.hitStart && addr < this.hitEnd) return this.hit;
    let range = this.other;
    if (range === null || addr < range.start || addr >= range.end) {
      this.refresh();
      const n = this.view.find(addr);
      if (n < 0) return null;
      range = this.view.ranges[n] as FlatEntry;
    }
    this.other = this.hit;
    this.hit = range;
    this.hitStart = range.start;
    this.hitEnd = range.end;
    return range;
  }

  /** First address above `addr` where something answers, or Infinity. */
  nextRange(addr: Addr): Addr {
    this.refresh();
    return this.view.nextStart(addr);
  }

  /** A CPU load: address_space_read of `width` bytes. Low half; the high one is left in `hi`. */
  load(addr: Addr, width: Width): number {
    const range = this.lookup(addr);
    if (range) {
      const { host } = range;
      if (host) {
        if (addr + width <= this.hitEnd) {
          const value = host.load((range.hva as number) + (addr - range.start), width);
          this.hi = host.hi;
          return value;
        }
      } else {
        // A register is accessed whole even where another region overlays part of it (port 0xcf8 and its neighbour 0xcf9).
        const offset = range.regionOffset + (addr - range.start);
        if (
          offset + width <= range.mr.size &&
          memory_access_size(range.mr.ops as MemoryRegionOps, offset, width) === width
        )
          return this.memory_region_dispatch_read(range, addr, offset, width);
      }
    }
    const { scratch } = this;
    this.readInto(addr, scratch, width);
    if (width === 1) {
      this.hi = 0;
      return scratch[0] as number;
    }
    this.hi = width === 8 ? this.scratchView.getUint32(4, true) : 0;
    return width === 2 ? this.scratchView.getUint16(0, true) : this.scratchView.getUint32(0, true);
  }

  /** A CPU store: address_space_write of `width` bytes. */
  store(addr: Addr, width: Width, lo: number, hi = 0): void {
    const range = this.lookup(addr);
    if (range) {
      const { host } = range;
      if (host && !range.readonly && addr + width <= this.hitEnd) {
        host.store((range.hva as number) + (addr - range.start), width, lo, hi);
        return;
      }
      if (!host) {
        const offset = range.regionOffset + (addr - range.start);
        if (
          offset + width <= range.mr.size &&
          memory_access_size(range.mr.ops as MemoryRegionOps, offset, width) === width
        ) {
          this.memory_region_dispatch_write(range, addr, offset, width, lo, hi);
          return;
        }
      }
    }
    this.scratchView.setUint32(0, lo, true);
    this.scratchView.setUint32(4, hi, true);
    this.writeFrom(addr, this.scratch, width);
  }

  /** address_space_read() */
  read(addr: Addr, into: Uint8Array): void {
    this.readInto(addr, into, into.length);
  }
  /** address_space_write() */
  write(addr: Addr, from: Uint8Array): void {
    this.writeFrom(addr, from, from.length);
  }

  /** What a read would give, without side effects or events; null if some byte cannot be known. Unassigned bytes are 0. */
  peek(addr: Addr, length: number): Uint8Array | null {
    const out = new Uint8Array(length);
    this.refresh();
    let at = 0;
    while (at < length) {
      const n = this.view.find(addr + at);
      if (n < 0) {
        at += Math.min(length - at, this.view.nextStart(addr + at) - (addr + at));
        continue;
      }
      const range = this.view.ranges[n] as FlatEntry;
      const inRange = addr + at - range.start;
      const bytes = Math.min(length - at, range.size - inRange);
      // Behind a mapped device even a load may act: only the machine below can look at it without touching.
      if (range.kind === 'ram-device') return null;
      if (range.host) range.host.read((range.hva as number) + inRange, out.subarray(at, at + bytes));
      else if (!peekOps(range.mr.ops as MemoryRegionOps, range.regionOffset + inRange, out.subarray(at, at + bytes)))
        return null;
      at += bytes;
    }
    return out;
  }

  /** flatview_read_continue() */
  private readInto(addr: Addr, into: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      const range = this.lookup(addr + at);
      if (!range) {
        const gap = Math.min(length - at, this.view.nextStart(addr + at) - (addr + at));
        into.fill(0, at, at + gap);
        this.core.log.note(this.core.sites.unassignedRead, addr + at, gap);
        at += gap;
        continue;
      }
      const inRange = addr + at - range.start;
      const left = Math.min(length - at, range.size - inRange);
      if (range.host) {
        range.host.read((range.hva as number) + inRange, into.subarray(at, at + left));
        at += left;
        continue;
      }
      const offset = range.regionOffset + inRange;
      const ops = range.mr.ops as MemoryRegionOps;
      if (left > 8 && ops.readBytes?.(offset, into.subarray(at, at + left))) {
        at += left;
        continue;
      }
      // address_space_translate_internal(): an I/O access is cut at the end of the region, not of the range.
      const step = memory_access_size(ops, offset, Math.min(length - at, range.mr.size - offset));
      const lo = this.memory_region_dispatch_read(range, addr + at, offset, step);
      putBytes(into, at, step, lo, this.hi);
      at += step;
    }
  }

  /** flatview_write_continue() */
  private writeFrom(addr: Addr, from: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      const range = this.lookup(addr + at);
      if (!range) {
        const gap = Math.min(length - at, this.view.nextStart(addr + at) - (addr + at));
        this.core.log.note(this.core.sites.unassignedWrite, addr + at, gap);
        at += gap;
        continue;
      }
      const inRange = addr + at - range.start;
      const left = Math.min(length - at, range.size - inRange);
      if (range.host) {
        if (range.readonly) this.core.log.note(this.core.sites.rom, addr + at, left);
        else range.host.write((range.hva as number) + inRange, from.subarray(at, at + left));
        at += left;
        continue;
      }
      const offset = range.regionOffset + inRange;
      const ops = range.mr.ops as MemoryRegionOps;
      if (left > 8 && ops.writeBytes?.(offset, from.subarray(at, at + left))) {
        at += left;
        continue;
      }
      // address_space_translate_internal(): an I/O access is cut at the end of the region, not of the range.
      const step = memory_access_size(ops, offset, Math.min(length - at, range.mr.size - offset));
      const lo = getBytes(from, at, Math.min(step, 4));
      const hi = step === 8 ? getBytes(from, at + 4, 4) : 0;
      this.memory_region_dispatch_write(range, addr + at, offset, step, lo, hi);
      at += step;
    }
  }

  private memory_region_dispatch_read(range: FlatEntry, addr: Addr, offset: number, width: Width): number {
    const ops = range.mr.ops as MemoryRegionOps;
    const { valid, impl = valid } = ops;
    if (valid && (width < valid.min || width > valid.max)) {
      this.core.log.note(this.core.sites.invalid, addr, width);
      this.hi = 0;
      return 0;
    }
    if (!impl || (width >= impl.min && width <= impl.max)) {
      const value = ops.read(offset, width);
      this.hi = width === 8 ? ops.hi : 0;
      return truncate(value, width);
    }
    // access_with_adjusted_size()
    const step = Math.max(Math.min(width, impl.max), impl.min) as Width;
    let lo = 0;
    let hi = 0;
    for (let at = 0; at < width; at += step) {
      const value = truncate(ops.read(offset + at, step), step);
      if (at < 4) lo += value * 2 ** (8 * at);
      else hi += value * 2 ** (8 * (at - 4));
      if (step === 8) hi = ops.hi;
    }
    this.hi = width === 8 ? hi : 0;
    return truncate(lo % TWO32, width);
  }

  private memory_region_dispatch_write(
    range: FlatEntry,
    addr: Addr,
    offset: number,
    width: Width,
    lo: number,
    hi: number,
  ): void {
    const ops = range.mr.ops as MemoryRegionOps;
    const { valid, impl = valid } = ops;
    if (valid && (width < valid.min || width > valid.max)) {
      this.core.log.note(this.core.sites.invalid, addr, width);
      return;
    }
    const low = truncate(lo, width);
    if (!impl || (width >= impl.min && width <= impl.max)) {
      ops.write(offset, width, low, width === 8 ? hi : 0);
      return;
    }
    const step = Math.max(Math.min(width, impl.max), impl.min) as Width;
    for (let at = 0; at < width; at += step) {
      const part = at < 4 ? Math.floor(low / 2 ** (8 * at)) : Math.floor(hi / 2 ** (8 * (at - 4)));
      ops.write(offset + at, step, truncate(part, step), step === 8 && width === 8 ? hi : 0);
    }
  }
}

/** memory_access_size(): the largest power of two the device takes, the alignment allows and `length` covers. */
function memory_access_size(ops: MemoryRegionOps, offset: number, length: number): Width {
  let max: number = ops.valid ? ops.valid.max : 8;
  const low = offset % 8;
  if (low !== 0 && !ops.impl?.unaligned) max = Math.min(max, low & -low);
  if (length < max) max = length;
  return max >= 8 ? 8 : max >= 4 ? 4 : max >= 2 ? 2 : 1;
}

function truncate(value: number, width: number): number {
  return width === 1 ? value & 0xff : width === 2 ? value & 0xffff : value >>> 0;
}

function putBytes(into: Uint8Array, at: number, width: number, lo: number, hi: number): void {
  for (let n = 0; n < width; n++) into[at + n] = n < 4 ? lo >>> (8 * n) : hi >>> (8 * (n - 4));
}

function getBytes(from: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let n = count - 1; n >= 0; n--) value = value * 256 + (from[at + n] as number);
  return value;
}

/** Fills `out` with what the device shows at `offset`, in the sizes its implementation handles; false if it cannot tell. */
function peekOps(ops: MemoryRegionOps, offset: number, out: Uint8Array): boolean {
  if (!ops.peek) return false;
  const impl = ops.impl ?? ops.valid;
  const unit = Math.min(Math.max(4, impl?.min ?? 1), impl?.max ?? 4, 4) as Width;
  let at = 0;
  while (at < out.length) {
    const cell = offset + at - ((offset + at) % unit);
    const value = ops.peek(cell, unit);
    if (value === null) return false;
    const skip = offset + at - cell;
    for (let n = skip; n < unit && at < out.length; n++) out[at++] = value >>> (8 * n);
  }
  return true;
}
