import type { Addr } from '../../base/addr.ts';

/** struct resource: an inclusive range with a name, in the tree that /proc/iomem prints. */
export interface Resource {
  start: Addr;
  /** Inclusive. */
  end: Addr;
  name: string;
  /** IORESOURCE_BUSY: requested by a driver. */
  busy: boolean;
  parent: Resource | null;
  children: Resource[];
}

/** kernel/resource.c for physical memory. */
export interface Iomem {
  readonly root: Resource;
  make(name: string, start: Addr, end: Addr): Resource;
  /** request_resource: 0, or -EBUSY on overlap (the conflict is in `conflict`). */
  request_resource(parent: Resource, res: Resource): number;
  /** insert_resource: may become the parent of existing ones. */
  insert_resource(parent: Resource, res: Resource): number;
  /** request_mem_region: null when something BUSY is in the way. */
  request_mem_region(start: Addr, size: number, name: string): Resource | null;
  release_resource(res: Resource): number;
  /** Takes it out and hands its children to its parent. */
  remove_resource(res: Resource): void;
  release_mem_region(start: Addr, size: number): void;
  /** Lowest free aligned range of `size` within `parent` between min and max, or null. */
  find_free(parent: Resource, size: number, align: number, min: Addr, max: Addr): Addr | null;
  conflict: Resource | null;
  /** Announces a change made by hand (publishes the tree to the log). */
  changed(): void;
}

/** ioremap'ed access. Addresses are this machine's physical addresses (CPU view). */
export interface Mmio {
  readl(addr: Addr): number;
  writel(value: number, addr: Addr): void;
  readb(addr: Addr): number;
  readw(addr: Addr): number;
  writeb(value: number, addr: Addr): void;
  writew(value: number, addr: Addr): void;
  /** Low half; the high half is left in `hi`. */
  readq(addr: Addr): number;
  hi: number;
  writeq(lo: number, hi: number, addr: Addr): void;
  /** Ours: a loop of readl over the dwords from `addr` on, with one row for the whole loop in the log of whoever answers. */
  readl_loop(into: Uint32Array, addr: Addr): void;
  memcpy_fromio(into: Uint8Array, addr: Addr): void;
  memcpy_toio(addr: Addr, from: Uint8Array): void;
}
