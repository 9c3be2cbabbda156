import { getField, type StructDef, struct } from './struct.ts';
import { vfio_device_info_cap_cxl } from './vfio.ts';

/**
 * What "vfio/pci: Add CXL Type-2 device passthrough support" v3 (25 Jun 2026, patch 05) adds to the VFIO ABI. Capability 6 and flag 0x200
 * keep the RFC's numbers, the layout is another.
 */
export const VFIO_REGION_SUBTYPE_CXL_COMP_REGS = 2;
export const VFIO_CXL_CAP_HOST_FIRMWARE_COMMITTED = 1;

export const vfio_device_info_cap_cxl_v3 = struct('vfio_device_info_cap_cxl (v3)', 48, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  flags: ['u32', 8],
  hdm_region_idx: ['u32', 12],
  comp_reg_region_idx: ['u32', 16],
  comp_reg_bar: ['u32', 20],
  comp_reg_offset: ['u64', 32],
  comp_reg_size: ['u64', 40],
});

/**
 * Which of the two layouts the capability at `at` has. Its id and version are the same; where v3 has the index of the memory region, which is
 * never 0, the RFC has padding.
 */
export function cap_cxl_layout(bytes: Uint8Array, at: number): StructDef {
  const v3 = vfio_device_info_cap_cxl_v3;
  return bytes.length - at >= v3.size && getField(v3, 'hdm_region_idx', bytes, at) !== 0
    ? v3
    : vfio_device_info_cap_cxl;
}

/** struct vfio_region_info_cap_sparse_mmap without its areas, and one area. */
export const vfio_region_info_cap_sparse_mmap = struct('vfio_region_info_cap_sparse_mmap', 16, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  nr_areas: ['u32', 8],
});
export const vfio_region_sparse_mmap_area = struct('vfio_region_sparse_mmap_area', 16, {
  offset: ['u64', 0],
  size: ['u64', 8],
});
