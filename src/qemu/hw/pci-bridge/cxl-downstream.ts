/** cxl-downstream (hw/pci-bridge/cxl_downstream.c): downstream port of a CXL switch. Left out: hot-plug events, GPF. */
import { CxlComponent, CxlDownstreamPort } from '../../../hw/cxl/index.ts';
import { PCI_BASE_ADDRESS_MEM_TYPE_64, PciBridge } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { registerDeviceType } from '../../qdev/device-type.ts';
import { pci_bridge_bus, pci_public_id, pci_register_device } from '../pci/pci.ts';
import { pcie_cap_slot_init } from '../pci/pcie.ts';
import { addSlot, downstreamPortsOf, initLink, initPort, pcie_chassis_add_slot } from './cxl-root-port.ts';
import { cxlSwitchOf } from './cxl-upstream.ts';

registerDeviceType({
  name: 'cxl-downstream',
  description: 'CXL Switch Downstream Port',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: true,
  properties: CXL_PROPERTIES['cxl-downstream'],
  realize(dev) {
    const { vm } = dev;
    pcie_chassis_add_slot(dev);
    const fn = new PciBridge(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-downstream',
      label: 'CXL switch, downstream port',
      layout: layout('cxl-downstream.config'),
    });
    pci_register_device(dev, fn);
    initPort(dev, fn);
    initLink(dev, fn, false);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const component = new CxlComponent(vm.pciEnv, path, layout('cxl-downstream.component'), 'cxl-downstream');
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
    fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
    fn.resetHooks.push(() => component.reset());
    const slot = new CxlDownstreamPort(fn.id, dev.props.number('port'), component);
    addSlot(dev, fn, slot);
    const upstream = cxlSwitchOf(dev.parentBus?.parent);
    const bus = dev.parentBus?.pci;
    if (upstream && bus) upstream.ports = downstreamPortsOf(bus);
    pcie_cap_slot_init(dev, fn, slot, pci_bridge_bus(dev, fn, 'PCIE'));
  },
});
