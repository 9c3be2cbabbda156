/** cxl-upstream (hw/pci-bridge/cxl_upstream.c): upstream port of a CXL switch: decoders in BAR0, CDAT by DOE. Left out: the mailbox CCI, CDAT files. */
import { hi32, lo32 } from '../../../base/addr.ts';
import { CxlComponent, CxlSwitch, Doe, switch_cdat } from '../../../hw/cxl/index.ts';
import { PCI_BASE_ADDRESS_MEM_TYPE_64, PciBridge } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { pci_bridge_bus, pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortAbove, downstreamPortsOf, initLink } from './cxl-root-port.ts';

const switches = new WeakMap<Device, CxlSwitch>();

/** The switch whose bus this is, for its downstream ports. */
export function cxlSwitchOf(dev: Device | null | undefined): CxlSwitch | null {
  return dev ? (switches.get(dev) ?? null) : null;
}

registerDeviceType({
  name: 'cxl-upstream',
  description: 'CXL Switch Upstream Port',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: true,
  properties: CXL_PROPERTIES['cxl-upstream'],
  realize(dev) {
    const { vm, props } = dev;
    if (props.text('cdat')) error_setg('cdat files are not modelled in this lab: the default table is served');
    const serial = props.number('sn');
    const hasSerial = serial < 2 ** 64;
    const fn = new PciBridge(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-upstream',
      label: 'CXL switch, upstream port',
      layout: layout(hasSerial ? 'cxl-upstream-sn.config' : 'cxl-upstream.config'),
    });
    if (hasSerial) {
      fn.config.init('DSN_LO', lo32(serial));
      fn.config.init('DSN_HI', hi32(serial));
    }
    initLink(dev, fn, true);
    fn.config.init('LNKCAP', ((fn.config.get('LNKCAP') & 0xffffff) | (props.number('port') << 24)) >>> 0);
    pci_register_device(dev, fn);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const silicon = props.text('silicon') === 'strict' ? { capacity: null, type: null } : null;
    const component = new CxlComponent(vm.pciEnv, path, layout('cxl-upstream.component'), 'cxl-upstream', silicon);
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
    fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
    fn.resetHooks.push(() => component.reset());
    new Doe(fn.config, () => switch_cdat(downstreamPortsOf(fn.sec_bus).map((port) => port.port)));
    const upstream = new CxlSwitch(fn.id, component);
    switches.set(dev, upstream);
    const slot = cxlPortAbove(dev.parentBus);
    if (slot && fn.devfn === 0) slot.upstream = upstream;
    pci_bridge_bus(dev, fn, 'PCIE');
  },
});
