/** PCI configuration mechanism #1 (ports 0xcf8/0xcfc) as firmware uses it; PCI Local Bus 3.0 §3.2.2.3.2. */
import type { CpuBus } from '../bus/cpu-bus.ts';

/** Bus, device and function as one number: bus << 8 | device << 3 | function. */
export type Bdf = number;

export class ConfigCycles {
  constructor(private readonly bus: CpuBus) {}

  /** pci_probe_host(): whether the address port holds what is written to it. */
  present(): boolean {
    this.bus.outp(0xcf8, 4, 0x80000000);
    return this.bus.inp(0xcf8, 4) === 0x80000000;
  }
  read(bdf: Bdf, offset: number, width: 1 | 2 | 4): number {
    this.select(bdf, offset);
    return this.bus.inp(0xcfc + (offset & 3), width) >>> 0;
  }
  write(bdf: Bdf, offset: number, width: 1 | 2 | 4, value: number): void {
    this.select(bdf, offset);
    this.bus.outp(0xcfc + (offset & 3), width, value >>> 0);
  }

  /** Functions that answer on one bus, in order (foreachbdf). */
  *functions(bus: number): Generator<Bdf> {
    for (let slot = 0; slot < 32; slot++) {
      for (let fn = 0; fn < 8; fn++) {
        const bdf = (bus << 8) | (slot << 3) | fn;
        const vendor = this.read(bdf, 0, 2);
        if (vendor !== 0xffff && vendor !== 0) yield bdf;
        else if (fn === 0) break;
        if (fn === 0 && (this.read(bdf, 0x0e, 1) & 0x80) === 0) break;
      }
    }
  }

  /** Offset of the first capability `id` after `from` (0: from the start), or 0. */
  capability(bdf: Bdf, id: number, from = 0): number {
    if (from === 0 && (this.read(bdf, 0x06, 2) & 0x10) === 0) return 0;
    let at = this.read(bdf, from === 0 ? 0x34 : from + 1, 1) & 0xfc;
    for (let n = 0; n < 48 && at !== 0; n++) {
      if (this.read(bdf, at, 1) === id) return at;
      at = this.read(bdf, at + 1, 1) & 0xfc;
    }
    return 0;
  }

  private select(bdf: Bdf, offset: number): void {
    this.bus.outp(0xcf8, 4, (0x80000000 | (bdf << 8) | (offset & 0xfc)) >>> 0);
  }
}
