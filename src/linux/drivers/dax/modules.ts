import { hex } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { dax_core_init, dev_dax } from './bus.ts';
import { cxl_dax_region_exit, cxl_dax_region_init } from './cxl.ts';
import { dax_kmem_exit, dax_kmem_init } from './kmem.ts';

/** Modules of drivers/dax. Left out: hmem. */

const COMMON = { dir: 'drivers/dax', author: 'Intel Corporation', license: 'GPL v2' } as const;
const device_dax = new WeakMap<Kernel, DeviceDriver>();

/** dev_dax_probe, without the device node's mappings. */
function dev_dax_probe(dev: Device): number {
  const { iomem } = dev.kernel;
  const { start, end, name } = dev_dax(dev);
  const res = iomem.request_mem_region(start, end - start + 1, name);
  if (res === null) {
    dev.warn(`mapping0: 0x${hex(start)}-0x${hex(end)} could not reserve range`);
    return -E.EBUSY;
  }
  dev.devm(() => iomem.release_resource(res));
  return 0;
}

export const dax_modules: readonly ModuleDef[] = [
  {
    ...COMMON,
    name: 'dax',
    config: 'DAX',
    description: 'DAX: direct access to differentiated memory',
    size: 57344,
    initcall: 4,
    init: dax_core_init,
  },
  {
    ...COMMON,
    name: 'device_dax',
    config: 'DEV_DAX',
    description: 'Device DAX: direct access device driver',
    alias: ['dax:t0*'],
    size: 20480,
    initcall: 6,
    init(kernel) {
      const driver = { name: 'device_dax', bus: 'dax', owner: 'device_dax', probe: dev_dax_probe };
      device_dax.set(kernel, driver);
      return kernel.drivers.driver_register(driver);
    },
    exit(kernel) {
      const driver = device_dax.get(kernel);
      if (driver) kernel.drivers.driver_unregister(driver);
    },
  },
  {
    ...COMMON,
    name: 'dax_cxl',
    config: 'DEV_DAX_CXL',
    description: 'CXL DAX: direct access to CXL regions',
    alias: ['cxl:t8*'],
    size: 12288,
    initcall: 6,
    init: (kernel) => cxl_dax_region_init(kernel, 'dax_cxl'),
    exit: cxl_dax_region_exit,
  },
  {
    ...COMMON,
    name: 'kmem',
    config: 'DEV_DAX_KMEM',
    description: 'KMEM DAX: map dax-devices as System-RAM',
    alias: ['dax:t0*'],
    size: 12288,
    initcall: 6,
    init: dax_kmem_init,
    exit: dax_kmem_exit,
  },
];
