import { PAGE_SIZE } from '../../../../base/addr.ts';
import { pci_resource_len } from '../../../include/pci.ts';
import { posted } from '../../../include/quirks.ts';
import { sparse_region_info } from './cxl/regions.ts';
import type { VfioPciCoreDevice } from './vfio_pci_device.ts';

/**
 * The component BAR of the RFC with sparse mmap, which its reviewer asked for: everything but the pages of the emulated HDM
 * block. As posted (quirk `vfio-cxl-bar-not-sparse`, patch 09) the whole BAR is kept from being mapped. Also the other way past the
 * emulation: writes the kernel performs when an event file is signalled.
 */
function sparse(vdev: VfioPciCoreDevice, bar: number): boolean {
  return vdev.has_cxl && bar === vdev.cxl.comp_reg_bar && !posted(vdev.kernel, 'vfio-cxl-bar-not-sparse');
}

/** vfio_pci_probe_mmaps: is the BAR kept away as a whole? */
export function vfio_cxl_bar_hidden(vdev: VfioPciCoreDevice, bar: number): boolean {
  return vdev.has_cxl && bar === vdev.cxl.comp_reg_bar && !sparse(vdev, bar);
}

/** GET_REGION_INFO of the component BAR, null for every other index. */
export function vfio_cxl_get_region_info(vdev: VfioPciCoreDevice, index: number) {
  if (!sparse(vdev, index) || !vdev.bar_mmap_supported[index]) return null;
  const { emulated_start, emulated_end } = vdev.cxl;
  return sparse_region_info(pci_resource_len(vdev.pdev, index), emulated_start, emulated_end - emulated_start);
}

/** A mapping that would pass the shadow by. */
export function vfio_cxl_overlaps_shadow(vdev: VfioPciCoreDevice, bar: number, start: number, length: number): boolean {
  const { emulated_start, emulated_end } = vdev.cxl;
  if (!sparse(vdev, bar) || emulated_end < 0) return false;
  const from = Math.floor(emulated_start / PAGE_SIZE) * PAGE_SIZE;
  return start < Math.ceil(emulated_end / PAGE_SIZE) * PAGE_SIZE && start + length > from;
}

/** VFIO_DEVICE_IOEVENTFD: intended, a write of emulated registers cannot be handed to the device. Posted, nobody asks. */
export function vfio_cxl_ioeventfd_refused(vdev: VfioPciCoreDevice, bar: number, pos: number, count: number): boolean {
  const { cxl, kernel } = vdev;
  if (!cxl.comp_reg_virt || bar !== cxl.comp_reg_bar || posted(kernel, 'vfio-cxl-ioeventfd-open')) return false;
  return pos < cxl.emulated_end && pos + count > cxl.emulated_start;
}
