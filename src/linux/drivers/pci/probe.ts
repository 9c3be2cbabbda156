import { fromHalves, hex } from '../../../base/addr.ts';
import type { Device, Slept } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { after } from '../../include/mutex.ts';
import {
  IORESOURCE_IO,
  IORESOURCE_MEM,
  IORESOURCE_MEM_64,
  IORESOURCE_PREFETCH,
  IORESOURCE_SIZEALIGN,
  PCI,
  PCI_BRIDGE_RESOURCES,
  PCI_CAP_ID_EXP,
  PCI_CAP_ID_MSI,
  PCI_CAP_ID_MSIX,
  PCI_CAP_ID_SSVID,
  PCI_CLASS_REVISION,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_EXP_DEVCAP,
  PCI_EXP_DEVCTL,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_PIN,
  PCI_ROM_ADDRESS,
  PCI_ROM_RESOURCE,
  PCI_SUBSYSTEM_VENDOR_ID,
  PciBus,
  PciDev,
  PciHostBridge,
  type PciResource,
} from '../../include/pci_types.ts';
import { iommu_group_add_links, iommu_probe_device, iommu_release_device } from '../iommu/iommu.ts';
import {
  pci_bus_read_config,
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_dword,
  pci_write_config_word,
  pcie_capability_read_dword,
  pcie_capability_read_word,
  pcie_capability_write_word,
} from './access.ts';
import { pci_find_capability, pci_resource_name } from './pci.ts';
import { pci_aer_init } from './pcie/aer.ts';
import { pci_assign_unassigned_bus_resources, pci_bus_release_resources } from './setup-bus.ts';

/**
 * Enumeration (drivers/pci/probe.c, v6.11): functions, BAR sizes, bridges. Bus numbers are those firmware wrote; leaves
 * out renumbering, ARI, SR-IOV and quirks.
 */

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'PCIe Endpoint',
  1: 'PCIe Legacy Endpoint',
  4: 'PCIe Root Port',
  5: 'PCIe Switch Upstream Port',
  6: 'PCIe Switch Downstream Port',
  7: 'PCIe to PCI/PCI-X bridge',
  8: 'PCI/PCI-X to PCIe bridge',
  9: 'PCIe Root Complex Integrated Endpoint',
  10: 'PCIe Root Complex Event Collector',
};

/** __pci_read_base: sizes one BAR by writing ones. Gives true when it takes two slots. */
function __pci_read_base(dev: PciDev, index: number, reg: number, rom: boolean): boolean {
  const r = dev.resource[index] as PciResource;
  const mask = rom ? 0xfffff800 : 0xffffffff;
  const cmd = pci_read_config_word(dev, PCI_COMMAND);
  const decode = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
  if (cmd & decode) pci_write_config_word(dev, PCI_COMMAND, cmd & ~decode);
  const low = pci_read_config_dword(dev, reg);
  pci_write_config_dword(dev, reg, (low | mask) >>> 0);
  const size = pci_read_config_dword(dev, reg);
  pci_write_config_dword(dev, reg, low);
  const wide = !rom && size !== 0xffffffff && (low & 7) === 4;
  let high = 0;
  let sizeHigh = 0xffffffff;
  if (wide) {
    high = pci_read_config_dword(dev, reg + 4);
    pci_write_config_dword(dev, reg + 4, 0xffffffff);
    sizeHigh = pci_read_config_dword(dev, reg + 4);
    pci_write_config_dword(dev, reg + 4, high);
  }
  if (cmd & decode) pci_write_config_word(dev, PCI_COMMAND, cmd);
  if (size === 0 || size === 0xffffffff) return wide;

  const io = !rom && (low & 1) === 1;
  const bits = io ? 0xfffffffc : rom ? 0xfffff800 : 0xfffffff0;
  const sizeLow = (size & (io ? 0xffff & bits : bits)) >>> 0;
  const start = wide ? fromHalves(high, (low & bits) >>> 0) : (low & (io ? 0xffff & bits : bits)) >>> 0;
  const length = io
    ? ((~sizeLow & 0xffff) + 1) & 0xffff
    : wide
      ? lowest_bit(sizeHigh, sizeLow)
      : ((~sizeLow >>> 0) + 1) % 0x1_0000_0000;
  if (length === 0) return wide;
  r.flags = io ? IORESOURCE_IO : IORESOURCE_MEM | IORESOURCE_SIZEALIGN;
  if (io) r.flags |= 1 | IORESOURCE_SIZEALIGN;
  else {
    if (!rom && low & 8) r.flags |= IORESOURCE_PREFETCH | 8;
    if (wide) r.flags |= IORESOURCE_MEM_64 | 4;
  }
  r.start = start;
  r.end = start + length - 1;
  const what = rom ? 'ROM' : `BAR ${index}`;
  dev.info(`${what} ${pci_resource_name(r)}`);
  return wide;
}

/** Size of a 64-bit BAR: its lowest writable bit. */
function lowest_bit(high: number, low: number): number {
  if (low !== 0) return (low & -low) >>> 0;
  return high === 0 ? 0 : ((high & -high) >>> 0) * 0x1_0000_0000;
}

function pci_read_bases(dev: PciDev, howmany: number, rom: number): void {
  for (let pos = 0; pos < howmany; pos++) if (__pci_read_base(dev, pos, 0x10 + pos * 4, false)) pos++;
  if (rom) __pci_read_base(dev, PCI_ROM_RESOURCE, rom, true);
}

/** pci_read_bridge_windows: io, memory, prefetchable windows as firmware programmed them. */
function pci_read_bridge_windows(dev: PciDev): void {
  const window = (n: number) => dev.resource[PCI_BRIDGE_RESOURCES + n] as PciResource;
  const set = (r: PciResource, flags: number, start: number, end: number) => {
    if (start > end) return;
    r.flags = flags;
    r.start = start;
    r.end = end;
    dev.info(`  bridge window ${pci_resource_name(r)}`);
  };
  const bus = pci_read_config_dword(dev, 0x18);
  dev.info(`PCI bridge to [bus ${bus_range((bus >> 8) & 0xff, (bus >> 16) & 0xff)}]`);
  const io = pci_read_config_word(dev, 0x1c);
  if (io !== 0) set(window(0), IORESOURCE_IO, (io & 0xf0) << 8, ((io >> 8) & 0xf0) * 0x100 + 0xfff);
  const mem = pci_read_config_dword(dev, 0x20);
  set(window(1), IORESOURCE_MEM, (mem & 0xfff0) * 0x10000, ((mem >>> 16) & 0xfff0) * 0x10000 + 0xfffff);
  const pref = pci_read_config_dword(dev, 0x24);
  const wide = (pref & 0xf) === 1;
  const baseHigh = wide ? pci_read_config_dword(dev, 0x28) : 0;
  const limitHigh = wide ? pci_read_config_dword(dev, 0x2c) : 0;
  set(
    window(2),
    IORESOURCE_MEM | IORESOURCE_PREFETCH | (wide ? IORESOURCE_MEM_64 | 1 : 0),
    fromHalves(baseHigh, (pref & 0xfff0) * 0x10000),
    fromHalves(limitHigh, ((pref >>> 16) & 0xfff0) * 0x10000 + 0xfffff),
  );
}

function bus_range(first: number, last: number): string {
  return first === last ? hex(first, 2) : `${hex(first, 2)}-${hex(last, 2)}`;
}

/** pci_configure_extended_tags: switches them on where the device can. */
function pci_configure_extended_tags(dev: PciDev): void {
  if (!dev.pcie_cap || !(pcie_capability_read_dword(dev, PCI_EXP_DEVCAP) & 0x20)) return;
  const ctl = pcie_capability_read_word(dev, PCI_EXP_DEVCTL);
  if (ctl & 0x100) return;
  dev.info('enabling Extended Tags');
  pcie_capability_write_word(dev, PCI_EXP_DEVCTL, ctl | 0x100);
}

/** pci_configure_serr: a bridge forwards error messages from below. */
function pci_configure_serr(dev: PciDev): void {
  if (!dev.is_bridge) return;
  const control = pci_read_config_word(dev, 0x3e);
  if (!(control & 2)) pci_write_config_word(dev, 0x3e, control | 2);
}

/** pci_setup_device + pci_device_add's capability work. Null when the header makes no sense. */
function pci_setup_device(bus: PciBus, devfn: number): PciDev | null {
  const { kernel } = bus;
  const id = pci_bus_read_config(kernel, bus.number, devfn, 0, 4);
  if (id === 0xffffffff || id === 0 || id === 0xffff || id === 0xffff0000) return null;
  const dev = new PciDev(kernel, bus, devfn, bus.self ?? bus.bridge, []);
  const header = pci_read_config_byte(dev, PCI_HEADER_TYPE);
  dev.vendor = id & 0xffff;
  dev.device = id >>> 16;
  dev.hdr_type = header & 0x7f;
  dev.multifunction = (header & 0x80) !== 0;
  const cls = pci_read_config_dword(dev, PCI_CLASS_REVISION);
  dev.revision = cls & 0xff;
  dev.class_code = cls >>> 8;
  dev.pcie_cap = pci_find_capability(dev, PCI_CAP_ID_EXP);
  if (dev.pcie_cap) dev.pcie_type = (pci_read_config_word(dev, dev.pcie_cap + 2) >> 4) & 0xf;
  if (dev.pcie_cap && pci_read_config_dword(dev, 0x100) !== 0xffffffff) dev.cfg_size = 4096;
  const label = dev.pcie_cap ? (TYPE_NAMES[dev.pcie_type] ?? 'unknown') : 'conventional PCI endpoint';
  const bridge = !dev.pcie_cap && dev.is_bridge ? 'conventional PCI bridge' : label;
  dev.info(
    `[${hex(dev.vendor, 4)}:${hex(dev.device, 4)}] type ${hex(dev.hdr_type, 2)} class 0x${hex(dev.class_code, 6)} ${bridge}`,
  );
  if (dev.is_bridge) {
    pci_read_bases(dev, 2, 0x38);
    const ssvid = pci_find_capability(dev, PCI_CAP_ID_SSVID);
    if (ssvid) {
      dev.subsystem_vendor = pci_read_config_word(dev, ssvid + 4);
      dev.subsystem_device = pci_read_config_word(dev, ssvid + 6);
    }
    pci_read_bridge_windows(dev);
  } else if (dev.hdr_type === 0) {
    pci_read_bases(dev, 6, PCI_ROM_ADDRESS);
    dev.subsystem_vendor = pci_read_config_word(dev, PCI_SUBSYSTEM_VENDOR_ID);
    dev.subsystem_device = pci_read_config_word(dev, PCI_SUBSYSTEM_VENDOR_ID + 2);
  } else {
    dev.err(`unknown header type ${hex(dev.hdr_type, 2)}, ignoring device`);
    return null;
  }
  dev.pin = pci_read_config_byte(dev, PCI_INTERRUPT_PIN);
  dev.irq = dev.pin ? pci_read_config_byte(dev, 0x3c) : 0;
  pci_configure_extended_tags(dev);
  pci_configure_serr(dev);
  pci_aer_init(dev);
  dev.msi_cap = pci_find_capability(dev, PCI_CAP_ID_MSI);
  dev.msix_cap = pci_find_capability(dev, PCI_CAP_ID_MSIX);
  return dev;
}

/** only_one_child: a PCIe link below a root or downstream port leads to device 0 only. */
function only_one_child(bus: PciBus): boolean {
  const type = bus.self?.pcie_type;
  return type === 4 || type === 6;
}

/** pci_scan_slot over all devices of a bus, then its bridges. */
export function pci_scan_child_bus(bus: PciBus): void {
  const limit = only_one_child(bus) ? 1 : 32;
  for (let slot = 0; slot < limit; slot++) {
    let multi = false;
    for (let fn = 0; fn < 8; fn++) {
      if (fn > 0 && !multi) break;
      const devfn = slot * 8 + fn;
      const known = bus.devices.find((dev) => dev.devfn === devfn);
      const dev = known ?? pci_setup_device(bus, devfn);
      if (!dev) {
        if (fn === 0) break;
        continue;
      }
      if (fn === 0) multi = dev.multifunction;
      else dev.multifunction = true;
      if (!known) bus.devices.push(dev);
    }
  }
  for (const dev of bus.devices) if (dev.is_bridge) pci_scan_bridge(bus, dev);
}

/** pci_scan_bridge_extend: follows the secondary bus number firmware set. */
function pci_scan_bridge(bus: PciBus, dev: PciDev): void {
  if (dev.subordinate) {
    pci_scan_child_bus(dev.subordinate);
    return;
  }
  const buses = pci_read_config_dword(dev, 0x18);
  const secondary = (buses >> 8) & 0xff;
  const subordinate = (buses >> 16) & 0xff;
  if (secondary === 0 || secondary <= bus.number) {
    dev.info(`bridge configuration invalid ([bus ${hex(secondary, 2)}-${hex(subordinate, 2)}]), reconfiguring`);
    return;
  }
  const child = new PciBus(bus.kernel, secondary, bus, dev, bus.bridge, bus.segment);
  child.busn_end = subordinate;
  for (let n = 0; n < 3; n++) child.resources.push(dev.resource[PCI_BRIDGE_RESOURCES + n] as PciResource);
  dev.subordinate = child;
  bus.children.push(child);
  pci_scan_child_bus(child);
  dev.info(`PCI bridge to [bus ${bus_range(secondary, subordinate)}]`);
}

/** pci_create_root_bus with its windows (pci_register_host_bridge): lines and the iomem entries of the windows. */
export function pci_create_root_bus(
  kernel: Kernel,
  segment: number,
  start: number,
  end: number,
  windows: readonly PciResource[],
  numa: boolean,
): PciBus {
  const host = new PciHostBridge(kernel, segment, start, null);
  kernel.drivers.device_add(host);
  const bus = new PciBus(kernel, start, null, null, host, segment);
  host.bus_ = bus;
  bus.busn_end = end;
  kernel.get(PCI).roots.push(bus);
  kernel.printk(6, `PCI host bridge to bus ${bus.name}`);
  const say = (text: string) => kernel.printk(6, `pci_bus ${bus.name}: ${text}`);
  if (numa) say('Unknown NUMA node; performance will be reduced');
  for (const window of windows) {
    bus.resources.push(window);
    say(`root bus resource ${pci_resource_name(window).replace(/\]$/, ' window]')}`);
    if (window.flags & IORESOURCE_MEM) {
      const res = kernel.iomem.make(`PCI Bus ${bus.name}`, window.start, window.end);
      if (kernel.iomem.insert_resource(kernel.iomem.root, res) === 0) window.res = res;
    }
  }
  say(`root bus resource [bus ${hex(start, 2)}-${hex(end, 2)}]`);
  return bus;
}

/** pci_bus_add_devices: makes the devices visible; drivers may bind from here on. */
export function pci_bus_add_devices(bus: PciBus): void {
  for (const dev of bus.devices) {
    if (!dev.registered) {
      iommu_probe_device(dev);
      bus.kernel.drivers.device_add(dev);
      iommu_group_add_links(dev);
    }
    if (dev.subordinate) pci_bus_add_devices(dev.subordinate);
  }
}

/** pci_rescan_bus: new functions only; what is there stays. */
export function pci_scan_rescan(bus: PciBus): void {
  pci_scan_child_bus(bus);
  pci_assign_unassigned_bus_resources(bus);
  pci_bus_add_devices(bus);
}

/** Runs `body` under pci_rescan_remove_lock. */
export function pci_lock_rescan_remove<T>(kernel: Kernel, body: () => T | Promise<T>): T | Promise<T> {
  const { rescan_remove } = kernel.get(PCI);
  return after(kernel, rescan_remove.lock('pci_lock_rescan_remove'), () => {
    const result = body();
    if (!(result instanceof Promise)) {
      rescan_remove.unlock();
      return result;
    }
    return result.then((value) => {
      rescan_remove.unlock();
      return value;
    });
  });
}

/** pci_stop_and_remove_bus_device: drivers let go, leaves first, which may sleep; then the functions go. */
export function pci_stop_and_remove_bus_device(dev: PciDev): Slept {
  return after(dev.kernel, pci_stop_bus_device(dev), () => pci_remove_bus_device(dev));
}

export function pci_stop_and_remove_bus_device_locked(dev: PciDev): number | Promise<number> {
  return pci_lock_rescan_remove(dev.kernel, () => after(dev.kernel, pci_stop_and_remove_bus_device(dev), () => 0));
}

function pci_stop_bus_device(dev: PciDev): Slept {
  const { kernel } = dev;
  const children = [...(dev.subordinate?.devices ?? [])].reverse();
  const below = children.reduce<Slept>(
    (slept, child) => after(kernel, slept, () => pci_stop_bus_device(child)),
    undefined,
  );
  // pci_stop_dev
  return after(kernel, below, () => {
    if (dev.driver) return after(kernel, kernel.drivers.device_driver_detach(dev.driver, dev), () => {});
  });
}

function pci_remove_bus_device(dev: PciDev): void {
  const { subordinate, kernel } = dev;
  if (subordinate) {
    for (const child of [...subordinate.devices].reverse()) pci_remove_bus_device(child);
    dev.pci_bus.children.splice(dev.pci_bus.children.indexOf(subordinate), 1);
    dev.subordinate = null;
  }
  for (const child of [...dev.children]) remove_subtree(kernel, child);
  kernel.drivers.device_del(dev);
  iommu_release_device(dev);
  pci_bus_release_resources(dev);
  dev.pci_bus.devices.splice(dev.pci_bus.devices.indexOf(dev), 1);
}

function remove_subtree(kernel: Kernel, dev: Device): void {
  for (const child of [...dev.children]) remove_subtree(kernel, child);
  if (dev.registered) kernel.drivers.device_del(dev);
}
