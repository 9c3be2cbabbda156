import { assert, UserError } from '../base/assert.ts';
import { utf8 } from '../base/bytes.ts';
import { Prng } from '../base/prng.ts';
import { Scheduler } from '../base/scheduler.ts';
import type { BootParams } from '../hw/bus/boot-params.ts';
import type { Cpu } from '../hw/bus/cpu-bus.ts';
import { MapEpoch } from '../hw/bus/map-epoch.ts';
import { runFirmware } from '../hw/firmware/firmware.ts';
import { PhysicalMachine } from '../hw/physical/machine.ts';
import { Linux } from '../linux/kernel/linux.ts';
import { MODULES } from '../linux/module-table.ts';
import type { CommandEvent, Guest, Platform } from '../linux/platform.ts';
import { type Sys, TaskHung } from '../linux/uapi/sys.ts';
import { KVM } from '../linux/virt/kvm/kvm.ts';
import { EventLog, type MachineId } from '../log/index.ts';
import type {
  BytesSpace,
  ConsoleId,
  RecordedInput,
  SessionMoment,
  SessionRecord,
  SharedSession,
} from '../protocol/client.ts';
import { type MachineState, paths } from '../state/schema.ts';
import { bytesAt } from './bytes-at.ts';
import { Channel, Consoles } from './consoles.ts';
import { Driver } from './driver.ts';
import { stateHash } from './hash.ts';
import { hostImages } from './images.ts';
import { Monitors } from './monitors.ts';
import { programsOf } from './programs.ts';
import { parseTranscript } from './transcript.ts';

const COM1 = 0x3f8;
/** Breaths to wait for a host that is being switched on, and for one that runs what was typed: a loop never ends. */
const PATIENCE = { booting: 2000, typed: 20 } as const;

/** What the embedding program does for the lab: let the event loop breathe, and wait for virtual time to pass. */
export interface LabHost {
  yieldToHost(): Promise<void>;
  pace(ns: number): Promise<void>;
}

export interface LabOptions {
  readonly seed: number;
  readonly host: LabHost;
  /** Inputs of an earlier session, given again at their recorded moments. */
  readonly inputs?: readonly RecordedInput[];
  /** The moment those led to, nothing new is taken before. */
  readonly moment?: SessionMoment | null;
  /** Timers wait real time (the page) instead of firing at once (headless). */
  readonly paced?: boolean;
  /** Without pacing: length of the log at which timers stop, to be where the session stood that gave the inputs. */
  readonly untilRow?: number;
  /** Names of devices in the order their racing probes won, instead of the seed's choice. */
  readonly probeOrder?: readonly string[];
}

/** One session: the physical machine, whatever was booted inside it, the consoles, the log. */
export class Lab {
  readonly log = new EventLog();
  readonly scheduler: Scheduler;
  readonly consoles: Consoles;
  readonly machines = new Map<MachineId, Linux>();
  readonly physical: PhysicalMachine;
  /** Which VMM process last ran each guest. */
  private readonly runs = new Map<MachineId, string>();
  private readonly driver: Driver;
  private readonly monitors: Monitors;
  private readonly platform: Omit<Platform, 'programs'>;
  /** The state's hash at the moment the recorded inputs led to; null where there is no such moment or it was missed. */
  readonly restored: Promise<string | null>;
  /** A broken invariant: the message for the person in front of the page. */
  onCrash: (message: string) => void = (message) => {
    throw new Error(message);
  };

  private constructor(private readonly options: LabOptions) {
    const { host, seed } = options;
    this.scheduler = new Scheduler(async () => {
      await host.yieldToHost();
      this.driver.breathe();
    });
    this.scheduler.onCrash = (error) => {
      // A kernel's own work may wait for a lock that never comes: it just never goes on.
      if (!(error instanceof TaskHung)) this.crash(error);
    };
    this.consoles = new Consoles(this.log, () => this.scheduler.now);
    this.monitors = new Monitors(this.log, this.consoles, this.machines);
    this.driver = new Driver(this.scheduler, {
      pace: (ns) => host.pace(ns),
      deliver: (console, text) => this.consoles.deliver(console, utf8(text)),
      settled: () => this.flush(),
    });
    const { untilRow, moment = null } = options;
    this.driver.setReplay(options.inputs ?? [], moment);
    this.restored = moment
      ? new Promise((resolve) => {
          this.driver.onRestored = (there) => resolve(there ? this.hash() : null);
        })
      : Promise.resolve(null);
    if (untilRow !== undefined) this.driver.enough = () => this.log.length >= untilRow;
    this.consoles.onOpen = (machine, id) => this.login(machine, id);
    const mapEpoch = new MapEpoch();
    this.platform = {
      log: this.log,
      scheduler: this.scheduler,
      random: new Prng(seed),
      ...(options.probeOrder ? { probeOrder: options.probeOrder } : {}),
      mapEpoch,
      execute: (machine, cpu) => this.execute(machine, cpu),
      commandHook: (event) => this.command(event),
    };
    this.physical = new PhysicalMachine(this.log, {
      ...hostImages(),
      cmdline: 'console=tty1 quiet iomem=relaxed',
      // Nothing is plugged into the host's own COM1.
      serial: { write: () => {} },
    });
  }

  /** Boots the host; resolves when its shell shows a prompt (or everything recorded has been given again). */
  static async start(options: LabOptions): Promise<Lab> {
    const lab = new Lab(options);
    lab.bootHost();
    void lab.driver.run(() => options.paced === true).catch((error: unknown) => lab.crash(error));
    if (options.paced !== true) await lab.settled();
    return lab;
  }

  stop(): void {
    this.driver.stop();
  }

  /** Everything has come to rest (no input waits, nothing can run). */
  settled(): Promise<void> {
    return this.driver.settled();
  }

  /** Headless: how far virtual time may run on its own before a command that never ends is left standing. */
  allow(ns: number, steps?: { readonly console: ConsoleId; readonly count: number }): void {
    this.driver.patience = steps ? { console: steps.console, position: this.scheduler.position + steps.count } : null;
    this.driver.deadline = this.scheduler.now + ns;
  }

  input(console: ConsoleId, text: string): void {
    this.driver.input(console, text);
  }

  /** The window of a console has this size now. An input like any other: what programs print depends on it. */
  resize(console: ConsoleId, columns: number, rows: number): void {
    if (!this.consoles.hasSize(console, columns, rows)) this.input(`resize:${console}`, `${columns}x${rows}`);
  }

  /** Another login on a running machine; gives its console, or null when the machine is off. */
  openTerminal(machine: MachineId): ConsoleId | null {
    const kernel = this.machines.get(machine);
    if (!kernel) return null;
    // Opening a terminal is an input of the session like any other, so that a replay has it too.
    const id = this.consoles.nextTerminal(machine);
    this.input(`open:${machine}`, id);
    return id;
  }

  /**
   * Types a transcript line by line, waiting for each to come to rest; `until` (a typed line) is the last one typed.
   * Stops early if a console is missing, as when an earlier line failed. `beforeEnter` waits while the line stands there.
   */
  async type(transcript: string, until?: string, beforeEnter?: () => Promise<void>): Promise<void> {
    for (const step of parseTranscript(transcript, 'walkthrough')) {
      await this.settled();
      if (this.consoles.find(step.console) === undefined) return;
      if (beforeEnter) {
        this.input(step.console, step.line);
        await this.settled();
        await beforeEnter();
        this.input(step.console, '\r');
      } else this.input(step.console, `${step.line}\r`);
      if (step.line === until) break;
    }
    await this.settled();
  }

  /**
   * Can somebody type on the host as in a fresh session: no guest was started, and its shell waits? A half-typed line is given up
   * with Ctrl-C.
   */
  async clearPrompt(): Promise<boolean> {
    const guest = this.machines.get('l1');
    if (guest && !guest.off) return false;
    const patience = this.driver.inputs.some(({ text }) => /[\r\n]/.test(text)) ? PATIENCE.typed : PATIENCE.booting;
    for (let n = 0; n < patience && !this.scheduler.isIdle; n++) await this.options.host.yieldToHost();
    if (!this.scheduler.isIdle || this.driver.isReplaying || !this.consoles.shell('host').atPrompt) return false;
    const last = this.driver.inputs.findLast(({ console }) => console === 'host')?.text ?? '\r';
    if (!/[\r\x03]$/.test(last)) {
      this.input('host', '\x03');
      await this.settled();
    }
    return this.consoles.shell('host').atPrompt;
  }

  bytes(space: BytesSpace, offset: number, length: number, cursor: number): Uint8Array | null {
    return bytesAt(this, space, offset, length, cursor);
  }

  /** The session as its inputs; with `cursor`, only those given before that row of the log. */
  record(cursor?: number): SessionRecord {
    const { inputs } = this.driver;
    const kept = cursor === undefined ? inputs : inputs.slice(0, this.consoles.inputsBefore(cursor));
    return { version: 1, seed: this.options.seed, inputs: kept };
  }

  /** The session as it is now, to be had again elsewhere. */
  shared(): SharedSession {
    const { moment } = this.driver;
    return { record: this.record(), moment, hash: moment ? this.hash() : null };
  }

  hash(): string {
    return stateHash(this.log, [this.physical.ram]);
  }

  /** Runs `body` as a process of its own on a machine (exports read files like any tool does). */
  async withProcess<T>(machine: MachineId, body: (sys: Sys) => Promise<T>): Promise<T> {
    const kernel = this.machines.get(machine);
    if (!kernel || kernel.off) throw new UserError(`${machine} is not running at the end of the transcript`);
    const init = kernel.tasks.find(1);
    assert(init, `${machine} has no init`);
    return new Promise<T>((resolve, reject) => {
      init.sys.fork(async (sys) => {
        try {
          resolve(await body(sys));
        } catch (error) {
          reject(error);
        }
        return 0;
      });
    });
  }

  private platformOf(machine: MachineId): Platform {
    return { ...this.platform, programs: programsOf(this.log, machine) };
  }

  private login(machine: MachineId, id: ConsoleId): void {
    const kernel = this.machines.get(machine);
    if (kernel) this.consoles.addTerminal(id, machine, kernel.openTerminal(id.slice(machine.length + 1)));
  }

  /** Extra logins end with the kernel they are on; the next kernel would not know their terminals. */
  private hangUp(machine: MachineId): void {
    for (const { id, kind } of this.consoles.list())
      if (kind === 'terminal' && id.startsWith(`${machine}/`)) this.consoles.remove(id);
  }

  private bootHost(): void {
    const { cpu, boot } = this.physical;
    const warm = this.machines.has('host');
    const platform = this.platformOf('host');
    const host = new Linux({ platform, machine: 'host', cpu, boot: { ...boot, warm }, modules: MODULES });
    this.physical.onInterrupt = (irq) => host.interrupt(irq);
    this.physical.onPower = (request) => this.hostPower(host, request);
    this.machines.set('host', host);
    this.consoles.addTerminal('host', 'host', host.openTerminal('tty1'));
    host.start();
  }

  /** The host restarts, or goes off until somebody touches its console. Everything inside it is gone either way. */
  private hostPower(host: Linux, request: 'reset' | 'off'): void {
    this.scheduler.spawn(async () => {
      if (host.off) return;
      host.powerOff();
      this.hangUp('host');
      if (request === 'reset') return this.bootHost();
      this.consoles.output('host', utf8('\r\nThe host is off. Press a key to switch it on.\r\n'), Channel.OUT);
      let pressed = false;
      this.consoles.addSwitch('host', () => {
        if (!pressed) this.bootHost();
        pressed = true;
      });
    });
  }

  /** A virtual CPU starts: firmware, then the kernel it loads. */
  private execute(machine: MachineId, cpu: Cpu): Guest {
    // The same VMM runs the machine again: its memory was not taken away in between.
    const known = this.log.object(paths.machine(machine)) as MachineState | null;
    const vmm = `${known?.vmm?.machine} ${known?.vmm?.pid} ${this.machines.get(known?.vmm?.machine ?? 'host')?.bootTimeNs}`;
    const boot = { ...runFirmware(cpu.bus), warm: this.runs.get(machine) === vmm };
    this.runs.set(machine, vmm);
    const kernel = this.unpack(machine, cpu, boot);
    if (!(kernel instanceof Linux)) return kernel;
    this.machines.set(machine, kernel);
    this.hangUp(machine);
    this.consoles.addSerial(
      machine,
      (bytes) => kernel.tty.serial()?.tty.receive(bytes),
      (columns, rows) => kernel.tty.serial()?.tty.resize(rows, columns),
    );
    this.monitors.attach(machine);
    kernel.start();
    return kernel;
  }

  /** The kernel in the image firmware loaded; for a damaged one the decompressor's last words. */
  private unpack(machine: MachineId, cpu: Cpu, boot: BootParams): Linux | Guest {
    try {
      return new Linux({
        platform: this.platformOf(machine),
        machine,
        cpu,
        boot,
        modules: MODULES,
        console: (bytes, channel) => this.consoles.output(machine, bytes, channel),
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.machines.delete(machine);
      cpu.bus.outs(COM1, utf8('\r\n\r\ncrc error\r\n\r\n -- System halted'));
      const known = this.log.object(paths.machine(machine));
      const kept = typeof known === 'object' && known !== null && !Array.isArray(known) ? known : {};
      this.log.publish(paths.machine(machine), { ...kept, id: machine, state: 'crashed', reason: error.message });
      this.monitors.attach(machine);
      return { machine, interrupt: () => {}, message: () => {}, powerOff: () => {} };
    }
  }

  private command(event: CommandEvent): void {
    const id = this.consoles.idOf(event.machine, event.tty);
    this.consoles.command(id, event);
  }

  /** Once per rest: publish what is counted but not logged one by one. */
  private flush(): void {
    for (const kernel of this.machines.values()) {
      if (kernel.has(KVM)) kernel.get(KVM).flushStats();
      if (kernel.off && kernel.machine !== 'host') this.hangUp(kernel.machine);
    }
    this.monitors.reap();
  }

  private crash(error: unknown): void {
    this.driver.stop();
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (error instanceof Error && error.stack !== undefined) this.crashStack = error.stack;
    this.onCrash(message);
  }
  /** Stack of the invariant that broke, for the report. */
  crashStack: string | null = null;
}
