import { E } from '../../../base/errno.ts';
import type { Kernel } from '../../include/kernel.ts';
import { type PciDev, pci_for_each_dev } from '../../include/pci.ts';

/**
 * DMA ownership of IOMMU groups as vfio sees it (drivers/iommu/iommu.c: iommu_group_claim_dma_owner and friends,
 * v6.11), computed from the drivers bound to the group's functions instead of a counter.
 */
export function iommu_group_devices(kernel: Kernel, group: number): PciDev[] {
  const found: PciDev[] = [];
  pci_for_each_dev(kernel, (dev) => {
    if (dev.iommu_group === group) found.push(dev);
    return false;
  });
  return found;
}

/** True while a native driver uses the group's DMA API. */
export function iommu_group_dma_owner_claimed(kernel: Kernel, group: number): boolean {
  return iommu_group_devices(kernel, group).some((dev) => dev.driver !== null && !dev.pci_driver?.driver_managed_dma);
}

export function iommu_group_claim_dma_owner(kernel: Kernel, group: number): number {
  return iommu_group_dma_owner_claimed(kernel, group) ? -E.EPERM : 0;
}
