import type { Addr, Width } from '../../base/addr.ts';

/**
 * What code running on a machine's CPU can do to the outside: the only door from a kernel (or firmware) to hardware.
 *
 * 8-byte values are two unsigned 32-bit halves: `load` gives the low half and leaves the high half in `hi` (0 for
 * narrower loads). Loads nobody claims give what the machine gives (QEMU: 0 in memory space, all ones in config space).
 * Nothing here allocates.
 */
export interface CpuBus {
  /** High half of the last 8-byte `load`. */
  hi: number;
  load(addr: Addr, width: Width): number;
  store(addr: Addr, width: Width, lo: number, hi?: number): void;
  /** Reads without side effects and without events, for inspectors. Unreadable bytes give null. */
  peek(addr: Addr, length: number): Uint8Array | null;
  /** Bulk copies (string instructions); `addr` may cross regions. */
  copyFrom(addr: Addr, into: Uint8Array): void;
  copyTo(addr: Addr, from: Uint8Array): void;
  /** A loop of 4-byte loads of consecutive dwords: the same accesses, counted, but reported as one. */
  loadLoop?(addr: Addr, into: Uint32Array): void;
  /** Port I/O (x86). */
  inp(port: number, width: 1 | 2 | 4): number;
  outp(port: number, width: 1 | 2 | 4, value: number): void;
  /** `rep outsb` / `rep insb`: one string instruction, one exit. */
  outs(port: number, bytes: Uint8Array): void;
  ins(port: number, into: Uint8Array): void;
  /**
   * Where the byte at `addr` finally lives if it is plain memory all the way down. Fills `out` and gives true; false for
   * anything that a device or a VMM answers. `out.limit` bytes from `out.offset` on are contiguous in the same memory.
   */
  resolve(addr: Addr, out: RamRef): boolean;
}

/** A position in a memory object (`ram` of `hw/memory/sparse-ram.ts`). */
export interface RamRef {
  ram: RamObject | null;
  offset: number;
  limit: number;
}

/** The memory object itself: logged stores, plain loads. */
export interface RamObject {
  readonly id: string;
  readonly size: number;
  hi: number;
  load(offset: number, width: Width): number;
  store(offset: number, width: Width, lo: number, hi?: number): void;
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}

/** A CPU of a machine: its bus, its identity, and the line that makes it run code. */
export interface Cpu {
  readonly bus: CpuBus;
  /** CPUID facts the kernel looks at. */
  readonly features: {
    readonly model: string;
    readonly hypervisor: boolean;
    readonly vendor: string;
    readonly tcg?: boolean;
  };
  readonly count: number;
}
