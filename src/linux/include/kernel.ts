import type { Scheduler } from '../../base/scheduler.ts';
import type { BootParams } from '../../hw/bus/boot-params.ts';
import type { Cpu } from '../../hw/bus/cpu-bus.ts';
import type { EventLog, LayerKind, MachineId, SiteId } from '../../log/index.ts';
import type { Platform } from '../platform.ts';
import type { KernelBuild } from './build.ts';
import type { DriverCore } from './device.ts';
import type { Vfs } from './fs.ts';
import type { Iomem, Mmio } from './ioport.ts';
import type { Mm } from './mm.ts';
import type { Modules } from './module.ts';
import type { Tasks } from './tasks.ts';
import type { Tracing } from './tracing.ts';

/**
 * One running kernel. L0, L1 and L2 are three instances of the same class on different machines; what differs is the
 * machine, the build and the command line. Every kernel function takes its kernel as first argument or is a method of
 * one of these subsystems: there are no globals.
 */
export interface Kernel {
  readonly machine: MachineId;
  readonly build: KernelBuild;
  readonly boot: BootParams;
  readonly cpu: Cpu;
  readonly platform: Platform;
  readonly log: EventLog;
  readonly scheduler: Scheduler;

  readonly drivers: DriverCore;
  readonly vfs: Vfs;
  readonly iomem: Iomem;
  readonly mmio: Mmio;
  readonly mm: Mm;
  readonly modules: Modules;
  readonly tasks: Tasks;
  readonly tracing: Tracing;

  /** Value of `name` on the kernel command line: '' for a bare word, undefined if absent. */
  param(name: string): string | undefined;
  /** `IS_ENABLED(CONFIG_…)`: 'y', 'm' or 'n' from the build. */
  config(name: string): 'y' | 'm' | 'n';

  /**
   * Prints one line to the kernel log (without newline). Levels as in kern_levels.h: 0 emerg … 4 warn, 5 notice, 6 info,
   * 7 debug. `subsystem` is only metadata for provenance.
   */
  printk(level: number, text: string): void;
  /** A debug line that appears only where dynamic debug has switched `module` (or `module:function`) on. */
  dynamic_debug(module: string, fn: string, text: string): void;
  /** Prints a WARN splat (`------------[ cut here ]------------` …) with `text`; `once` keys WARN_ON_ONCE. */
  warn(text: string, where: string, once?: string): void;
  /** An oops: prints the trace and kills the current task (the kernel goes on, as Linux does outside interrupts). */
  oops(text: string, where: string): never;
  /** The current task waits in `where` for a lock that is never released: it stays in state D, and khungtaskd says so. */
  hung(where: string): never;
  /** khungtaskd over the current task, which begins an uninterruptible sleep in `where`: says so after 120 s if it still `waits`. */
  watch_hung(where: string, waits: () => boolean): void;

  /** Nanoseconds since this kernel booted. */
  now(): number;
  /** Site of a span or note in this kernel's layer; cached by name. */
  site(name: string, args?: readonly [string?, string?], cite?: string, kind?: LayerKind): SiteId;
  /** Runs `body` as a span `name` in the event log (kernel layer). */
  span<T>(site: SiteId, b: number, c: number, body: () => T): T;

  /** Subsystem singletons (PCI core, CXL core, VFIO …), keyed by the object their module exports. */
  get<T>(key: SubsystemKey<T>): T;
  set<T>(key: SubsystemKey<T>, value: T): void;
  has<T>(key: SubsystemKey<T>): boolean;
}

/** A typed key for a per-kernel singleton. */
export class SubsystemKey<T> {
  declare readonly type: T;
  constructor(readonly name: string) {}
}
