/**
 * qemu-system-x86_64 as a program: command line → machine → run (system/vl.c qemu_init, system/runstate.c qemu_main_loop). The
 * same program runs on the host and in L1. `-accel tcg` runs on the same engine as KVM. Left out: disks, networks, displays, QMP, migration.
 */
import { assert } from '../base/assert.ts';
import { E, strerror } from '../base/errno.ts';
import { SIGHUP, SIGINT, SIGTERM } from '../linux/uapi/constants.ts';
import type { KvmCpu, Program, Sys } from '../linux/uapi/sys.ts';
import { type EventLog, layerIndex, type MachineId } from '../log/index.ts';
import { type Accelerator, KvmDispatch, KvmState } from './accel/kvm.ts';
import type { CharBackend } from './chardev/chardev.ts';
import { RawTerminal } from './chardev/fd-backend.ts';
import './hw/catalogue.ts';
import { DEFAULT_PHYS_BITS } from './hw/i386/memory-layout.ts';
import { pc_q35_init, type Q35, q35_machine_done } from './hw/i386/pc_q35.ts';
import { x86_load_linux } from './hw/i386/x86-load-linux.ts';
import './monitor/commands.ts';
import { serveMonitorFifos } from './monitor/fifo.ts';
import { Monitor } from './monitor/hmp.ts';
import { terminalBytes } from './monitor/readline.ts';
import type { QemuBuild } from './qdev/build.ts';
import { qdev_device_add } from './qdev/qdev-monitor.ts';
import { type ChardevPlan, nullBackend, planChardevs, STDIN, StdioHub } from './system/chardev-setup.ts';
import { parseCpu } from './system/cpu-options.ts';
import { error_setg, QemuError, reportSite, withLocation } from './system/error.ts';
import { helpText } from './system/help.ts';
import { user_creatable_add } from './system/hostmem.ts';
import { type MachineOptions, parseMachine } from './system/machine-options.ts';
import { parseMemory, parseSmp } from './system/memory-options.ts';
import { parseCommandLine } from './system/options.ts';
import type { Settings } from './system/settings.ts';
import { STDERR, STDOUT, writeText } from './system/stdio.ts';
import { Vm } from './system/vm.ts';

const GUEST_OF: Readonly<Record<MachineId, MachineId | null>> = { host: 'l1', l1: 'l2', l2: null };

/** What the lab gives a VMM besides its system calls: the log it writes to, where it runs, and what it was built with. */
export interface QemuWorld {
  readonly log: EventLog;
  /** The machine this program runs on. */
  readonly machine: MachineId;
  readonly build: QemuBuild;
}

export const DEFAULT_BUILD: QemuBuild = {
  accel: true,
  profile: 'B',
  vfioCxl: 'fixed',
  accelReset: false,
  quirks: {},
};

/** The program text for one machine's `/usr/bin/qemu-system-x86_64`: the same on the host and in L1. */
export function createQemuProgram(world: QemuWorld): Program {
  const { log } = world;
  const site = log.site(reportSite(layerIndex(world.machine, 'qemu')));
  return async (sys, argv) => {
    const program = (argv[0] ?? 'qemu-system-x86_64').split('/').pop() as string;
    try {
      return await qemu_main(sys, argv, world, program);
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      const lines = error.report(program);
      log.noteValue(site, sys.pid, lines.trimEnd());
      writeText(sys, STDERR, lines);
      return 1;
    }
  };
}

async function qemu_main(sys: Sys, argv: readonly string[], world: QemuWorld, program: string): Promise<number> {
  const { settings, help } = parseCommandLine(argv);
  if (help) {
    writeText(sys, STDOUT, helpText(help, world.build));
    return 0;
  }
  const guest = GUEST_OF[world.machine];
  if (guest === null) error_setg('this lab nests machines two levels deep: nothing can run inside L2');
  const machine = withLocation('', () => parseMachine(settings.machine));
  const accel = configure_accelerators(settings, machine);
  const memory = parseMemory(settings.memory);
  const cpus = parseSmp(settings.smp);
  const kvm = await KvmState.kvm_init(sys, cpus, accel);
  const cpu = await parseCpu(sys, settings.cpu, cpus, accel.name);
  const vm = new Vm(sys, world.log, world.machine, guest, world.build, {
    program,
    cpus,
    ramSize: memory.ramSize,
    name: settings.name,
    noReboot: settings.noReboot,
    noShutdown: settings.noShutdown,
    globals: settings.globals,
  });
  for (const { location, value } of settings.objects)
    withLocation(location, () => vm.backends.push(user_creatable_add(sys, vm.core, value, vm.backends)));
  vm.kvm = kvm;
  const plan = planChardevs(sys, settings);
  const stdio = new StdioHub(sys, usesMux(plan), () => vm.quit());
  // Two backend objects for the serial ports exist before the front ends do: the hub is told later who listens.
  const serials = plan.serials.map((end) => late(end.kind === 'fd' ? end.backend : null));
  const q35 = await pc_q35_init(vm, memory, machine, serials, settings.nodefaults, physBits(settings));
  await x86_load_linux(sys, settings, q35.fw_cfg, q35.layout.below4g);
  for (const { location, value } of settings.devices) {
    try {
      await qdev_device_add(vm, value);
    } catch (error) {
      throw error instanceof QemuError ? error.at(location) : error;
    }
  }
  q35_machine_done(vm, q35, machine, memory);
  vm.runMachineDone();
  kvm.register(vm.address_space_memory);
  vm.qemu_system_reset();
  if (settings.kernel === null && !settings.startStopped)
    error_setg('nothing to boot: this lab models no disks, so -kernel is needed (or -S to look at the machine)');
  attachFrontEnds(vm, q35, plan, stdio, serials);
  const terminal = plan.serials.concat(plan.monitors).some((end) => end.kind === 'stdio')
    ? new RawTerminal(sys, STDIN, !usesMux(plan))
    : null;
  await terminal?.enter();
  for (const signal of [SIGINT, SIGTERM, SIGHUP])
    sys.onSignal(signal, () => {
      vm.error_report(`terminating on signal ${signal}`);
      vm.quit();
    });
  if (terminal) sys.thread(() => readStdin(sys, vm, stdio));
  serveMonitorFifos(vm);
  await main_loop(vm, q35, kvm, cpu, settings);
  vm.unrealize();
  await terminal?.restore();
  return 0;
}

/** `-cpu …,phys-bits=N`; 0 means the default, as in QEMU. */
function physBits({ cpu }: Settings): number {
  return Number(cpu?.value.features.get('phys-bits') ?? 0) || DEFAULT_PHYS_BITS;
}

/**
 * configure_accelerators(): the first one asked for that exists; without any, TCG before KVM as in QEMU. The guest's code is
 * the lab's own either way: the choice decides which CPU models exist and what errors name.
 */
function configure_accelerators(settings: Settings, machine: MachineOptions): Accelerator {
  const wanted = [
    ...settings.accel.map(({ location, value }) => ({ name: value.get('accel') ?? '', location })),
    ...machine.accel.map((name) => ({ name, location: '' })),
  ];
  let failed: QemuError | null = null;
  for (const { name, location } of wanted) {
    if (name === 'kvm' || name === 'tcg') return { name, location };
    failed ??= new QemuError(`invalid accelerator ${name}`, location);
  }
  if (failed) throw failed;
  return { name: 'tcg', location: '' };
}

function usesMux(plan: ChardevPlan): boolean {
  return plan.serials.concat(plan.monitors).some((end) => end.kind === 'stdio' && end.mux);
}

/** A backend whose other side is set later. */
interface LateBackend extends CharBackend {
  target: CharBackend;
}
function late(target: CharBackend | null): LateBackend {
  const backend: LateBackend = {
    target: target ?? nullBackend,
    write: (bytes) => backend.target.write(bytes),
  };
  return backend;
}

function attachFrontEnds(vm: Vm, q35: Q35, plan: ChardevPlan, stdio: StdioHub, serials: readonly LateBackend[]): void {
  const monitorOn = () => {
    let backend: CharBackend = nullBackend;
    const monitor = new Monitor(vm, (text) => backend.write(terminalBytes(text)));
    backend = stdio.attach({
      receive: (bytes) => monitor.receive(bytes),
      focus: (on) => (on ? monitor.open() : monitor.leave()),
    });
    return monitor;
  };
  plan.serials.forEach((end, n) => {
    if (end.kind !== 'stdio') return;
    const port = q35.serials[n];
    const backend = serials[n];
    assert(port && backend, `serial port ${n} was not built`);
    backend.target = stdio.attach({ receive: (bytes) => port.receive(bytes) });
    if (end.mux) monitorOn();
  });
  for (const end of plan.monitors) {
    if (end.kind === 'stdio') monitorOn().open();
  }
}

async function readStdin(sys: Sys, vm: Vm, stdio: StdioHub): Promise<void> {
  const buffer = new Uint8Array(4096);
  while (!vm.ended) {
    const got = await sys.read(STDIN, buffer);
    if (got === -E.EINTR || got === -E.EAGAIN) continue;
    if (got <= 0) return;
    stdio.receive(buffer.slice(0, got));
  }
}

/** The main thread: runs the virtual CPUs, resets the machine when asked, sleeps while it is stopped. */
async function main_loop(vm: Vm, q35: Q35, kvm: KvmState, cpu: KvmCpu, settings: Settings): Promise<void> {
  const silicon = vm.host === 'host';
  const exits = new KvmDispatch(vm.log, vm.layer, vm.address_space_memory, vm.address_space_io, q35.strings, silicon);
  vm.publishMachine('firmware');
  if (!settings.startStopped) vm.state = 'running';
  const pipe = vm.sys.pipe();
  if (typeof pipe === 'number') error_setg('cannot make the event notifier');
  const [notified, notify] = pipe;
  vm.wake = () => {
    void vm.sys.write(notify, Uint8Array.of(1));
  };
  const byte = new Uint8Array(1);
  while (!vm.ended) {
    if (vm.state === 'running') {
      const result = await kvm.kvm_cpu_exec(exits, cpu);
      if (result < 0 && !vm.ended) {
        // vm_stop(RUN_STATE_INTERNAL_ERROR): the CPUs stand still, the VMM goes on.
        writeText(vm.sys, STDERR, `error: kvm run failed ${strerror(result)}\n`);
        vm.state = 'internal-error';
        continue;
      }
      if (!vm.ended && !vm.takeResetRequest() && vm.state === 'running') return;
    } else await vm.sys.read(notified, byte);
    if (vm.takeResetRequest() || (!vm.ended && vm.state === 'running')) vm.qemu_system_reset();
  }
}
