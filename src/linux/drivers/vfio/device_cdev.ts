import { E } from '../../../base/errno.ts';
import { Device } from '../../include/device.ts';
import type { File } from '../../include/fs.ts';
import { decode, encode } from '../../uapi/struct.ts';
import {
  vfio_device_attach_iommufd_pt,
  vfio_device_bind_iommufd,
  vfio_device_detach_iommufd_pt,
} from '../../uapi/vfio.ts';
import { iommu_group_claim_dma_owner } from './iommu_owner.ts';
import { iommufd_ctx_from_file } from './iommufd.ts';
import { VFIO, type VfioDevice, type VfioDeviceFile } from './vfio.ts';

/** /dev/vfio/devices/vfioN (drivers/vfio/device_cdev.c, v6.11). */
export function vfio_device_add_cdev(device: VfioDevice): number {
  const { kernel } = device;
  const core = kernel.get(VFIO);
  device.index = core.next_device++;
  const cdev = new Device(kernel, `vfio${device.index}`, device.dev, null);
  cdev.class = 'vfio-dev';
  if (kernel.config('VFIO_DEVICE_CDEV') !== 'n') {
    cdev.devt = [core.cdev_major, device.index];
    cdev.devname = `vfio/devices/vfio${device.index}`;
  }
  device.cdev = cdev;
  return kernel.drivers.device_add(cdev);
}

export function vfio_device_del_cdev(device: VfioDevice): void {
  if (device.cdev) device.kernel.drivers.device_del(device.cdev);
  device.cdev = null;
}

/** VFIO_DEVICE_BIND_IOMMUFD: opens the device, with the IOMMU context of a /dev/iommu file. */
export function vfio_df_ioctl_bind_iommufd(
  df: VfioDeviceFile,
  file: File,
  arg: Uint8Array,
  open: (df: VfioDeviceFile) => number,
): number {
  const { device } = df;
  if (arg.length < vfio_device_bind_iommufd.size) return -E.EFAULT;
  const bind = decode(vfio_device_bind_iommufd, arg);
  if (bind.argsz < vfio_device_bind_iommufd.size || bind.flags || bind.iommufd < 0) return -E.EINVAL;
  if (df.group) return -E.EINVAL;
  // vfio_device_block_group: whoever has the group open has its devices.
  const { kernel, group } = device;
  if (!group || group.opened_file) return -E.EBUSY;
  if (df.access_granted) return -E.EINVAL;
  const iommufd = kernel.vfs.file(file.process, bind.iommufd);
  if (!iommufd) return -E.EBADF;
  const ctx = iommufd_ctx_from_file(iommufd);
  if (!ctx) return -E.EBADFD;
  // Another file has it: what that one was bound to stays.
  if (device.open_count > 0) return -E.EINVAL;
  const owner = iommu_group_claim_dma_owner(kernel, group.iommu_group);
  if (owner) return owner;
  device.iommufd = ctx;
  const rc = open(df);
  if (rc) {
    device.iommufd = null;
    return rc;
  }
  device.file = file;
  df.access_granted = true;
  group.cdev_device_open_cnt++;
  encode(vfio_device_bind_iommufd, { out_devid: ctx.bind(device) }, arg);
  return 0;
}

export function vfio_df_ioctl_attach_pt(df: VfioDeviceFile, arg: Uint8Array): number {
  if (arg.length < vfio_device_attach_iommufd_pt.size) return -E.EFAULT;
  const attach = decode(vfio_device_attach_iommufd_pt, arg);
  if (attach.argsz < vfio_device_attach_iommufd_pt.size || attach.flags) return -E.EINVAL;
  const { device } = df;
  const rc = device.iommufd?.attach(device, attach.pt_id) ?? -E.EINVAL;
  if (rc) return rc;
  device.iommufd_attached = true;
  return 0;
}

export function vfio_df_ioctl_detach_pt(df: VfioDeviceFile, arg: Uint8Array): number {
  if (arg.length < vfio_device_detach_iommufd_pt.size) return -E.EFAULT;
  const detach = decode(vfio_device_detach_iommufd_pt, arg);
  if (detach.argsz < vfio_device_detach_iommufd_pt.size || detach.flags) return -E.EINVAL;
  df.device.iommufd?.detach(df.device);
  df.device.iommufd_attached = false;
  return 0;
}
