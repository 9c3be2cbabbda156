import { type Addr, hex } from '../../../base/addr.ts';
import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import { type AttributeGroup, type BusAttribute, Device, type DeviceDriver } from '../../include/device.ts';
import { type Kernel, SubsystemKey } from '../../include/kernel.ts';

/**
 * The `dax` bus: a range of memory that a region provider (CXL) offers, and the device made of it (drivers/dax/bus.c,
 * v6.12). One device takes the whole region. Leaves out creating, resizing and deleting devices by hand, memory mappings
 * of the device node.
 */

const PMD_SIZE = 0x200000;

interface DaxBus {
  readonly major: number;
  /** Names written to a driver's new_id: the device goes to that driver only. */
  readonly ids: Map<DeviceDriver, Set<string>>;
}
export const DAX = new SubsystemKey<DaxBus>('dax');

/** struct dev_dax */
export class DevDax extends Device {
  constructor(
    kernel: Kernel,
    name: string,
    parent: Device,
    readonly start: Addr,
    readonly end: Addr,
    readonly target_node: number,
    groups: readonly AttributeGroup[],
  ) {
    super(kernel, name, parent, 'dax', groups);
  }
}

export function dev_dax(dev: Device): DevDax {
  assert(dev instanceof DevDax, `${dev.name} is not a DAX device`);
  return dev;
}

class DaxMapping extends Device {}

const text = (name: string, mode: number, show: (dev: DevDax) => string) => ({
  name,
  mode,
  show: (dev: Device) => `${show(dev_dax(dev))}\n`,
});
const size = (dev: DevDax) => String(dev.end - dev.start + 1);

const groups: readonly AttributeGroup[] = [
  {
    attrs: [
      text('modalias', 0o444, () => 'dax:t0'),
      { ...text('size', 0o644, size), store: () => -E.EBUSY },
      { name: 'mapping', mode: 0o200, store: () => -E.EINVAL },
      text('target_node', 0o444, (dev) => String(dev.target_node)),
      { ...text('align', 0o644, () => String(PMD_SIZE)), store: (dev) => (dev.driver ? -E.EBUSY : 0) },
      text('resource', 0o400, (dev) => `0x${hex(dev.start)}`),
      text('numa_node', 0o444, () => '-1'),
      { ...text('memmap_on_memory', 0o644, () => '1'), store: (dev) => (dev.driver ? -E.EBUSY : 0) },
    ],
  },
];

/** Files of the region's `dax_region` directory. */
function region_group(id: number, bytes: number): AttributeGroup {
  return {
    name: 'dax_region',
    attrs: [
      { name: 'available_size', mode: 0o444, show: () => '0\n' },
      { name: 'create', mode: 0o644, show: () => '\n', store: () => -E.EINVAL },
      { name: 'seed', mode: 0o444, show: () => '\n' },
      { name: 'delete', mode: 0o200, store: () => -E.ENODEV },
      { name: 'align', mode: 0o400, show: () => `${PMD_SIZE}\n` },
      { name: 'size', mode: 0o444, show: () => `${bytes}\n` },
      { name: 'id', mode: 0o444, show: () => `${id}\n` },
    ],
  };
}

/** alloc_dax_region + devm_create_dev_dax for the whole range. Undone with `parent`'s driver. */
export function devm_create_dev_dax(
  parent: Device,
  id: number,
  range: { readonly start: Addr; readonly end: Addr },
  target_node: number,
): number {
  const { kernel } = parent;
  const { drivers } = kernel;
  const group = region_group(id, range.end - range.start + 1);
  drivers.sysfs_create_group(parent, group);
  parent.devm(() => {
    if (parent.registered) drivers.sysfs_remove_group(parent, group);
  });
  const dev = new DevDax(kernel, `dax${id}.0`, parent, range.start, range.end, target_node, groups);
  dev.devt = [kernel.get(DAX).major, id];
  dev.devname = dev.name;
  const rc = drivers.device_add(dev);
  if (rc) return rc;
  const mapping = new DaxMapping(kernel, 'mapping0', dev, null, [
    {
      attrs: [
        { name: 'start', mode: 0o400, show: () => `0x${hex(range.start)}\n` },
        { name: 'end', mode: 0o400, show: () => `0x${hex(range.end)}\n` },
        { name: 'page_offset', mode: 0o400, show: () => '0x0\n' },
      ],
    },
  ]);
  drivers.device_add(mapping);
  parent.devm(() => {
    drivers.device_del(mapping);
    drivers.device_del(dev);
  });
  return 0;
}

/** new_id and remove_id of a DAX driver. */
function drv_attrs(kernel: Kernel, drv: DeviceDriver): readonly BusAttribute[] {
  const ids = () => {
    const all = kernel.get(DAX).ids;
    const known = all.get(drv) ?? new Set<string>();
    all.set(drv, known);
    return known;
  };
  const name = /^dax\d+\.\d+$/;
  return [
    {
      name: 'new_id',
      mode: 0o200,
      store(value) {
        if (!name.test(value.trim())) return -E.EINVAL;
        if (ids().has(value.trim())) return -E.EEXIST;
        ids().add(value.trim());
        for (const dev of kernel.drivers.bus_devices('dax'))
          if (!dev.driver && dev.name === value.trim()) kernel.drivers.device_driver_attach(drv, dev);
        return 0;
      },
    },
    {
      name: 'remove_id',
      mode: 0o200,
      store: (value) => (name.test(value.trim()) ? (ids().delete(value.trim()) ? 0 : -E.ENOENT) : -E.EINVAL),
    },
  ];
}

/** dax_core_init */
export function dax_core_init(kernel: Kernel): number {
  const major = kernel.vfs.alloc_major('dax', 252);
  kernel.set(DAX, { major, ids: new Map() });
  kernel.vfs.register_chrdev(major, 'dax', () => ({ unlocked_ioctl: () => -E.ENOTTY }));
  kernel.drivers.bus_register({
    name: 'dax',
    // a CXL range is meant for kmem; device_dax takes it only when told to by new_id
    match: (dev, drv) => drv.name === 'kmem' || kernel.get(DAX).ids.get(drv)?.has(dev.name) === true,
    uevent: () => ({ MODALIAS: 'dax:t0' }),
    drv_attrs: (drv) => drv_attrs(kernel, drv),
  });
  return 0;
}
