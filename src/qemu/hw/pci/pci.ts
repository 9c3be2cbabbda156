/**
 * PCI devices of the VMM (hw/pci/pci.c): slots, config dispatch, BAR mapping, bus mastering. What a function's registers
 * are is the business of its config ops. Left out: MSI delivery, option ROMs, PME, ACS.
 */
import { fromHalves, hex, type Width } from '../../../base/addr.ts';
import { AddressSpace, type MemoryRegion, UINT64_SIZE } from '../../../hw/memory/index.ts';
import { type PciFunctionState, paths, type RegisterRoute } from '../../../state/schema.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import type { PCIBus } from './pci-bus.ts';

export { PCIBus } from './pci-bus.ts';

/** What answers configuration accesses of one function (4096 bytes). A `RegisterSpace` fits. */
export interface ConfigOps {
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
  /** No side effects. */
  peek(offset: number, width: Width): number;
}

export interface BarType {
  readonly io: boolean;
  readonly is64: boolean;
  readonly prefetchable: boolean;
}

export interface PCIDeviceOptions {
  /** One or two words for the stage. */
  readonly label: string;
  readonly config: ConfigOps;
  /** Fixed slot and function; default: property `addr`, else the first free slot. */
  readonly devfn?: number;
  /** Register routes to publish (may change: call `publish`). */
  readonly routes?: () => readonly RegisterRoute[];
  readonly backend?: { readonly id: string; readonly size: number };
  /** For vfio-pci: the function of the host machine. */
  readonly host?: string;
  /** Name of the device's address space and its name in published ids; default: the type's name. */
  readonly name?: string;
}

interface Bar {
  readonly type: BarType;
  readonly region: MemoryRegion;
  addr: number | null;
}

const COMMAND = 0x04;
const COMMAND_IO = 1;
const COMMAND_MEMORY = 2;
const COMMAND_MASTER = 4;
const BAR0 = 0x10;
const ROM = 0x30;

export class PCIDevice {
  readonly bars: (Bar | null)[] = [null, null, null, null, null, null];
  /** Called after a config write, once BARs and bus mastering follow it (bridges). */
  afterWrite: ((offset: number, width: number) => void) | null = null;
  /** The bus below a bridge. */
  secondary: PCIBus | null = null;
  readonly bus_master_as: AddressSpace;
  private readonly busMaster: MemoryRegion;

  constructor(
    readonly dev: Device,
    readonly bus: PCIBus,
    readonly devfn: number,
    readonly options: PCIDeviceOptions,
  ) {
    const { core, system_memory } = dev.vm;
    const container = core.memory_region_init('bus master container', UINT64_SIZE);
    this.busMaster = core.memory_region_init_alias('bus master', system_memory, 0, UINT64_SIZE);
    core.memory_region_set_enabled(this.busMaster, false);
    core.memory_region_add_subregion(container, 0, this.busMaster);
    this.bus_master_as = new AddressSpace(core, this.name, container);
  }

  get name(): string {
    return this.options.name ?? this.dev.type.name;
  }

  /** Id in published paths: the user's, or one made of the place. */
  get publicId(): string {
    if (this.dev.id !== '') return this.dev.id;
    return `dev-${hex(this.bus.busNr, 2)}-${hex(Math.floor(this.devfn / 8), 2)}-${this.devfn % 8}`;
  }

  /** `0d:00.0` */
  get bdf(): string {
    return `${hex(this.bus.busNr, 2)}:${hex(Math.floor(this.devfn / 8), 2)}.${this.devfn % 8}`;
  }

  config_read(offset: number, width: Width): number {
    return this.options.config.read(offset, width) >>> 0;
  }

  config_write(offset: number, width: Width, value: number): void {
    this.options.config.write(offset, width, value >>> 0);
    this.follow(offset, width);
  }

  /** pci_default_write_config(): what follows from registers that were just written, or reset. */
  follow(offset: number, width: number): void {
    const touches = (from: number, to: number) => offset < to && offset + width > from;
    const { core } = this.dev.vm;
    core.memory_region_transaction_begin();
    if (touches(COMMAND, COMMAND + 2) || touches(BAR0, BAR0 + 24) || touches(ROM, ROM + 4)) this.pci_update_mappings();
    if (touches(COMMAND, COMMAND + 2))
      core.memory_region_set_enabled(this.busMaster, (this.options.config.peek(COMMAND, 2) & COMMAND_MASTER) !== 0);
    this.afterWrite?.(offset, width);
    core.memory_region_transaction_commit();
  }

  pci_update_mappings(): void {
    const { core } = this.dev.vm;
    let changed = false;
    this.bars.forEach((bar, n) => {
      if (!bar) return;
      const addr = this.pci_bar_address(n, bar);
      if (addr === bar.addr) return;
      const space = bar.type.io ? this.bus.address_space_io : this.bus.address_space_mem;
      if (bar.addr !== null) core.memory_region_del_subregion(space, bar.region);
      bar.addr = addr;
      if (addr !== null) core.memory_region_add_subregion_overlap(space, addr, bar.region, 1);
      changed = true;
    });
    if (changed) this.publish();
  }

  private pci_bar_address(n: number, bar: Bar): number | null {
    const { config } = this.options;
    const command = config.peek(COMMAND, 2);
    const { size } = bar.region;
    const low = config.peek(BAR0 + 4 * n, 4) >>> 0;
    if (bar.type.io) {
      if (!(command & COMMAND_IO)) return null;
      const addr = low - (low % Math.max(size, 4));
      return addr === 0 || addr + size - 1 > 0xffff ? null : addr;
    }
    if (!(command & COMMAND_MEMORY)) return null;
    const raw = bar.type.is64 ? fromHalves(config.peek(BAR0 + 4 * n + 4, 4) >>> 0, low) : low;
    const addr = raw - (raw % Math.max(size, 16));
    // All-ones while firmware sizes the register, and zero, are no addresses; 32-bit BARs end below 4 GiB.
    if (addr === 0 || addr + size > 2 ** 52) return null;
    if (!bar.type.is64 && addr + size - 1 >= 0xffff_ffff) return null;
    return addr;
  }

  /** Writes the published description (paths.pciFunction). */
  publish(): void {
    const { config, routes, backend, host, label } = this.options;
    const { vm, type } = this.dev;
    const hex4 = (offset: number) => hex(config.peek(offset, 2), 4);
    const state: PciFunctionState = {
      id: this.publicId,
      type: type.name,
      bus: this.bus.name,
      parent: this.bus.parent?.publicId ?? null,
      devfn: this.devfn,
      bdf: this.bdf,
      vendorDevice: `${hex4(0)}:${hex4(2)}`,
      classCode: config.peek(0x08, 4) >>> 8,
      label,
      routes: routes?.() ?? [],
      bars: this.bars.flatMap((bar, index) =>
        bar ? [{ index, addr: bar.addr, size: bar.region.size, name: bar.region.name }] : [],
      ),
      ...(backend ? { backend } : {}),
      ...(host ? { host } : {}),
    };
    vm.log.publish(paths.pciFunction(vm.guest, this.publicId), JSON.parse(JSON.stringify(state)));
  }
}

/** do_pci_register_device(): takes a place on the bus. Messages as QEMU's. */
export function pci_register_device(dev: Device, options: PCIDeviceOptions): PCIDevice {
  const bus = dev.parentBus?.pci;
  if (!bus) return error_setg(`No 'PCI' bus found for device '${dev.type.name}'`);
  const wanted = options.devfn ?? (dev.props.has('addr') ? dev.props.number('addr') : -1);
  const devfn = wanted >= 0 ? wanted : bus.firstFreeSlot();
  if (devfn < 0) error_setg(`PCI: no slot/function available for ${dev.type.name}, all in use or reserved`);
  const taken = bus.devices.get(devfn);
  if (taken)
    error_setg(
      `PCI: slot ${Math.floor(devfn / 8)} function ${devfn % 8} not available for ${dev.type.name}, in use by ${taken.name},id=${taken.dev.id}`,
    );
  if (bus.parent && bus.onePortOnly && devfn >= 8)
    error_setg(
      `PCI: slot ${Math.floor(devfn / 8)} is not valid for ${dev.type.name}, parent device only allows plugging into slot 0.`,
    );
  const pci = new PCIDevice(dev, bus, devfn, options);
  bus.devices.set(devfn, pci);
  dev.pci = pci;
  if (dev.props.has('addr')) dev.props.set('addr', devfn);
  return pci;
}

/** pci_register_bar(): `region` belongs to the device's MemoryCore; it is mapped when the BAR register says so. */
export function pci_register_bar(pci: PCIDevice, index: number, type: BarType, region: MemoryRegion): void {
  pci.bars[index] = { type, region, addr: null };
}

/** The bus the device is on; its `address_space_mem` is the container BARs are mapped into. */
export function pci_get_bus(pci: PCIDevice): PCIBus {
  return pci.bus;
}

/** pci_device_iommu_address_space(): what the device's DMA sees. */
export function pci_device_iommu_address_space(pci: PCIDevice): AddressSpace {
  return pci.bus_master_as;
}

export function pci_publish(pci: PCIDevice): void {
  pci.publish();
}
