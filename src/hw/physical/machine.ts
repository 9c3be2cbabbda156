/**
 * The real host: a bare-metal PC as far as L0 needs one. RAM below and above the 4 GiB hole, COM1, one PCI function (the host
 * bridge). Left out: ACPI, everything else on a mainboard.
 */
import { type Addr, GiB, type Width } from '../../base/addr.ts';
import { type EventLog, LAYERS, type SiteId } from '../../log/index.ts';
import type { BootParams, E820Entry } from '../bus/boot-params.ts';
import type { Cpu, CpuBus, RamRef } from '../bus/cpu-bus.ts';
import { SparseRam } from '../memory/sparse-ram.ts';
import { Uart, type UartBackend } from '../serial/uart.ts';
import { HostBridge } from './host-bridge.ts';

const COM1 = 0x3f8;
const COM1_IRQ = 4;
const LOW_RAM_MAX = 2 * GiB;

export interface PhysicalMachineOptions {
  /** Bytes of RAM, a multiple of 64 KiB. Default 64 GiB. */
  readonly ramBytes?: number;
  /** The line COM1 is connected to. */
  readonly serial: UartBackend;
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly cmdline: string;
  readonly cpus?: number;
  readonly model?: string;
  readonly vendor?: string;
}

/** Reset control and PM1a control of the chipset, where the lab's kernels write to end a machine. */
const RST_CNT = 0xcf9;
const PM1A_CNT = 0x604;
const SLP_EN = 0x2000;

export class PhysicalMachine {
  readonly ram: SparseRam;
  readonly uart: Uart;
  readonly cpu: Cpu;
  readonly boot: BootParams;
  /** The reset control register was written, or the sleep enable bit. */
  onPower: (request: 'reset' | 'off') => void = () => {};
  /** Where interrupts go once a kernel runs. */
  onInterrupt: (irq: number) => void = () => {};

  constructor(log: EventLog, options: PhysicalMachineOptions) {
    const size = options.ramBytes ?? 64 * GiB;
    this.ram = new SparseRam(log, 'host', size);
    this.uart = new Uart(options.serial, () => this.onInterrupt(COM1_IRQ));
    this.cpu = {
      bus: new PhysicalBus(log, this.ram, this.uart, (request) => this.onPower(request)),
      features: {
        model: options.model ?? 'Intel(R) Xeon(R) Processor',
        hypervisor: false,
        vendor: options.vendor ?? 'GenuineIntel',
      },
      count: options.cpus ?? 8,
    };
    this.boot = {
      e820: hostE820(size),
      rsdp: 0,
      cmdline: options.cmdline,
      kernel: options.kernel,
      initrd: options.initrd ?? new Uint8Array(0),
    };
  }
}

/** What the host's firmware reports: no tables, so only the classic holes are reserved. */
function hostE820(ramBytes: number): E820Entry[] {
  const low = Math.min(ramBytes, LOW_RAM_MAX);
  const map: E820Entry[] = [
    { start: 0, size: 0x9fc00, type: 'usable' },
    { start: 0x9fc00, size: 0x400, type: 'reserved' },
    { start: 0xf0000, size: 0x10000, type: 'reserved' },
    { start: 0x100000, size: low - 0x100000, type: 'usable' },
  ];
  if (ramBytes > low) map.push({ start: 4 * GiB, size: ramBytes - low, type: 'usable' });
  return map;
}

class PhysicalBus implements CpuBus {
  hi = 0;
  private readonly low: number;
  private readonly highEnd: number;
  private readonly bridge = new HostBridge();
  private readonly unclaimed: SiteId;

  constructor(
    private readonly log: EventLog,
    private readonly ram: SparseRam,
    private readonly uart: Uart,
    private readonly power: (request: 'reset' | 'off') => void,
  ) {
    this.low = Math.min(ram.size, LOW_RAM_MAX);
    this.highEnd = 4 * GiB + ram.size - this.low;
    const layer = LAYERS.findIndex((entry) => entry.id === 'hw');
    this.unclaimed = log.site({ layer, name: 'master abort: nobody claims the address', args: ['address', 'width'] });
  }

  load(addr: Addr, width: Width): number {
    const offset = this.offset(addr, width);
    if (offset >= 0) {
      const value = this.ram.load(offset, width);
      this.hi = this.ram.hi;
      return value;
    }
    this.log.note(this.unclaimed, addr, width);
    this.hi = width === 8 ? 0xffffffff : 0;
    return width >= 4 ? 0xffffffff : 2 ** (8 * width) - 1;
  }
  store(addr: Addr, width: Width, lo: number, hi = 0): void {
    const offset = this.offset(addr, width);
    if (offset >= 0) this.ram.store(offset, width, lo, hi);
    else this.log.note(this.unclaimed, addr, width);
  }
  peek(addr: Addr, length: number): Uint8Array | null {
    const offset = this.offset(addr, length);
    if (offset < 0) return null;
    const out = new Uint8Array(length);
    this.ram.read(offset, out);
    return out;
  }
  copyFrom(addr: Addr, into: Uint8Array): void {
    const offset = this.offset(addr, into.length);
    if (offset >= 0) this.ram.read(offset, into);
    else {
      this.log.note(this.unclaimed, addr, into.length);
      into.fill(0xff);
    }
  }
  copyTo(addr: Addr, from: Uint8Array): void {
    const offset = this.offset(addr, from.length);
    if (offset >= 0) this.ram.write(offset, from);
    else this.log.note(this.unclaimed, addr, from.length);
  }
  resolve(addr: Addr, out: RamRef): boolean {
    const offset = this.offset(addr, 1);
    if (offset < 0) return false;
    out.ram = this.ram;
    out.offset = offset;
    out.limit = addr < this.low ? this.low - addr : this.highEnd - addr;
    return true;
  }

  inp(port: number, width: 1 | 2 | 4): number {
    if (port >= COM1 && port < COM1 + 8) return this.uart.read(port - COM1);
    if (port >= 0xcf8 && port <= 0xcff) return this.bridge.inp(port, width);
    return 2 ** (8 * width) - 1;
  }
  outp(port: number, width: 1 | 2 | 4, value: number): void {
    if (port >= COM1 && port < COM1 + 8) this.uart.write(port - COM1, value);
    else if (port === RST_CNT && width === 1) {
      if (value & 4) this.power('reset');
    } else if (port === PM1A_CNT && width === 2) {
      if (value & SLP_EN) this.power('off');
    } else if (port >= 0xcf8 && port <= 0xcff) this.bridge.outp(port, width, value);
  }
  outs(port: number, bytes: Uint8Array): void {
    if (port >= COM1 && port < COM1 + 8) this.uart.outs(port - COM1, bytes);
    else for (const byte of bytes) this.outp(port, 1, byte);
  }
  ins(port: number, into: Uint8Array): void {
    if (port >= COM1 && port < COM1 + 8) this.uart.ins(port - COM1, into);
    else for (let n = 0; n < into.length; n++) into[n] = this.inp(port, 1);
  }

  /** Offset in the memory object, or -1 where no memory is. */
  private offset(addr: Addr, length: number): number {
    if (addr >= 0 && addr + length <= this.low) return addr;
    if (addr >= 4 * GiB && addr + length <= this.highEnd) return addr - 4 * GiB + this.low;
    return -1;
  }
}
