import { E } from '../../../base/errno.ts';
import type { Kernel } from '../../include/kernel.ts';
import { misc_deregister, misc_register } from '../char/misc.ts';
import { vfio_fops } from './container.ts';
import { vfio_device_add_cdev, vfio_device_del_cdev } from './device_cdev.ts';
import { vfio_device_remove_group, vfio_device_set_group, vfio_group_fops } from './group.ts';
import { VFIO, type VfioDevice, type VfioDeviceFile } from './vfio.ts';
import { vfio_device_fops } from './vfio_df.ts';

/** drivers/vfio/vfio_main.c, v6.11: registration of devices and of the module itself. */
const VFIO_MINOR = 196;
/** DRIVER_VERSION and DRIVER_DESC of vfio_main.c. */
const BANNER = 'VFIO - User Level meta-driver version: 0.3';

/** vfio_register_group_dev: -EINVAL when the function is in no IOMMU group. */
export function vfio_register_group_dev(device: VfioDevice): number {
  const { kernel } = device;
  const rc = vfio_device_set_group(device);
  if (rc) return rc;
  const added = vfio_device_add_cdev(device);
  if (added) {
    vfio_device_remove_group(device);
    return added;
  }
  kernel.get(VFIO).devices.push(device);
  device.group?.devices.push(device);
  return 0;
}

/**
 * vfio_unregister_group_dev. The real one sleeps until the user closes; a model that cannot sleep inside a sysfs write
 * closes the device itself, and the open files answer -EIO from then on.
 */
export function vfio_unregister_group_dev(device: VfioDevice): void {
  const { kernel, group } = device;
  if (device.open_count > 0) {
    device.dev.warn('No device request channel registered, blocked until released by user');
    device.ops.close_device(device);
    device.open_count = 0;
    device.gone = true;
    const owner = device.dev.driver?.owner ?? null;
    if (owner !== null) kernel.modules.put(owner);
  }
  const { devices } = kernel.get(VFIO);
  devices.splice(devices.indexOf(device), 1);
  if (group) group.devices.splice(group.devices.indexOf(device), 1);
  vfio_device_del_cdev(device);
  vfio_device_remove_group(device);
}

export function vfio_init(kernel: Kernel): number {
  const { vfs, drivers } = kernel;
  kernel.set(VFIO, {
    groups: [],
    devices: [],
    iommu_drivers: [],
    group_major: vfs.alloc_major('vfio'),
    cdev_major: vfs.alloc_major('vfio-dev'),
    next_device: 0,
  });
  drivers.class_register('vfio');
  drivers.class_register('vfio-dev');
  const container = vfio_fops(kernel);
  const rc = misc_register(kernel, VFIO_MINOR, 'vfio', 'vfio/vfio', container);
  if (rc) return rc;
  const core = kernel.get(VFIO);
  const group = vfio_group_fops(kernel, container);
  vfs.register_chrdev(core.group_major, 'vfio', () => group);
  vfs.register_chrdev(core.cdev_major, 'vfio-dev', (minor) => {
    const device = core.devices.find((other) => other.index === minor);
    if (!device) return null;
    return {
      ...vfio_device_fops,
      open(file) {
        const df: VfioDeviceFile = { device, access_granted: false, group: null };
        file.private_data = df;
        return core.devices.includes(device) ? 0 : -E.ENODEV;
      },
    };
  });
  kernel.printk(6, BANNER);
  return 0;
}

export function vfio_cleanup(kernel: Kernel): void {
  const core = kernel.get(VFIO);
  kernel.vfs.unregister_chrdev(core.group_major);
  kernel.vfs.unregister_chrdev(core.cdev_major);
  misc_deregister(kernel, VFIO_MINOR);
}
