import { E } from '../../../base/errno.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import { decode } from '../../uapi/struct.ts';
import {
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
  vfio_device_feature,
} from '../../uapi/vfio.ts';
import { vfio_df_ioctl_attach_pt, vfio_df_ioctl_bind_iommufd, vfio_df_ioctl_detach_pt } from './device_cdev.ts';
import type { VfioDevice, VfioDeviceFile } from './vfio.ts';

/** Open device files (drivers/vfio/vfio_main.c, v6.11): first open, last close, and the calls handed to the driver. */
function driverModule(device: VfioDevice): string | null {
  return device.dev.driver?.owner ?? null;
}

/** False once the device is being unregistered and nobody has it open. */
export function vfio_device_try_get_registration(device: VfioDevice): boolean {
  if (device.refcount === 0) return false;
  device.refcount++;
  return true;
}

export function vfio_device_put_registration(device: VfioDevice): void {
  if (--device.refcount === 0) device.comp?.wake();
}

/** vfio_df_open / vfio_df_device_first_open */
export function vfio_df_open(df: VfioDeviceFile): number {
  const { device } = df;
  const { kernel } = device;
  if (device.open_count > 0) {
    // Only one open when the character device is used; group users share.
    if (!df.group) return -E.EINVAL;
    device.open_count++;
    return 0;
  }
  const owner = driverModule(device);
  if (owner !== null && !kernel.modules.get(owner)) return -E.ENODEV;
  device.open_count = 1;
  const rc = kernel.span(kernel.site('vfio_df_device_first_open', [], 'drivers/vfio/vfio_main.c'), 0, 0, () =>
    device.ops.open_device(device),
  );
  if (rc) {
    device.open_count = 0;
    if (owner !== null) kernel.modules.put(owner);
  }
  return rc;
}

/** vfio_df_close / vfio_df_device_last_close */
export function vfio_df_close(df: VfioDeviceFile): void {
  const { device } = df;
  const { kernel } = device;
  if (--device.open_count > 0) return;
  kernel.span(kernel.site('vfio_df_device_last_close', [], 'drivers/vfio/vfio_main.c'), 0, 0, () =>
    device.ops.close_device(device),
  );
  device.file = null;
  if (device.iommufd && device.group) device.group.cdev_device_open_cnt--;
  device.iommufd?.unbind(device);
  device.iommufd = null;
  device.iommufd_attached = false;
  const owner = driverModule(device);
  if (owner !== null) kernel.modules.put(owner);
}

/** vfio_ioctl_device_feature: the checks of its head. No feature is modelled, which a probe finds out by -ENOTTY. */
function vfio_ioctl_device_feature(arg: Uint8Array | number): number {
  if (typeof arg === 'number' || arg.length < vfio_device_feature.size) return -E.EFAULT;
  const { argsz, flags } = decode(vfio_device_feature, arg);
  if (argsz < vfio_device_feature.size) return -E.EINVAL;
  const what = flags & ~VFIO_DEVICE_FEATURE_MASK;
  if (what & ~(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE)) return -E.EINVAL;
  // GET and SET at once only make sense to a probe.
  const both = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
  if (!(what & VFIO_DEVICE_FEATURE_PROBE) && (what & both) === both) return -E.EINVAL;
  return -E.ENOTTY;
}

function dfOf(file: File): VfioDeviceFile {
  return file.private_data as VfioDeviceFile;
}

/** 0, or the errno of a file that has no access (not bound to an IOMMU yet). */
function usable(df: VfioDeviceFile): number {
  return df.access_granted ? 0 : -E.EINVAL;
}

/** vfio_device_fops: one object for group and character-device opens. */
export const vfio_device_fops: FileOperations = {
  read(file, into, offset) {
    const df = dfOf(file);
    return usable(df) || df.device.ops.read(df.device, into, offset);
  },
  write(file, from, offset) {
    const df = dfOf(file);
    return usable(df) || df.device.ops.write(df.device, from, offset);
  },
  mmap(file, vma) {
    const df = dfOf(file);
    return usable(df) || df.device.ops.mmap(df.device, vma);
  },
  unlocked_ioctl(file, request, arg) {
    const df = dfOf(file);
    if (request === VFIO_DEVICE_BIND_IOMMUFD)
      return typeof arg === 'number' ? -E.EFAULT : vfio_df_ioctl_bind_iommufd(df, file, arg, vfio_df_open);
    const refused = usable(df);
    if (refused) return refused;
    if (!df.group && (request === VFIO_DEVICE_ATTACH_IOMMUFD_PT || request === VFIO_DEVICE_DETACH_IOMMUFD_PT)) {
      if (typeof arg === 'number') return -E.EFAULT;
      return request === VFIO_DEVICE_ATTACH_IOMMUFD_PT
        ? vfio_df_ioctl_attach_pt(df, arg)
        : vfio_df_ioctl_detach_pt(df, arg);
    }
    if (request === VFIO_DEVICE_FEATURE) return vfio_ioctl_device_feature(arg);
    return df.device.ops.ioctl(df.device, request, arg, file.process);
  },
  release(file) {
    const df = dfOf(file);
    if (df.access_granted) vfio_df_close(df);
    if (df.group) {
      df.group.container_users--;
      df.group.opened_file?.put();
    }
    vfio_device_put_registration(df.device);
  },
};
