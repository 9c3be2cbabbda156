import { E } from '../../../../base/errno.ts';
import { posted } from '../../../include/quirks.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../uapi/constants.ts';
import {
  VFIO_PCI_OFFSET,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
  VFIO_REGION_SUBTYPE_CXL,
  VFIO_REGION_TYPE_CXL,
} from '../../../uapi/vfio.ts';
import { vfio_pci_core_register_dev_region } from './vfio_pci_core.ts';
import type { VfioPciCoreDevice } from './vfio_pci_device.ts';
import { __vfio_pci_memory_enabled, type VfioPciRegionOps } from './vfio_pci_device.ts';
import { vfio_pci_core_do_io_rw } from './vfio_pci_rdwr.ts';

/** First address of vmalloc space, where the mapping is taken to lie. */
const VMALLOC_START = 0xffffc90000000000n;

/** The CXL region as a VFIO device region (RFC patch 05, vfio_cxl_core.c): read, write, mmap and fault. */
const vfio_cxl_regops: VfioPciRegionOps = {
  /** vfio_cxl_region_rw: posted without a bound check. */
  rw(vdev, bytes, pos, iswrite) {
    const { region } = vdev.cxl;
    const off = pos % VFIO_PCI_OFFSET;
    if (region.vaddr === null) {
      if (posted(vdev.kernel, 'vfio-cxl-null-vaddr'))
        vdev.kernel.oops('BUG: kernel NULL pointer dereference, address: 0000000000000000', 'vfio_pci_core_do_io_rw');
      return -E.ENXIO;
    }
    if (off + bytes.length > region.size) {
      if (!posted(vdev.kernel, 'vfio-cxl-region-rw-unbounded')) return -E.EINVAL;
      // Behind the kernel's mapping lies the guard page that follows every area of vmalloc space.
      const beyond = (VMALLOC_START + BigInt(Math.max(off, region.size))).toString(16);
      vdev.kernel.oops(`BUG: unable to handle page fault for address: ${beyond}`, 'vfio_pci_core_do_io_rw');
    }
    // Posted: test_mem is false, so nobody asks whether memory decoding is on.
    const test_mem = !posted(vdev.kernel, 'vfio-cxl-region-rw-decoding-off');
    return vfio_pci_core_do_io_rw(vdev, test_mem, region.vaddr, bytes, off, bytes.length, 0, 0, iswrite);
  },

  /** vfio_cxl_region_mmap: order of checks as posted; pages come at the first touch. */
  mmap(vdev, region, vma) {
    const { cxl, kernel } = vdev;
    if (!(vma.flags & MAP_SHARED) || !(region.flags & VFIO_REGION_INFO_FLAG_MMAP)) return -E.EINVAL;
    if (vma.prot & PROT_READ && !(region.flags & VFIO_REGION_INFO_FLAG_READ)) return -E.EPERM;
    if (vma.prot & PROT_WRITE && !(region.flags & VFIO_REGION_INFO_FLAG_WRITE)) return -E.EPERM;
    const off = vma.offset % VFIO_PCI_OFFSET;
    if (off + vma.length > cxl.region.size) return -E.EINVAL;
    const site = kernel.site('vfio_cxl_region_vm_fault', ['offset', 'hpa'], 'vfio-cxl RFC v1, patch 05');
    vma.label = { kind: 'vfio', name: `${vdev.pdev.name} CXL region` };
    // The first touch inserts every page of the mapping, and nothing takes them away again: memory decoding is asked once.
    let inserted = false;
    vma.fault = (offset) => {
      if (!inserted || !posted(kernel, 'vfio-cxl-region-no-zap')) {
        if (!vdev.memory_lock.read('vfio_cxl_mmap_fault', () => __vfio_pci_memory_enabled(vdev))) return -E.EFAULT;
        // PFN = region start + page in the region; an open without media maps from physical page 0 on (patch 04, bug 1).
        if (!inserted) kernel.log.note(site, off + offset, cxl.region.addr + off + offset);
        inserted = true;
      }
      vma.linear = cxl.region.addr + off;
      return cxl.region.addr + off + offset;
    };
    return 0;
  },
};

/** vfio_cxl_register_cxl_region (patch 05) */
export function vfio_cxl_register_cxl_region(vdev: VfioPciCoreDevice): number {
  return vfio_pci_core_register_dev_region(vdev, {
    type: VFIO_REGION_TYPE_CXL,
    subtype: VFIO_REGION_SUBTYPE_CXL,
    size: vdev.cxl.region.size,
    flags: VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE | VFIO_REGION_INFO_FLAG_MMAP,
    ops: vfio_cxl_regops,
  });
}
