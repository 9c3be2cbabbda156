/** A direct-mapped translation cache for 4 KiB pages, valid for one map epoch. Ours: stands for a CPU's TLB and KVM's shadow entries. */
import type { Addr } from '../../base/addr.ts';
import type { RamObject } from './cpu-bus.ts';
import type { MapEpoch } from './map-epoch.ts';

const SLOTS = 1024;

/** What a cached page is. */
export const Backing = {
  /** Plain memory: `rams[n]` at `bases[n]`. */
  RAM: 1,
  /** A physical address of the level below: `bases[n]`. */
  PHYS: 2,
  /** Nothing mapped: the VMM answers. */
  NONE: 3,
} as const;

export class PageTlb {
  /** Address of the page, or -1. */
  readonly tags = new Float64Array(SLOTS).fill(-1);
  readonly kinds = new Uint8Array(SLOTS);
  readonly writable = new Uint8Array(SLOTS);
  /** Offset in the memory object, or physical address, of the page's first byte. */
  readonly bases = new Float64Array(SLOTS);
  readonly rams: (RamObject | null)[] = Array.from({ length: SLOTS }, () => null);
  private filled = 0;

  constructor(private readonly epoch: MapEpoch) {}

  /** Slot of the page holding `addr` if it is cached and still valid, else -1. */
  find(addr: Addr): number {
    if (this.filled !== this.epoch.value) {
      this.tags.fill(-1);
      this.filled = this.epoch.value;
      return -1;
    }
    const slot = slotOf(addr);
    return this.tags[slot] === addr - (addr & 4095) ? slot : -1;
  }

  /** Remembers a page; gives its slot. Call after `find` in the same epoch. */
  put(page: Addr, kind: number, writable: boolean, base: number, ram: RamObject | null): number {
    if (this.filled !== this.epoch.value) {
      this.tags.fill(-1);
      this.filled = this.epoch.value;
    }
    const slot = slotOf(page);
    this.tags[slot] = page;
    this.kinds[slot] = kind;
    this.writable[slot] = writable ? 1 : 0;
    this.bases[slot] = base;
    this.rams[slot] = ram;
    return slot;
  }
}

/** Low bits of the page number: `&` keeps the low 32 bits of an exact integer exactly, so no address is cut short. */
function slotOf(addr: Addr): number {
  return (addr / 4096) & (SLOTS - 1);
}
