import type { Waiter } from '../../../base/scheduler.ts';
import type { Device } from '../../include/device.ts';
import type { File, FileOperations, VmArea } from '../../include/fs.ts';
import type { Kernel } from '../../include/kernel.ts';
import { SubsystemKey } from '../../include/kernel.ts';
import type { PciDev } from '../../include/pci.ts';
import type { Process } from '../../include/tasks.ts';
import type { IommufdCtx } from './iommufd.ts';

/**
 * include/linux/vfio.h and drivers/vfio/vfio.h (v6.11): devices, groups, containers and what a driver provides.
 * Left out: mdev and emulated devices, KVM references, migration, no-iommu mode.
 */
export interface VfioDeviceOps {
  readonly name: string;
  open_device(device: VfioDevice): number;
  close_device(device: VfioDevice): void;
  read(device: VfioDevice, into: Uint8Array, pos: number): number;
  write(device: VfioDevice, from: Uint8Array, pos: number): number;
  ioctl(device: VfioDevice, request: number, arg: Uint8Array | number, process: Process): number;
  mmap(device: VfioDevice, vma: VmArea): number;
  /** Does the text given to GET_DEVICE_FD name this device? A negated errno when it does, with options nobody knows. */
  match?(device: VfioDevice, name: string): boolean | number;
  /** The driver wants the device back: asks user space, for the `count`th time. */
  request?(device: VfioDevice, count: number): void;
}

/** struct vfio_device */
export class VfioDevice {
  readonly kernel: Kernel;
  group: VfioGroup | null = null;
  open_count = 0;
  iommufd_attached = false;
  iommufd: IommufdCtx | null = null;
  /** The first open file, whose mapping zaps apply to. */
  file: File | null = null;
  cdev: Device | null = null;
  /** References: one of the registration, one of every open file (vfio_device_try_get_registration). */
  refcount = 1;
  /** Who waits in vfio_unregister_group_dev for the last of them. */
  comp: Waiter | null = null;
  index = -1;

  constructor(
    readonly dev: PciDev,
    readonly ops: VfioDeviceOps,
  ) {
    this.kernel = dev.kernel;
  }
}

/** struct vfio_device_file: one open of a device. */
export interface VfioDeviceFile {
  readonly device: VfioDevice;
  access_granted: boolean;
  /** Opened through its group (legacy) or as a character device. */
  readonly group: VfioGroup | null;
}

export interface VfioGroup {
  readonly iommu_group: number;
  readonly devices: VfioDevice[];
  /** drivers/vfio counts a group while one of its devices is registered. */
  drivers: number;
  container: VfioContainer | null;
  container_users: number;
  opened_file: File | null;
  /** Devices of the group that are open as character devices: the group stays closed meanwhile. */
  cdev_device_open_cnt: number;
  readonly node: Device;
}

export interface VfioContainer {
  readonly groups: VfioGroup[];
  iommu_driver: VfioIommuDriver | null;
  iommu_data: unknown;
}

export interface VfioIommuDriver {
  readonly name: string;
  /** `data` is null before SET_IOMMU (CHECK_EXTENSION only). */
  ioctl(data: unknown, request: number, arg: Uint8Array | number, process: Process): number;
  /** The backend's data, or a negated errno. */
  open(kernel: Kernel, type: number): object | number;
  release(data: unknown): void;
  attach_group(data: unknown, group: VfioGroup): number;
  detach_group(data: unknown, group: VfioGroup): void;
}

/** Per-kernel state of vfio.ko. */
export interface VfioCore {
  readonly groups: VfioGroup[];
  readonly devices: VfioDevice[];
  readonly iommu_drivers: VfioIommuDriver[];
  group_major: number;
  cdev_major: number;
  next_device: number;
}

export const VFIO = new SubsystemKey<VfioCore>('vfio');

/** What a file opened on `/dev/vfio/vfio` carries. */
export function containerOf(file: File | null, fops: FileOperations): VfioContainer | null {
  return file && file.fops === fops ? (file.private_data as VfioContainer) : null;
}
