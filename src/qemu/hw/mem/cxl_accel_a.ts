/**
 * cxl-accel as the RFC was tried with (Ira Weiny's copy of cxl_type3.c of May 2023, Zhi Wang's change for several HDM decoders;
 * "profile A" of the reference sheet): memory-device registers with mailbox on BAR 2, RAS, DOE, AER, a serial number if asked
 * for. Left out: the BI decoder capability, UIO, persistent memory; the HDM block stays at 0x1128 (the sheet infers 0x1110).
 */
import { hi32, lo32 } from '../../../base/addr.ts';
import { BackedDevice, CxlComponent, DeviceRegisters, Doe, type3_cdat } from '../../../hw/cxl/index.ts';
import { Msix, PCI_BASE_ADDRESS_MEM_TYPE_64, PciFunction } from '../../../hw/pci/index.ts';
import { accelComponentA } from '../../../spec/layouts/cxl-component.ts';
import { accelAConfig } from '../../../spec/layouts/cxl-config.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortAbove } from '../pci-bridge/cxl-root-port.ts';
import { published_backend, takeMemdev } from './memdev.ts';

const RANGE_FLAGS = 0x4b;

export function realizeProfileA(dev: Device): void {
  const { vm, props } = dev;
  const backend = takeMemdev(dev, 'volatile-memdev');
  if (!backend) error_setg('at least one memdev property must be set');
  if (props.number('hdm-decoders') !== 4 || props.bool('firmware-committed'))
    error_setg('hdm-decoders and firmware-committed are for profile B');
  const { size } = backend;
  const serial = props.number('sn');
  const hasSerial = serial < 2 ** 64;
  const fn = new PciFunction(vm.pciEnv, {
    id: pci_public_id(dev),
    type: 'cxl-accel',
    label: 'type-2 accelerator',
    layout: accelAConfig(hasSerial),
    backend: published_backend(vm.build, backend),
  });
  fn.config.init('CXL_RANGE1_SIZE_HI', hi32(size));
  fn.config.init('CXL_RANGE1_SIZE_LO', (RANGE_FLAGS | (lo32(size) & 0xf000_0000)) >>> 0);
  if (hasSerial) {
    fn.config.init('DSN_LO', lo32(serial));
    fn.config.init('DSN_HI', hi32(serial));
  }
  pci_register_device(dev, fn);
  const path = `hw/${vm.guest}/${fn.id}/component`;
  const component = new CxlComponent(vm.pciEnv, path, accelComponentA, 'cxl-accel', null);
  fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, component.memory);
  fn.addRoute({ space: 'bar0', offset: 0x1000, size: 0x1000, block: path, blockOffset: 0, answeredBy: 'device' });
  const memory = new BackedDevice(fn.id, component, vm.sys.mem, backend.mr.hva ?? 0, size, !vm.build.type3Window);
  const devicePath = `hw/${vm.guest}/${fn.id}/device`;
  const registers = new DeviceRegisters(vm.pciEnv, devicePath, {
    volatileSize: size,
    persistentSize: 0,
    lsaSize: 0,
    readLsa: () => {},
    writeLsa: () => {},
    writeDpa: (dpa, from) => memory.writeBulk(dpa, from),
    now: () => vm.sys.clockGettime('realtime'),
  });
  fn.pci_register_bar(2, PCI_BASE_ADDRESS_MEM_TYPE_64, registers.memory);
  fn.addRoute({ space: 'bar2', offset: 0, size: 4096, block: devicePath, blockOffset: 0, answeredBy: 'device' });
  new Msix(fn, 6, 4);
  new Doe(fn.config, () => type3_cdat(size, 0));
  vm.newAddressSpace('cxl-accel-dpa-vmem-space', backend.mr);
  const port = cxlPortAbove(dev.parentBus);
  if (port && fn.devfn === 0) port.device = memory;
  // The tree used with the RFC has no reset handler.
  if (vm.build.accelReset)
    fn.resetHooks.push(() => {
      fn.config.reset('power-on');
      component.reset();
      registers.reset();
    });
}
