import { PAGE_SIZE } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import type { Slept } from '../../../include/device.ts';
import type { VmArea } from '../../../include/fs.ts';
import { after } from '../../../include/mutex.ts';
import {
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  pci_clear_master,
  pci_disable_device,
  pci_enable_device,
  pci_read_config_dword,
  pci_read_config_word,
  pci_release_selected_regions,
  pci_resource_len,
  pci_resource_start,
  pci_restore_state,
  pci_save_state,
  pci_write_config_word,
} from '../../../include/pci.ts';
import { hasPatch, posted } from '../../../include/quirks.ts';
import { MAP_SHARED } from '../../../uapi/constants.ts';
import {
  VFIO_PCI_NUM_REGIONS,
  VFIO_PCI_OFFSET,
  VFIO_PCI_OFFSET_TO_INDEX,
  VFIO_PCI_ROM_REGION_INDEX,
  VFIO_REGION_INFO_FLAG_MMAP,
} from '../../../uapi/vfio.ts';
import { VFIO } from '../vfio.ts';
import { vfio_register_group_dev, vfio_unregister_group_dev } from '../vfio_main.ts';
import { vfio_pci_cxl_open } from './cxl/regions.ts';
import {
  has_vfio_pci_cxl,
  overlaps_comp_regs,
  vfio_pci_cxl_acquire,
  vfio_pci_cxl_release,
} from './cxl/vfio_cxl_core.ts';
import { pci_probe_reset_bus, pci_reset_bus, pci_try_reset_function } from './pci_reset.ts';
import { vfio_cxl_bar_hidden, vfio_cxl_overlaps_shadow } from './vfio_cxl_sparse.ts';
import { vfio_config_free, vfio_config_init } from './vfio_pci_config_init.ts';
import {
  __vfio_pci_memory_enabled,
  barPageLength,
  publishDevice,
  VfioPciCoreDevice,
  type VfioPciRegion,
} from './vfio_pci_device.ts';
import { vfio_pci_core_setup_barmap } from './vfio_pci_rdwr.ts';

/** drivers/vfio/pci/vfio_pci_core.c, v6.11 + RFC patches 05, 09, 13: enabling, mmap, closing. Left out: runtime PM, SR-IOV, VGA arbitration, zPCI, error recovery. */

/** vfio_pci_core_enable_cxl (patch 09): marks the device before vfio_pci_core_enable. Nobody calls it without the patch. */
export function vfio_pci_core_enable_cxl(vdev: VfioPciCoreDevice): void {
  vdev.has_cxl = hasPatch(vdev.kernel, 9);
}

/** vfio_pci_core_enable */
export function vfio_pci_core_enable(vdev: VfioPciCoreDevice): number {
  const { pdev } = vdev;
  pci_clear_master(pdev);
  const enabled = pci_enable_device(pdev);
  if (enabled) return enabled;
  // Patch 09: function reset only resets CXL.io, so it is not tried and counts as missing.
  const reset = vdev.has_cxl ? -E.ENODEV : pci_try_reset_function(pdev);
  if (reset === -E.EAGAIN) {
    pci_disable_device(pdev);
    return reset;
  }
  vdev.reset_works = reset === 0;
  pci_save_state(pdev);
  vdev.saved_state = pdev.saved_config;
  pdev.saved_config = null;
  // Patch 09: INTx is not probed and counts as absent.
  if (vdev.has_cxl) vdev.nointx = true;
  else vdev.pci_2_3 = pdev.pin !== 0;
  const cmd = pci_read_config_word(pdev, PCI_COMMAND);
  if (vdev.pci_2_3 && cmd & PCI_COMMAND_INTX_DISABLE)
    pci_write_config_word(pdev, PCI_COMMAND, cmd & ~PCI_COMMAND_INTX_DISABLE);
  const rc = vfio_config_init(vdev);
  if (rc) {
    pci_disable_device(pdev);
    return rc;
  }
  if (pdev.msix_cap) {
    const flags = pci_read_config_word(pdev, pdev.msix_cap + 2);
    const table = pci_read_config_dword(pdev, pdev.msix_cap + 4);
    vdev.msix_bar = table & 7;
    vdev.msix_offset = (table & ~7) >>> 0;
    vdev.msix_size = ((flags & 0x7ff) + 1) * 16;
  } else vdev.msix_bar = 0xff;
  return vfio_pci_cxl_open(vdev, vfio_pci_core_register_dev_region);
}

/** vfio_pci_probe_mmaps: page-sized memory BARs can be mapped, except the component BAR of a CXL device. */
function vfio_pci_probe_mmaps(vdev: VfioPciCoreDevice): void {
  for (let bar = 0; bar < 6; bar++) {
    const size = pci_resource_len(vdev.pdev, bar);
    const ok = size >= PAGE_SIZE && pci_resource_start(vdev.pdev, bar) % PAGE_SIZE === 0;
    // Patch 09, vfio_pci_probe_mmaps: the whole component BAR is excluded.
    vdev.bar_mmap_supported[bar] = ok && !vfio_cxl_bar_hidden(vdev, bar);
  }
}

/** vfio_pci_core_finish_enable */
export function vfio_pci_core_finish_enable(vdev: VfioPciCoreDevice): void {
  vfio_pci_probe_mmaps(vdev);
  vdev.opened = true;
  publishDevice(vdev);
}

/** vfio_pci_core_register_dev_region */
export function vfio_pci_core_register_dev_region(vdev: VfioPciCoreDevice, region: VfioPciRegion): number {
  vdev.regions.push(region);
  return 0;
}

/** vfio_pci_dev_set_try_reset: a bus reset when the last user of every function on the bus is gone. */
function vfio_pci_dev_set_try_reset(vdev: VfioPciCoreDevice): void {
  const { pdev, kernel } = vdev;
  if (!vdev.needs_reset || pci_probe_reset_bus(pdev)) return;
  // Posted: patch 09 keeps the function reset away and forgets this one.
  if (vdev.has_cxl && !posted(kernel, 'vfio-cxl-hot-reset-open')) return;
  const { devices } = kernel.get(VFIO);
  for (const dev of pdev.pci_bus.devices) {
    const other = devices.find((device) => device.dev === dev);
    if (!other || (other !== vdev && other.open_count > 0)) return;
  }
  if (pci_reset_bus(pdev) === 0) vdev.needs_reset = false;
}

/** vfio_pci_core_disable */
export function vfio_pci_core_disable(vdev: VfioPciCoreDevice): void {
  const { pdev } = vdev;
  pci_clear_master(pdev);
  vdev.irq_type = null;
  vdev.virq_disabled = false;
  for (const release of vdev.ioeventfds.values()) release();
  vdev.ioeventfds.clear();
  for (const region of vdev.regions) region.ops.release?.(vdev, region);
  vdev.regions.length = 0;
  vfio_config_free(vdev);
  for (let bar = 0; bar < 6; bar++) {
    if (vdev.barmap[bar] === null) continue;
    vdev.barmap[bar] = null;
    // Patch 13: what was not requested is not released.
    if (vdev.requested[bar]) pci_release_selected_regions(pdev, 1 << bar);
    vdev.requested[bar] = false;
  }
  vdev.needs_reset = true;
  pdev.saved_config = vdev.saved_state;
  vdev.saved_state = null;
  // Patch 09: skipped for every device without INTx, CXL or not.
  if (!(vdev.nointx && hasPatch(vdev.kernel, 9) && (vdev.has_cxl || posted(vdev.kernel, 'vfio-cxl-nointx-any'))))
    pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
  if (vdev.reset_works) {
    const saved = pdev.saved_config;
    if (pci_try_reset_function(pdev) === 0) vdev.needs_reset = false;
    pdev.saved_config = saved;
  }
  pci_restore_state(pdev);
  pci_disable_device(pdev);
  vfio_pci_dev_set_try_reset(vdev);
  vdev.opened = false;
}

/** vfio_pci_core_close_device */
export function vfio_pci_core_close_device(vdev: VfioPciCoreDevice): void {
  vfio_pci_core_disable(vdev);
  vdev.err_trigger = null;
  vdev.req_trigger = null;
  publishDevice(vdev);
}

/** vfio_pci_core_mmap */
export function vfio_pci_core_mmap(vdev: VfioPciCoreDevice, vma: VmArea): number {
  const { pdev } = vdev;
  const index = VFIO_PCI_OFFSET_TO_INDEX(vma.offset);
  if (index >= VFIO_PCI_NUM_REGIONS + vdev.regions.length) return -E.EINVAL;
  if (!(vma.flags & MAP_SHARED)) return -E.EINVAL;
  if (index >= VFIO_PCI_NUM_REGIONS) {
    const region = vdev.regions[index - VFIO_PCI_NUM_REGIONS];
    if (!region?.ops.mmap || !(region.flags & VFIO_REGION_INFO_FLAG_MMAP)) return -E.EINVAL;
    return region.ops.mmap(vdev, region, vma);
  }
  if (index >= VFIO_PCI_ROM_REGION_INDEX || !vdev.bar_mmap_supported[index]) return -E.EINVAL;
  const start = vma.offset % VFIO_PCI_OFFSET;
  if (start + vma.length > barPageLength(vdev, index)) return -E.EINVAL;
  if (overlaps_comp_regs(vdev.cxl_v3, index, start, vma.length)) return -E.EINVAL;
  if (vfio_cxl_overlaps_shadow(vdev, index, start, vma.length)) return -E.EINVAL;
  const rc = vfio_pci_core_setup_barmap(vdev, index, 'vfio-pci');
  if (rc) return rc;
  const base = pci_resource_start(pdev, index) + start;
  vma.label = { kind: 'vfio', name: `${pdev.name} BAR ${index}` };
  vma.fault = (offset) =>
    vdev.memory_lock.read('vfio_pci_mmap_fault', () => (__vfio_pci_memory_enabled(vdev) ? base + offset : -E.EFAULT));
  return 0;
}

/** vfio_pci_core_match: the text is the function's name; behind blanks only a VF token may stand, which no function here is to have. */
export function vfio_pci_core_match({ pdev }: VfioPciCoreDevice, name: string): boolean | number {
  if (!name.startsWith(pdev.name)) return false;
  const rest = name.slice(pdev.name.length);
  if (rest !== '' && !rest.startsWith(' ')) return false;
  const options = rest.split(' ').filter((word) => word !== '');
  if (options.length === 0) return true;
  if (options.every((word) => /^vf_token=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word)))
    pdev.info('VF token incorrectly provided, not a PF or VF');
  return -E.EINVAL;
}

/** vfio_pci_core_register_device */
export function vfio_pci_core_register_device(vdev: VfioPciCoreDevice): number {
  const { pdev } = vdev;
  // Only plain functions: bridges cannot be assigned.
  if ((pdev.hdr_type & 0x7f) !== 0) return -E.EINVAL;
  if (has_vfio_pci_cxl(vdev.kernel) && !vdev.disable_cxl) {
    const cxl = vfio_pci_cxl_acquire(pdev);
    if (typeof cxl !== 'number') vdev.cxl_v3 = cxl;
    else if (cxl !== -E.ENODEV) return cxl;
  }
  const rc = vfio_register_group_dev(vdev);
  if (rc) {
    if (vdev.cxl_v3) vfio_pci_cxl_release(pdev, vdev.cxl_v3);
    return rc;
  }
  pdev.driverData = vdev;
  publishDevice(vdev);
  return 0;
}

/** vfio_pci_core_unregister_device: sleeps while user space has the device. */
export function vfio_pci_core_unregister_device(vdev: VfioPciCoreDevice): Slept {
  return after(vdev.kernel, vfio_unregister_group_dev(vdev), () => {
    if (vdev.cxl_v3) vfio_pci_cxl_release(vdev.pdev, vdev.cxl_v3);
    vdev.cxl_v3 = null;
    vdev.pdev.driverData = null;
    publishDevice(vdev, false);
  });
}

/** vfio_pci_core_request: by the eventfd of the device request interrupt, if user space gave one. */
export function vfio_pci_core_request(vdev: VfioPciCoreDevice, count: number): void {
  if (vdev.req_trigger) {
    if (count % 10 === 0) vdev.pdev.printk(5, `Relaying device request to user (#${count})`);
    vdev.req_trigger.signal();
  } else if (count === 0) vdev.pdev.warn('No device request channel registered, blocked until released by user');
}

/** The vfio-pci device behind a bound function, as dev_get_drvdata gives it. */
export function vfio_pci_drvdata(data: unknown): VfioPciCoreDevice | null {
  return data instanceof VfioPciCoreDevice ? data : null;
}
