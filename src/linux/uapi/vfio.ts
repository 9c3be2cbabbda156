import { TWO32 } from '../../base/addr.ts';
import { decode, type StructDef, struct } from './struct.ts';

/**
 * The VFIO user-space ABI (include/uapi/linux/vfio.h, v6.11) plus the additions of the vfio-cxl RFC: numbers and byte
 * layouts. Left out: migration and feature ioctls, low-power entry, zPCI capabilities.
 */
export const VFIO_API_VERSION = 0;
export const VFIO_TYPE1_IOMMU = 1;
export const VFIO_SPAPR_TCE_IOMMU = 2;
export const VFIO_TYPE1v2_IOMMU = 3;
export const VFIO_DMA_CC_IOMMU = 4;
export const VFIO_EEH = 5;
export const VFIO_NOIOMMU_IOMMU = 8;
export const VFIO_UNMAP_ALL = 9;
export const VFIO_UPDATE_VADDR = 10;

/** `';'`; iommufd’s too */
export const VFIO_TYPE = 0x3b;
/** `_IO(';', 100 + n)` */
const io = (n: number) => VFIO_TYPE * 0x100 + 100 + n;
export const VFIO_GET_API_VERSION = io(0);
export const VFIO_CHECK_EXTENSION = io(1);
export const VFIO_SET_IOMMU = io(2);
export const VFIO_GROUP_GET_STATUS = io(3);
export const VFIO_GROUP_SET_CONTAINER = io(4);
export const VFIO_GROUP_UNSET_CONTAINER = io(5);
export const VFIO_GROUP_GET_DEVICE_FD = io(6);
export const VFIO_DEVICE_GET_INFO = io(7);
export const VFIO_DEVICE_GET_REGION_INFO = io(8);
export const VFIO_DEVICE_GET_IRQ_INFO = io(9);
export const VFIO_DEVICE_SET_IRQS = io(10);
export const VFIO_DEVICE_RESET = io(11);
export const VFIO_DEVICE_GET_PCI_HOT_RESET_INFO = io(12);
export const VFIO_DEVICE_PCI_HOT_RESET = io(13);
export const VFIO_DEVICE_IOEVENTFD = io(16);
export const VFIO_IOMMU_GET_INFO = io(12);
export const VFIO_IOMMU_MAP_DMA = io(13);
export const VFIO_IOMMU_UNMAP_DMA = io(14);
export const VFIO_IOMMU_ENABLE = io(15);
export const VFIO_IOMMU_DISABLE = io(16);
export const VFIO_DEVICE_FEATURE = io(17);
export const VFIO_DEVICE_BIND_IOMMUFD = io(18);
export const VFIO_DEVICE_ATTACH_IOMMUFD_PT = io(19);
export const VFIO_DEVICE_DETACH_IOMMUFD_PT = io(20);

export const VFIO_DEVICE_FEATURE_MASK = 0xffff;
export const VFIO_DEVICE_FEATURE_GET = 0x1_0000;
export const VFIO_DEVICE_FEATURE_SET = 0x2_0000;
export const VFIO_DEVICE_FEATURE_PROBE = 0x4_0000;

export const VFIO_GROUP_FLAGS_VIABLE = 1;
export const VFIO_GROUP_FLAGS_CONTAINER_SET = 2;

export const VFIO_DEVICE_FLAGS_RESET = 0x1;
export const VFIO_DEVICE_FLAGS_PCI = 0x2;
export const VFIO_DEVICE_FLAGS_CAPS = 0x80;
export const VFIO_DEVICE_FLAGS_CDX = 0x100;
/** RFC patch 09 */
export const VFIO_DEVICE_FLAGS_CXL = 0x200;

export const VFIO_REGION_INFO_FLAG_READ = 1;
export const VFIO_REGION_INFO_FLAG_WRITE = 2;
export const VFIO_REGION_INFO_FLAG_MMAP = 4;
export const VFIO_REGION_INFO_FLAG_CAPS = 8;

export const VFIO_REGION_INFO_CAP_SPARSE_MMAP = 1;
export const VFIO_REGION_INFO_CAP_TYPE = 2;
export const VFIO_REGION_INFO_CAP_MSIX_MAPPABLE = 3;
/** RFC patch 11 */
export const VFIO_DEVICE_INFO_CAP_CXL = 6;

export const VFIO_REGION_TYPE_PCI_VENDOR_TYPE = 0x8000_0000;
export const PCI_VENDOR_ID_CXL = 0x1e98;
/** `VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_CXL`: 0x80001e98 */
export const VFIO_REGION_TYPE_CXL = VFIO_REGION_TYPE_PCI_VENDOR_TYPE + PCI_VENDOR_ID_CXL;
/** RFC patch 05 */
export const VFIO_REGION_SUBTYPE_CXL = 1;

export const VFIO_PCI_BAR0_REGION_INDEX = 0;
export const VFIO_PCI_BAR5_REGION_INDEX = 5;
export const VFIO_PCI_ROM_REGION_INDEX = 6;
export const VFIO_PCI_CONFIG_REGION_INDEX = 7;
export const VFIO_PCI_VGA_REGION_INDEX = 8;
export const VFIO_PCI_NUM_REGIONS = 9;

export const VFIO_PCI_INTX_IRQ_INDEX = 0;
export const VFIO_PCI_MSI_IRQ_INDEX = 1;
export const VFIO_PCI_MSIX_IRQ_INDEX = 2;
export const VFIO_PCI_ERR_IRQ_INDEX = 3;
export const VFIO_PCI_REQ_IRQ_INDEX = 4;
export const VFIO_PCI_NUM_IRQS = 5;

export const VFIO_IRQ_INFO_EVENTFD = 1;
export const VFIO_IRQ_INFO_MASKABLE = 2;
export const VFIO_IRQ_INFO_AUTOMASKED = 4;
export const VFIO_IRQ_INFO_NORESIZE = 8;

export const VFIO_IRQ_SET_DATA_NONE = 1;
export const VFIO_IRQ_SET_DATA_BOOL = 2;
export const VFIO_IRQ_SET_DATA_EVENTFD = 4;
export const VFIO_IRQ_SET_ACTION_MASK = 8;
export const VFIO_IRQ_SET_ACTION_UNMASK = 16;
export const VFIO_IRQ_SET_ACTION_TRIGGER = 32;

export const VFIO_DMA_MAP_FLAG_READ = 1;
export const VFIO_DMA_MAP_FLAG_WRITE = 2;
export const VFIO_DMA_UNMAP_FLAG_ALL = 2;
export const VFIO_IOMMU_INFO_PGSIZES = 1;
export const VFIO_IOMMU_INFO_CAPS = 2;
export const VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = 1;
export const VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL = 3;

/** 2^40: a file offset is `index << 40 | offset` (VFIO_PCI_OFFSET_SHIFT). */
export const VFIO_PCI_OFFSET = 256 * TWO32;
export function VFIO_PCI_INDEX_TO_OFFSET(index: number): number {
  return index * VFIO_PCI_OFFSET;
}
export function VFIO_PCI_OFFSET_TO_INDEX(offset: number): number {
  return Math.floor(offset / VFIO_PCI_OFFSET);
}

export const vfio_group_status = struct('vfio_group_status', 8, { argsz: ['u32', 0], flags: ['u32', 4] });
export const vfio_device_info = struct('vfio_device_info', 24, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  num_regions: ['u32', 8],
  num_irqs: ['u32', 12],
  cap_offset: ['u32', 16],
  pad: ['u32', 20],
});
export const vfio_info_cap_header = struct('vfio_info_cap_header', 8, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
});
/** RFC patch 11; `hdm_reg_offset` counts from the component register block, not from the BAR. */
export const vfio_device_info_cap_cxl = struct('vfio_device_info_cap_cxl', 40, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  hdm_count: ['u8', 8],
  hdm_reg_bar_index: ['u8', 9],
  hdm_reg_size: ['u64', 16],
  hdm_reg_offset: ['u64', 24],
  dpa_size: ['u64', 32],
});
export const vfio_region_info = struct('vfio_region_info', 32, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  index: ['u32', 8],
  cap_offset: ['u32', 12],
  size: ['u64', 16],
  offset: ['u64', 24],
});
export const vfio_region_info_cap_type = struct('vfio_region_info_cap_type', 16, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  type: ['u32', 8],
  subtype: ['u32', 12],
});
export const vfio_irq_info = struct('vfio_irq_info', 16, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  index: ['u32', 8],
  count: ['u32', 12],
});
export const vfio_irq_set = struct('vfio_irq_set', 20, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  index: ['u32', 8],
  start: ['u32', 12],
  count: ['u32', 16],
});
export const vfio_pci_hot_reset_info = struct('vfio_pci_hot_reset_info', 12, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  count: ['u32', 8],
});
export const vfio_pci_dependent_device = struct('vfio_pci_dependent_device', 8, {
  group_id: ['u32', 0],
  segment: ['u16', 4],
  bus: ['u8', 6],
  devfn: ['u8', 7],
});
export const vfio_pci_hot_reset = struct('vfio_pci_hot_reset', 12, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  count: ['u32', 8],
});
export const vfio_device_ioeventfd = struct('vfio_device_ioeventfd', 32, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  offset: ['u64', 8],
  data: ['u64', 16],
  fd: ['s32', 24],
  reserved: ['u32', 28],
});
/** The head; what a feature carries follows it. */
export const vfio_device_feature = struct('vfio_device_feature', 8, { argsz: ['u32', 0], flags: ['u32', 4] });
export const vfio_iommu_type1_info = struct('vfio_iommu_type1_info', 24, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  iova_pgsizes: ['u64', 8],
  cap_offset: ['u32', 16],
  pad: ['u32', 20],
});
export const vfio_iommu_type1_dma_map = struct('vfio_iommu_type1_dma_map', 32, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  vaddr: ['u64', 8],
  iova: ['u64', 16],
  size: ['u64', 24],
});
export const vfio_iommu_type1_dma_unmap = struct('vfio_iommu_type1_dma_unmap', 24, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  iova: ['u64', 8],
  size: ['u64', 16],
});
export const vfio_device_bind_iommufd = struct('vfio_device_bind_iommufd', 16, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  iommufd: ['s32', 8],
  out_devid: ['u32', 12],
});
export const vfio_device_attach_iommufd_pt = struct('vfio_device_attach_iommufd_pt', 12, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
  pt_id: ['u32', 8],
});
export const vfio_device_detach_iommufd_pt = struct('vfio_device_detach_iommufd_pt', 8, {
  argsz: ['u32', 0],
  flags: ['u32', 4],
});

/** Offset of capability `id` in an info structure's chain starting at `first`, or 0 if there is none. */
export function findInfoCap(bytes: Uint8Array, first: number, id: number): number {
  let at = first;
  for (let hops = 0; at !== 0 && at + vfio_info_cap_header.size <= bytes.length && hops < 64; hops++) {
    const header = decode(vfio_info_cap_header, bytes, at);
    if (header.id === id) return at;
    at = header.next;
  }
  return 0;
}

/** Every structure above, for tests and documents. */
export const VFIO_STRUCTS: readonly StructDef[] = [
  vfio_group_status,
  vfio_device_info,
  vfio_info_cap_header,
  vfio_device_info_cap_cxl,
  vfio_region_info,
  vfio_region_info_cap_type,
  vfio_irq_info,
  vfio_irq_set,
  vfio_pci_hot_reset_info,
  vfio_pci_dependent_device,
  vfio_pci_hot_reset,
  vfio_device_ioeventfd,
  vfio_device_feature,
  vfio_iommu_type1_info,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
  vfio_device_bind_iommufd,
  vfio_device_attach_iommufd_pt,
  vfio_device_detach_iommufd_pt,
];
