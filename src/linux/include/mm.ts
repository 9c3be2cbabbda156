import type { Addr, Hva } from '../../base/addr.ts';
import type { RamRef } from '../../hw/bus/cpu-bus.ts';
import type { Process } from './tasks.ts';

/** Memory management as far as processes, VFIO and KVM need it. */
export interface Mm {
  /** Physical address behind a process address (faulting it in), or -1 if the address is not mapped. */
  translate(process: Process, addr: Hva): Addr;
  /** The same without touching anything: -1 also for a page that is not faulted in yet. */
  present(process: Process, addr: Hva): Addr;
  /** Final memory behind a process address if it is plain memory all the way down (fills `out`); false for device memory. */
  resolve(process: Process, addr: Hva, out: RamRef): boolean;
  /** Bytes from `addr` on that lie in a row in physical memory as far as it is known without touching more; 0 if `addr` is not mapped. */
  contiguous(process: Process, addr: Hva): number;
  /** unmap_mapping_range: drops already faulted pages of VMAs of `file` in [offset, offset+length). */
  zap(file: object, offset: number, length: number): void;
  /** Bytes of System RAM not handed out. */
  readonly freeBytes: number;
  /** Free bytes of a range of physical memory. */
  free_in(start: Addr, end: Addr): number;
  /** Bytes of System RAM, without what was taken offline. */
  readonly totalBytes: number;
  /** Memory that is plugged in or put online later. */
  online_pages(start: Addr, size: number): void;
  /** False when some of it is in use. */
  offline_pages(start: Addr, size: number): boolean;
}
