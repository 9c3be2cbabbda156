/** struct MemoryRegion of QEMU 9 (include/exec/memory.h): one node of the region tree. Left out: dirty logging, IOMMU regions, ROMD mode, coalescing. */
import type { Addr, Hva } from '../../base/addr.ts';
import type { HostMemory, MemoryRegionOps } from './api.ts';

export type RegionKind = 'container' | 'io' | 'ram' | 'rom' | 'ram-device' | 'alias';

/** Size of a region that covers the whole 64-bit space; exact as a number because it is a power of two. */
export const UINT64_SIZE = 2 ** 64;

/** Made only by `MemoryCore.memory_region_init*`; changed only through its functions. */
export class MemoryRegion {
  /** Offset in `container`, 0 at a root. */
  addr: Addr = 0;
  priority = 0;
  enabled = true;
  readonly = false;
  container: MemoryRegion | null = null;
  /** Highest priority first; among equals the newest first (memory_region_update_container_subregions). */
  readonly subregions: MemoryRegion[] = [];
  /** Aliases of this region that stand in some container. */
  readonly aliases = new Set<MemoryRegion>();
  /** For `familyOf` alone. */
  family: MemoryRegion = this;

  constructor(
    readonly name: string,
    readonly kind: RegionKind,
    public size: number,
    /** Devices answer through these; null for anything but `io`. */
    readonly ops: MemoryRegionOps | null,
    readonly host: HostMemory | null,
    /** Address of byte 0 in the VMM process, for ram, rom and ram-device. */
    readonly hva: Hva | null,
    readonly alias: MemoryRegion | null,
    public aliasOffset: number,
  ) {
    this.readonly = kind === 'rom';
  }

  /** Whether the region itself answers where no subregion does. */
  get terminates(): boolean {
    return this.kind !== 'container' && this.kind !== 'alias';
  }

  /** What `info mtree` prints in parentheses; an alias takes its target's kind, as memory_region_type() does. */
  get type(): 'i/o' | 'ram' | 'rom' | 'ramd' {
    if (this.alias) return this.alias.type;
    if (this.kind === 'ram-device') return 'ramd';
    if (this.kind === 'rom') return 'rom';
    if (this.kind === 'ram') return this.readonly ? 'rom' : 'ram';
    return 'i/o';
  }
}

/** Ports nobody claims read all ones (unassigned_io_ops): ops of the root of the I/O address space. */
export const unassigned_io_ops: MemoryRegionOps = {
  hi: 0xffffffff,
  read: () => 0xffffffff,
  write: () => {},
  peek: () => 0xffffffff,
};
