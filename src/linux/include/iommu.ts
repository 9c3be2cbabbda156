/** IOMMU groups for VFIO (include/linux/iommu.h): a function's group is `PciDev.iommu_group` (null without an IOMMU). */
export { iommu_group_devices } from '../drivers/iommu/iommu.ts';
