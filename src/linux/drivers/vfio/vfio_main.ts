import { E } from '../../../base/errno.ts';
import type { Slept } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { after } from '../../include/mutex.ts';
import { misc_deregister, misc_register } from '../char/misc.ts';
import { vfio_fops } from './container.ts';
import { vfio_device_add_cdev, vfio_device_del_cdev } from './device_cdev.ts';
import { vfio_device_remove_group, vfio_device_set_group, vfio_group_fops } from './group.ts';
import { VFIO, type VfioDevice, type VfioDeviceFile } from './vfio.ts';
import { vfio_device_fops, vfio_device_put_registration, vfio_device_try_get_registration } from './vfio_df.ts';

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

const TEN_SECONDS = 10e9;

/** vfio_unregister_group_dev: nobody opens the device any more; then sleeps until the last user closes, asking every ten seconds. */
export function vfio_unregister_group_dev(device: VfioDevice): Slept {
  const { kernel, group } = device;
  const site = kernel.site('vfio_unregister_group_dev', ['users'], 'drivers/vfio/vfio_main.c');
  const slept = kernel.span(site, device.refcount - 1, 0, () => {
    // vfio_device_group_unregister, vfio_device_del
    if (group) group.devices.splice(group.devices.indexOf(device), 1);
    vfio_device_del_cdev(device);
    vfio_device_put_registration(device);
    if (device.refcount === 0) return;
    device.ops.request?.(device, 0);
    return wait_for_users(device);
  });
  return after(kernel, slept, () => {
    const { devices } = kernel.get(VFIO);
    devices.splice(devices.indexOf(device), 1);
    vfio_device_remove_group(device);
  });
}

/** wait_for_completion_timeout(&device->comp), again and again. A signal is answered with a line, and from then on no more. */
async function wait_for_users(device: VfioDevice): Promise<void> {
  const { kernel } = device;
  const { current } = kernel.tasks;
  let interrupted = false;
  for (let count = 1; device.refcount > 0; count++) {
    device.comp = kernel.scheduler.sleep(TEN_SECONDS);
    const rc = await kernel.tasks.sleep(current, device.comp, !interrupted);
    device.comp = null;
    if (device.refcount === 0) return;
    if (rc < 0) {
      interrupted = true;
      const { comm = 'kworker/0:0', pid = 2 } = current ?? {};
      device.dev.warn(`Device is currently in use, task "${comm}" (${pid}) blocked until device is released`);
    }
    kernel.tasks.within(current, () => device.ops.request?.(device, count));
  }
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
        if (!vfio_device_try_get_registration(device)) return -E.ENODEV;
        file.private_data = df;
        return 0;
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
