/** A direct-mapped translation cache for 4 KiB and 2 MiB pages, valid for one map epoch. Ours: stands for a CPU's TLB and KVM's shadow entries. */
import type { Addr } from '../../base/addr.ts';
import type { RamObject } from './cpu-bus.ts';
import type { MapEpoch } from './map-epoch.ts';

/** Bytes of a large page. */
export const LARGE_PAGE = 0x20_0000;
const SMALL = 1024;
const LARGE = 1024;

/** What a cached page is. */
export const Backing = {
  /** Plain memory: offset in `rams[n]`. */
  RAM: 1,
  /** A physical address of the level below. */
  PHYS: 2,
  /** Nothing mapped: the VMM answers. */
  NONE: 3,
  /** Nothing mapped, and the VMM answers as memory: offset in its window. */
  WINDOW: 4,
} as const;

export class PageTlb {
  /** Address of the page, or -1: small pages first, then large ones. */
  private readonly tags = new Float64Array(SMALL + LARGE).fill(-1);
  readonly kinds = new Uint8Array(SMALL + LARGE);
  readonly writable = new Uint8Array(SMALL + LARGE);
  /** What to add to an address of the page to get the offset in the memory object, or the physical address. */
  readonly deltas = new Float64Array(SMALL + LARGE);
  readonly rams: (RamObject | null)[] = Array.from({ length: SMALL + LARGE }, () => null);
  private filled = 0;

  constructor(private readonly epoch: MapEpoch) {}

  /** Slot of the page holding `addr` if it is cached and still valid, else -1. */
  find(addr: Addr): number {
    if (this.filled !== this.epoch.value) {
      this.clear();
      return -1;
    }
    const large = largeSlot(addr);
    if (this.tags[large] === addr - (addr & (LARGE_PAGE - 1))) return large;
    const slot = smallSlot(addr);
    return this.tags[slot] === addr - (addr & 4095) ? slot : -1;
  }

  /** Remembers a 4 KiB page, or with `large` a 2 MiB one; gives its slot. `base` is where its first byte is. */
  put(page: Addr, kind: number, writable: boolean, base: number, ram: RamObject | null, large = false): number {
    if (this.filled !== this.epoch.value) this.clear();
    const slot = large ? largeSlot(page) : smallSlot(page);
    this.tags[slot] = page;
    this.kinds[slot] = kind;
    this.writable[slot] = writable ? 1 : 0;
    this.deltas[slot] = base - page;
    this.rams[slot] = ram;
    return slot;
  }

  /** Forgets everything. */
  clear(): void {
    this.tags.fill(-1);
    this.filled = this.epoch.value;
  }
}

/** Low bits of the page number: `&` keeps the low 32 bits of an exact integer exactly, so no address is cut short. */
function smallSlot(addr: Addr): number {
  return (addr / 4096) & (SMALL - 1);
}
function largeSlot(addr: Addr): number {
  return SMALL + ((addr / LARGE_PAGE) & (LARGE - 1));
}
