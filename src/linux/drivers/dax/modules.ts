import type { DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { dax_core_init } from './bus.ts';
import { cxl_dax_region_exit, cxl_dax_region_init } from './cxl.ts';

/** Modules of drivers/dax. Left out: kmem, hmem. */

const COMMON = { dir: 'drivers/dax', author: 'Intel Corporation', license: 'GPL v2' } as const;
const device_dax = new WeakMap<Kernel, DeviceDriver>();

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
      const driver = { name: 'device_dax', bus: 'dax', owner: 'device_dax', probe: () => 0 };
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
];
