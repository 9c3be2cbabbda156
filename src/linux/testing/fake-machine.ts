/** A bare machine for kernel tests: RAM, a 16550A with a recording transmitter, nothing else. */
import { GiB, MiB, type Width } from '../../base/addr.ts';
import { concat, text, utf8 } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { Scheduler } from '../../base/scheduler.ts';
import type { Cpu, CpuBus, RamObject, RamRef } from '../../hw/bus/cpu-bus.ts';
import { MapEpoch } from '../../hw/bus/map-epoch.ts';
import { EventLog } from '../../log/index.ts';
import { encodeInitrd, encodeKernelImage, type InitrdEntry } from '../image.ts';
import type { KernelBuild } from '../include/build.ts';
import type { ModuleDef } from '../include/module.ts';
import { Linux } from '../kernel/linux.ts';
import type { CommandEvent, Platform } from '../platform.ts';
import type { Program } from '../uapi/sys.ts';

export class FakeBus implements CpuBus {
  hi = 0;
  readonly ram = new Uint8Array(4 * MiB);
  readonly sent: Uint8Array[] = [];
  readonly ports: (readonly [port: number, value: number])[] = [];
  rx: number[] = [];
  private readonly uart = new Uint8Array(8);
  load(addr: number, width: Width): number {
    let value = 0;
    for (let n = Math.min(width, 4) - 1; n >= 0; n--) value = value * 256 + (this.ram[addr + n] ?? 0);
    return value >>> 0;
  }
  store(addr: number, width: Width, lo: number): void {
    for (let n = 0; n < Math.min(width, 4); n++) this.ram[addr + n] = (lo >>> (8 * n)) & 0xff;
  }
  peek(): Uint8Array | null {
    return null;
  }
  copyFrom(addr: number, into: Uint8Array): void {
    into.set(this.ram.subarray(addr, addr + into.length));
  }
  copyTo(addr: number, from: Uint8Array): void {
    if (addr + from.length <= this.ram.length) this.ram.set(from, addr);
  }
  inp(port: number): number {
    const reg = port - 0x3f8;
    if (reg < 0 || reg > 7) return 0xff;
    if (reg === 5) return 0x60 | (this.rx.length > 0 ? 1 : 0);
    if (reg === 0) return this.rx.shift() ?? 0;
    return this.uart[reg] ?? 0;
  }
  outp(port: number, _width: 1 | 2 | 4, value: number): void {
    const reg = port - 0x3f8;
    if (reg >= 0 && reg <= 7) this.uart[reg] = value;
    else this.ports.push([port, value]);
  }
  outs(port: number, bytes: Uint8Array): void {
    if (port === 0x3f8) this.sent.push(bytes.slice());
  }
  ins(): void {}
  resolve(_addr: number, _out: RamRef): boolean {
    return false;
  }
  get output(): string {
    return text(concat(this.sent));
  }
}
export type { RamObject };

export const BUILD: KernelBuild = {
  release: '6.11.0-test',
  version: '#1 SMP PREEMPT_DYNAMIC',
  config: { BUILTIN: 'y', LEAF: 'm', BASE: 'm' },
  patches: [],
  quirks: {},
};

export interface Fake {
  readonly linux: Linux;
  readonly bus: FakeBus;
  readonly log: EventLog;
  readonly commands: CommandEvent[];
  readonly taps: (readonly [string, number])[];
  /** Runs until nothing can happen any more, timers included up to `timers`. */
  settle(timers?: number): Promise<void>;
  type(line: string): void;
}

export interface FakeOptions {
  readonly programs?: Readonly<Record<string, Program>>;
  readonly entries?: readonly InitrdEntry[];
  readonly cmdline?: string;
  readonly modules?: readonly ModuleDef[];
  readonly build?: KernelBuild;
}

export function fakeLinux(options: FakeOptions = {}): Fake {
  const bus = new FakeBus();
  const cpu: Cpu = { bus, features: { model: 'Test CPU', hypervisor: false, vendor: 'GenuineIntel' }, count: 2 };
  const log = new EventLog();
  const scheduler = new Scheduler(() => Promise.resolve());
  const crashes: unknown[] = [];
  scheduler.onCrash = (error) => crashes.push(error);
  const commands: CommandEvent[] = [];
  const taps: (readonly [string, number])[] = [];
  const platform: Platform = {
    log,
    scheduler,
    random: new Prng(1),
    mapEpoch: new MapEpoch(),
    programs: new Map(Object.entries(options.programs ?? {})),
    execute: () => {
      throw new Error('no guests here');
    },
    commandHook: (event) => commands.push(event),
  };
  const programs = Object.keys(options.programs ?? {}).map(
    (name): InitrdEntry => ({ path: `/bin/${name}`, type: 'program', mode: 0o755, program: name }),
  );
  const init: InitrdEntry = { path: '/init', type: 'program', mode: 0o755, program: 'init' };
  const linux = new Linux({
    platform,
    machine: 'l1',
    cpu,
    boot: {
      e820: [
        { start: 0, size: 0x9fc00, type: 'usable' },
        { start: 0x9fc00, size: 0x400, type: 'reserved' },
        { start: 0xf0000, size: 0x10000, type: 'reserved' },
        { start: MiB, size: 2 * GiB - MiB, type: 'usable' },
        { start: 0xb0000000, size: 0x10000000, type: 'reserved' },
      ],
      rsdp: 0,
      cmdline: options.cmdline ?? 'console=ttyS0 iomem=relaxed',
      kernel: encodeKernelImage(options.build ?? BUILD),
      initrd: encodeInitrd(options.entries ?? [init, ...programs]),
    },
    modules: options.modules ?? [],
    console: (bytes, channel) => taps.push([text(bytes), channel]),
  });
  return {
    linux,
    bus,
    log,
    commands,
    taps,
    async settle(timers = 0) {
      await scheduler.idle();
      for (let n = 0; n < timers && scheduler.untilNextTimer() !== null; n++) {
        scheduler.fireNextTimer();
        await scheduler.idle();
      }
      if (crashes.length > 0) throw crashes[0];
    },
    type(line) {
      bus.rx.push(...utf8(line));
      linux.interrupt(4);
    },
  };
}

/** Boots and runs `body` as the login shell; resolves with what it gave when everything sleeps. */
export async function runShell<T>(body: (sys: Parameters<Program>[0]) => Promise<T>, options: FakeOptions = {}) {
  let result: T | undefined;
  let done = false;
  const bash: Program = async (sys) => {
    if (done) {
      await sys.pollIn([0], null);
      return 0;
    }
    done = true;
    result = await body(sys);
    await sys.pollIn([0], null);
    return 0;
  };
  const fake = fakeLinux({ ...options, programs: { bash, ...options.programs } });
  fake.linux.start();
  await fake.settle(100);
  return { fake, result: result as T };
}
