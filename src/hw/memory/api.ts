import type { Addr, Hva, Width } from '../../base/addr.ts';
import type { RamRef } from '../bus/cpu-bus.ts';

/**
 * QEMU's memory API (docs/devel/memory.rst, system/memory.c) as far as the lab needs it. Implemented in `memory.ts`
 * by functions with QEMU's names:
 *
 *   memory_region_init(name, size)                                   container
 *   memory_region_init_io(ops, name, size)
 *   memory_region_init_ram(name, size, host, hva)                    backed by memory of the VMM process
 *   memory_region_init_rom(name, size, host, hva)
 *   memory_region_init_ram_device(name, size, host, hva)             a VFIO mmap
 *   memory_region_init_alias(name, orig, offset, size)
 *   memory_region_add_subregion(mr, offset, sub)
 *   memory_region_add_subregion_overlap(mr, offset, sub, priority)
 *   memory_region_del_subregion(mr, sub)
 *   memory_region_set_enabled(mr, on)
 *   memory_region_set_address(mr, offset)
 *   memory_region_transaction_begin() / memory_region_transaction_commit()   (per MemoryCore, the VMM's instance)
 *   class AddressSpace(core, name, root)    read/write/listeners/flatview
 *
 * All of them belong to one `MemoryCore` (one VMM process): `new MemoryCore(hooks)`.
 */
export interface MemoryRegionOps {
  /** High half of the last 8-byte read. */
  hi: number;
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, lo: number, hi: number): void;
  /** Without side effects; null when it cannot be known. */
  peek?(offset: number, width: Width): number | null;
  /**
   * A run of bytes at once (a string instruction), where the device has it: same effect as the single accesses it stands
   * for. False: not for this run, do single accesses.
   */
  readBytes?(offset: number, into: Uint8Array): boolean;
  writeBytes?(offset: number, from: Uint8Array): boolean;
  /** Answers any access as memory would (any size and alignment, in place): on the host it stands for silicon, see `KvmExits.windows`. */
  readonly memoryLike?: true;
  /** Of such a region: where the byte finally lives; true until `MemoryCore.generation` grows or the process maps anew. */
  resolve?(offset: number, out: RamRef): boolean;
  /** Access sizes the device accepts; others give 0 / are dropped with a note (memory_region_access_valid). Default 1…8. */
  readonly valid?: { readonly min: Width; readonly max: Width };
  /** Sizes the implementation handles; others are split or widened as QEMU does; `unaligned` ones are not split by alignment. Default 1…4 → as `valid`. */
  readonly impl?: { readonly min: Width; readonly max: Width; readonly unaligned?: boolean };
}

/** Memory of the VMM process itself (structurally `Sys.mem`). */
export interface HostMemory {
  hi: number;
  load(addr: Hva, width: Width): number;
  store(addr: Hva, width: Width, lo: number, hi?: number): void;
  read(addr: Hva, into: Uint8Array): void;
  write(addr: Hva, from: Uint8Array): void;
  /** Where a writable byte finally lives if it is plain memory all the way down. */
  resolve?(addr: Hva, out: RamRef): boolean;
  /** What `resolve` gave holds as long as this number stands. Absent: it must not be kept. */
  readonly epoch?: { readonly value: number };
}

export interface FlatRange {
  readonly start: Addr;
  readonly size: number;
  readonly name: string;
  readonly kind: 'ram' | 'rom' | 'ram-device' | 'io';
  readonly priority: number;
  /** Offset of `start` in the region. */
  readonly regionOffset: number;
  readonly hva: Hva | null;
}
