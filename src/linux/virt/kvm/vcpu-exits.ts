/**
 * Exits of a virtual CPU to its VMM (handle_ept_misconfig, handle_io and what KVM_RUN then returns with): counted, traced, each with its
 * row in the log. Left out: the in-kernel irqchip, posted writes (coalesced MMIO).
 */
import { type Addr, TWO32, type Width } from '../../../base/addr.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { KvmExits, WindowRef } from '../../uapi/sys.ts';
import { type ExitSites, exitSites, unit } from './exits.ts';
import { KvmEvents } from './trace.ts';

/** Port of the PCI configuration data register (mechanism #1). */
const CONFIG_DATA = 0xcfc;

export interface ExitCounts {
  mmioRead: number;
  mmioWrite: number;
  io: number;
}

export class VcpuExits {
  /** High half of the last 8-byte read. */
  hi = 0;
  /** False once the VM has stopped: its CPU has no power, nothing answers. */
  running = true;
  private readonly sites: ExitSites;
  private readonly trace: KvmEvents;
  private readonly window: WindowRef = { port: null, base: 0, first: 0, past: 0 };

  /** @param onFault the host could not provide a page (its owner raised SIGBUS): KVM_RUN ends with -EFAULT */
  constructor(
    private readonly kernel: Kernel,
    private readonly exits: KvmExits,
    private readonly counts: ExitCounts,
    private readonly onFault: () => void,
  ) {
    this.trace = new KvmEvents(kernel.tracing);
    this.sites = exitSites(kernel);
  }

  read(gpa: Addr, width: Width): number {
    if (!this.running) return this.dead(width);
    const { log } = this.kernel;
    this.counts.mmioRead++;
    const outer = log.begin(this.sites.read, gpa, 0);
    this.trace.exit('EPT_MISCONFIG');
    this.trace.mmio('unsatisfied-read', width, gpa, 0, 0);
    let value = 0;
    try {
      value = this.exits.mmioRead(gpa, width);
      this.hi = width === 8 ? this.exits.hi : 0;
    } finally {
      log.end(outer, value);
    }
    this.trace.mmio('read', width, gpa, value, this.hi);
    this.trace.entry();
    return value;
  }

  write(gpa: Addr, width: Width, lo: number, hi: number): void {
    if (!this.running) return;
    const { log } = this.kernel;
    this.counts.mmioWrite++;
    // An 8-byte value is shown exactly as far as a double holds it.
    const outer = log.begin(this.sites.write, gpa, hi * TWO32 + (lo >>> 0));
    this.trace.exit('EPT_MISCONFIG');
    this.trace.mmio('write', width, gpa, lo, hi);
    try {
      this.exits.mmioWrite(gpa, width, lo, hi);
    } finally {
      log.end(outer);
    }
    this.trace.entry();
  }

  readBytes(gpa: Addr, into: Uint8Array): void {
    if (this.exits.mmioReadBytes && this.exits.windows?.find(gpa, this.window)) {
      this.counts.mmioRead++;
      this.exits.mmioReadBytes(gpa, into);
      return;
    }
    if (this.exits.mmioReadBytes) {
      const { log } = this.kernel;
      this.counts.mmioRead++;
      const outer = log.begin(this.sites.read, gpa, 0);
      try {
        this.exits.mmioReadBytes(gpa, into);
      } finally {
        log.end(outer, into.length);
      }
      return;
    }
    for (let at = 0; at < into.length; ) {
      const width = unit(gpa + at, into.length - at);
      const value = this.read(gpa + at, width);
      for (let n = 0; n < width; n++) into[at + n] = value >>> (8 * n);
      at += width;
    }
  }

  writeBytes(gpa: Addr, from: Uint8Array): void {
    if (this.exits.mmioWriteBytes && this.exits.windows?.find(gpa, this.window)) {
      this.counts.mmioWrite++;
      this.exits.mmioWriteBytes(gpa, from);
      return;
    }
    if (this.exits.mmioWriteBytes) {
      const { log } = this.kernel;
      this.counts.mmioWrite++;
      const outer = log.begin(this.sites.write, gpa, from.length);
      try {
        this.exits.mmioWriteBytes(gpa, from);
      } finally {
        log.end(outer);
      }
      return;
    }
    for (let at = 0; at < from.length; ) {
      const width = unit(gpa + at, from.length - at);
      let value = 0;
      for (let n = width - 1; n >= 0; n--) value = value * 256 + (from[at + n] as number);
      this.write(gpa + at, width, value, 0);
      at += width;
    }
  }

  /** A loop of 4-byte loads none of which a slot or window answers; false when they have to be made one by one. */
  readLoop(gpa: Addr, into: Uint32Array): boolean {
    const { exits } = this;
    const { log } = this.kernel;
    if (!exits.mmioReadLoop || exits.windows?.find(gpa, this.window)) return false;
    this.counts.mmioRead += into.length;
    const outer = log.begin(this.sites.loop, gpa, into.length);
    try {
      exits.mmioReadLoop(gpa, into);
    } finally {
      log.end(outer, into.length);
    }
    return true;
  }

  inp(port: number, width: 1 | 2 | 4): number {
    this.counts.io++;
    if (!this.running) return 2 ** (8 * width) - 1;
    this.trace.exit('IO_INSTRUCTION');
    const value = this.exits.pioRead(port, width);
    this.trace.pio('pio_read', port, width, value);
    this.trace.entry();
    return value;
  }
  outp(port: number, width: 1 | 2 | 4, value: number): void {
    this.counts.io++;
    if (!this.running) return;
    this.trace.exit('IO_INSTRUCTION');
    this.trace.pio('pio_write', port, width, value);
    // Only writes of configuration data have rows of their own: they change registers, and every change has its cause.
    const shown = port >= CONFIG_DATA && port < CONFIG_DATA + 4;
    const outer = shown ? this.kernel.log.begin(this.sites.io, port, value) : 0;
    try {
      this.exits.pioWrite(port, width, value);
    } finally {
      if (shown) this.kernel.log.end(outer);
    }
    this.trace.entry();
  }
  outs(port: number, bytes: Uint8Array): void {
    this.counts.io++;
    if (this.running) this.exits.pioOuts(port, bytes);
  }
  ins(port: number, into: Uint8Array): void {
    this.counts.io++;
    if (this.running) this.exits.pioIns(port, into);
    else into.fill(0xff);
  }

  fault(gpa: Addr): void {
    this.kernel.log.note(this.sites.fault, gpa, 0);
    this.onFault();
  }

  /** What a CPU without power reads. */
  dead(width: Width): number {
    this.hi = width === 8 ? 0xffffffff : 0;
    return width >= 4 ? 0xffffffff : 2 ** (8 * width) - 1;
  }
}
