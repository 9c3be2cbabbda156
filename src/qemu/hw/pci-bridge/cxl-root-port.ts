/** cxl-rp (hw/pci-bridge/cxl_root_port.c): a root port with CXL component registers in BAR0. Left out: AER root interrupts, GPF. */
import { CxlComponent, CxlDownstreamPort, CxlRootPort } from '../../../hw/cxl/index.ts';
import { type MemoryRegionOps, UINT64_SIZE } from '../../../hw/memory/index.ts';
import { PCI_BASE_ADDRESS_MEM_TYPE_64, PciBridge, type PciBus, type PciFunction } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import type { Bus } from '../../qdev/bus.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { pci_bridge_bus, pci_public_id, pci_register_device } from '../pci/pci.ts';
import { pcie_cap_slot_init } from '../pci/pcie.ts';

type Slot = CxlRootPort | CxlDownstreamPort;
const slots = new WeakMap<Device, Slot>();
const devices = new WeakMap<PciBridge, Device>();

/** A port with a slot exists from now on: root port or downstream port of a switch. */
export function addSlot(dev: Device, fn: PciBridge, slot: Slot): void {
  slots.set(dev, slot);
  devices.set(fn, dev);
}

/** The port above a bus, for a CXL memory device or a switch plugged there. */
export function cxlPortAbove(bus: Bus | null): Slot | null {
  return bus?.parent ? (slots.get(bus.parent) ?? null) : null;
}

/** Ports on a bus, by devfn. */
function slotsOf(bus: PciBus): Slot[] {
  return [...bus.devices.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, fn]) => {
      const dev = fn instanceof PciBridge ? devices.get(fn) : undefined;
      const slot = dev ? slots.get(dev) : undefined;
      return slot ? [slot] : [];
    });
}

/** Root ports on a host bridge's bus. */
export function cxlPortsOf(bus: PciBus): CxlRootPort[] {
  return slotsOf(bus).filter((slot) => slot instanceof CxlRootPort);
}

/** Downstream ports on the bus of a switch. */
export function downstreamPortsOf(bus: PciBus): CxlDownstreamPort[] {
  return slotsOf(bus).filter((slot) => slot instanceof CxlDownstreamPort);
}

/** pcie_chassis_add_slot(): one slot number once per chassis. */
export function pcie_chassis_add_slot(dev: Device): void {
  const { props } = dev;
  const same = dev.vm
    .allDevices()
    .some(
      (other) =>
        other !== dev &&
        other.props.has('chassis') &&
        other.props.number('chassis') === props.number('chassis') &&
        other.props.number('slot') === props.number('slot'),
    );
  if (same) error_setg("Can't add chassis slot, error -16");
}

const SPEEDS = ['2_5', '5', '8', '16', '32', '64'];

/** pcie_cap_fill_link_ep_usp(), pcie_cap_fill_slot_lnk(): `x-speed=` and `x-width=` into the link registers; endpoints and upstream ports show the link trained so. */
export function initLink(dev: Device, fn: PciFunction, trained: boolean): void {
  const { config } = fn;
  const speed = SPEEDS.indexOf(dev.props.text('x-speed') ?? '') + 1;
  const width = Number(dev.props.text('x-width'));
  config.init('LNKCAP', speed, 'SPEED');
  config.init('LNKCAP', width, 'WIDTH');
  if (trained) config.init('LNKSTA', speed | (width << 4));
  config.init('LNKCAP2', speed > 1 ? 2 ** (speed + 1) - 2 : 0);
  config.init('LNKCTL2', speed > 1 ? speed : 0);
}

/** Port number into Link Capabilities, slot number into Slot Capabilities (pcie_cap_init, pcie_cap_slot_init). */
export function initPort(dev: Device, fn: PciBridge): void {
  const { config } = fn;
  config.init('LNKCAP', ((config.get('LNKCAP') & 0xffffff) | (dev.props.number('port') << 24)) >>> 0);
  config.init('SLTCAP', ((config.get('SLTCAP') & 0x7ffff) | ((dev.props.number('slot') & 0x1fff) << 19)) >>> 0);
}

/** What nobody below claims ends as Unsupported Request, all ones for the reader (`silicon=strict`); QEMU gives zeros. */
function unsupported_requests(bridge: PciBridge): void {
  const { core } = bridge.env;
  const ones: MemoryRegionOps = {
    hi: 0xffffffff,
    valid: { min: 1, max: 8 },
    impl: { min: 1, max: 8 },
    read: (_offset, width) => (width === 1 ? 0xff : width === 2 ? 0xffff : 0xffffffff),
    write: () => {},
  };
  const region = core.memory_region_init_io(ones, 'unsupported requests', UINT64_SIZE);
  core.memory_region_add_subregion_overlap(bridge.address_space_mem, 0, region, -1);
}

registerDeviceType({
  name: 'cxl-rp',
  description: 'CXL Root Port',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: true,
  properties: CXL_PROPERTIES['cxl-rp'],
  realize(dev) {
    const { vm } = dev;
    pcie_chassis_add_slot(dev);
    const fn = new PciBridge(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-rp',
      label: 'CXL root port',
      layout: layout('cxl-rp.config'),
    });
    pci_register_device(dev, fn);
    if (dev.props.text('silicon') === 'strict') unsupported_requests(fn);
    initPort(dev, fn);
    initLink(dev, fn, false);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const component = new CxlComponent(vm.pciEnv, path, layout('cxl-rp.component'), 'cxl-rp');
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
    fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
    fn.resetHooks.push(() => component.reset());
    const slot = new CxlRootPort(fn.id, dev.props.number('port'), component);
    addSlot(dev, fn, slot);
    pcie_cap_slot_init(dev, fn, slot, pci_bridge_bus(dev, fn, 'CXL'));
  },
});
