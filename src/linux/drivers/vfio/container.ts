import { E } from '../../../base/errno.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import type { Kernel } from '../../include/kernel.ts';
import { VFIO_API_VERSION, VFIO_CHECK_EXTENSION, VFIO_GET_API_VERSION, VFIO_SET_IOMMU } from '../../uapi/vfio.ts';
import { iommu_group_claim_dma_owner } from './iommu_owner.ts';
import { containerOf, VFIO, type VfioContainer, type VfioGroup } from './vfio.ts';

/** /dev/vfio/vfio (drivers/vfio/container.c, v6.11). Left out: no-iommu groups. */
function kernelOf(file: File): Kernel {
  return (file.private_data as Held).kernel;
}
interface Held extends VfioContainer {
  readonly kernel: Kernel;
}

function vfio_container_ioctl_check_extension(file: File, arg: number): number {
  const container = file.private_data as VfioContainer;
  if (container.iommu_driver)
    return container.iommu_driver.ioctl(container.iommu_data, VFIO_CHECK_EXTENSION, arg, file.process);
  let ret = 0;
  for (const driver of kernelOf(file).get(VFIO).iommu_drivers)
    ret |= driver.ioctl(null, VFIO_CHECK_EXTENSION, arg, file.process);
  return ret;
}

function vfio_ioctl_set_iommu(file: File, type: number): number {
  const container = file.private_data as VfioContainer;
  const kernel = kernelOf(file);
  // The group is what carries the privilege, so one has to be there first.
  if (container.groups.length === 0 || container.iommu_driver) return -E.EINVAL;
  for (const driver of kernel.get(VFIO).iommu_drivers) {
    if (driver.ioctl(null, VFIO_CHECK_EXTENSION, type, file.process) <= 0) continue;
    const data = driver.open(kernel, type);
    // A type whose extension is known need not be one that can be opened (VFIO_UNMAP_ALL).
    if (typeof data === 'number') return data;
    for (const group of container.groups) {
      const rc = driver.attach_group(data, group);
      if (rc < 0) {
        driver.release(data);
        return rc;
      }
    }
    container.iommu_driver = driver;
    container.iommu_data = data;
    return 0;
  }
  return -E.ENODEV;
}

/** File operations of one kernel's container node. */
export function vfio_fops(kernel: Kernel): FileOperations {
  return {
    seekable: false,
    open(file) {
      // In Linux the module comes by a post softdep of vfio; here by the first open that needs it.
      if (kernel.get(VFIO).iommu_drivers.length === 0) kernel.modules.request('vfio_iommu_type1');
      const held: Held = { kernel, groups: [], iommu_driver: null, iommu_data: null };
      file.private_data = held;
      return 0;
    },
    unlocked_ioctl(file, request, arg) {
      const container = file.private_data as VfioContainer;
      switch (request) {
        case VFIO_GET_API_VERSION:
          return VFIO_API_VERSION;
        case VFIO_CHECK_EXTENSION:
          return vfio_container_ioctl_check_extension(file, typeof arg === 'number' ? arg : 0);
        case VFIO_SET_IOMMU:
          return vfio_ioctl_set_iommu(file, typeof arg === 'number' ? arg : 0);
        default:
          if (!container.iommu_driver) return -E.EINVAL;
          return container.iommu_driver.ioctl(container.iommu_data, request, arg, file.process);
      }
    },
  };
}

/** vfio_container_from_file + vfio_container_attach_group */
export function vfio_container_attach_group(
  kernel: Kernel,
  file: File | null,
  fops: FileOperations,
  group: VfioGroup,
): number {
  const container = containerOf(file, fops);
  if (!container) return -E.EBADFD;
  const owner = iommu_group_claim_dma_owner(kernel, group.iommu_group);
  if (owner) return owner;
  const driver = container.iommu_driver;
  if (driver) {
    const rc = driver.attach_group(container.iommu_data, group);
    if (rc) return rc;
  }
  group.container = container;
  group.container_users = 1;
  container.groups.push(group);
  return 0;
}

/** vfio_group_detach_container: the last group of a container drops its IOMMU backend. */
export function vfio_group_detach_container(group: VfioGroup): void {
  const { container } = group;
  if (!container) return;
  container.iommu_driver?.detach_group(container.iommu_data, group);
  container.groups.splice(container.groups.indexOf(group), 1);
  group.container = null;
  group.container_users = 0;
  if (container.groups.length === 0 && container.iommu_driver) {
    container.iommu_driver.release(container.iommu_data);
    container.iommu_driver = null;
    container.iommu_data = null;
  }
}
