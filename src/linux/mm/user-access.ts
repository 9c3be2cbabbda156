/** Loads and stores of one process through its page tables (a translation cache over `MemoryManager`). A bad address kills the process. */
import { type Addr, type Hva, PAGE_SIZE, type Width } from '../../base/addr.ts';
import { load_across, store_across } from '../../hw/bus/across.ts';
import type { RamObject, RamRef } from '../../hw/bus/cpu-bus.ts';
import type { MapEpoch } from '../../hw/bus/map-epoch.ts';
import { Backing, LARGE_PAGE, PageTlb } from '../../hw/bus/page-tlb.ts';
import type { Kernel } from '../include/kernel.ts';
import type { Process } from '../include/tasks.ts';
import { PROT_WRITE, SIGBUS, SIGSEGV } from '../uapi/constants.ts';
import { ProcessExit, type UserMemory } from '../uapi/sys.ts';
import type { Vma } from './vma.ts';

/** What this needs of the manager (avoids a circular import). */
export interface AddressLookup {
  find(process: Process, addr: Hva): Vma | null;
  translate(process: Process, addr: Hva): Addr;
  resolve(process: Process, addr: Hva, out: RamRef): boolean;
  contiguous(process: Process, addr: Hva): number;
}

export class UserAccess implements UserMemory {
  hi = 0;
  readonly epoch: MapEpoch;
  private readonly tlb: PageTlb;
  private readonly ref: RamRef = { ram: null, offset: 0, limit: 0 };

  constructor(
    private readonly kernel: Kernel,
    private readonly mm: AddressLookup,
    private readonly process: Process,
  ) {
    this.epoch = kernel.platform.mapEpoch;
    this.tlb = new PageTlb(this.epoch);
  }

  load(addr: Hva, width: Width): number {
    const at = addr & 4095;
    if (at + width > PAGE_SIZE) return load_across(this, addr, width);
    const { tlb } = this;
    let slot = tlb.find(addr);
    if (slot < 0) slot = this.fill(addr - at);
    const base = addr + (tlb.deltas[slot] as number);
    if (tlb.kinds[slot] === Backing.RAM) {
      const ram = tlb.rams[slot] as RamObject;
      const value = ram.load(base, width);
      this.hi = ram.hi;
      return value;
    }
    const { bus } = this.kernel.cpu;
    const value = bus.load(base, width);
    this.hi = bus.hi;
    return value;
  }

  store(addr: Hva, width: Width, lo: number, hi = 0): void {
    const at = addr & 4095;
    if (at + width > PAGE_SIZE) {
      store_across(this, addr, width, lo, hi);
      return;
    }
    const { tlb } = this;
    let slot = tlb.find(addr);
    if (slot < 0) slot = this.fill(addr - at);
    if (tlb.writable[slot] === 0) this.fatal(SIGSEGV);
    const base = addr + (tlb.deltas[slot] as number);
    if (tlb.kinds[slot] === Backing.RAM) (tlb.rams[slot] as RamObject).store(base, width, lo, hi);
    else this.kernel.cpu.bus.store(base, width, lo, hi);
  }

  resolve(addr: Hva, out: RamRef): boolean {
    const vma = this.mm.find(this.process, addr);
    return vma !== null && (vma.prot & PROT_WRITE) !== 0 && this.mm.resolve(this.process, addr, out);
  }

  read(addr: Hva, into: Uint8Array): void {
    const { ref } = this;
    let done = 0;
    while (done < into.length) {
      const left = into.length - done;
      if (this.mm.resolve(this.process, addr + done, ref)) {
        const count = Math.min(left, ref.limit);
        (ref.ram as RamObject).read(ref.offset, into.subarray(done, done + count));
        done += count;
      } else {
        const phys = this.physical(addr + done);
        const count = this.run(addr + done, phys, left);
        this.kernel.cpu.bus.copyFrom(phys, into.subarray(done, done + count));
        done += count;
      }
    }
  }

  write(addr: Hva, from: Uint8Array): void {
    const { ref } = this;
    let done = 0;
    while (done < from.length) {
      const left = from.length - done;
      const vma = this.mm.find(this.process, addr + done);
      if (vma && (vma.prot & PROT_WRITE) === 0) this.fatal(SIGSEGV);
      if (this.mm.resolve(this.process, addr + done, ref)) {
        const count = Math.min(left, ref.limit);
        (ref.ram as RamObject).write(ref.offset, from.subarray(done, done + count));
        done += count;
      } else {
        const phys = this.physical(addr + done);
        const count = this.run(addr + done, phys, left);
        this.kernel.cpu.bus.copyTo(phys, from.subarray(done, done + count));
        done += count;
      }
    }
  }

  /** How far the mapping goes on in physical addresses, at most `length`. */
  private run(addr: Hva, phys: Addr, length: number): number {
    let count = this.mm.contiguous(this.process, addr);
    while (count < length && this.mm.translate(this.process, addr + count) === phys + count)
      count += this.mm.contiguous(this.process, addr + count);
    return Math.min(count, length);
  }

  private physical(addr: Hva): Addr {
    const phys = this.mm.translate(this.process, addr);
    if (phys < 0) this.fatal(this.mm.find(this.process, addr) ? SIGBUS : SIGSEGV);
    return phys;
  }

  private fill(page: Hva): number {
    const phys = this.physical(page);
    const vma = this.mm.find(this.process, page);
    const writable = vma !== null && (vma.prot & PROT_WRITE) !== 0;
    const { ref } = this;
    const large = page - (page & (LARGE_PAGE - 1));
    if (this.mm.contiguous(this.process, large) >= LARGE_PAGE && this.mm.find(this.process, large) === vma) {
      if (this.mm.resolve(this.process, large, ref) && ref.limit >= LARGE_PAGE)
        return this.tlb.put(large, Backing.RAM, writable, ref.offset, ref.ram, true);
      return this.tlb.put(large, Backing.PHYS, writable, phys - (page - large), null, true);
    }
    if (this.mm.resolve(this.process, page, ref) && ref.limit >= PAGE_SIZE)
      return this.tlb.put(page, Backing.RAM, writable, ref.offset, ref.ram);
    return this.tlb.put(page, Backing.PHYS, writable, phys, null);
  }

  private fatal(signal: number): never {
    this.kernel.tasks.send(this.process.pid, signal);
    throw new ProcessExit(128 + signal, signal);
  }
}
