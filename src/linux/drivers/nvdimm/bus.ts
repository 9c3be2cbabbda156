import { E } from '../../../base/errno.ts';
import { type AttributeGroup, type BusType, Device, type DeviceDriver } from '../../include/device.ts';
import { type Kernel, SubsystemKey } from '../../include/kernel.ts';

/**
 * libnvdimm's bus as CXL uses it (drivers/nvdimm/bus.c, dimm_devs.c, region_devs.c, v6.12): ndbusN with its control node, nmemN
 * for each device with labels, regionN for each persistent region. Leaves out namespaces and everything below a region (no label
 * is ever valid here), ioctls of the nodes, badblocks, badrange.
 */

interface NvdimmState {
  readonly major: number;
  readonly buses: Set<number>;
  readonly dimms: Set<number>;
}
const NVDIMM = new SubsystemKey<NvdimmState>('nvdimm');

const TYPES: Readonly<Record<string, number>> = { nvdimm: 1, nd_pmem: 3 };

/** The number in `nd:t%d`. */
const nd_type = (dev: Device) => TYPES[dev.devtype ?? ''] ?? 0;

const nvdimm_bus_type: BusType = {
  name: 'nd',
  match: (dev, drv) => 'type' in drv && drv.type === nd_type(dev),
  uevent: (dev) => ({ MODALIAS: `nd:t${nd_type(dev)}` }),
};

export class NvdimmBus extends Device {}
export class Nvdimm extends Device {}
export class NdRegion extends Device {}

const show = (name: string, text: string) => ({ name, mode: 0o444, show: () => `${text}\n` });

/** libnvdimm_init: the bus, its character device and the drivers of buses, devices and regions. */
export function libnvdimm_init(kernel: Kernel): number {
  kernel.drivers.bus_register(nvdimm_bus_type);
  const major = kernel.vfs.alloc_major('ndctl', 245);
  kernel.vfs.register_chrdev(major, 'ndctl', () => ({}));
  kernel.set(NVDIMM, { major, buses: new Set(), dimms: new Set() });
  const make = (name: string, type: number): DeviceDriver & { readonly type: number } => ({
    ...{ name, type, bus: 'nd', owner: 'libnvdimm', probe: () => 0, suppress_bind_attrs: type === 0 },
  });
  const drivers = [make('nd_bus', 0), make('nvdimm', 1), make('nd_region', 3)];
  for (const driver of drivers) {
    const rc = kernel.drivers.driver_register(driver);
    if (rc) return rc;
  }
  return 0;
}

const take = (used: Set<number>): number => {
  let id = 0;
  while (used.has(id)) id++;
  used.add(id);
  return id;
};

/** nvdimm_bus_register: ndbusN below `parent`, with ndctlN. */
export function nvdimm_bus_register(parent: Device, provider: string): NvdimmBus | number {
  const { kernel } = parent;
  const state = kernel.get(NVDIMM);
  const id = take(state.buses);
  const attrs = [show('commands', ''), show('provider', provider), show('wait_probe', '1')];
  const bus = new NvdimmBus(kernel, `ndbus${id}`, parent, 'nd', [{ attrs }]);
  const rc = kernel.drivers.device_add(bus);
  if (rc) return rc;
  const control = new Device(kernel, `ndctl${id}`, bus, null, []);
  control.class = 'nd';
  control.devt = [state.major, id];
  control.devname = control.name;
  kernel.drivers.device_add(control);
  parent.devm(() => {
    for (const child of [...bus.children]) kernel.drivers.device_del(child);
    kernel.drivers.device_del(bus);
    state.buses.delete(id);
  });
  return bus;
}

/** __nvdimm_create: nmemN; gone with `owner`'s driver. */
export function nvdimm_create(bus: NvdimmBus, owner: Device, groups: readonly AttributeGroup[]): Nvdimm | number {
  const { kernel } = bus;
  const state = kernel.get(NVDIMM);
  const id = take(state.dimms);
  const own = [show('devtype', 'nvdimm'), show('modalias', 'nd:t1'), show('state', 'idle'), show('flags', '')];
  const commands = show('commands', 'get_config_size get_config_data set_config_data');
  const dimm = new Nvdimm(kernel, `nmem${id}`, bus, 'nd', [{ attrs: [...own, commands] }, ...groups], 'nvdimm');
  dimm.devt = [state.major - 1, id];
  dimm.devname = dimm.name;
  const rc = kernel.drivers.device_add(dimm);
  if (rc) return rc;
  owner.devm(() => {
    kernel.drivers.device_del(dimm);
    state.dimms.delete(id);
  });
  return dimm;
}

/** nvdimm_pmem_region_create: regionN of ndbus; its number is the CXL region's. */
export function nvdimm_pmem_region_create(
  bus: NvdimmBus,
  owner: Device,
  id: number,
  size: number,
  mappings: number,
): NdRegion | number {
  const { kernel } = bus;
  const own = [show('devtype', 'nd_pmem'), show('modalias', 'nd:t3'), show('nstype', '0'), show('read_only', '0')];
  const sizes = [show('size', String(size)), show('mappings', String(mappings)), show('available_size', '0')];
  const region = new NdRegion(kernel, `region${id}`, bus, 'nd', [{ attrs: [...own, ...sizes] }], 'nd_pmem');
  const rc = kernel.drivers.device_add(region);
  if (rc) return -E.ENOMEM;
  owner.devm(() => kernel.drivers.device_del(region));
  return region;
}
