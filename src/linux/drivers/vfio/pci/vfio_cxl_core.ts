import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_ACCEL_DRIVER_CAP_HDM,
  CXL_ACCEL_RES_DPA,
  CXL_ACCEL_RES_RAM,
  CXL_DECODER_F_RAM,
  CXL_DECODER_F_TYPE2,
  type CxlDevState,
  type CxlEndpointDecoder,
  cxl_accel_get_region_params,
  cxl_accel_request_resource,
  cxl_accel_set_dvsec,
  cxl_accel_set_media_ready,
  cxl_accel_set_resource,
  cxl_accel_set_serial,
  cxl_accel_state_create,
  cxl_acquire_endpoint,
  cxl_await_media_ready,
  cxl_create_region,
  cxl_dpa_free,
  cxl_find_comp_regblock_offset,
  cxl_get_hdm_info,
  cxl_get_hpa_freespace,
  cxl_pci_accel_setup_regs,
  cxl_region_detach,
  cxl_release_endpoint,
  cxl_request_dpa,
  devm_cxl_add_memdev,
  IS_ERR,
} from '../../../include/cxl.ts';
import {
  IORESOURCE_MEM_64,
  pci_find_dvsec_capability,
  pci_get_dsn,
  pci_resource_flags,
  pci_resource_len,
  pci_resource_start,
} from '../../../include/pci.ts';
import { hasPatch, posted } from '../../../include/quirks.ts';
import { reserve_memtype } from '../../../mm/memtype.ts';
import { PCI_VENDOR_ID_CXL } from '../../../uapi/vfio.ts';
import { ShadowBytes } from './vconfig.ts';
import { hdm_window_end } from './vfio_cxl_hdm.ts';
import { vfio_cxl_register_cxl_region } from './vfio_cxl_region.ts';
import { cxl_dvsec_reset_done, cxl_dvsec_reset_start } from './vfio_cxl_reset.ts';
import {
  vfio_pci_core_disable,
  vfio_pci_core_enable,
  vfio_pci_core_enable_cxl,
  vfio_pci_core_finish_enable,
} from './vfio_pci_core.ts';
import { publishDevice, registerPaths, type VfioPciCoreDevice } from './vfio_pci_device.ts';

/**
 * drivers/vfio/pci/vfio_cxl_core.c of the vfio-cxl RFC v1 (patches 04, 05, 07, 08, 11): opening a type-2 device with its
 * CXL region, the HDM shadow, and closing. Order of steps, messages and errnos as posted.
 */
const SZ_64K = 0x10000;
/** Of the 64 KiB copy only the CXL.cachemem part can hold the HDM block, so only that part is kept as cells. */
const CXL_CM_OFFSET = 0x1000;
const CXL_CM_SIZE = 0x1000;
const PCI_DVSEC_CXL_DEVICE = 0;

// --- what the variant driver sets before enable (patch 04) ----------------------------------------------------------

export function vfio_cxl_core_set_resource(
  vdev: VfioPciCoreDevice,
  res: { readonly start: number; readonly end: number; readonly name: string },
  type: number,
): void {
  const { cxl } = vdev;
  if (type === CXL_ACCEL_RES_DPA) {
    cxl.dpa_res = { ...res };
    cxl.dpa_size = res.end - res.start + 1;
  } else if (type === CXL_ACCEL_RES_RAM) cxl.ram_res = { ...res };
  else vdev.kernel.warn(`invalid resource type: ${type}`, 'vfio_cxl_core_set_resource');
}

export function vfio_cxl_core_set_region_size(vdev: VfioPciCoreDevice, size: number): void {
  const { cxl } = vdev;
  // WARN_ON keeps the old value; after a close the stale region pointer makes the second open end here.
  if (size > cxl.dpa_size || cxl.region.region !== null) {
    vdev.kernel.warn('', 'vfio_cxl_core_set_region_size');
    return;
  }
  cxl.region.size = size;
}

export function vfio_cxl_core_set_driver_hdm_cap(vdev: VfioPciCoreDevice): void {
  vdev.cxl.caps |= CXL_ACCEL_DRIVER_CAP_HDM;
}

// --- component registers and their shadow (patch 08) ----------------------------------------------------------------

/** find_bar: physical address → BAR number and offset. Posted: the whole 64 KiB block has to fit, whatever the BAR's size. */
function find_bar(vdev: VfioPciCoreDevice, address: number): { readonly bar: number; readonly offset: number } | null {
  const { pdev } = vdev;
  for (let bar = 0; bar < 6; bar++) {
    const start = pci_resource_start(pdev, bar);
    const len = pci_resource_len(pdev, bar);
    const block = posted(vdev.kernel, 'vfio-cxl-bar-64k') ? SZ_64K : 1;
    if (len > 0 && start <= address && address + block - 1 <= start + len - 1) return { bar, offset: address - start };
    if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64) bar++;
  }
  return null;
}

/** find_comp_regs */
function find_comp_regs(vdev: VfioPciCoreDevice): number {
  const { cxl, pdev } = vdev;
  // Patch 08; without it the fields stay zero: BAR 0, offset 0.
  if (!hasPatch(vdev.kernel, 8)) return 0;
  const found = { offset: 0 };
  const rc = cxl_find_comp_regblock_offset(pdev, found);
  if (rc) return rc;
  const where = find_bar(vdev, found.offset);
  if (!where) return -E.ENODEV;
  cxl.comp_reg_bar = where.bar;
  cxl.comp_reg_offset = where.offset;
  cxl.comp_reg_size = Math.min(SZ_64K, pci_resource_len(pdev, where.bar) - where.offset);
  return 0;
}

/** setup_virt_comp_regs: the whole block, dword by dword, before the device is enabled. */
function setup_virt_comp_regs(vdev: VfioPciCoreDevice): number {
  const { cxl, kernel } = vdev;
  // Patch 08; without it every access of the guest reaches the device.
  if (!hasPatch(kernel, 8)) return 0;
  const at = pci_resource_start(vdev.pdev, cxl.comp_reg_bar) + cxl.comp_reg_offset;
  const shadow = new ShadowBytes(
    kernel.log,
    registerPaths(vdev).comp,
    'cxl-accel.component',
    CXL_CM_SIZE,
    CXL_CM_OFFSET,
  );
  const values = new Uint32Array(cxl.comp_reg_size / 4);
  kernel.mmio.readl_loop(values, at);
  for (let offset = CXL_CM_OFFSET; offset < CXL_CM_OFFSET + CXL_CM_SIZE; offset += 4)
    shadow.write(offset, 4, values[offset / 4] as number);
  cxl.comp_reg_virt = shadow;
  return 0;
}

function clean_virt_comp_regs(vdev: VfioPciCoreDevice): void {
  vdev.cxl.comp_reg_virt = null;
  vdev.cxl.emulated_end = -1;
}

// --- enable (patch 04) ------------------------------------------------------------------------------------------------

/** create_cxl_region */
function create_cxl_region(vdev: VfioPciCoreDevice, cxlds: CxlDevState): number {
  const { cxl, pdev, kernel } = vdev;
  const requested = cxl_accel_request_resource(cxlds, true);
  if (requested) {
    pdev.err('Fail to request CXL resource');
    return requested;
  }
  const ready = cxl_await_media_ready(cxlds);
  if (ready) {
    pdev.err('CXL media is not active');
    // Posted: the earlier result (0) is returned, so the open goes on without a region.
    return posted(kernel, 'vfio-cxl-media-inactive-open') ? requested : ready;
  }
  cxl_accel_set_media_ready(cxlds);
  const cxlmd = devm_cxl_add_memdev(pdev, cxlds);
  if (IS_ERR(cxlmd)) {
    pdev.err('Fail to create CXL memdev');
    return cxlmd;
  }
  cxl.cxlmd = cxlmd;
  const endpoint = cxl_acquire_endpoint(cxlmd);
  if (IS_ERR(endpoint)) {
    pdev.err('Fail to acquire CXL endpoint');
    return endpoint;
  }
  cxl.endpoint = endpoint;
  const rc = region_on_endpoint(vdev);
  cxl_release_endpoint(cxlmd, endpoint);
  return rc;
}

/**
 * The kernel's own mapping of the region; its cookie is the address itself here. Fails when the lab's kernel parameter
 * `cxlab.fail_ioremap` asks for it. Its memory type is what the region's pages get in user space too (PAT).
 */
function ioremap_region(vdev: VfioPciCoreDevice, start: number): number | null {
  const { kernel, cxl } = vdev;
  if (kernel.param('cxlab.fail_ioremap') === '') return null;
  const type = posted(kernel, 'vfio-cxl-noncached') ? 'uncached-minus' : 'write-back';
  cxl.region.memtype = reserve_memtype(kernel, start, start + cxl.region.size, type);
  return start;
}

/** The part of create_cxl_region between acquiring and releasing the endpoint. */
function region_on_endpoint(vdev: VfioPciCoreDevice): number {
  const { cxl, pdev, kernel } = vdev;
  const endpoint = cxl.endpoint;
  if (!endpoint) return -E.ENXIO;
  const space = { max: 0 };
  const cxlrd = cxl_get_hpa_freespace(endpoint, 1, CXL_DECODER_F_RAM | CXL_DECODER_F_TYPE2, space);
  if (IS_ERR(cxlrd)) {
    pdev.err('Fail to get HPA space.');
    return cxlrd;
  }
  cxl.cxlrd = cxlrd;
  if (space.max < cxl.region.size) {
    pdev.err(`No enough free HPA space ${space.max} < ${cxl.region.size}`);
    return -E.ENOSPC;
  }
  const cxled = cxl_request_dpa(endpoint, true, cxl.region.size, cxl.region.size);
  if (IS_ERR(cxled)) {
    pdev.err('Fail to request DPA');
    return cxled;
  }
  cxl.cxled = cxled;
  const region = cxl_create_region(cxlrd, [cxled], 1);
  // Posted: the pointer is stored before it is looked at, an ERR_PTR included.
  cxl.region.region = region;
  if (IS_ERR(region)) {
    pdev.err('Fail to create CXL region');
    cxl_dpa_free(cxled);
    return region;
  }
  const range = { start: 0, end: -1 };
  cxl_accel_get_region_params(region, range);
  cxl.region.addr = range.start;
  // Patch 05. ioremap(start, end - start): one byte short, hidden by page rounding.
  if (!hasPatch(kernel, 5)) return 0;
  cxl.region.vaddr = ioremap_region(vdev, range.start);
  // Posted: the address is asked whether the mapping is there, so a failure goes unnoticed.
  if (posted(kernel, 'vfio-cxl-ioremap-check') ? cxl.region.addr !== 0 : cxl.region.vaddr !== null) return 0;
  pdev.err('Fail to map CXL region');
  detach_region(vdev, cxled);
  cxl_dpa_free(cxled);
  return posted(kernel, 'vfio-cxl-ioremap-check') ? 0 : -E.EFAULT;
}

/** enable_cxl */
function enable_cxl(vdev: VfioPciCoreDevice, dvsec: number): number {
  const { cxl, pdev, kernel } = vdev;
  const cxlds = cxl_accel_state_create(pdev, cxl.caps);
  if (IS_ERR(cxlds)) return cxlds;
  cxl.cxlds = cxlds;
  cxl_accel_set_dvsec(cxlds, dvsec);
  cxl_accel_set_serial(cxlds, posted(kernel, 'vfio-cxl-serial-zero') ? 0 : pci_get_dsn(pdev));
  cxl_accel_set_resource(cxlds, cxl.dpa_res, CXL_ACCEL_RES_DPA);
  cxl_accel_set_resource(cxlds, cxl.ram_res, CXL_ACCEL_RES_RAM);
  const regs = cxl_pci_accel_setup_regs(pdev, cxlds);
  if (regs) {
    pdev.err('Fail to setup CXL accel regs');
    return regs;
  }
  const info = { hdm_count: 0, hdm_reg_offset: 0, hdm_reg_size: 0 };
  const rc = cxl_get_hdm_info(cxlds, info);
  if (rc) return rc;
  cxl.hdm_count = info.hdm_count;
  cxl.hdm_reg_offset = info.hdm_reg_offset;
  cxl.hdm_reg_size = info.hdm_reg_size;
  if (!posted(kernel, 'vfio-cxl-hdm-count') && info.hdm_reg_size > 0) cxl.hdm_count = (info.hdm_reg_size - 0x10) / 0x20;
  if (cxl.hdm_reg_offset === 0 || cxl.hdm_reg_size === 0) {
    pdev.err('Fail to find CXL HDM reg offset');
    return -E.ENODEV;
  }
  return create_cxl_region(vdev, cxlds);
}

/** Posted: without the lock that cxl_region_detach() wants to see held. */
function detach_region({ kernel }: VfioPciCoreDevice, cxled: CxlEndpointDecoder): void {
  if (posted(kernel, 'vfio-cxl-detach-unlocked')) cxl_region_detach(cxled);
  else kernel.get(CXL).region_rwsem.write('disable_cxl', () => cxl_region_detach(cxled));
}

/** disable_cxl */
function disable_cxl(vdev: VfioPciCoreDevice): void {
  const { cxl, kernel } = vdev;
  if (cxl.region.region !== null) {
    cxl.region.vaddr = null;
    cxl.region.memtype?.();
    cxl.region.memtype = null;
    if (cxl.cxled) detach_region(vdev, cxl.cxled);
  }
  if (cxl.cxled) cxl_dpa_free(cxl.cxled);
  if (posted(kernel, 'vfio-cxl-stale-pointers')) return;
  forget_cxl(vdev);
}

/** Intended: what the open took from the CXL core goes (a devres group), and no pointer stays. */
function forget_cxl(vdev: VfioPciCoreDevice): void {
  const { cxl, pdev } = vdev;
  while (pdev.devres.length > cxl.devres_mark) pdev.devres.pop()?.();
  cxl.region.region = null;
  cxl.region.addr = 0;
  cxl.cxled = null;
  cxl.cxlrd = null;
  cxl.endpoint = null;
  cxl.cxlmd = null;
  cxl.cxlds = null;
}

/** vfio_cxl_core_enable */
export function vfio_cxl_core_enable(vdev: VfioPciCoreDevice): number {
  const { kernel } = vdev;
  return kernel.span(kernel.site('vfio_cxl_core_enable', [], 'vfio-cxl RFC v1, patch 04'), 0, 0, () => enable(vdev));
}

function enable(vdev: VfioPciCoreDevice): number {
  const { cxl, pdev, kernel } = vdev;
  const dvsec = pci_find_dvsec_capability(pdev, PCI_VENDOR_ID_CXL, PCI_DVSEC_CXL_DEVICE);
  if (!dvsec) return -E.ENODEV;
  if (cxl.region.size === 0) return -E.EINVAL;
  // Posted: what the last user left in the memory is the next one's to read.
  const clean = posted(kernel, 'vfio-cxl-no-sanitize') ? 0 : cxl_dvsec_reset_done(pdev, dvsec);
  if (clean) return clean;
  const found = find_comp_regs(vdev);
  if (found) return found;
  // Posted: the copy is taken before the device is enabled, when it may not answer.
  const early = posted(kernel, 'vfio-cxl-shadow-before-enable');
  const virt = early ? setup_virt_comp_regs(vdev) : 0;
  if (virt) return virt;
  cxl.devres_mark = pdev.devres.length;
  vfio_pci_core_enable_cxl(vdev);
  const enabled = vfio_pci_core_enable(vdev) || (early ? 0 : setup_virt_comp_regs(vdev));
  if (enabled) {
    clean_virt_comp_regs(vdev);
    return enabled;
  }
  const rc = enable_cxl(vdev, dvsec);
  if (rc) {
    // Posted: enable_cxl's own steps are not undone.
    if (!posted(kernel, 'vfio-cxl-enable-leaks')) forget_cxl(vdev);
    vfio_pci_core_disable(vdev);
    clean_virt_comp_regs(vdev);
    return rc;
  }
  // Patch 08: position of the emulated window in the BAR, fixed for this open. hdm_reg_offset counts from the block;
  // posted, it is compared with positions in the BAR as it is.
  if (cxl.comp_reg_virt) {
    cxl.emulated_start = hdm_bar_offset(vdev);
    cxl.emulated_end = hdm_window_end(cxl.emulated_start, cxl.hdm_reg_size, posted(kernel, 'vfio-cxl-hdm-last-dword'));
  }
  init_vfio_cxl_cap(vdev);
  // Patch 05: the region user space maps.
  const registered = hasPatch(kernel, 5) ? vfio_cxl_register_cxl_region(vdev) : 0;
  if (registered) {
    disable_cxl(vdev);
    vfio_pci_core_disable(vdev);
    clean_virt_comp_regs(vdev);
  }
  return registered;
}

/** Where the HDM block is taken to be in the BAR. */
function hdm_bar_offset({ cxl, kernel }: VfioPciCoreDevice): number {
  return cxl.hdm_reg_offset + (posted(kernel, 'vfio-cxl-block-offset') ? 0 : cxl.comp_reg_offset);
}

/** init_vfio_cxl_cap (patch 11) */
function init_vfio_cxl_cap(vdev: VfioPciCoreDevice): void {
  const { cxl } = vdev;
  if (!hasPatch(vdev.kernel, 11)) return;
  cxl.cap = {
    hdm_count: cxl.hdm_count,
    hdm_reg_bar_index: cxl.comp_reg_bar,
    hdm_reg_size: cxl.hdm_reg_size,
    hdm_reg_offset: hdm_bar_offset(vdev),
    dpa_size: cxl.dpa_size,
  };
}

/** vfio_cxl_core_finish_enable */
export function vfio_cxl_core_finish_enable(vdev: VfioPciCoreDevice): void {
  vfio_pci_core_finish_enable(vdev);
}

/** vfio_cxl_core_close_device */
export function vfio_cxl_core_close_device(vdev: VfioPciCoreDevice): void {
  const { kernel } = vdev;
  kernel.span(kernel.site('vfio_cxl_core_close_device', [], 'vfio-cxl RFC v1, patch 04'), 0, 0, () => {
    disable_cxl(vdev);
    vfio_pci_core_disable(vdev);
    clean_virt_comp_regs(vdev);
    if (!posted(kernel, 'vfio-cxl-no-sanitize')) cxl_dvsec_reset_start(vdev.pdev);
    if (!posted(kernel, 'vfio-cxl-has-cxl-sticky')) vdev.has_cxl = false;
    publishDevice(vdev);
  });
}
