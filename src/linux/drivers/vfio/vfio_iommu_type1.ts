import { alignDown, PAGE_SIZE } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { Process } from '../../include/tasks.ts';
import { decode, encode } from '../../uapi/struct.ts';
import {
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
  vfio_iommu_type1_info,
} from '../../uapi/vfio.ts';
import { VFIO, type VfioGroup, type VfioIommuDriver } from './vfio.ts';

/**
 * The type-1 IOMMU backend (drivers/vfio/vfio_iommu_type1.c, v6.11): book-keeping of DMA mappings with its errnos.
 * Left out: pinning and page tables (no model device does DMA), dirty tracking, reserved ranges, info capabilities.
 */
interface VfioDma {
  readonly iova: number;
  readonly size: number;
  readonly vaddr: number;
  readonly prot: number;
}
class VfioIommu {
  readonly dma: VfioDma[] = [];
  readonly groups: VfioGroup[] = [];
  readonly mapSite;
  readonly unmapSite;
  /** dma_entry_limit: mappings left. */
  dma_avail = 65535;
  constructor(
    readonly kernel: Kernel,
    readonly v2: boolean,
  ) {
    const file = 'drivers/vfio/vfio_iommu_type1.c';
    this.mapSite = kernel.site('vfio_dma_do_map', ['iova', 'size'], file);
    this.unmapSite = kernel.site('vfio_dma_do_unmap', ['iova', 'size'], file);
  }
}

function check(iommu: VfioIommu | null, arg: number): number {
  switch (arg) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
      return 1;
    case VFIO_DMA_CC_IOMMU:
      return iommu ? 1 : 0;
    default:
      return 0;
  }
}

/** Neither wraps nor goes beyond what an IOMMU of 57 bits could ever reach (vfio_iommu_iova_dma_valid). */
function addressable(start: number, size: number): boolean {
  return start + size <= 2 ** 52;
}

function vfio_dma_do_map(iommu: VfioIommu, arg: Uint8Array, process: Process): number {
  if (arg.length < vfio_iommu_type1_dma_map.size) return -E.EFAULT;
  const map = decode(vfio_iommu_type1_dma_map, arg);
  if (map.argsz < vfio_iommu_type1_dma_map.size) return -E.EINVAL;
  const prot = map.flags & (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
  if (map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)) return -E.EINVAL;
  if (prot === 0 || map.size === 0) return -E.EINVAL;
  // No IOMMU and no process reaches so far; beyond it numbers are not exact.
  if (!addressable(map.iova, map.size) || !addressable(map.vaddr, map.size)) return -E.EINVAL;
  if (map.size % PAGE_SIZE || map.iova % PAGE_SIZE || map.vaddr % PAGE_SIZE) return -E.EINVAL;
  return iommu.kernel.span(iommu.mapSite, map.iova, map.size, () => {
    if (iommu.dma.some((dma) => map.iova < dma.iova + dma.size && dma.iova < map.iova + map.size)) return -E.EEXIST;
    if (iommu.dma_avail === 0) return -E.ENOSPC;
    // Pinning begins at the first page; device memory of a VFIO mapping is accepted through follow_pfn.
    if (iommu.kernel.mm.translate(process, map.vaddr) < 0) return -E.EFAULT;
    iommu.dma_avail--;
    iommu.dma.push({ iova: map.iova, size: map.size, vaddr: map.vaddr, prot });
    return 0;
  });
}

function vfio_dma_do_unmap(iommu: VfioIommu, arg: Uint8Array): number {
  if (arg.length < vfio_iommu_type1_dma_unmap.size) return -E.EFAULT;
  const unmap = decode(vfio_iommu_type1_dma_unmap, arg);
  if (unmap.argsz < vfio_iommu_type1_dma_unmap.size || unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL) return -E.EINVAL;
  const all = (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0;
  if (!addressable(unmap.iova, unmap.size)) return -E.EINVAL;
  if (unmap.iova % PAGE_SIZE) return -E.EINVAL;
  if (all ? unmap.iova !== 0 || unmap.size !== 0 : unmap.size === 0 || unmap.size % PAGE_SIZE) return -E.EINVAL;
  return iommu.kernel.span(iommu.unmapSite, unmap.iova, unmap.size, () => {
    const end = all ? Number.POSITIVE_INFINITY : unmap.iova + unmap.size;
    const cut = (dma: VfioDma, at: number) => dma.iova < at && at < dma.iova + dma.size;
    // v2 refuses to split a mapping at either end.
    if (iommu.v2 && !all && iommu.dma.some((dma) => cut(dma, unmap.iova) || cut(dma, end))) return -E.EINVAL;
    let gone = 0;
    for (let n = iommu.dma.length - 1; n >= 0; n--) {
      const dma = iommu.dma[n] as VfioDma;
      if (dma.iova < unmap.iova || dma.iova >= end) continue;
      iommu.dma.splice(n, 1);
      iommu.dma_avail++;
      gone += dma.size;
    }
    encode(vfio_iommu_type1_dma_unmap, { size: gone }, arg);
    return 0;
  });
}

export const vfio_iommu_driver_ops_type1: VfioIommuDriver = {
  name: 'vfio-iommu-type1',
  open: (kernel, type) =>
    type === VFIO_TYPE1_IOMMU || type === VFIO_TYPE1v2_IOMMU
      ? new VfioIommu(kernel, type === VFIO_TYPE1v2_IOMMU)
      : -E.EINVAL,
  release() {},
  attach_group(data, group) {
    (data as VfioIommu).groups.push(group);
    return 0;
  },
  detach_group(data, group) {
    const iommu = data as VfioIommu;
    const at = iommu.groups.indexOf(group);
    if (at >= 0) iommu.groups.splice(at, 1);
    // The last group takes the mappings with it (vfio_iommu_unmap_unpin_all).
    if (iommu.groups.length === 0) iommu.dma.length = 0;
  },
  ioctl(data, request, arg, process) {
    const iommu = data as VfioIommu | null;
    if (request === VFIO_CHECK_EXTENSION) return typeof arg === 'number' ? check(iommu, arg) : -E.EFAULT;
    if (!iommu) return -E.ENOTTY;
    if (![VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_GET_INFO].includes(request)) return -E.ENOTTY;
    if (typeof arg === 'number') return -E.EFAULT;
    if (request === VFIO_IOMMU_MAP_DMA) return vfio_dma_do_map(iommu, arg, process);
    if (request === VFIO_IOMMU_UNMAP_DMA) return vfio_dma_do_unmap(iommu, arg);
    const minsz = 16;
    if (arg.length < minsz) return -E.EFAULT;
    const { argsz } = decode(vfio_iommu_type1_info, arg);
    if (argsz < minsz) return -E.EINVAL;
    encode(
      vfio_iommu_type1_info,
      { flags: VFIO_IOMMU_INFO_PGSIZES, iova_pgsizes: alignDown(2 ** 40 - 1, PAGE_SIZE), cap_offset: 0 },
      arg,
      0,
      Math.min(argsz, arg.length),
    );
    return 0;
  },
};

export function vfio_iommu_type1_init(kernel: Kernel): number {
  kernel.get(VFIO).iommu_drivers.push(vfio_iommu_driver_ops_type1);
  return 0;
}

export function vfio_iommu_type1_cleanup(kernel: Kernel): void {
  const { iommu_drivers } = kernel.get(VFIO);
  iommu_drivers.splice(iommu_drivers.indexOf(vfio_iommu_driver_ops_type1), 1);
}
