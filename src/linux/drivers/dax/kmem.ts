import { type Addr, hex } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { MEMORY } from '../base/memory.ts';
import { dev_dax } from './bus.ts';

/**
 * The kmem driver (drivers/dax/kmem.c, v6.12): a DAX device's range becomes System RAM of its target node. Left out: a memory map
 * kept in the range itself (memmap_on_memory; it is off in memory_hotplug by default).
 */

const NAME = 'System RAM (kmem)';
const text = (start: Addr, size: number) => `mapping0: 0x${hex(start)}-0x${hex(start + size - 1)}`;

function dev_dax_kmem_probe(dev: Device): number {
  const { kernel } = dev;
  const { start, end, target_node } = dev_dax(dev);
  if (target_node < 0) {
    dev.warn(`rejecting DAX region with invalid node: ${target_node}`);
    return -E.EINVAL;
  }
  const memory = kernel.get(MEMORY);
  const [from, size] = memory.whole(start, end);
  if (size <= 0) {
    dev.warn(`mapping0: 0x${hex(start)}-0x${hex(end)} too small after alignment`);
    return -E.EINVAL;
  }
  const res = kernel.iomem.request_mem_region(from, size, dev.name);
  if (res === null) {
    dev.warn(`${text(from, size)} could not reserve region`);
    return -E.EBUSY;
  }
  // so that add_memory can put its own resource inside
  res.busy = false;
  const rc = memory.add_memory(target_node, from, size, NAME);
  if (rc === 0) return 0;
  dev.warn(`${text(from, size)} memory add failed`);
  kernel.iomem.release_resource(res);
  return rc;
}

/** dev_dax_kmem_remove: memory that is still online stays, and so does its resource. */
function dev_dax_kmem_remove(dev: Device): void {
  const { kernel } = dev;
  const { start, end } = dev_dax(dev);
  const memory = kernel.get(MEMORY);
  const [from, size] = memory.whole(start, end);
  if (memory.remove_memory(from, size) !== 0) {
    dev.err(`${text(from, size)} cannot be hotremoved until the next reboot`);
    return;
  }
  const find = (list: typeof kernel.iomem.root.children): (typeof list)[number] | undefined => {
    for (const res of list) {
      const found = res.name === dev.name ? res : find(res.children);
      if (found) return found;
    }
    return undefined;
  };
  const res = find(kernel.iomem.root.children);
  if (res) kernel.iomem.release_resource(res);
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function dax_kmem_init(kernel: Kernel): number {
  const driver = { name: 'kmem', bus: 'dax', owner: 'kmem', probe: dev_dax_kmem_probe, remove: dev_dax_kmem_remove };
  drivers.set(kernel, driver);
  return kernel.drivers.driver_register(driver);
}

export function dax_kmem_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
