import { PAGE_SIZE } from '../../../../../base/addr.ts';
import { concat } from '../../../../../base/bytes.ts';
import { E } from '../../../../../base/errno.ts';
import { pci_resource_len } from '../../../../include/pci.ts';
import { MAP_SHARED } from '../../../../uapi/constants.ts';
import { encode } from '../../../../uapi/struct.ts';
import {
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_PCI_NUM_REGIONS,
  VFIO_PCI_OFFSET,
  VFIO_REGION_INFO_CAP_SPARSE_MMAP,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
  VFIO_REGION_SUBTYPE_CXL,
  VFIO_REGION_TYPE_CXL,
} from '../../../../uapi/vfio.ts';
import {
  VFIO_CXL_CAP_HOST_FIRMWARE_COMMITTED,
  VFIO_REGION_SUBTYPE_CXL_COMP_REGS,
  vfio_device_info_cap_cxl_v3,
  vfio_region_info_cap_sparse_mmap,
  vfio_region_sparse_mmap_area,
} from '../../../../uapi/vfio-cxl-v3.ts';
import type { VfioPciCoreDevice, VfioPciRegion, VfioPciRegionOps } from '../vfio_pci_device.ts';
import { value4 } from '../vfio_pci_rdwr.ts';
import type { VfioPciCxlState } from './vfio_cxl_core.ts';

/**
 * The two regions of v3 (25 Jun 2026, drivers/vfio/pci/cxl/vfio_cxl_core.c, patch 08): the memory at its host address, and the component
 * registers, whose dwords are handed to the CXL core. Also the answers of GET_INFO and GET_REGION_INFO.
 */
const CXL_CM_OFFSET = 0x1000;
const READ_WRITE = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
const PATCH = 'v3 (25 Jun 2026), patch 08: vfio_cxl_core.c';

/** hdm_region_*: no question is asked about memory decoding; pages come one by one. */
const hdm_region_ops: VfioPciRegionOps = {
  rw(vdev, bytes, pos, iswrite) {
    const cxl = vdev.cxl_v3;
    const off = pos % VFIO_PCI_OFFSET;
    if (!cxl || off > cxl.hpa_size || bytes.length > cxl.hpa_size - off) return -E.EINVAL;
    const { mmio } = vdev.kernel;
    if (iswrite) mmio.memcpy_toio(cxl.hpa_base + off, bytes);
    else mmio.memcpy_fromio(bytes, cxl.hpa_base + off);
    return bytes.length;
  },
  mmap(vdev, _region, vma) {
    const cxl = vdev.cxl_v3;
    if (!cxl) return -E.ENODEV;
    if (!(vma.flags & MAP_SHARED)) return -E.EINVAL;
    const start = vma.offset % VFIO_PCI_OFFSET;
    if (start > cxl.hpa_size || vma.length > cxl.hpa_size - start) return -E.EINVAL;
    const site = vdev.kernel.site('hdm_region_fault', ['offset', 'hpa'], PATCH);
    vma.label = { kind: 'vfio', name: `${vdev.pdev.name} HDM region` };
    let noted = false;
    vma.fault = (offset) => {
      const hpa = cxl.hpa_base + start + offset;
      if (!noted) vdev.kernel.log.note(site, start + offset, hpa);
      noted = true;
      vma.linear = cxl.hpa_base + start;
      return hpa;
    };
    return 0;
  },
};

/** comp_regs_rw: whole dwords; what no helper of the CXL core answers for reads 0 and swallows writes. */
const comp_regs_ops: VfioPciRegionOps = {
  rw(vdev, bytes, pos, iswrite) {
    const cxl = vdev.cxl_v3;
    const off = pos % VFIO_PCI_OFFSET;
    if (!cxl || off > cxl.comp_reg_size || bytes.length > cxl.comp_reg_size - off) return -E.EINVAL;
    if (off % 4 !== 0 || bytes.length % 4 !== 0) return -E.EINVAL;
    const { log } = vdev.kernel;
    const site = vdev.kernel.site(iswrite ? 'comp_regs_rw (write)' : 'comp_regs_rw (read)', ['offset', 'value'], PATCH);
    for (let done = 0; done < bytes.length; done += 4) {
      const at = off + done;
      if (iswrite) {
        const value = value4(bytes.subarray(done, done + 4));
        const outer = log.begin(site, at, value);
        write_dword(cxl, at, value);
        log.end(outer, 4);
      } else {
        const value = read_dword(cxl, at);
        for (let n = 0; n < 4; n++) bytes[done + n] = (value >>> (8 * n)) & 0xff;
        log.note(site, at, value);
      }
    }
    return bytes.length;
  },
};

function read_dword(cxl: VfioPciCxlState, at: number): number {
  const { cxlpt, hdm_reg_offset: hdm, hdm_reg_size } = cxl;
  if (at >= CXL_CM_OFFSET && at < hdm) return cxlpt.cm_read(at - CXL_CM_OFFSET);
  return at >= hdm && at < hdm + hdm_reg_size ? cxlpt.hdm_read(at - hdm) : 0;
}

function write_dword(cxl: VfioPciCxlState, at: number, value: number): void {
  const { cxlpt, hdm_reg_offset: hdm, hdm_reg_size } = cxl;
  if (at >= hdm && at < hdm + hdm_reg_size) cxlpt.hdm_write(at - hdm, value);
}

/** vfio_pci_cxl_open: component registers first, then the memory. */
export function vfio_pci_cxl_open(
  vdev: VfioPciCoreDevice,
  vfio_pci_core_register_dev_region: (vdev: VfioPciCoreDevice, region: VfioPciRegion) => number,
): number {
  const cxl = vdev.cxl_v3;
  if (!cxl) return 0;
  const regions = [
    { subtype: VFIO_REGION_SUBTYPE_CXL_COMP_REGS, ops: comp_regs_ops, size: cxl.comp_reg_size, flags: READ_WRITE },
    {
      subtype: VFIO_REGION_SUBTYPE_CXL,
      ops: hdm_region_ops,
      size: cxl.hpa_size,
      flags: READ_WRITE | VFIO_REGION_INFO_FLAG_MMAP,
    },
  ];
  for (const region of regions) vfio_pci_core_register_dev_region(vdev, { type: VFIO_REGION_TYPE_CXL, ...region });
  cxl.hdm_region_idx = VFIO_PCI_NUM_REGIONS + vdev.regions.length - 1;
  cxl.comp_reg_region_idx = cxl.hdm_region_idx - 1;
  return 0;
}

/** vfio_pci_cxl_get_info: the capability of GET_INFO. */
export function vfio_pci_cxl_get_info(cxl: VfioPciCxlState): Uint8Array {
  return encode(vfio_device_info_cap_cxl_v3, {
    id: VFIO_DEVICE_INFO_CAP_CXL,
    version: 1,
    next: 0,
    // As posted the flag is not looked up: a device that was not committed does not get here.
    flags: VFIO_CXL_CAP_HOST_FIRMWARE_COMMITTED,
    hdm_region_idx: cxl.hdm_region_idx,
    comp_reg_region_idx: cxl.comp_reg_region_idx,
    comp_reg_bar: cxl.comp_reg_bir,
    comp_reg_offset: cxl.comp_reg_offset,
    comp_reg_size: cxl.comp_reg_size,
  });
}

/** vfio_pci_cxl_get_region_info: flags and sparse areas of the component BAR, null for every other index. */
export function vfio_pci_cxl_get_region_info(
  vdev: VfioPciCoreDevice,
  index: number,
): { readonly flags: number; readonly caps: readonly Uint8Array[] } | null {
  const cxl = vdev.cxl_v3;
  if (!cxl || index !== cxl.comp_reg_bir || !vdev.bar_mmap_supported[index]) return null;
  return sparse_region_info(pci_resource_len(vdev.pdev, index), cxl.comp_reg_offset, cxl.comp_reg_size);
}

/** A BAR of `length` bytes without the pages that hold `size` bytes at `offset`: 0, 1 or 2 areas to map. */
export function sparse_region_info(
  length: number,
  offset: number,
  size: number,
): { readonly flags: number; readonly caps: readonly Uint8Array[] } {
  const before = Math.floor(offset / PAGE_SIZE) * PAGE_SIZE;
  const after = Math.ceil((offset + size) / PAGE_SIZE) * PAGE_SIZE;
  const areas = [
    { offset: 0, size: before },
    { offset: after, size: length - after },
  ].filter(({ size }) => size > 0);
  if (areas.length === 0) return { flags: READ_WRITE, caps: [] };
  const head = encode(vfio_region_info_cap_sparse_mmap, {
    id: VFIO_REGION_INFO_CAP_SPARSE_MMAP,
    version: 1,
    next: 0,
    nr_areas: areas.length,
  });
  const cap = concat([head, ...areas.map((area) => encode(vfio_region_sparse_mmap_area, area))]);
  return { flags: READ_WRITE | VFIO_REGION_INFO_FLAG_MMAP, caps: [cap] };
}
