/**
 * Plugging PCI functions into the VMM (hw/pci/pci.c do_pci_register_device, pci_init_bus_master): the slot, the messages,
 * what DMA sees. Registers, BARs and windows are `hw/pci`'s PciFunction and PciBridge.
 */
import { AddressSpace, UINT64_SIZE } from '../../../hw/memory/index.ts';
import {
  PCI_COMMAND_MASTER,
  type PciBridge,
  type PciBus,
  type PciEnv,
  type PciFunction,
} from '../../../hw/pci/index.ts';
import { Bus } from '../../qdev/bus.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg, QemuError } from '../../system/error.ts';

/** What a function of this VM gets as `env`. */
export function pci_env(dev: Device): PciEnv {
  return dev.vm.pciEnv;
}

/** Id in published paths: the user's, or one made of the place (`dev-00-1f-2`). */
export function pci_public_id(dev: Device, devfn?: number): string {
  if (dev.id !== '') return dev.id;
  const bus = dev.parentBus?.pci;
  const at = devfn ?? pci_devfn(dev);
  const hex2 = (value: number) => value.toString(16).padStart(2, '0');
  return `dev-${hex2(bus?.busNumber ?? 0)}-${hex2(at >>> 3)}-${at & 7}`;
}

/** The slot a device would take: `addr=`, or the first free one (root buses fill from slot 1, 0 is the host bridge). */
export function pci_devfn(dev: Device): number {
  const bus = dev.parentBus?.pci;
  if (!bus) return error_setg(`No 'PCI' bus found for device '${dev.type.name}'`);
  const wanted = dev.props.has('addr') ? dev.props.number('addr') : -1;
  if (wanted >= 0) return wanted;
  const free = bus.freeSlot();
  if (free < 0 || (onePort(bus) && free >= 8))
    error_setg(`PCI: no slot/function available for ${dev.type.name}, all in use or reserved`);
  return free;
}

/** pcie_has_upstream_port(): the link of a root or downstream port leads to one device; the bus inside a switch holds many. */
function onePort(bus: PciBus): boolean {
  const above = bus.parent_dev;
  if (!above?.express) return false;
  const type = above.config.has('PCIE_FLAGS') ? above.config.get('PCIE_FLAGS', 'TYPE') : ROOT_PORT;
  return type === ROOT_PORT || type === DOWNSTREAM_PORT;
}
const ROOT_PORT = 4;
const DOWNSTREAM_PORT = 6;

/** do_pci_register_device(): puts the function on the device's bus. @param devfn default: `addr=` or the first free slot */
export function pci_register_device(dev: Device, fn: PciFunction, devfn = pci_devfn(dev)): void {
  const bus = dev.parentBus?.pci;
  if (!bus) throw new QemuError(`No 'PCI' bus found for device '${dev.type.name}'`);
  const taken = bus.devices.get(devfn);
  const slot = `slot ${devfn >>> 3}`;
  if (taken)
    error_setg(
      `PCI: ${slot} function ${devfn & 7} not available for ${dev.type.name}, in use by ${taken.options.type},id=${taken.id.startsWith('dev-') ? '' : taken.id}`,
    );
  if (onePort(bus) && devfn >= 8)
    error_setg(`PCI: ${slot} is not valid for ${dev.type.name}, parent device only allows plugging into slot 0.`);
  if (bus.hostId !== null && !fn.isBridge) error_setg('PCI: Only PCI/PCIe bridges can be plugged into pxb-cxl');
  dev.pci = fn;
  if (dev.props.has('addr')) dev.props.set('addr', devfn);
  if (dev.parentBus) bus.add(fn, devfn);
  const { core, system_memory } = dev.vm;
  const container = core.memory_region_init('bus master container', UINT64_SIZE);
  const alias = core.memory_region_init_alias('bus master', system_memory, 0, UINT64_SIZE);
  core.memory_region_set_enabled(alias, false);
  core.memory_region_add_subregion(container, 0, alias);
  dev.bus_master_as = new AddressSpace(core, dev.asName ?? dev.type.name, container);
  dev.setBusMaster = (on) => core.memory_region_set_enabled(alias, on);
  fn.config.onWrite('COMMAND', (_before, after) => dev.setBusMaster?.((after & PCI_COMMAND_MASTER) !== 0));
  fn.resetHooks.push(() => dev.setBusMaster?.(false));
}

/** pci_get_bus(): the bus the device is on; its `address_space_mem` is the container BARs are mapped into. */
export function pci_get_bus(fn: PciFunction): PciBus {
  return fn.bus ?? error_setg(`PCI function ${fn.id} is on no bus`);
}

/** pci_bridge_initfn()'s qdev side: the bus below as `-device …,bus=` names it. */
export function pci_bridge_bus(dev: Device, bridge: PciBridge, type: 'PCIE' | 'CXL'): Bus {
  const { vm } = dev;
  bridge.bus?.children.push(bridge.sec_bus);
  vm.newAddressSpace('pci_bridge_pci_mem', bridge.address_space_mem);
  vm.newAddressSpace('pci_bridge_pci_io', bridge.address_space_io);
  const bus = new Bus(dev.id === '' ? vm.nextBusName() : dev.id, type, 'PCI', dev, bridge.sec_bus);
  dev.childBuses.push(bus);
  return bus;
}
