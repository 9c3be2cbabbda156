import type { Addr } from '../../base/addr.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import type { Mmio } from '../include/ioport.ts';

/** arch/x86/include/asm/io.h over the machine's bus. */
export class MmioImpl implements Mmio {
  hi = 0;
  constructor(private readonly bus: CpuBus) {}
  readl(addr: Addr): number {
    return this.bus.load(addr, 4);
  }
  writel(value: number, addr: Addr): void {
    this.bus.store(addr, 4, value >>> 0);
  }
  readb(addr: Addr): number {
    return this.bus.load(addr, 1);
  }
  readw(addr: Addr): number {
    return this.bus.load(addr, 2);
  }
  writeb(value: number, addr: Addr): void {
    this.bus.store(addr, 1, value & 0xff);
  }
  writew(value: number, addr: Addr): void {
    this.bus.store(addr, 2, value & 0xffff);
  }
  readq(addr: Addr): number {
    const lo = this.bus.load(addr, 8);
    this.hi = this.bus.hi;
    return lo;
  }
  writeq(lo: number, hi: number, addr: Addr): void {
    this.bus.store(addr, 8, lo >>> 0, hi >>> 0);
  }
  readl_loop(into: Uint32Array, addr: Addr): void {
    if (this.bus.loadLoop) this.bus.loadLoop(addr, into);
    else for (let n = 0; n < into.length; n++) into[n] = this.bus.load(addr + n * 4, 4);
  }
  memcpy_fromio(into: Uint8Array, addr: Addr): void {
    this.bus.copyFrom(addr, into);
  }
  memcpy_toio(addr: Addr, from: Uint8Array): void {
    this.bus.copyTo(addr, from);
  }
}
