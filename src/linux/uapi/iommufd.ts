import { struct } from './struct.ts';

/** The part of include/uapi/linux/iommufd.h that a VFIO user needs: one IOAS, map, unmap, destroy. */
const io = (n: number) => 0x3b80 + n;
export const IOMMU_DESTROY = io(0);
export const IOMMU_IOAS_ALLOC = io(1);
export const IOMMU_IOAS_MAP = io(5);
export const IOMMU_IOAS_UNMAP = io(6);
export const IOMMU_VFIO_IOAS = io(8);

export const IOMMU_IOAS_MAP_FIXED_IOVA = 1;
export const IOMMU_IOAS_MAP_WRITEABLE = 2;
export const IOMMU_IOAS_MAP_READABLE = 4;

export const iommu_destroy = struct('iommu_destroy', 8, { size: ['u32', 0], id: ['u32', 4] });
export const iommu_ioas_alloc = struct('iommu_ioas_alloc', 12, {
  size: ['u32', 0],
  flags: ['u32', 4],
  out_ioas_id: ['u32', 8],
});
export const iommu_ioas_map = struct('iommu_ioas_map', 40, {
  size: ['u32', 0],
  flags: ['u32', 4],
  ioas_id: ['u32', 8],
  __reserved: ['u32', 12],
  user_va: ['u64', 16],
  length: ['u64', 24],
  iova: ['u64', 32],
});
export const iommu_ioas_unmap = struct('iommu_ioas_unmap', 24, {
  size: ['u32', 0],
  ioas_id: ['u32', 4],
  iova: ['u64', 8],
  length: ['u64', 16],
});
