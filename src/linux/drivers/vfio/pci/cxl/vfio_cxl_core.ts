import { fromHalves, hex } from '../../../../../base/addr.ts';
import { E } from '../../../../../base/errno.ts';
import {
  CXL_ACCEL_DRIVER_CAP_HDM,
  cxl_accel_set_dvsec,
  cxl_accel_set_media_ready,
  cxl_accel_set_serial,
  cxl_accel_state_create,
  cxl_await_media_ready,
  IS_ERR,
} from '../../../../include/cxl.ts';
import type { Resource } from '../../../../include/ioport.ts';
import type { Kernel } from '../../../../include/kernel.ts';
import {
  type PciDev,
  pci_disable_device,
  pci_enable_device,
  pci_find_dvsec_capability,
  pci_find_ext_capability,
  pci_read_config_dword,
  pci_read_config_word,
  pci_resource_len,
  pci_resource_start,
} from '../../../../include/pci.ts';
import { PCI_VENDOR_ID_CXL } from '../../../../uapi/vfio.ts';
import {
  type CxlPassthrough,
  cxl_get_hdm_info_v3,
  devm_cxl_passthrough_create,
} from '../../../cxl/core/passthrough.ts';
import { cxl_set_capacity, devm_cxl_probe_mem } from '../../../cxl/core/probe_mem.ts';
import { CXL_REGLOC_RBI_COMPONENT } from '../../../cxl/core/regs.ts';
import { cxl_pci_setup_regs } from '../../../cxl/pci.ts';

/**
 * drivers/vfio/pci/cxl/vfio_cxl_core.c of "vfio/pci: Add CXL Type-2 device passthrough support" v3 (25 Jun 2026, patches 07 and 08): what
 * vfio-pci takes from the CXL core when it binds, and gives back. Messages and errnos as posted. The opt-out of patch 11
 * (`disable_cxl`) is asked for by the caller.
 */
const SZ_64K = 0x10000;
const PCI_DVSEC_CXL_DEVICE = 0;
const PCI_DVSEC_CXL_FLEXBUS_PORT = 7;
const FLEXBUS_STATUS = 0x0e;
const FLEXBUS_CACHE_OR_MEM = 5;
const PCI_EXT_CAP_ID_DSN = 3;
const DVSEC_HEADER1 = 4;
const DVSEC_CXL_CAP = 0x0a;
const MEM_CAPABLE = 4;
/** SIZE of decoder 0 in the HDM block. */
const SIZE_LOW = 0x18;
const SIZE_HIGH = 0x1c;

/** struct vfio_pci_cxl_state: small numbers for dispatch; the registers themselves are the CXL core's. */
export interface VfioPciCxlState {
  readonly cxlpt: CxlPassthrough;
  readonly dvsec_offset: number;
  readonly dvsec_size: number;
  readonly hdm_count: number;
  readonly hdm_reg_offset: number;
  readonly hdm_reg_size: number;
  readonly comp_reg_bir: number;
  readonly comp_reg_offset: number;
  readonly comp_reg_size: number;
  readonly hpa_base: number;
  readonly hpa_size: number;
  readonly hdm_res: Resource;
  /** Zero until the device was opened once. */
  hdm_region_idx: number;
  comp_reg_region_idx: number;
}

/** CONFIG_VFIO_PCI_CXL of a kernel with the series. */
export function has_vfio_pci_cxl(kernel: Kernel): boolean {
  return kernel.build.series === 'v3' && kernel.config('VFIO_PCI_CXL') !== 'n';
}

/** pcie_is_cxl: CXL.cache or CXL.mem was negotiated on the link. */
function pcie_is_cxl(pdev: PciDev): boolean {
  const at = pci_find_dvsec_capability(pdev, PCI_VENDOR_ID_CXL, PCI_DVSEC_CXL_FLEXBUS_PORT);
  return at !== 0 && (pci_read_config_word(pdev, at + FLEXBUS_STATUS) & FLEXBUS_CACHE_OR_MEM) !== 0;
}

/** cxl_regblock_get_bar_info: BAR and offset the component block was found at. */
function bar_of(pdev: PciDev, resource: number, left: number): { bir: number; offset: number } | null {
  for (let bir = 0; bir < 6; bir++) {
    const start = pci_resource_start(pdev, bir);
    if (start > 0 && resource >= start && resource + left === start + pci_resource_len(pdev, bir))
      return { bir, offset: resource - start };
  }
  return null;
}

const range = (base: number, size: number) => `0x${hex(base)}/0x${hex(size)}`;

/** vfio_pci_cxl_acquire: -ENODEV means "a plain PCI device"; any other error ends the bind. */
export function vfio_pci_cxl_acquire(pdev: PciDev): VfioPciCxlState | number {
  const { kernel } = pdev;
  return kernel.span(kernel.site('vfio_pci_cxl_acquire', [], 'v3 (25 Jun 2026), patch 07'), 0, 0, () => acquire(pdev));
}

function acquire(pdev: PciDev): VfioPciCxlState | number {
  const { kernel } = pdev;
  if (!pcie_is_cxl(pdev)) return -E.ENODEV;
  const dvsec = pci_find_dvsec_capability(pdev, PCI_VENDOR_ID_CXL, PCI_DVSEC_CXL_DEVICE);
  if (!dvsec || !(pci_read_config_word(pdev, dvsec + DVSEC_CXL_CAP) & MEM_CAPABLE)) return -E.ENODEV;
  const cxlds = cxl_accel_state_create(pdev, CXL_ACCEL_DRIVER_CAP_HDM);
  if (IS_ERR(cxlds)) return cxlds;
  cxl_accel_set_dvsec(cxlds, dvsec);
  const dsn = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_DSN);
  cxl_accel_set_serial(cxlds, dsn ? pci_read_config_dword(pdev, dsn + 4) : 0);

  const enabled = pci_enable_device(pdev);
  if (enabled) {
    pdev.warn(`vfio-cxl: pci_enable_device_mem failed (${enabled})`);
    return enabled;
  }
  // vfio_cxl_probe_regs
  const hdm = { count: 0, offset: 0, size: 0 };
  let rc = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, cxlds.reg_map);
  if (!rc) rc = cxl_get_hdm_info_v3(cxlds, hdm);
  if (!rc && hdm.count !== 1) {
    pdev.err(`vfio-cxl: hdm_count=${hdm.count}, only 1 supported`);
    rc = -E.EOPNOTSUPP;
  }
  const { resource, max_size } = cxlds.reg_map;
  const place = rc ? null : bar_of(pdev, resource, max_size);
  if (!rc && (!place || max_size < SZ_64K)) rc = -E.ENXIO;
  // cxl_await_range_active: without memory-device registers the whole of the older function.
  if (!rc) rc = cxl_await_media_ready(cxlds);
  if (rc || !place) {
    pci_disable_device(pdev);
    pdev.warn(`vfio-cxl: register probe failed (${rc})`);
    return rc;
  }
  cxl_accel_set_media_ready(cxlds);
  const cxlpt = devm_cxl_passthrough_create(pdev, cxlds);
  // Memory decoding stays on: only bus mastering goes.
  pci_disable_device(pdev);
  if (typeof cxlpt === 'number') {
    pdev.warn(`vfio-cxl: passthrough shadow snapshot failed (${cxlpt})`);
    return cxlpt;
  }
  const dpa_size = fromHalves(cxlpt.hdm_read(SIZE_HIGH), cxlpt.hdm_read(SIZE_LOW));
  rc = cxl_set_capacity(cxlds, dpa_size);
  if (rc) {
    pdev.warn(`vfio-cxl: cxl_set_capacity(0x${hex(dpa_size)}) failed (${rc})`);
    return rc;
  }
  // vfio_cxl_create_memdev: here a decoder nobody committed is found out.
  const hpa = { start: 0, end: -1 };
  const cxlmd = devm_cxl_probe_mem(pdev, cxlds, hpa);
  if (IS_ERR(cxlmd)) {
    pdev.warn(`vfio-cxl: memdev/region creation failed (${cxlmd})`);
    return cxlmd;
  }
  // vfio_cxl_map_hdm; the write-back mapping's cookie is the address itself here.
  const hpa_size = hpa.end - hpa.start + 1;
  const hdm_res = kernel.iomem.request_mem_region(hpa.start, hpa_size, 'vfio-cxl-hdm');
  if (!hdm_res) {
    pdev.err(`vfio-cxl: HDM HPA 0x${hex(hpa.start, 16)}-${hex(hpa_size)} busy; check firmware mappings`);
    pdev.warn(`vfio-cxl: HDM HPA mapping failed (${-E.EBUSY})`);
    return -E.EBUSY;
  }
  pdev.info(
    `vfio-cxl: acquired (hpa=0x${hex(hpa.start, 16)}/0x${hex(hpa_size)} hdm@${range(hdm.offset, hdm.size)} BAR${place.bir}@${range(place.offset, SZ_64K)})`,
  );
  return {
    cxlpt,
    dvsec_offset: dvsec,
    dvsec_size: pci_read_config_dword(pdev, dvsec + DVSEC_HEADER1) >>> 20,
    hdm_count: hdm.count,
    hdm_reg_offset: hdm.offset,
    hdm_reg_size: hdm.size,
    comp_reg_bir: place.bir,
    comp_reg_offset: place.offset,
    comp_reg_size: SZ_64K,
    hpa_base: hpa.start,
    hpa_size,
    hdm_res,
    hdm_region_idx: 0,
    comp_reg_region_idx: 0,
  };
}

/** vfio_pci_cxl_release; the memdev and the shadows go with the binding (devres). */
export function vfio_pci_cxl_release(pdev: PciDev, cxl: VfioPciCxlState): void {
  pdev.kernel.iomem.release_resource(cxl.hdm_res);
}

/** vfio_pci_cxl_bar_overlaps_comp_regs: accesses and mappings of the BAR that would pass the shadows by. */
export function overlaps_comp_regs(cxl: VfioPciCxlState | null, bar: number, start: number, length: number): boolean {
  if (!cxl || bar !== cxl.comp_reg_bir || length === 0) return false;
  return start < cxl.comp_reg_offset + cxl.comp_reg_size && start + length > cxl.comp_reg_offset;
}

/** Is a configuration byte part of the DVSEC body the CXL core answers for? (vfio_pci_cxl_config_boundary) */
export function in_dvsec_body(cxl: VfioPciCxlState | null, pos: number): boolean {
  return cxl !== null && pos >= cxl.dvsec_offset + DVSEC_CXL_CAP && pos < cxl.dvsec_offset + cxl.dvsec_size;
}
