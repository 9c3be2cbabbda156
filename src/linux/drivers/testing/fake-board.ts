import { readFileSync } from 'node:fs';
import { GiB, hex, type Width } from '../../../base/addr.ts';
import { assert } from '../../../base/assert.ts';
import { utf8, viewOf } from '../../../base/bytes.ts';
import { Prng } from '../../../base/prng.ts';
import { Scheduler } from '../../../base/scheduler.ts';
import type { Cpu, CpuBus } from '../../../hw/bus/cpu-bus.ts';
import { MapEpoch } from '../../../hw/bus/map-epoch.ts';
import { EventLog } from '../../../log/index.ts';
import { encodeInitrd, encodeKernelImage } from '../../image.ts';
import type { KernelBuild } from '../../include/build.ts';
import { Linux } from '../../kernel/linux.ts';
import { MODULES, moduleTreeEntries } from '../../module-table.ts';
import type { Program } from '../../uapi/sys.ts';

/** A q35-like board with the CXL accelerator behind a root port, as bytes: for tests of the kernel's drivers only. */

/** Addresses the tables of golden capture A had in the real guest's memory. */
const TABLES: Readonly<Record<string, number>> = {
  FACP: 0x7ffe335a,
  DSDT: 0x7ffe0040,
  FACS: 0x7ffe0000,
  APIC: 0x7ffe344e,
  HPET: 0x7ffe34ce,
  SRAT: 0x7ffe3506,
  MCFG: 0x7ffe35f6,
  CEDT: 0x7ffe3632,
  WAET: 0x7ffe369e,
};
const ROOT_ENTRIES = ['FACP', 'APIC', 'HPET', 'SRAT', 'MCFG', 'CEDT', 'WAET'];
const RSDP = 0xf52a0;
const RSDT = 0x7ffe36c6;

/** Config space of one function with write masks. */
export class Fn {
  readonly bytes = new Uint8Array(4096);
  readonly mask = new Uint8Array(4096);
  constructor(
    readonly bus: number,
    readonly devfn: number,
    id: number,
    cls: number,
  ) {
    this.put(0, 4, id);
    this.put(8, 4, cls * 256);
    this.mask.set([0xff, 0x07], 4);
  }
  put(at: number, width: number, value: number): this {
    for (let n = 0; n < width; n++) this.bytes[at + n] = Math.floor(value / 2 ** (8 * n)) & 0xff;
    return this;
  }
  get(at: number, width: number): number {
    let value = 0;
    for (let n = width - 1; n >= 0; n--) value = value * 256 + (this.bytes[at + n] ?? 0);
    return value;
  }
  write(at: number, width: number, value: number): void {
    for (let n = 0; n < width; n++) {
      const mask = this.mask[at + n] ?? 0;
      const byte = Math.floor(value / 2 ** (8 * n)) & 0xff;
      this.bytes[at + n] = (byte & mask) | ((this.bytes[at + n] ?? 0) & ~mask);
    }
  }
  masked(at: number, width: number, mask: number): this {
    for (let n = 0; n < width; n++) this.mask[at + n] = Math.floor(mask / 2 ** (8 * n)) & 0xff;
    return this;
  }
  /** A memory BAR; `wide` makes it a 64-bit one. */
  bar(n: number, addr: number, size: number, wide: boolean): this {
    const at = 0x10 + 4 * n;
    this.put(at, 4, (addr % 2 ** 32) + (wide ? 4 : 0)).masked(at, 4, 2 ** 32 - size);
    if (wide) this.put(at + 4, 4, Math.floor(addr / 2 ** 32)).masked(at + 4, 4, 0xffffffff);
    return this;
  }
  /** PCI Express capability at `at` of this type with extended tags and a Gen5 x16 link. */
  express(at: number, type: number, next = 0): this {
    this.put(6, 2, 0x10)
      .put(0x34, 1, at)
      .put(at, 2, 0x10 + next * 256)
      .put(at + 2, 2, 2 + type * 16);
    return this.put(at + 4, 4, 0x8020)
      .masked(at + 8, 2, 0xffff)
      .put(at + 12, 4, 0x105)
      .put(at + 18, 2, 0x105);
  }
}

/** HDM decoder block behaviour of the emulated accelerator (4 decoders). */
class Component {
  readonly dwords = new Map<number, number>([
    [0x1000, 0x03110001],
    [0x1004, 0],
    [0x1008, 0x0d820004],
    [0x100c, 0x12830005],
    [0x1128, 0x312],
  ]);
  read(at: number): number {
    return this.dwords.get(at) ?? 0;
  }
  write(at: number, value: number): void {
    const n = at - 0x1138;
    if (at === 0x112c) this.dwords.set(at, value & 3);
    if (n < 0 || n >= 0x80) return;
    if (n % 0x20 === 0x10) {
      const kept = value & 0x13ff;
      this.dwords.set(at, kept & 0x200 ? kept | 0x400 : kept);
    } else this.dwords.set(at, n % 8 === 0 && n % 0x20 < 0x10 ? (value & 0xf0000000) >>> 0 : value);
  }
}

export interface BoardOptions {
  readonly hypervisor?: boolean;
  readonly build?: Partial<KernelBuild>;
  readonly cmdline?: string;
  readonly tables?: boolean;
  /** Order of asynchronous probes. */
  readonly seed?: number;
  /** A DMAR table with one remapping unit at 0xfed90000. */
  readonly dmar?: boolean;
  /** Called before boot to change the hardware (a warm device). */
  readonly prepare?: (board: Board) => void;
}

export class Board implements CpuBus {
  hi = 0;
  readonly fns: Fn[] = [];
  readonly component = new Component();
  /** Accesses to the accelerator, in order: `cfg r2 10a`, `mem w4 1138 90000000`. */
  readonly trace: string[] = [];
  private readonly memory = new Map<number, Uint8Array>();
  private cf8 = 0;
  /** Sent to COM1. */
  output = '';
  readonly log = new EventLog();
  readonly scheduler = new Scheduler(() => Promise.resolve());
  readonly linux: Linux;

  constructor(options: BoardOptions = {}) {
    this.fns.push(
      new Fn(0, 0, 0x29c08086, 0x060000),
      new Fn(0, 8, 0x000b1b36, 0x060000),
      new Fn(0, 0xf8, 0x29188086, 0x060100).put(0x0e, 1, 0x80),
      new Fn(0, 0xfa, 0x29228086, 0x010601).bar(5, 0xfea00000, 0x1000, false),
    );
    const rp = new Fn(12, 0, 0x70758086, 0x060400).express(0x74, 4).bar(0, 0xc000000000, 0x10000, true);
    rp.put(0x0e, 1, 1)
      .put(0x18, 4, 0x0d0d0c)
      .put(0x20, 4, 0xfe90fe80)
      .put(0x24, 4, 0x5ff14001)
      .put(0x28, 8, 0xc0 * 2 ** 32 + 0xc0);
    rp.put(0x74, 2, 0x6010)
      .put(0x60, 2, 5)
      .put(0x1c, 1, 0xf0)
      .put(0x148, 4, 0x0001000d)
      .put(0x14c, 2, 0x1f)
      .masked(0x14e, 2, 0x7f)
      .put(0x100, 4, 0x14810001)
      .put(4, 2, 7);
    const accel = new Fn(13, 0, 0x0d948086, 0x050310).express(0x80, 0).bar(0, 0xfe800000, 0x10000, true).put(8, 1, 1);
    accel.put(4, 2, 3).put(0x2c, 4, 0x11001af4);
    const dvsec: readonly (readonly [number, number])[] = [
      [0x100, 0x13c10023],
      [0x104, 0x03c31e98],
      [0x108, 0x001e0000],
      [0x10c, 0x00000002],
      [0x110, 0x00020000],
      [0x11c, 0x1000004b],
      [0x13c, 0x16010023],
      [0x140, 0x02401e98],
      [0x144, 0x00000008],
      [0x148, 0x00000100],
      [0x160, 0x00010023],
      [0x164, 0x02021e98],
      [0x168, 0x00260007],
    ];
    for (const [at, value] of dvsec) accel.put(at, 4, value);
    accel.masked(0x10c, 2, 0x4ffd);
    this.fns.push(rp, accel);
    if (options.tables !== false) this.loadTables(options.dmar === true);
    options.prepare?.(this);
    const build: KernelBuild = {
      release: '6.11.0-rc2-test',
      version: '#1 SMP PREEMPT_DYNAMIC',
      patches: [1, 2, 3],
      quirks: {},
      config: {
        ACPI: 'y',
        PCI: 'y',
        PCIEPORTBUS: 'y',
        INTEL_IOMMU: 'y',
        CXL_BUS: 'y',
        CXL_PORT: 'y',
        CXL_REGION: 'y',
        CXL_ACPI: 'y',
        CXL_MEM: 'y',
        CXL_ACCEL: 'y',
      },
      ...options.build,
    };
    const cpu: Cpu = {
      bus: this,
      count: 2,
      features: { model: 'Test CPU', vendor: 'GenuineIntel', hypervisor: options.hypervisor ?? false },
    };
    const init: Program = async (sys) => {
      await sys.nanosleep(1e18);
      return 0;
    };
    this.linux = new Linux({
      machine: 'l1',
      cpu,
      modules: MODULES,
      platform: {
        log: this.log,
        scheduler: this.scheduler,
        random: new Prng(options.seed ?? 1),
        mapEpoch: new MapEpoch(),
        programs: new Map([['test-init', init]]),
        execute: () => {
          throw new Error('no guests here');
        },
      },
      boot: {
        e820: [
          { start: 0x100000, size: 0x7fedf000, type: 'usable' },
          { start: 0xb0000000, size: 0x10000000, type: 'reserved' },
          { start: 4 * GiB, size: 2 * GiB, type: 'usable' },
        ],
        rsdp: options.tables === false ? 0 : RSDP,
        cmdline: `console=ttyS0 ${options.cmdline ?? ''}`,
        kernel: encodeKernelImage(build),
        initrd: encodeInitrd([
          ...moduleTreeEntries(build),
          { path: '/init', type: 'program', mode: 0o755, program: 'test-init' },
        ]),
      },
    });
  }

  /** Boots until the first process sleeps. */
  async boot(): Promise<this> {
    let crash: unknown = null;
    this.scheduler.onCrash = (error) => {
      crash ??= error;
    };
    this.linux.start();
    await this.scheduler.idle();
    if (crash) throw crash;
    return this;
  }

  /** Lines of the kernel log. */
  get dmesg(): string[] {
    return this.linux.log_buf.records.map(({ text }) => text);
  }

  /** Text of a sysfs file as user space reads it, or the negated errno. */
  sysfs(path: string): string | number {
    const at = this.linux.vfs.sysfs.find(path);
    const show = at?.ops?.show;
    return show ? show() : -2;
  }
  /** Loads a module with what it needs, as modprobe does. */
  modprobe(name: string): number {
    return this.linux.modules.request(name);
  }
  echo(path: string, text: string): number {
    const stored = this.linux.vfs.sysfs.find(path)?.ops?.store?.(text) ?? -2;
    assert(typeof stored === 'number', `${path}: the write sleeps`);
    return stored;
  }

  private loadTables(dmar: boolean): void {
    const put = (at: number, bytes: Uint8Array) => this.copyTo(at, bytes);
    for (const [name, at] of Object.entries(TABLES))
      put(at, new Uint8Array(readFileSync(new URL(`../../../hw/acpi/fixtures/${name}.bin`, import.meta.url))));
    const facp = new Uint8Array(0xf4);
    this.copyFrom(TABLES.FACP ?? 0, facp);
    viewOf(facp).setUint32(36, TABLES.FACS ?? 0, true);
    viewOf(facp).setUint32(40, TABLES.DSDT ?? 0, true);
    put(TABLES.FACP ?? 0, checksummed(facp, 9));
    const entries = ROOT_ENTRIES.map((name) => TABLES[name] ?? 0);
    if (dmar) {
      const table = new Uint8Array(64);
      table.set(utf8('DMAR'));
      table.set([64, 0, 0, 0, 1], 4);
      table.set(utf8('BOCHS BXPC    '), 10);
      table[36] = 38;
      table.set([0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0xd9, 0xfe], 48);
      put(0x7ffd0000, checksummed(table, 9));
      entries.push(0x7ffd0000);
    }
    const rsdt = new Uint8Array(36 + 4 * entries.length);
    rsdt.set(utf8('RSDT'));
    viewOf(rsdt).setUint32(4, rsdt.length, true);
    rsdt[8] = 1;
    rsdt.set(utf8('BOCHS BXPC    '), 10);
    viewOf(rsdt).setUint32(24, 1, true);
    rsdt.set(utf8('BXPC'), 28);
    viewOf(rsdt).setUint32(32, 1, true);
    for (const [n, at] of entries.entries()) viewOf(rsdt).setUint32(36 + 4 * n, at, true);
    put(RSDT, checksummed(rsdt, 9));
    const rsdp = new Uint8Array(20);
    rsdp.set(utf8('RSD PTR '));
    rsdp.set(utf8('BOCHS '), 9);
    viewOf(rsdp).setUint32(16, RSDT, true);
    put(RSDP, checksummed(rsdp, 8));
  }

  private fn(bus: number, devfn: number): Fn | undefined {
    return this.fns.find((one) => one.bus === bus && one.devfn === devfn);
  }
  config(bus: number, devfn: number, reg: number, width: number, value: number | null): number {
    const fn = this.fn(bus, devfn);
    if (bus === 13 && devfn === 0)
      this.trace.push(`cfg ${value === null ? 'r' : 'w'}${width} ${hex(reg)}${value === null ? '' : ` ${hex(value)}`}`);
    if (!fn) return 2 ** (8 * width) - 1;
    if (value !== null) fn.write(reg, width, value);
    return fn.get(reg, width);
  }

  load(addr: number, width: Width): number {
    if (addr >= 0xb0000000 && addr < 0xc0000000) {
      const at = addr - 0xb0000000;
      return this.config(Math.floor(at / 0x100000), Math.floor(at / 4096) & 0xff, at & 0xfff, width, null);
    }
    if (addr >= 0xfe800000 && addr < 0xfe810000) {
      this.trace.push(`mem r${width} ${hex(addr - 0xfe800000)}`);
      return this.component.read(addr - 0xfe800000);
    }
    // component registers of the host bridge: one root port, so no HDM decoder capability
    const chbcr: Readonly<Record<number, number>> = {
      19327356928: 0x05110001,
      19327356936: 0x0d820004,
      19327356940: 0x12810000,
      19327356944: 0x27810006,
      19327356948: 0xaa010008,
    };
    if (addr >= 0x480000000 && addr < 0x480010000) return chbcr[addr] ?? 0;
    const page = this.memory.get(Math.floor(addr / 4096));
    let value = 0;
    for (let n = Math.min(width, 4) - 1; n >= 0; n--) value = value * 256 + (page?.[(addr % 4096) + n] ?? 0);
    return value;
  }
  store(addr: number, width: Width, lo: number): void {
    if (addr >= 0xb0000000 && addr < 0xc0000000) {
      const at = addr - 0xb0000000;
      this.config(Math.floor(at / 0x100000), Math.floor(at / 4096) & 0xff, at & 0xfff, width, lo);
    } else if (addr >= 0xfe800000 && addr < 0xfe810000) {
      this.trace.push(`mem w${width} ${hex(addr - 0xfe800000)} ${hex(lo)}`);
      this.component.write(addr - 0xfe800000, lo);
    }
  }
  peek(): null {
    return null;
  }
  copyFrom(addr: number, into: Uint8Array): void {
    for (let n = 0; n < into.length; n++)
      into[n] = this.memory.get(Math.floor((addr + n) / 4096))?.[(addr + n) % 4096] ?? 0;
  }
  copyTo(addr: number, from: Uint8Array): void {
    from.forEach((byte, n) => {
      const page = Math.floor((addr + n) / 4096);
      const bytes = this.memory.get(page) ?? new Uint8Array(4096);
      this.memory.set(page, bytes);
      bytes[(addr + n) % 4096] = byte;
    });
  }
  inp(port: number, width: 1 | 2 | 4): number {
    if (port === 0xcf8) return this.cf8;
    if (port >= 0xcfc && port < 0xd00) return this.mechanism1(port - 0xcfc, width, null);
    return port === 0x3fd ? 0x60 : port >= 0x3f8 && port < 0x400 ? 0 : 0xff;
  }
  outp(port: number, width: 1 | 2 | 4, value: number): void {
    if (port === 0xcf8) this.cf8 = value;
    else if (port >= 0xcfc && port < 0xd00) this.mechanism1(port - 0xcfc, width, value);
  }
  private mechanism1(low: number, width: number, value: number | null): number {
    return this.config((this.cf8 >>> 16) & 0xff, (this.cf8 >>> 8) & 0xff, (this.cf8 & 0xfc) + low, width, value);
  }
  outs(port: number, bytes: Uint8Array): void {
    if (port === 0x3f8) this.output += String.fromCharCode(...bytes);
  }
  ins(): void {}
  resolve(): boolean {
    return false;
  }
}

function checksummed(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = 0;
  bytes[at] = (256 - (bytes.reduce((sum, byte) => sum + byte, 0) % 256)) % 256;
  return bytes;
}
