/**
 * pxb-cxl and its host bridge (hw/pci-bridge/pci_expander_bridge.c): a root bus of its own behind a function of pcie.0, and
 * the component registers (CHBCR) in `cxl_host_reg`. Left out: NUMA placement, IOMMU bypass.
 */
import { CXL2_COMPONENT_BLOCK_SIZE, CxlHostBridge } from '../../../hw/cxl/index.ts';
import { PciBus, PciFunction } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { Bus } from '../../qdev/bus.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import type { Vm } from '../../system/vm.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortsOf } from './cxl-root-port.ts';

registerDeviceType({
  name: 'pxb-cxl',
  description: 'CXL Host Bridge',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: true,
  properties: CXL_PROPERTIES['pxb-cxl'],
  async realize(dev) {
    const { vm } = dev;
    const above = dev.parentBus?.pci;
    if (above?.name !== 'pcie.0') error_setg('pxb-cxl devices cannot reside on a PCI bus');
    if (dev.id === '') error_setg('pxb-cxl needs an id: its bus is named after it');
    const number = dev.props.number('bus_nr');
    if (number === 0 || vm.expanderBuses().some((bus) => bus.busNumber === number))
      error_setg(`Bus ${number} is already in use`);
    const fn = new PciFunction(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'pxb-cxl',
      label: 'CXL host bridge',
      layout: layout('pxb-cxl.config'),
    });
    pci_register_device(dev, fn);
    const bus = new PciBus(dev.id, above.address_space_mem, above.address_space_io, null, number, dev.id);
    above.children.push(bus);
    const host = await vm.addExpander(bus);
    host.childBuses.push(new Bus(dev.id, 'pxb-cxl-bus', 'PCI', host, bus));
  },
});

registerDeviceType({
  name: 'pxb-cxl-host',
  category: 'Controller/Bridge/Hub',
  bus: 'System',
  userCreatable: false,
  properties: [
    { name: 'x-config-reg-migration-enabled', kind: 'bool', value: true },
    { name: 'bypass-iommu', kind: 'bool', value: false },
  ],
  realize(dev) {
    const size = CXL2_COMPONENT_BLOCK_SIZE.toString(16).padStart(16, '0');
    dev.qtreeLines = () => [`mmio ${'f'.repeat(16)}/${size}`];
  },
});

/** pxb_cxl_hook_up_registers(): host bridges take 64 KiB each of `cxl_host_reg`, the newest first. Gives them by bus name. */
export function pxb_cxl_hook_up_registers(vm: Vm): ReadonlyMap<string, CxlHostBridge> {
  const bridges = new Map<string, CxlHostBridge>();
  [...vm.expanders].reverse().forEach((bus, n) => {
    const dev = vm.findDevice(bus.name) as Device;
    const bridge = new CxlHostBridge(
      vm.pciEnv,
      dev.id,
      bus.busNumber,
      cxlPortsOf(bus),
      dev.props.bool('hdm_for_passthrough'),
      dev.props.text('silicon') === 'strict' ? { capacity: null, type: null } : null,
    );
    bridges.set(bus.name, bridge);
    if (!vm.cxl_host_reg) error_setg('CXL host bridges present, but cxl=off');
    const offset = n * CXL2_COMPONENT_BLOCK_SIZE;
    if (offset + CXL2_COMPONENT_BLOCK_SIZE > vm.cxl_host_reg.size)
      error_setg('Insufficient space for pxb cxl host register space');
    vm.core.memory_region_add_subregion(vm.cxl_host_reg, offset, bridge.component.memory);
    dev.pci?.addRoute({
      space: 'chbcr',
      offset: 0x1000,
      size: 0x1000,
      block: bridge.component.path,
      blockOffset: 0,
      answeredBy: 'device',
    });
    dev.pci?.resetHooks.push(() => bridge.reset());
  });
  return bridges;
}
