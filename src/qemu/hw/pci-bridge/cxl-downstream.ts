/** cxl-downstream (hw/pci-bridge/cxl_downstream.c): downstream port of a CXL switch. Left out: hot-plug events, GPF. */
import { CxlComponent, CxlDownstreamPort } from '../../../hw/cxl/index.ts';
import { PCI_BASE_ADDRESS_MEM_TYPE_64, PciBridge } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { registerDeviceType } from '../../qdev/device-type.ts';
import { linkSpeed, linkWidth, PCI_PROPERTIES } from '../../qdev/pci-properties.ts';
import { pci_bridge_bus, pci_public_id, pci_register_device } from '../pci/pci.ts';
import { addSlot, downstreamPortsOf, initLink, initPort, pcie_chassis_add_slot } from './cxl-root-port.ts';
import { cxlSwitchOf } from './cxl-upstream.ts';

registerDeviceType({
  name: 'cxl-downstream',
  description: 'CXL Switch Downstream Port',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: true,
  properties: [
    linkSpeed('64'),
    linkWidth('16'),
    { name: 'chassis', kind: 'uint8', value: 0 },
    { name: 'slot', kind: 'uint16', value: 0 },
    { name: 'hotplug', kind: 'bool', value: true },
    { name: 'x-do-not-expose-native-hotplug-cap', kind: 'bool', value: false },
    { name: 'port', kind: 'uint8', value: 0 },
    { name: 'aer_log_max', kind: 'uint16', value: 8 },
    { name: 'x-pci-express-writeable-slt-bug', kind: 'bool', value: false },
    ...PCI_PROPERTIES,
  ],
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
    addSlot(dev, fn, new CxlDownstreamPort(fn.id, dev.props.number('port'), component));
    const upstream = cxlSwitchOf(dev.parentBus?.parent);
    const bus = dev.parentBus?.pci;
    if (upstream && bus) upstream.ports = downstreamPortsOf(bus);
    pci_bridge_bus(dev, fn, 'PCIE');
  },
});
