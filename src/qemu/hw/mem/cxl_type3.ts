/**
 * cxl-type3, the memory expander (hw/mem/cxl_type3.c), its volatile half: decoders, DVSECs, memory. Left out: mailbox and
 * events (the device registers of BAR2 read 0, so cxl_pci cannot identify it), persistent memory, CDAT, dynamic capacity.
 */
import { hi32, lo32 } from '../../../base/addr.ts';
import { BackedDevice, CxlComponent } from '../../../hw/cxl/index.ts';
import type { MemoryRegionOps } from '../../../hw/memory/index.ts';
import { Msix, PCI_BASE_ADDRESS_MEM_TYPE_64, PciFunction } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { registerDeviceType } from '../../qdev/device-type.ts';
import { linkSpeed, linkWidth, PCI_PROPERTIES } from '../../qdev/pci-properties.ts';
import type { PropertySpec } from '../../qdev/property.ts';
import { error_setg } from '../../system/error.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortAbove } from '../pci-bridge/cxl-root-port.ts';
import { takeMemdev } from './memdev.ts';

const RANGE_FLAGS = 0x4b;
const DEVICE_REGISTERS: readonly (readonly [offset: number, size: number, name: string])[] = [
  [0x00, 0x50, 'cap-array'],
  [0x80, 0x08, 'device-status'],
  [0x88, 0x820, 'mailbox'],
  [0x8a8, 0x08, 'memory device caps'],
];
const memdev = (name: string): PropertySpec => ({ name, kind: 'link', value: null, linkType: 'memory-backend' });

registerDeviceType({
  name: 'cxl-type3',
  description: 'CXL Memory Device (Type 3)',
  category: 'Storage',
  bus: 'PCI',
  userCreatable: true,
  properties: [
    memdev('memdev'),
    memdev('persistent-memdev'),
    memdev('volatile-memdev'),
    memdev('lsa'),
    { name: 'sn', kind: 'uint64', value: 2 ** 64, qtreeText: '18446744073709551615 (0xffffffffffffffff)' },
    { name: 'cdat', kind: 'string', value: null },
    { name: 'num-dc-regions', kind: 'uint8', value: 0 },
    memdev('volatile-dc-memdev'),
    linkSpeed('32'),
    linkWidth('16'),
    ...PCI_PROPERTIES,
  ],
  realize(dev) {
    const { vm, props } = dev;
    if (props.text('memdev') && props.text('persistent-memdev'))
      error_setg('[memdev] cannot be used with new [persistent-memdev] property');
    const persistent = props.text('persistent-memdev') ?? props.text('memdev');
    if (persistent && !props.text('lsa')) error_setg('lsa property must be set for persistent devices');
    if (!persistent && !props.text('volatile-memdev') && props.number('num-dc-regions') === 0)
      error_setg('at least one memdev property must be set');
    if (persistent || props.number('num-dc-regions') > 0 || props.text('cdat'))
      error_setg('only volatile memory without cdat is modelled in this lab');
    const backend = takeMemdev(dev, 'volatile-memdev');
    if (!backend) return;
    const fn = new PciFunction(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-type3',
      label: 'memory expander',
      layout: layout('cxl-type3.config'),
      backend: { id: backend.id, size: backend.size },
    });
    fn.config.init('CXL_RANGE1_SIZE_HI', hi32(backend.size));
    fn.config.init('CXL_RANGE1_SIZE_LO', (RANGE_FLAGS | (lo32(backend.size) & 0xf000_0000)) >>> 0);
    const serial = props.number('sn');
    if (serial < 2 ** 64) {
      fn.config.init('DSN_LO', lo32(serial));
      fn.config.init('DSN_HI', hi32(serial));
    }
    pci_register_device(dev, fn);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const component = new CxlComponent(vm.pciEnv, path, layout('cxl-type3.component'), 'cxl-type3');
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
    fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
    const zero: MemoryRegionOps = { hi: 0, read: () => 0, write: () => {}, peek: () => 0 };
    const registers = vm.core.memory_region_init('device-registers', 4096);
    for (const [offset, size, name] of DEVICE_REGISTERS)
      vm.core.memory_region_add_subregion(registers, offset, vm.core.memory_region_init_io(zero, name, size));
    fn.pci_register_bar(2, PCI_BASE_ADDRESS_MEM_TYPE_64, registers);
    new Msix(fn, 8, 4);
    vm.newAddressSpace(`cxl-type3-dpa-vmem-space:${dev.id}`, backend.mr);
    const port = cxlPortAbove(dev.parentBus);
    if (port && fn.devfn === 0)
      port.device = new BackedDevice(fn.id, component, vm.sys.mem, backend.mr.hva ?? 0, backend.size);
    fn.resetHooks.push(() => component.reset());
  },
});
