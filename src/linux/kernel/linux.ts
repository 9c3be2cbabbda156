/**
 * One running kernel: the subsystems put together, and what every kernel function leans on (printk, parameters, spans,
 * panic, power). Machines differ by what they are given, never by code.
 */

import { assert } from '../../base/assert.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { BootParams, E820Entry } from '../../hw/bus/boot-params.ts';
import type { Cpu } from '../../hw/bus/cpu-bus.ts';
import { type EventLog, type LayerKind, layerIndex, type MachineId, type SiteId } from '../../log/index.ts';
import { publishedAs } from '../../state/functions.ts';
import { type MachineState, paths } from '../../state/schema.ts';
import { DriverCoreImpl } from '../drivers/base/core.ts';
import { sysrq_init } from '../drivers/tty/sysrq.ts';
import { type Terminal, TtyCore } from '../drivers/tty/tty_core.ts';
import { Pipe } from '../fs/pipe.ts';
import { Pollers } from '../fs/pollers.ts';
import { VfsImpl } from '../fs/vfs.ts';
import { decodeKernelImage } from '../image.ts';
import type { KernelBuild } from '../include/build.ts';
import type { Kernel, SubsystemKey } from '../include/kernel.ts';
import type { ModuleDef } from '../include/module.ts';
import { PCI } from '../include/pci_types.ts';
import { init } from '../init/init-program.ts';
import { start_kernel } from '../init/main.ts';
import { MemoryManager } from '../mm/mm.ts';
import type { Guest, Platform } from '../platform.ts';
import { ProcessExit, type Program, TaskHung } from '../uapi/sys.ts';
import { lockdep } from './locking/lockdep.ts';
import { MmioImpl } from './mmio.ts';
import { ModuleLoader } from './module.ts';
import { DynamicDebug, parse_args } from './params.ts';
import { Printk } from './printk.ts';
import { ProcFiles } from './proc-files.ts';
import { machine_power_off, machine_restart } from './reboot.ts';
import { IomemImpl } from './resource.ts';
import { SyscallSites } from './syscalls.ts';
import { TracedSys } from './syscalls-traced.ts';
import { type Task, TaskTable } from './task.ts';
import { Tracefs } from './trace/tracefs.ts';

/** hung_task_timeout_secs */
const HUNG_TASK_NS = 120e9;
const KERN_WARNING = 4;

/** Real time at power-on of the host: 2026-01-01T00:00:00Z. The lab has no other calendar. */
const EPOCH_NS = 1_767_225_600e9;

export interface LinuxOptions {
  readonly platform: Platform;
  readonly machine: MachineId;
  readonly cpu: Cpu;
  readonly boot: BootParams;
  /** The kernel tree (`MODULES` of module-table.ts). */
  readonly modules: readonly ModuleDef[];
  /** Tap on the serial console's output, with its channel (see `Terminal.onOutput`). */
  readonly console?: (bytes: Uint8Array, channel: number) => void;
  /** `uname -n`; default: the machine's name. */
  readonly hostname?: string;
}

export class Linux implements Kernel, Guest {
  readonly machine: MachineId;
  readonly build: KernelBuild;
  readonly boot: BootParams;
  readonly cpu: Cpu;
  readonly platform: Platform;
  readonly log: EventLog;
  readonly scheduler: Scheduler;
  readonly drivers: DriverCoreImpl;
  readonly vfs: VfsImpl;
  readonly iomem: IomemImpl;
  readonly mmio: MmioImpl;
  readonly mm: MemoryManager;
  readonly modules: ModuleLoader;
  readonly tasks: TaskTable;
  readonly tty: TtyCore;
  readonly log_buf: Printk;
  readonly dyndbg = new DynamicDebug();
  readonly tracing: Tracefs;
  readonly pollers: Pollers;
  readonly sites: SyscallSites;
  readonly consoleTap: ((bytes: Uint8Array, channel: number) => void) | undefined;
  hostname: string;
  /** sched_clock runs: before that the log's time stands at 0. */
  sched_clock = false;
  /** The memory map as the kernel keeps it. */
  e820: readonly E820Entry[] = [];
  /** Calendar time at boot. */
  readonly bootTimeNs: number;
  private readonly bootedAt: number;
  private readonly cmdline = new Map<string, string>();
  private readonly args: readonly (readonly [string, string])[];
  private readonly siteByName = new Map<string, SiteId>();
  private readonly subsystems = new Map<object, unknown>();
  private readonly warned = new Set<string>();
  private unpowered = false;

  /** Throws `UserError` when the kernel image is not one. */
  constructor(options: LinuxOptions) {
    const { platform, machine, cpu, boot } = options;
    this.platform = platform;
    this.machine = machine;
    this.cpu = cpu;
    this.boot = boot;
    this.log = platform.log;
    this.scheduler = platform.scheduler;
    this.consoleTap = options.console;
    this.hostname = options.hostname ?? machine;
    this.build = decodeKernelImage(boot.kernel);
    this.bootedAt = this.scheduler.now;
    this.bootTimeNs = EPOCH_NS + this.bootedAt;
    this.args = parse_args(boot.cmdline);
    for (const [key, value] of this.args) this.cmdline.set(key, value);
    this.log_buf = new Printk(
      this.scheduler,
      () => (this.sched_clock ? this.now() : 0),
      (ns) => {
        if (this.sched_clock) this.scheduler.advance(ns);
      },
    );
    this.pollers = new Pollers(this.scheduler);
    this.iomem = new IomemImpl(this.log, machine);
    this.iomem.quiet = true;
    this.mmio = new MmioImpl(cpu.bus);
    this.sites = new SyscallSites(this);
    const files = new ProcFiles(this);
    this.vfs = new VfsImpl(
      () => this.bootTimeNs + this.now(),
      () => new Pipe(this),
      files,
    );
    this.procFiles = files;
    this.tasks = new TaskTable(
      this,
      (task: Task) => new TracedSys(this, task),
      (task: Task) => this.mm.exitProcess(task),
    );
    this.tracing = new Tracefs(this, this.vfs.superBlock('tracefs'));
    this.drivers = new DriverCoreImpl(this, this.vfs.sysfs);
    this.mm = new MemoryManager(this);
    this.vfs.rootfs.sb.filePages = (size) => this.mm.file_pages(size);
    this.modules = new ModuleLoader(this, options.modules);
    this.tty = new TtyCore(this);
    this.tasks.onInitExit = (exit) => {
      const code = exit.signal > 0 ? exit.signal : exit.status * 256;
      this.panic(`Attempted to kill init! exitcode=0x${code.toString(16).padStart(8, '0')}`);
    };
    for (const key of this.cmdline.keys())
      if (key.endsWith('.dyndbg')) this.dyndbg.exec(`module ${key.slice(0, -7)} ${this.cmdline.get(key)}`);
    const dyndbg = this.cmdline.get('dyndbg');
    if (dyndbg !== undefined) this.dyndbg.exec(dyndbg);
  }
  private readonly procFiles: ProcFiles;

  /** Starts the boot; it goes on as a task of the scheduler. */
  start(): void {
    this.setState('booting');
    this.scheduler.spawn(async () => {
      try {
        await start_kernel(this);
      } catch (error) {
        // An oops outside any process: the boot task itself died of it.
        if (!(error instanceof ProcessExit)) throw error;
        if (!this.tasks.dead) this.panic('Attempted to kill init! exitcode=0x00000009');
      }
    });
  }

  // --- Kernel -------------------------------------------------------------------------------------------------------

  param(name: string): string | undefined {
    return this.cmdline.get(name);
  }
  config(name: string): 'y' | 'm' | 'n' {
    return this.build.config[name.replace(/^CONFIG_/, '')] ?? 'n';
  }
  /** `module.key=value` words of the command line. */
  moduleArgs(module: string): (readonly [string, string])[] {
    const prefix = `${module}.`;
    return this.args
      .filter(([key]) => key.replaceAll('-', '_').startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const);
  }

  printk(level: number, text: string): void {
    // Warnings and worse also stand in the event log, under the function that gave them.
    if (level <= KERN_WARNING) this.log.noteValue(this.site('printk', ['level', 'json']), level, text);
    this.log_buf.printk(level, text);
  }
  dynamic_debug(module: string, fn: string, text: string): void {
    if (this.dyndbg.enabled(module, fn)) this.printk(7, text);
  }
  warn(text: string, where: string, once?: string): void {
    if (once !== undefined) {
      if (this.warned.has(once)) return;
      this.warned.add(once);
    }
    const { current } = this.tasks;
    this.printk(4, '------------[ cut here ]------------');
    if (text !== '') this.printk(4, text);
    this.printk(4, `WARNING: CPU: 0 PID: ${current?.pid ?? 1} at ${where}`);
    this.printk(4, '---[ end trace 0000000000000000 ]---');
  }
  /** The functions of this kernel that are open in the log, innermost first (without offsets: there is no machine code). */
  private frames(where: string): readonly string[] {
    const { log } = this;
    const own = layerIndex(this.machine, 'kernel');
    const frames: string[] = [];
    for (let row = log.currentCause - 1; row >= log.start; row = log.causeOf(row) - 1) {
      const site = log.sites[log.a(row)];
      if (site?.layer !== own) break;
      const name = site.name.split(' ')[0] ?? '';
      if (/^[a-z_]\w*$/i.test(name) && name !== where) frames.push(name);
    }
    return frames;
  }
  private call_trace(frames: readonly string[]): void {
    this.printk(4, 'Call Trace:');
    this.printk(4, ' <TASK>');
    for (const frame of frames) this.printk(4, ` ${frame}`);
    this.printk(4, ' </TASK>');
  }
  hung(where: string): never {
    this.watch_hung(where, () => true);
    throw new TaskHung();
  }
  watch_hung(where: string, waits: () => boolean): void {
    const task = this.tasks.current;
    const trace = this.frames(where);
    const { comm = 'swapper/0', pid = 1 } = task ?? {};
    // Once for each task.
    this.scheduler.spawn(async () => {
      await this.scheduler.sleep(HUNG_TASK_NS).promise;
      if (this.off || this.tasks.dead || !waits()) return;
      this.printk(3, `INFO: task ${comm}:${pid} blocked for more than 120 seconds.`);
      this.printk(3, `      Not tainted ${this.build.release} ${this.build.version.split(' ')[0] ?? ''}`);
      this.printk(3, '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.');
      this.printk(6, `task:${comm.padEnd(15)} state:D pid:${pid}`);
      this.call_trace([where, ...trace]);
    });
  }
  oops(text: string, where: string): never {
    const { current } = this.tasks;
    lockdep(this).off();
    this.printk(1, text);
    this.printk(4, 'Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI');
    const uname = `${this.build.release} ${this.build.version.split(' ')[0] ?? ''}`;
    this.printk(
      4,
      `CPU: 0 UID: 0 PID: ${current?.pid ?? 1} Comm: ${current?.comm ?? 'swapper/0'} Not tainted ${uname}`,
    );
    this.printk(4, `RIP: 0010:${where}`);
    this.call_trace(this.frames(where));
    this.printk(4, '---[ end trace 0000000000000000 ]---');
    this.log.publish(paths.machine(this.machine), { ...this.published(), oops: text });
    // make_task_dead(SIGKILL); the file tables and locks of the dead are cleaned up as for any exit.
    throw new ProcessExit(137, 9);
  }

  now(): number {
    return this.scheduler.now - this.bootedAt;
  }
  site(name: string, args?: readonly [string?, string?], cite?: string, kind: LayerKind = 'kernel'): SiteId {
    const key = `${kind}:${name}`;
    const known = this.siteByName.get(key);
    if (known !== undefined) return known;
    const site = this.log.site({
      layer: layerIndex(this.machine, kind),
      name,
      ...(args ? { args } : {}),
      ...(cite === undefined ? {} : { cite }),
    });
    this.siteByName.set(key, site);
    return site;
  }
  span<T>(site: SiteId, b: number, c: number, body: () => T): T {
    const outer = this.log.begin(site, b, c);
    let result = 0;
    try {
      const value = body();
      if (typeof value === 'number') result = value;
      return value;
    } finally {
      this.log.end(outer, result);
    }
  }
  get<T>(key: SubsystemKey<T>): T {
    const value = this.subsystems.get(key);
    assert(value !== undefined, `subsystem ${key.name} is not there`);
    // The key carries the type its `set` was checked against.
    return value as T;
  }
  set<T>(key: SubsystemKey<T>, value: T): void {
    this.subsystems.set(key, value);
  }
  has<T>(key: SubsystemKey<T>): boolean {
    return this.subsystems.has(key);
  }

  // --- programs, terminals, consoles ----------------------------------------------------------------------------------

  program(name: string): Program | undefined {
    return this.platform.programs.get(name) ?? (name === 'init' ? init : undefined);
  }
  /** `console=` of the command line, the last one counts; without one it is the first virtual console. */
  get consoleName(): string {
    const name = this.args.findLast(([key]) => key === 'console')?.[1].split(',')[0] ?? 'tty1';
    return name === 'tty' || name === 'tty0' ? 'tty1' : name;
  }
  registerConsoles(): void {
    const { log_buf } = this;
    const loglevel = Number(this.param('loglevel'));
    if (Number.isInteger(loglevel) && this.param('loglevel') !== '') log_buf.console_loglevel = loglevel;
    else if (this.param('debug') !== undefined) log_buf.console_loglevel = 10;
    else if (this.param('quiet') !== undefined) log_buf.console_loglevel = 4;
    const names = this.args.filter(([key]) => key === 'console').map(([, value]) => value.split(',')[0] ?? '');
    for (const asked of names.length > 0 ? names : ['tty0']) {
      const serial = asked === 'ttyS0';
      if (!serial && !/^tty[01]?$/.test(asked)) continue;
      const name = serial ? 'ttyS0' : 'tty1';
      if (serial) {
        const port = this.tty.serial();
        if (!port) continue;
        this.tty.console ??= port.tty;
      }
      log_buf.register_console({ name, write: (text) => this.tty.printkWrite(name, text) });
      this.printk(6, `printk: legacy console [${serial ? 'ttyS0' : 'tty0'}] enabled`);
    }
  }
  proc_init(): void {
    this.procFiles.init();
    sysrq_init(this);
  }

  /** The lab's end of a terminal: `tty1` is the physical console; any other name makes a new login on a pseudo terminal. */
  openTerminal(name: string): Terminal {
    const { terminal, isNew } = this.tty.open(name);
    if (isNew) this.logins.push(terminal.name);
    this.startLogins();
    return terminal;
  }
  /** Logins asked for before init ran start with it. */
  private readonly logins: string[] = [];
  startLogins(): void {
    const pid1 = this.tasks.find(1);
    if (!pid1) return;
    for (let name = this.logins.shift(); name !== undefined; name = this.logins.shift()) {
      const argv = ['getty', name];
      const task = this.tasks.create(pid1, 'getty', argv, this.vfs.ns.root);
      this.tasks.start(task, () => init(task.sys, argv, {}));
    }
  }

  // --- Guest, power ---------------------------------------------------------------------------------------------------

  interrupt(irq: number): void {
    if (!this.tasks.dead) this.tty.interrupt(irq);
  }

  /** The vector a message names, on the CPU it names; the handler runs when the present step is over. */
  message(address: number, data: number): void {
    if (this.tasks.dead || !this.has(PCI)) return;
    const handler = this.get(PCI).irqs.get(((address >>> 12) & 0xff) * 256 + (data & 0xff));
    if (!handler) return;
    this.scheduler.spawn(async () => {
      if (!this.tasks.dead) handler();
    });
  }

  /** The machine is off: nothing of this kernel runs any more. */
  get off(): boolean {
    return this.unpowered;
  }

  /** Power is gone. Processes end, and what this kernel published about itself goes. */
  powerOff(): void {
    if (this.unpowered) return;
    this.unpowered = true;
    this.tasks.kill_all();
    this.setState('off');
    const own = new RegExp(`^(proc|vma|dev|mod|cxl|iomem|vfio)/${this.machine}(/|$)`);
    for (const { block } of [...this.log.blocks])
      if (block.kind === 'object' && own.test(block.path)) this.log.publish(block.path, null);
  }

  reboot(command: 'restart' | 'poweroff' | 'halt'): number {
    if (command === 'restart') machine_restart(this);
    else if (command === 'poweroff') machine_power_off(this);
    else {
      this.printk(0, 'reboot: System halted');
      this.setState('halted');
    }
    // Without power, or halted, nothing returns to user space.
    this.tasks.kill_all();
    return 0;
  }

  panic(text: string): void {
    if (this.tasks.dead) return;
    this.printk(0, `Kernel panic - not syncing: ${text}`);
    this.printk(
      0,
      `CPU: 0 UID: 0 PID: 1 Comm: ${this.tasks.find(1)?.comm ?? 'swapper/0'} Not tainted ${this.build.release}`,
    );
    const timeout = Number(this.param('panic') ?? 0);
    this.setState('crashed', text);
    if (timeout !== 0) {
      if (timeout > 0) {
        this.printk(0, `Rebooting in ${timeout} seconds..`);
        this.scheduler.advance(timeout * 1e9);
      }
      machine_restart(this);
    } else this.printk(0, `---[ end Kernel panic - not syncing: ${text} ]---`);
    this.tasks.kill_all();
  }

  /** The machine's record as it stands: its VMM writes to it too. */
  private published(): Partial<MachineState> {
    return publishedAs<MachineState>(this.log.object(paths.machine(this.machine))) ?? {};
  }

  setState(state: MachineState['state'], reason?: string): void {
    // A kernel that boots knows nothing of the troubles of the one before.
    const { reason: _reason, oops: _oops, ...fresh } = this.published();
    const kept = state === 'booting' ? fresh : this.published();
    const usable = this.boot.e820.filter((entry) => entry.type === 'usable');
    const now = {
      id: this.machine,
      state,
      release: this.build.release,
      build: this.build.version,
      ...(this.build.notes ? { notes: this.build.notes } : {}),
      cmdline: this.boot.cmdline,
      ramBytes: usable.reduce((sum, entry) => sum + entry.size, 0),
      cpus: this.cpu.count,
      ...(reason === undefined ? {} : { reason }),
    } satisfies MachineState;
    // Who provides the machine (`vmm`) was written by its VMM and stays.
    this.log.publish(paths.machine(this.machine), { ...kept, ...now });
  }
}
