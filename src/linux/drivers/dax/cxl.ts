import { assert } from '../../../base/assert.ts';
import { CxlDaxRegion } from '../../include/cxl_types.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { devm_create_dev_dax } from './bus.ts';

/** The dax_cxl driver (drivers/dax/cxl.c, v6.12): a volatile region becomes a DAX device. */

function cxl_dax_region_probe(dev: Device): number {
  assert(dev instanceof CxlDaxRegion, `${dev.name} is not a DAX region`);
  return devm_create_dev_dax(dev, dev.cxlr.id, dev.hpa_range, dev.target_node);
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function cxl_dax_region_init(kernel: Kernel, owner: string | null): number {
  const driver = {
    name: 'cxl_dax_region',
    bus: 'cxl',
    owner,
    id: 8,
    suppress_bind_attrs: true,
    probe: cxl_dax_region_probe,
  };
  drivers.set(kernel, driver);
  return kernel.drivers.driver_register(driver);
}

export function cxl_dax_region_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
