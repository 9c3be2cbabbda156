/** What a device of the catalogue may use of the VMM it is built in. Implemented by `system/vm.ts`. */
import type { FixedWindow } from '../../hw/cxl/index.ts';
import type { AddressSpace, MemoryCore, MemoryRegion } from '../../hw/memory/index.ts';
import type { PciBus, PciEnv } from '../../hw/pci/index.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import type { EventLog, MachineId } from '../../log/index.ts';
import type { QemuBuild } from './build.ts';
import type { Bus } from './bus.ts';
import type { Device } from './device-type.ts';

/** A host memory backend (`-object memory-backend-ram,…`): bytes of this process. */
export interface MemoryBackend {
  readonly id: string;
  readonly type: 'memory-backend-ram' | 'memory-backend-file' | 'memory-backend-memfd';
  readonly size: number;
  readonly share: boolean;
  /** The whole backend as one region. */
  readonly mr: MemoryRegion;
  /** Set by the device that uses it (host_memory_backend_set_mapped). */
  mapped: boolean;
}

export interface VirtualMachine {
  readonly sys: Sys;
  readonly log: EventLog;
  readonly core: MemoryCore;
  /** What PCI functions of this VM are built with. */
  readonly pciEnv: PciEnv;
  readonly build: QemuBuild;
  /** The machine this VMM runs on and the machine it provides. */
  readonly host: MachineId;
  readonly guest: MachineId;
  /** `layerIndex(host, 'qemu')`: layer of sites for spans and notes. */
  readonly layer: number;
  /** `system` and `io` regions, and the address spaces over them (`memory`, `I/O`). */
  readonly system_memory: MemoryRegion;
  readonly system_io: MemoryRegion;
  readonly address_space_memory: AddressSpace;
  readonly address_space_io: AddressSpace;
  /** CXL fixed memory windows, filled when the machine is complete. */
  readonly fixed_windows: FixedWindow[];
  /** address_space_init(): one more address space of this VMM, in the list `info mtree` shows. */
  newAddressSpace(name: string, root: MemoryRegion): AddressSpace;
  /** Name for the next bus of a bridge without id (`pci.1` …). */
  nextBusName(): string;
  /** error_report / warn_report: one line on stderr with the program's name. */
  error_report(message: string): void;
  warn_report(message: string): void;
  /** Root buses of expander bridges, oldest first. */
  expanderBuses(): readonly PciBus[];
  /** A new expander's root bus joins the machine; gives the sysbus device of its host bridge. */
  addExpander(bus: PciBus): Promise<Device>;
  allDevices(): readonly Device[];
  /** The device was unplugged: no bus and no list has it any more. */
  abandon(dev: Device): void;
  findBus(name: string): Bus | null;
  findDevice(id: string): Device | null;
  findBackend(id: string): MemoryBackend | null;
  /** Runs at every machine reset, in order of registration, after the devices' own resets (qemu_register_reset). */
  onReset(run: () => void): void;
  /** Runs once after all devices exist, before the first reset (machine_init_done notifiers). */
  onMachineDone(run: () => void): void;
  /** Another task of this process that waits for something (a thread). */
  thread(run: () => Promise<void>): void;
  /** Runs when somebody presses the power button (`system_powerdown`). */
  onPowerButton(run: () => void): void;
  /** An interrupt line of the machine (kvm_set_irq). */
  setIrq(irq: number, level: number): void;
  /** Guest asked for it: qemu_system_reset_request / qemu_system_shutdown_request. Takes effect after the present exit. */
  qemu_system_reset_request(): void;
  qemu_system_shutdown_request(): void;
}
