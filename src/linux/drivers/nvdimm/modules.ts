import type { DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { libnvdimm_init } from './bus.ts';

/** Modules of drivers/nvdimm and dax_pmem. The namespace drivers register and never meet a namespace. */

const COMMON = { dir: 'drivers/nvdimm', author: 'Intel Corporation', license: 'GPL v2', initcall: 6 } as const;

/** A driver of a kind of namespace (`nd:t%d`) that no region here ever has. */
function namespaceDriver(name: string, types: readonly number[]) {
  const registered = new WeakMap<Kernel, DeviceDriver>();
  return {
    init(kernel: Kernel): number {
      const driver = { name, bus: 'nd', owner: name, type: types[0] ?? 0, probe: () => 0 };
      registered.set(kernel, driver);
      return kernel.drivers.driver_register(driver);
    },
    exit(kernel: Kernel): void {
      const driver = registered.get(kernel);
      if (driver) kernel.drivers.driver_unregister(driver);
    },
  };
}

export const nvdimm_modules: readonly ModuleDef[] = [
  {
    ...COMMON,
    name: 'libnvdimm',
    config: 'LIBNVDIMM',
    description: 'NVDIMM (Non-Volatile Memory Device) core',
    size: 241664,
    initcall: 4,
    init: libnvdimm_init,
  },
  {
    ...COMMON,
    name: 'nd_btt',
    config: 'BTT',
    depends: ['libnvdimm'],
    description: 'NVDIMM Block Translation Table',
    size: 36864,
    init: () => 0,
    exit: () => {},
  },
  {
    ...COMMON,
    name: 'nd_pmem',
    config: 'BLK_DEV_PMEM',
    depends: ['nd_btt', 'libnvdimm'],
    alias: ['pmem', 'nd:t7*', 'nd:t5*', 'nd:t4*'],
    description: 'NVDIMM Persistent Memory Driver',
    size: 24576,
    ...namespaceDriver('nd_pmem', [5]),
  },
  {
    ...COMMON,
    name: 'dax_pmem',
    config: 'DEV_DAX_PMEM',
    dir: 'drivers/dax',
    depends: ['libnvdimm'],
    alias: ['nd:t7*'],
    description: 'PMEM DAX: direct access to persistent memory',
    size: 12288,
    ...namespaceDriver('dax_pmem', [7]),
  },
];
