/**
 * cxl-type3, the memory expander (hw/mem/cxl_type3.c): decoders, DVSECs, device registers with mailbox, CDAT by DOE, volatile
 * and persistent memory. Left out: events, dynamic capacity, CDAT files.
 */
import { hi32, lo32 } from '../../../base/addr.ts';
import {
  BackedDevice,
  CxlComponent,
  DeviceRegisters,
  Doe,
  type Type3Media,
  type3_cdat,
} from '../../../hw/cxl/index.ts';
import { Msix, PCI_BASE_ADDRESS_MEM_TYPE_64, PciFunction } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import type { MemoryBackend } from '../../qdev/virtual-machine.ts';
import { error_setg } from '../../system/error.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortAbove, initLink } from '../pci-bridge/cxl-root-port.ts';
import { enforce_config_lock } from './dvsec-lock.ts';
import { linkedMemdev, takeMemdev } from './memdev.ts';

/** Range of the CXL device DVSEC: valid, active, media type and class 2. */
const RANGE_FLAGS = 0x4b;

interface Memories {
  readonly volatile: MemoryBackend | null;
  readonly persistent: MemoryBackend | null;
  readonly lsa: MemoryBackend | null;
}

/** cxl_setup_memory(): which backends the properties name, with its checks in its order. */
function cxl_setup_memory(dev: Device): Memories {
  const { props } = dev;
  const legacy = props.text('memdev');
  const persistentProperty = legacy === null ? 'persistent-memdev' : 'memdev';
  if (legacy === null && !props.text('persistent-memdev') && !props.text('volatile-memdev')) {
    if (props.number('num-dc-regions') === 0) error_setg('at least one memdev property must be set');
  } else if (legacy !== null && props.text('persistent-memdev')) {
    error_setg('[memdev] cannot be used with new [persistent-memdev] property');
  }
  if (props.number('num-dc-regions') > 0) error_setg('dynamic capacity is not modelled in this lab');
  if (props.text('cdat')) error_setg('cdat files are not modelled in this lab: the default table is served');
  if (props.text(persistentProperty) && !props.text('lsa'))
    error_setg('lsa property must be set for persistent devices');
  const volatile = takeMemdev(dev, 'volatile-memdev');
  const persistent = takeMemdev(dev, persistentProperty);
  return { volatile, persistent, lsa: linkedMemdev(dev, 'lsa') };
}

/** build_dvsecs(): range 1 is the volatile memory if there is any, range 2 the persistent one then. */
function initRanges(fn: PciFunction, { volatile, persistent }: Memories): void {
  const range = (n: 1 | 2, size: number) => {
    fn.config.init(`CXL_RANGE${n}_SIZE_HI`, hi32(size));
    fn.config.init(`CXL_RANGE${n}_SIZE_LO`, (RANGE_FLAGS | (lo32(size) & 0xf000_0000)) >>> 0);
  };
  range(1, (volatile ?? persistent)?.size ?? 0);
  if (volatile && persistent) range(2, persistent.size);
}

registerDeviceType({
  name: 'cxl-type3',
  description: 'CXL Memory Device (Type 3)',
  category: 'Storage',
  bus: 'PCI',
  userCreatable: true,
  properties: CXL_PROPERTIES['cxl-type3'],
  realize(dev) {
    const { vm, props } = dev;
    const memories = cxl_setup_memory(dev);
    const { volatile, persistent, lsa } = memories;
    const shown = volatile ?? persistent;
    const volatileSize = volatile?.size ?? 0;
    const persistentSize = persistent?.size ?? 0;
    const serial = props.number('sn');
    const hasSerial = serial < 2 ** 64;
    const fn = new PciFunction(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-type3',
      label: 'memory expander',
      layout: layout(hasSerial ? 'cxl-type3.config' : 'cxl-type3-nosn.config'),
      ...(shown ? { backend: { id: shown.id, size: volatileSize + persistentSize } } : {}),
    });
    initRanges(fn, memories);
    if (hasSerial) {
      fn.config.init('DSN_LO', lo32(serial));
      fn.config.init('DSN_HI', hi32(serial));
    }
    initLink(dev, fn, true);
    pci_register_device(dev, fn);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const strict = props.text('silicon') === 'strict';
    const silicon = strict ? { capacity: volatileSize + persistentSize, type: 1 as const } : null;
    if (strict) enforce_config_lock(fn);
    const component = new CxlComponent(vm.pciEnv, path, layout('cxl-type3.component'), 'cxl-type3', silicon);
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
    fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
    const { mem } = vm.sys;
    const memory = new BackedDevice(
      fn.id,
      component,
      mem,
      volatile?.mr.hva ?? 0,
      volatileSize,
      true,
      persistent ? { hva: persistent.mr.hva ?? 0, size: persistentSize } : null,
    );
    const lsaAt = lsa?.mr.hva ?? 0;
    const media: Type3Media = {
      volatileSize,
      persistentSize,
      lsaSize: lsa?.size ?? 0,
      readLsa: (offset, into) => mem.read(lsaAt + offset, into),
      writeLsa: (offset, from) => mem.write(lsaAt + offset, from),
      writeDpa: (dpa, from) => memory.writeBulk(dpa, from),
      now: () => vm.sys.clockGettime('realtime'),
    };
    const devicePath = `hw/${vm.guest}/${fn.id}/device`;
    const registers = new DeviceRegisters(vm.pciEnv, devicePath, media);
    fn.pci_register_bar(2, PCI_BASE_ADDRESS_MEM_TYPE_64, registers.memory);
    fn.addRoute({ space: 'bar2', offset: 0, size: 4096, block: devicePath, blockOffset: 0, answeredBy: 'device' });
    new Msix(fn, 8, 4);
    new Doe(fn.config, () => type3_cdat(volatileSize, persistentSize));
    const spaces = [
      ...(volatile ? [vm.newAddressSpace(`cxl-type3-dpa-vmem-space:${dev.id}`, volatile.mr)] : []),
      ...(persistent ? [vm.newAddressSpace(`cxl-type3-dpa-pmem-space:${dev.id}`, persistent.mr)] : []),
    ];
    dev.unrealize = () => {
      for (const space of spaces) space.destroy();
      for (const memory of [volatile, persistent, lsa]) if (memory) memory.mapped = false;
    };
    const port = cxlPortAbove(dev.parentBus);
    if (port && fn.devfn === 0) port.device = memory;
    fn.resetHooks.push(() => {
      component.reset();
      registers.reset();
    });
  },
});
