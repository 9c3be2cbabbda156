/**
 * cxl-accel, the type-2 accelerator (Zhi Wang, December 2024, hw/mem/cxl_accel.c; "profile B" of the reference sheet): CXL.io
 * and CXL.mem endpoint with one volatile memory behind four HDM decoders. Left out: CXL.cache, CDAT, RAS, as in that device.
 */
import { hi32, lo32 } from '../../../base/addr.ts';
import { BackedDevice, CxlComponent } from '../../../hw/cxl/index.ts';
import type { MemoryRegion } from '../../../hw/memory/index.ts';
import { Msix, PCI_BASE_ADDRESS_MEM_TYPE_64, PciFunction } from '../../../hw/pci/index.ts';
import { cxlAccelConfig } from '../../../spec/layouts/cxl-config.ts';
import { layout } from '../../../spec/layouts.ts';
import { CXL_PROPERTIES } from '../../qdev/cxl-properties.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';
import { cxlPortAbove } from '../pci-bridge/cxl-root-port.ts';
import { realizeProfileA } from './cxl_accel_a.ts';
import { enforce_config_lock } from './dvsec-lock.ts';
import { firmware_commits } from './firmware-commit.ts';
import { published_backend, takeMemdev } from './memdev.ts';
import { specified_resets } from './specified-resets.ts';

/** BAR 0: the component block as it is, or at its place in a BAR of another size. */
function componentBar(dev: Device, block: MemoryRegion, offset: number): MemoryRegion {
  const size = dev.props.number('x-bar0-size');
  if (size === block.size && offset === 0) return block;
  const { core } = dev.vm;
  if (size < 0x2000 || 2 ** Math.round(Math.log2(size)) !== size)
    error_setg('x-bar0-size wants a power of two of 8 KiB and more');
  if (offset % 0x10000 !== 0 || offset + Math.min(block.size, size) > size)
    error_setg('x-component-offset wants a multiple of 64 KiB that lies in BAR 0');
  const bar = core.memory_region_init('cxl-accel-bar0', size);
  const part = core.memory_region_init_alias('cxl-accel-block', block, 0, Math.min(block.size, size - offset));
  core.memory_region_add_subregion(bar, offset, part);
  return bar;
}

/** Range 1 of the CXL device DVSEC: valid, active, media type and class 2. */
const RANGE_FLAGS = 0x4b;

registerDeviceType({
  name: 'cxl-accel',
  description: 'CXL Accelerator Device (Type 2)',
  category: 'Storage',
  bus: 'PCI',
  userCreatable: true,
  available: (build) => build.accel,
  properties: CXL_PROPERTIES['cxl-accel'],
  realize(dev) {
    const { vm } = dev;
    if (vm.build.profile === 'A') return realizeProfileA(dev);
    if (dev.props.number('sn') < 2 ** 64) error_setg("Property 'cxl-accel.sn' not found");
    const backend = takeMemdev(dev, 'volatile-memdev');
    const fn = new PciFunction(vm.pciEnv, {
      id: pci_public_id(dev),
      type: 'cxl-accel',
      label: 'type-2 accelerator',
      layout: cxlAccelConfig(dev.props.number('x-bar0-size'), dev.props.number('x-component-offset')),
      ...(backend ? { backend: published_backend(vm.build, backend) } : {}),
    });
    const size = backend?.size ?? 0;
    fn.config.init('CXL_RANGE1_SIZE_HI', hi32(size));
    fn.config.init('CXL_RANGE1_SIZE_LO', backend ? (RANGE_FLAGS | (lo32(size) & 0xf000_0000)) >>> 0 : 0);
    pci_register_device(dev, fn);
    const path = `hw/${vm.guest}/${fn.id}/component`;
    const strict = dev.props.text('silicon') === 'strict';
    const silicon = strict ? { capacity: size, type: 0 as const } : null;
    if (strict) enforce_config_lock(fn);
    const decoders = dev.props.number('hdm-decoders');
    if (decoders !== 1 && decoders !== 4) error_setg(`hdm-decoders is 1 or 4, not ${decoders}`);
    const blocks = layout(decoders === 1 ? 'cxl-accel1.component' : 'cxl-accel.component');
    const component = new CxlComponent(vm.pciEnv, path, blocks, 'cxl-accel', silicon);
    const offset = dev.props.number('x-component-offset');
    fn.pci_register_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, componentBar(dev, component.memory, offset));
    fn.addRoute({
      space: 'bar0',
      offset: offset + 0x1000,
      size: 0x1000,
      block: path,
      blockOffset: 0,
      answeredBy: 'device',
    });
    new Msix(fn, 6, 4);
    if (backend) {
      const dpa = vm.newAddressSpace('cxl-accel-dpa-vmem-space', backend.mr);
      dev.unrealize = () => {
        dpa.destroy();
        backend.mapped = false;
      };
      const port = cxlPortAbove(dev.parentBus);
      if (port && fn.devfn === 0)
        port.device = new BackedDevice(fn.id, component, vm.sys.mem, backend.mr.hva ?? 0, size, !vm.build.type3Window);
    }
    if (strict) specified_resets(vm, fn, component, { hva: backend?.mr.hva ?? null, size });
    // The tree used with the RFC has no reset handler: decoders and DVSEC survive a warm reboot there.
    if (vm.build.accelReset)
      fn.resetHooks.push(() => {
        fn.config.reset('power-on');
        component.reset();
      });
    if (dev.props.bool('firmware-committed')) {
      if (!backend) error_setg('firmware-committed=on needs volatile-memdev: there is no memory to decode');
      firmware_commits(dev, fn, component, size);
    }
  },
});
