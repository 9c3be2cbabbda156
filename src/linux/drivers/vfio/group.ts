import { PAGE_SIZE } from '../../../base/addr.ts';
import { text } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { Device } from '../../include/device.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { Process } from '../../include/tasks.ts';
import { decode, encode } from '../../uapi/struct.ts';
import {
  VFIO_GROUP_FLAGS_CONTAINER_SET,
  VFIO_GROUP_FLAGS_VIABLE,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  vfio_group_status,
} from '../../uapi/vfio.ts';
import { vfio_container_attach_group, vfio_group_detach_container } from './container.ts';
import { iommu_group_dma_owner_claimed } from './iommu_owner.ts';
import { VFIO, type VfioDevice, type VfioDeviceFile, type VfioGroup } from './vfio.ts';
import {
  vfio_device_fops,
  vfio_device_put_registration,
  vfio_device_try_get_registration,
  vfio_df_open,
} from './vfio_df.ts';

/** /dev/vfio/<group> (drivers/vfio/group.c, v6.11). Left out: groups backed by iommufd, no-iommu groups. */
export function vfio_device_set_group(device: VfioDevice): number {
  const { dev, kernel } = device;
  if (dev.iommu_group === null) return -E.EINVAL;
  const core = kernel.get(VFIO);
  let group = core.groups.find((other) => other.iommu_group === dev.iommu_group);
  if (!group) {
    const node = new Device(kernel, String(dev.iommu_group), null, null);
    node.class = 'vfio';
    node.devt = [core.group_major, dev.iommu_group];
    node.devname = `vfio/${dev.iommu_group}`;
    group = {
      iommu_group: dev.iommu_group,
      devices: [],
      drivers: 0,
      container: null,
      container_users: 0,
      opened_file: null,
      cdev_device_open_cnt: 0,
      node,
    };
    const rc = kernel.drivers.device_add(node);
    if (rc) return rc;
    core.groups.push(group);
  }
  group.drivers++;
  device.group = group;
  return 0;
}

export function vfio_device_remove_group(device: VfioDevice): void {
  const { group, kernel } = device;
  if (!group) return;
  device.group = null;
  if (--group.drivers > 0) return;
  const { groups } = kernel.get(VFIO);
  groups.splice(groups.indexOf(group), 1);
  kernel.drivers.device_del(group.node);
}

function vfio_group_ioctl_get_status(kernel: Kernel, group: VfioGroup, arg: Uint8Array): number {
  if (arg.length < vfio_group_status.size) return -E.EFAULT;
  const { argsz } = decode(vfio_group_status, arg);
  if (argsz < vfio_group_status.size) return -E.EINVAL;
  let flags = 0;
  if (group.container) flags = VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
  else if (!iommu_group_dma_owner_claimed(kernel, group.iommu_group)) flags = VFIO_GROUP_FLAGS_VIABLE;
  encode(vfio_group_status, { flags }, arg);
  return 0;
}

function vfio_group_ioctl_get_device_fd(kernel: Kernel, group: VfioGroup, arg: Uint8Array, process: Process): number {
  const end = arg.indexOf(0);
  // strndup_user: a page at most; a name without an end runs into whatever lies behind the buffer.
  if ((end < 0 ? arg.length : end + 1) > PAGE_SIZE) return -E.EINVAL;
  if (end < 0) return -E.EFAULT;
  const name = text(arg.subarray(0, end));
  let device: VfioDevice | null = null;
  for (const other of group.devices) {
    const match = other.ops.match ? other.ops.match(other, name) : other.dev.name === name;
    if (typeof match === 'number') return match;
    if (!match) continue;
    device = other;
    break;
  }
  if (!device) return -E.ENODEV;
  // vfio_df_group_open: without an IOMMU behind the container there is nothing to isolate the device with.
  if (!group.container?.iommu_driver) return -E.EINVAL;
  if (!vfio_device_try_get_registration(device)) return -E.ENODEV;
  const df: VfioDeviceFile = { device, access_granted: false, group };
  const rc = vfio_df_open(df);
  if (rc) {
    vfio_device_put_registration(device);
    return rc;
  }
  df.access_granted = true;
  // vfio_group_use_container: while a device is open its group is, whoever closes the group's own descriptor.
  group.opened_file?.get();
  group.container_users++;
  const fd = kernel.vfs.anon_fd(process, '[vfio-device]', vfio_device_fops, df);
  device.file ??= kernel.vfs.file(process, fd);
  return fd;
}

/** Operations of every group node; `container` are the fops that identify a container file. */
export function vfio_group_fops(kernel: Kernel, container: FileOperations): FileOperations {
  const groupOf = (file: File) => file.private_data as VfioGroup;
  return {
    seekable: false,
    open(file) {
      const minor = file.rdev % 256;
      const group = kernel.get(VFIO).groups.find((other) => other.iommu_group % 256 === minor);
      if (!group || group.drivers === 0) return -E.ENODEV;
      if (group.cdev_device_open_cnt > 0 || group.opened_file) return -E.EBUSY;
      group.opened_file = file;
      file.private_data = group;
      return 0;
    },
    release(file) {
      const group = groupOf(file);
      if (group.container) vfio_group_detach_container(group);
      group.opened_file = null;
    },
    unlocked_ioctl(file, request, arg) {
      const group = groupOf(file);
      switch (request) {
        case VFIO_GROUP_GET_DEVICE_FD:
          return typeof arg === 'number' ? -E.EFAULT : vfio_group_ioctl_get_device_fd(kernel, group, arg, file.process);
        case VFIO_GROUP_GET_STATUS:
          return typeof arg === 'number' ? -E.EFAULT : vfio_group_ioctl_get_status(kernel, group, arg);
        case VFIO_GROUP_SET_CONTAINER: {
          if (typeof arg === 'number' || arg.length < 4) return -E.EFAULT;
          const fd = new DataView(arg.buffer, arg.byteOffset, 4).getInt32(0, true);
          const other = kernel.vfs.file(file.process, fd);
          if (!other) return -E.EBADF;
          if (group.container) return -E.EINVAL;
          return vfio_container_attach_group(kernel, other, container, group);
        }
        case VFIO_GROUP_UNSET_CONTAINER:
          if (!group.container) return -E.EINVAL;
          if (group.container_users !== 1) return -E.EBUSY;
          vfio_group_detach_container(group);
          return 0;
        default:
          return -E.ENOTTY;
      }
    },
  };
}
