import type { Addr } from '../../base/addr.ts';
import type { Device, Slept } from './device.ts';
import { Device as DeviceBase } from './device.ts';
import type { Resource } from './ioport.ts';
import type { Kernel } from './kernel.ts';
import { SubsystemKey } from './kernel.ts';
import type { Mutex } from './mutex.ts';

/**
 * Data of the PCI core (include/linux/pci.h, v6.11): devices, buses, drivers, register numbers.
 * Left out: SR-IOV, power management states.
 */

/** Standard header registers and bits (uapi/linux/pci_regs.h). */
export const PCI_VENDOR_ID = 0x00;
export const PCI_COMMAND = 0x04;
export const PCI_COMMAND_IO = 0x1;
export const PCI_COMMAND_MEMORY = 0x2;
export const PCI_COMMAND_MASTER = 0x4;
export const PCI_COMMAND_INTX_DISABLE = 0x400;
export const PCI_STATUS = 0x06;
export const PCI_STATUS_CAP_LIST = 0x10;
export const PCI_CLASS_REVISION = 0x08;
export const PCI_HEADER_TYPE = 0x0e;
export const PCI_BASE_ADDRESS_0 = 0x10;
export const PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
export const PCI_ROM_ADDRESS = 0x30;
export const PCI_CAPABILITY_LIST = 0x34;
export const PCI_INTERRUPT_PIN = 0x3d;
export const PCI_CAP_ID_MSI = 0x05;
export const PCI_CAP_ID_SSVID = 0x0d;
export const PCI_CAP_ID_EXP = 0x10;
export const PCI_CAP_ID_MSIX = 0x11;
export const PCI_EXT_CAP_ID_ERR = 0x01;
export const PCI_EXT_CAP_ID_ACS = 0x0d;
export const PCI_EXT_CAP_ID_DVSEC = 0x23;
export const PCI_EXP_DEVCAP = 4;
export const PCI_EXP_DEVCTL = 8;
export const PCI_EXP_LNKCAP = 12;
export const PCI_EXP_LNKSTA = 18;
export const PCI_EXP_SLTCAP = 20;
export const PCI_EXP_SLTCTL = 24;
export const PCI_EXP_SLTSTA = 26;
export const PCI_EXP_RTCTL = 28;

/** PCIe device/port types (PCI_EXP_FLAGS bits 7:4). */
export const PCI_EXP_TYPE_ENDPOINT = 0;
export const PCI_EXP_TYPE_LEG_END = 1;
export const PCI_EXP_TYPE_ROOT_PORT = 4;
export const PCI_EXP_TYPE_UPSTREAM = 5;
export const PCI_EXP_TYPE_DOWNSTREAM = 6;
export const PCI_EXP_TYPE_PCI_BRIDGE = 7;
export const PCI_EXP_TYPE_RC_END = 9;

export const PCI_ANY_ID = 0xffffffff;
/** pci_device_id.override_only: matches only through driver_override. */
export const PCI_ID_F_VFIO_DRIVER_OVERRIDE = 1;

export const PCI_STD_NUM_BARS = 6;
export const PCI_ROM_RESOURCE = 6;
/** Index of the first bridge window (io, mem, prefetchable). */
export const PCI_BRIDGE_RESOURCES = 13;

export const IORESOURCE_IO = 0x100;
export const IORESOURCE_MEM = 0x200;
export const IORESOURCE_PREFETCH = 0x2000;
export const IORESOURCE_SIZEALIGN = 0x40000;
export const IORESOURCE_MEM_64 = 0x100000;
export const IORESOURCE_UNSET = 0x20000000;

/** Offsets inside the config space of one function, and widths of the accessors. */
export type ConfigWidth = 1 | 2 | 4;

/** One entry of pci_dev.resource[]. `start` > `end` or flags 0: not there. */
export interface PciResource {
  start: Addr;
  end: Addr;
  flags: number;
  /** The node in the iomem tree once claimed. */
  res: Resource | null;
}

export interface PciDeviceId {
  readonly vendor: number;
  readonly device: number;
  readonly subvendor?: number;
  readonly subdevice?: number;
  readonly class?: number;
  readonly class_mask?: number;
  /** `PCI_ID_F_VFIO_DRIVER_OVERRIDE` or 0. */
  readonly override_only?: number;
}

/** struct pci_driver. `probe` gives 0 or a negated errno (> 0 is taken as success). */
export interface PciDriver {
  readonly name: string;
  readonly id_table: readonly PciDeviceId[];
  probe(dev: PciDev, id: PciDeviceId): number;
  remove?(dev: PciDev): Slept;
  /** err_handler->reset_done: called after every reset of the function, successful or not. */
  reset_done?(dev: PciDev): void;
  /** The driver manages DMA ownership itself (vfio). */
  readonly driver_managed_dma?: boolean;
  readonly asynchronous?: boolean;
}

/** Enabled message interrupts as pci_save_state finds them: dwords of MSI, control of MSI-X; null where off. */
export interface MsiState {
  readonly msi: readonly number[] | null;
  readonly msix: number | null;
}

/** struct pci_bus. */
export class PciBus {
  readonly children: PciBus[] = [];
  readonly devices: PciDev[] = [];
  /** Last bus number below (subordinate). */
  busn_end: number;
  /** Windows: for a root bus those of its _CRS, else the bridge's three. */
  readonly resources: PciResource[] = [];

  constructor(
    readonly kernel: Kernel,
    readonly number: number,
    readonly parent: PciBus | null,
    /** The bridge function above, null on a root bus. */
    readonly self: PciDev | null,
    /** `pci0000:0c`, the host bridge device. */
    readonly bridge: Device,
    readonly segment = 0,
  ) {
    this.busn_end = number;
  }
  get name(): string {
    return `${this.segment.toString(16).padStart(4, '0')}:${this.number.toString(16).padStart(2, '0')}`;
  }
  get root(): PciBus {
    return this.parent ? this.parent.root : this;
  }
}

/** struct pci_dev. */
export class PciDev extends DeviceBase {
  vendor = 0;
  device = 0;
  subsystem_vendor = 0;
  subsystem_device = 0;
  /** 24 bits: class, subclass, programming interface. */
  class_code = 0;
  revision = 0;
  hdr_type = 0;
  multifunction = false;
  irq = 0;
  pin = 0;
  cfg_size = 256;
  /** Offsets of capabilities, 0 if absent. */
  pcie_cap = 0;
  msi_cap = 0;
  msix_cap = 0;
  /** PCI_EXP_TYPE_*, or -1 for a conventional device. */
  pcie_type = -1;
  enable_cnt = 0;
  is_busmaster = false;
  /** Bus below, for bridges. */
  subordinate: PciBus | null = null;
  readonly resource: PciResource[];
  /** Names under which BARs are held (pci_request_region), by BAR. */
  readonly held: (Resource | null)[] = [];
  /** Saved first 64 bytes (pci_save_state), or null. */
  saved_config: number[] | null = null;
  /** Control registers of the PCI Express capability and message interrupts saved with it. */
  saved_caps: { readonly pcie: readonly number[]; readonly msi: MsiState } | null = null;
  /** The id that matched the bound driver. */
  pci_driver: PciDriver | null = null;
  iommu_group: number | null = null;
  /** What was written to reset_method, or null for the methods the probe found. */
  reset_methods: readonly string[] | null = null;

  constructor(
    kernel: Kernel,
    readonly pci_bus: PciBus,
    readonly devfn: number,
    parent: Device,
    groups: ConstructorParameters<typeof DeviceBase>[4],
  ) {
    super(kernel, `${pci_bus.name}:${(devfn >> 3).toString(16).padStart(2, '0')}.${devfn & 7}`, parent, 'pci', groups);
    this.resource = Array.from({ length: 17 }, () => ({ start: 0, end: -1, flags: 0, res: null }));
  }
  get is_bridge(): boolean {
    return (this.hdr_type & 0x7f) === 1;
  }
}

/** struct pci_host_bridge's device, `pci0000:0c`. */
export class PciHostBridge extends DeviceBase {
  bus_: PciBus | null = null;
  constructor(
    kernel: Kernel,
    readonly segment: number,
    readonly busnr: number,
    parent: Device | null,
  ) {
    super(kernel, `pci${segment.toString(16).padStart(4, '0')}:${busnr.toString(16).padStart(2, '0')}`, parent, null);
  }
}

/** One MCFG allocation. */
export interface PciMmcfgRegion {
  readonly segment: number;
  readonly start_bus: number;
  readonly end_bus: number;
  readonly address: Addr;
}

/** The PCI core's per-kernel state. */
export interface PciCore {
  readonly roots: PciBus[];
  readonly mmcfg: PciMmcfgRegion[];
  /** Configuration mechanism 1 (0xcf8/0xcfc) works. */
  conf1: boolean;
  next_irq: number;
  /** Device vectors handed out on each CPU. */
  readonly vectors: number[];
  registered: boolean;
  /** Handlers of message interrupts by CPU * 256 + vector. */
  readonly irqs: Map<number, () => void>;
  /** pci_rescan_remove_lock */
  readonly rescan_remove: Mutex;
}

export const PCI = new SubsystemKey<PciCore>('pci');
