/** One running VMM: its memory core, buses, devices, backends, requests. What `qemu_init` leaves behind and the main loop works on. */
import type { FixedWindow } from '../../hw/cxl/index.ts';
import { AddressSpace, MemoryCore, type MemoryRegion, UINT64_SIZE, unassigned_io_ops } from '../../hw/memory/index.ts';
import { PciBus, type PciEnv, PciHost } from '../../hw/pci/index.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { type EventLog, type Json, layerIndex, type MachineId, type SiteId } from '../../log/index.ts';
import { type MemoryMapState, paths } from '../../state/schema.ts';
import type { KvmState } from '../accel/kvm.ts';
import type { QemuBuild } from '../qdev/build.ts';
import { buildWords } from '../qdev/build.ts';
import { Bus } from '../qdev/bus.ts';
import { Device, deviceType } from '../qdev/device-type.ts';
import { Properties } from '../qdev/properties.ts';
import type { PropertyValue } from '../qdev/property.ts';
import { type DeviceHost, realizeDevice } from '../qdev/qdev-monitor.ts';
import type { MemoryBackend } from '../qdev/virtual-machine.ts';
import { error_setg, reportSite } from './error.ts';
import type { RunningMachine, RunState } from './running-machine.ts';
import { STDERR, writeText } from './stdio.ts';

export const QEMU_VERSION = '9.1.50';

export interface VmConfig {
  readonly program: string;
  readonly cpus: number;
  readonly ramSize: number;
  readonly name: string | null;
  readonly noReboot: boolean;
  readonly noShutdown: boolean;
  readonly globals: DeviceHost['globals'];
}

export class Vm implements RunningMachine, DeviceHost {
  readonly version = QEMU_VERSION;
  readonly core: MemoryCore;
  readonly pciEnv: PciEnv;
  readonly layer: number;
  readonly system_memory: MemoryRegion;
  readonly system_io: MemoryRegion;
  readonly pci_memory: MemoryRegion;
  readonly address_space_memory: AddressSpace;
  readonly address_space_io: AddressSpace;
  readonly main_system_bus = new Bus('main-system-bus', 'System', 'System', null);
  readonly pcie0: PciBus;
  readonly pciHost: PciHost;
  readonly devices: Device[] = [];
  readonly backends: MemoryBackend[] = [];
  /** Root buses of expander bridges, in order of creation. */
  readonly expanders: PciBus[] = [];
  readonly fixed_windows: FixedWindow[] = [];
  /** 1 MiB for host bridge registers; null with cxl=off. */
  cxl_host_reg: MemoryRegion | null = null;
  kvm: KvmState | null = null;
  state: RunState = 'prelaunch';
  ended = false;
  private readonly resetHandlers: (() => void)[] = [];
  private readonly machineDone: (() => void)[] = [];
  private readonly exitHandlers: (() => void)[] = [];
  private readonly powerButton: (() => void)[] = [];
  private resetRequested = false;
  private readonly resetSite: SiteId;
  private busCount = 0;
  private readonly reportSite: SiteId;
  /** Wakes the main thread while no guest code runs. */
  wake: () => void = () => {};

  constructor(
    readonly sys: Sys,
    readonly log: EventLog,
    readonly host: MachineId,
    readonly guest: MachineId,
    readonly build: QemuBuild,
    private readonly config: VmConfig,
  ) {
    this.layer = layerIndex(host, 'qemu');
    this.resetSite = log.site({ layer: this.layer, name: 'qemu_system_reset', cite: 'QEMU system/runstate.c' });
    this.reportSite = log.site(reportSite(this.layer));
    const core = new MemoryCore({ log, layer: this.layer, later: afterBurst });
    this.core = core;
    this.pciEnv = {
      log,
      core,
      machine: guest,
      layer: this.layer,
      message: (address, data) => this.kvm?.kvm_irqchip_send_msi(address, data),
    };
    this.system_memory = core.memory_region_init('system', UINT64_SIZE);
    this.system_io = core.memory_region_init_io(unassigned_io_ops, 'io', 65536);
    this.address_space_memory = new AddressSpace(core, 'memory', this.system_memory);
    this.address_space_io = new AddressSpace(core, 'I/O', this.system_io);
    for (let n = 0; n < config.cpus; n++) new AddressSpace(core, `cpu-memory-${n}`, this.system_memory);
    this.pci_memory = core.memory_region_init('pci', UINT64_SIZE);
    this.pcie0 = new PciBus('pcie.0', this.pci_memory, this.system_io, null);
    this.pciHost = new PciHost(this.pcie0);
    this.publishMap();
  }

  get cpus(): number {
    return this.config.cpus;
  }
  get ramSize(): number {
    return this.config.ramSize;
  }
  get name(): string | null {
    return this.config.name;
  }
  get globals(): DeviceHost['globals'] {
    return this.config.globals;
  }
  /** QEMU lists host bridges newest first, pcie.0's is the oldest. */
  get pci_host_buses(): readonly PciBus[] {
    return [...this.expanders].reverse().concat(this.pcie0);
  }

  // --- devices ----------------------------------------------------------------------------------------------------

  newAddressSpace(name: string, root: MemoryRegion): AddressSpace {
    return new AddressSpace(this.core, name, root);
  }
  nextBusName(): string {
    return `pci.${++this.busCount}`;
  }
  adopt(dev: Device): void {
    this.devices.push(dev);
  }
  abandon(dev: Device): void {
    this.devices.splice(this.devices.indexOf(dev), 1);
    const siblings = dev.parentBus?.children;
    siblings?.splice(siblings.indexOf(dev), 1);
    this.busByName.clear();
  }
  private readonly busByName = new Map<string, Bus>();
  allBuses(): readonly Bus[] {
    const out: Bus[] = [];
    const visit = (bus: Bus) => {
      out.push(bus);
      for (const dev of bus.children) dev.childBuses.forEach(visit);
    };
    visit(this.main_system_bus);
    return out;
  }
  findBus(name: string): Bus | null {
    // A name that is not known yet may be that of a bus that came since.
    if (!this.busByName.has(name)) for (const bus of [...this.allBuses()].reverse()) this.busByName.set(bus.name, bus);
    return this.busByName.get(name) ?? null;
  }
  findDevice(id: string): Device | null {
    return id === '' ? null : (this.devices.find((dev) => dev.id === id) ?? null);
  }
  findBackend(id: string): MemoryBackend | null {
    return this.backends.find((backend) => backend.id === id) ?? null;
  }
  /** A device of the board itself. */
  async create(
    typeName: string,
    bus: Bus,
    values: Readonly<Record<string, PropertyValue>> = {},
    id = '',
  ): Promise<Device> {
    const type = deviceType(typeName);
    if (!type) return error_setg(`device type ${typeName} is missing from this build`);
    const props = new Properties(type.name, type.properties);
    for (const [name, value] of Object.entries(values)) props.set(name, value);
    const dev = new Device(this, type, id, props, bus);
    await realizeDevice(this, dev);
    return dev;
  }

  expanderBuses(): readonly PciBus[] {
    return this.expanders;
  }
  addExpander(bus: PciBus): Promise<Device> {
    this.expanders.push(bus);
    return this.create('pxb-cxl-host', this.main_system_bus);
  }
  allDevices(): readonly Device[] {
    return this.devices;
  }

  // --- hooks and requests -----------------------------------------------------------------------------------------

  onReset(run: () => void): void {
    this.resetHandlers.push(run);
  }
  onMachineDone(run: () => void): void {
    this.machineDone.push(run);
  }
  onPowerButton(run: () => void): void {
    this.powerButton.push(run);
  }
  atExit(run: () => void): void {
    this.exitHandlers.push(run);
  }
  runMachineDone(): void {
    for (const run of this.machineDone) run();
  }
  setIrq(irq: number, level: number): void {
    this.kvm?.kvm_set_irq(irq, level);
  }
  thread(run: () => Promise<void>): void {
    this.sys.thread(run);
  }
  qemu_system_reset_request(): void {
    if (this.config.noReboot) {
      this.quit();
      return;
    }
    this.resetRequested = true;
    if (this.state === 'running') this.kvm?.kick();
    else {
      if (this.state === 'shutdown') this.state = 'running';
      this.wake();
    }
  }
  qemu_system_shutdown_request(): void {
    if (this.config.noShutdown) {
      this.state = 'shutdown';
      this.kvm?.kick();
    } else this.quit();
  }
  qemu_system_powerdown_request(): void {
    for (const run of this.powerButton) run();
  }
  quit(): void {
    this.ended = true;
    this.kvm?.kick();
    this.wake();
  }
  vm_stop(): void {
    if (this.state === 'running') error_setg('stopping the CPUs of a running guest is not modelled in this lab');
  }
  vm_start(): void {
    if (this.state === 'shutdown') error_setg('Resetting the Virtual Machine is required');
    if (this.state === 'running') return;
    this.state = 'running';
    this.wake();
  }
  /** True once per request. */
  takeResetRequest(): boolean {
    const was = this.resetRequested;
    this.resetRequested = false;
    return was;
  }

  /** qemu_system_reset(): every PCI function from the leaves up, then the other devices, then registered handlers. */
  qemu_system_reset(): void {
    const outer = this.log.begin(this.resetSite);
    this.core.memory_region_transaction_begin();
    this.pcie0.reset();
    for (const dev of this.devices) dev.reset?.();
    for (const run of this.resetHandlers) run();
    this.core.memory_region_transaction_commit();
    this.log.end(outer);
  }

  unrealize(): void {
    for (const run of this.exitHandlers) run();
    for (const dev of [...this.devices].reverse()) dev.unrealize?.();
    for (const fn of this.pciHost.functions()) this.log.publish(paths.pciFunction(this.guest, fn.id), null);
    this.publishMachine('off');
    this.log.publish(paths.memoryMap(this.guest), null);
  }

  // --- messages and published state -------------------------------------------------------------------------------

  error_report(message: string): void {
    this.report(`${this.config.program}: ${message}`);
  }
  warn_report(message: string): void {
    this.report(`${this.config.program}: warning: ${message}`);
  }
  /** stderr may go to a file: the line also stands in the log, under what gave it. */
  private report(line: string): void {
    this.log.noteValue(this.reportSite, this.sys.pid, line);
    writeText(this.sys, STDERR, `${line}\n`);
  }

  /** Machine record: what the VMM knows is added to what others published. */
  publishMachine(state: 'off' | 'firmware'): void {
    const path = paths.machine(this.guest);
    const before = this.log.object(path);
    const known = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
    const own: { [key: string]: Json } = {
      id: this.guest,
      state,
      vmm: { machine: this.host, pid: this.sys.pid },
      ...(this.build.id === undefined ? {} : { vmmBuild: buildWords(this.build) }),
      ramBytes: this.ramSize,
      cpus: this.cpus,
    };
    if (state === 'off') this.log.publish(path, { id: this.guest, state });
    else this.log.publish(path, { ...known, ...own });
  }

  private publishMap(): void {
    let changed = false;
    const publish = () => {
      if (!changed || this.ended) return;
      changed = false;
      const map: MemoryMapState = {
        ranges: this.address_space_memory.flatview.map((range) => ({
          start: range.start,
          size: range.size,
          kind: range.kind,
          name: range.name,
          ...(range.hva === null ? {} : { hva: range.hva }),
        })),
      };
      this.log.publish(paths.memoryMap(this.guest), { ranges: map.ranges.map((range) => ({ ...range })) });
    };
    let waiting = false;
    this.address_space_memory.memory_listener_register({
      name: 'published map',
      region_add: () => {
        changed = true;
      },
      region_del: () => {
        changed = true;
      },
      commit: (deferred) => {
        if (!deferred) publish();
        else if (!waiting) {
          // PCI enumeration moves windows about by the thousand: only what stands when it pauses is told.
          waiting = true;
          afterBurst(() => {
            waiting = false;
            publish();
          });
        }
      },
    });
  }
}

/** A microtask: after what runs now and before anything else, in every engine alike. */
function afterBurst(run: () => void): void {
  void Promise.resolve().then(run);
}
