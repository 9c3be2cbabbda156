import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL_ACCEL_DRIVER_CAP_HDM,
  CXL_ACCEL_RES_DPA,
  CXL_ACCEL_RES_RAM,
  CXL_DECODER_F_RAM,
  CXL_DECODER_F_TYPE2,
  type CxlEndpointDecoder,
  type CxlRegion,
  IS_ERR,
} from '../../../include/cxl_types.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { PciDev, PciDriver } from '../../../include/pci_types.ts';
import { pci_disable_device, pci_enable_device, pci_find_dvsec_capability } from '../../pci/pci.ts';
import { pci_register_driver, pci_unregister_driver } from '../../pci/pci-driver.ts';
import {
  cxl_accel_get_region_params,
  cxl_accel_request_resource,
  cxl_accel_set_dvsec,
  cxl_accel_set_media_ready,
  cxl_accel_set_resource,
  cxl_accel_set_serial,
  cxl_accel_state_create,
  cxl_acquire_endpoint,
  cxl_release_endpoint,
} from '../core/accel.ts';
import { cxl_dpa_free, cxl_request_dpa } from '../core/dpa.ts';
import { devm_cxl_add_memdev } from '../core/memdev.ts';
import { cxl_await_media_ready } from '../core/pci.ts';
import { cxl_create_region, cxl_get_hpa_freespace, cxl_region_detach } from '../core/region.ts';
import { cxl_pci_accel_setup_regs } from '../pci.ts';

/**
 * The test driver as a kernel sample (samples/cxl/accel.c, 2025; reference sheet l2-driver.md section 6): the same steps, a
 * check of the capabilities found, every error returned and everything taken undone. It stands on the type-2 interface
 * of this tree; the sample's own calls (cxl_await_range_active, capability bitmaps) are newer.
 */
const BUFFER_SIZE = 0x10000000;
const CXL_DEV_CAP_RAS = 1;
const CXL_DEV_CAP_HDM = 2;

interface Accel {
  cxled: CxlEndpointDecoder | null;
  region: CxlRegion | null;
}
const states = new WeakMap<PciDev, Accel>();

function probe(pdev: PciDev): number {
  const dvsec = pci_find_dvsec_capability(pdev, 0x1e98, 0);
  if (!dvsec) return -E.ENODEV;
  const enabled = pci_enable_device(pdev);
  if (enabled) return enabled;
  const cxlds = cxl_accel_state_create(pdev, CXL_ACCEL_DRIVER_CAP_HDM);
  if (IS_ERR(cxlds)) return cxlds;
  cxl_accel_set_dvsec(cxlds, dvsec);
  cxl_accel_set_serial(cxlds, 0);
  cxl_accel_set_resource(cxlds, { start: 0, end: BUFFER_SIZE - 1, name: 'dpa' }, CXL_ACCEL_RES_DPA);
  cxl_accel_set_resource(cxlds, { start: 0, end: BUFFER_SIZE - 1, name: 'ram' }, CXL_ACCEL_RES_RAM);
  const regs = cxl_pci_accel_setup_regs(pdev, cxlds);
  if (regs) {
    pdev.err('CXL accel setup regs failed');
    return regs;
  }
  const { ras, hdm_decoder } = cxlds.reg_map;
  const found = (ras.valid ? CXL_DEV_CAP_RAS : 0) | (hdm_decoder.valid ? CXL_DEV_CAP_HDM : 0);
  if (!(found & CXL_DEV_CAP_HDM)) {
    pdev.err(`CXL device capabilities found(${hex(found, 8)}) not as expected(${hex(CXL_DEV_CAP_HDM, 8)})`);
    return -E.EIO;
  }
  const requested = cxl_accel_request_resource(cxlds, true);
  if (requested) {
    pdev.err('CXL accel resource request failed');
    return requested;
  }
  const ready = cxl_await_media_ready(cxlds);
  if (ready) {
    pdev.err('CXL accel media not active');
    return ready;
  }
  cxl_accel_set_media_ready(cxlds);
  const cxlmd = devm_cxl_add_memdev(pdev, cxlds);
  if (IS_ERR(cxlmd)) {
    pdev.err('CXL accel memdev creation failed');
    return cxlmd;
  }
  const endpoint = cxl_acquire_endpoint(cxlmd);
  if (IS_ERR(endpoint)) {
    pdev.err('CXL accel acquire endpoint failed');
    return endpoint;
  }
  const accel: Accel = { cxled: null, region: null };
  const rc = region(pdev, accel, endpoint);
  cxl_release_endpoint(cxlmd, endpoint);
  if (rc === 0) states.set(pdev, accel);
  return rc;
}

function region(pdev: PciDev, accel: Accel, endpoint: Parameters<typeof cxl_get_hpa_freespace>[0]): number {
  const space = { max: 0 };
  const cxlrd = cxl_get_hpa_freespace(endpoint, 1, CXL_DECODER_F_RAM | CXL_DECODER_F_TYPE2, space);
  if (IS_ERR(cxlrd)) {
    pdev.err('CXL accel get HPA failed');
    return cxlrd;
  }
  if (space.max < BUFFER_SIZE) {
    pdev.err(`CXL accel not enough free HPA space ${space.max} < ${BUFFER_SIZE}`);
    return -E.ENOMEM;
  }
  const cxled = cxl_request_dpa(endpoint, true, BUFFER_SIZE, BUFFER_SIZE);
  if (IS_ERR(cxled)) {
    pdev.err('CXL accel request DPA failed');
    return cxled;
  }
  const made = cxl_create_region(cxlrd, [cxled], 1);
  if (IS_ERR(made)) {
    pdev.err('CXL accel create region failed');
    cxl_dpa_free(cxled);
    return made;
  }
  accel.cxled = cxled;
  accel.region = made;
  const range = { start: 0, end: -1 };
  cxl_accel_get_region_params(made, range);
  pdev.info(`CXL region [0x${hex(range.start, 16)} - 0x${hex(range.end, 16)}]`);
  return 0;
}

const qemu_cxl_accel: PciDriver = {
  name: 'qemu-cxl-accel',
  id_table: [{ vendor: 0x8086, device: 0x0d94 }],
  probe: (pdev) =>
    pdev.kernel.span(pdev.kernel.site('cxl_accel_probe', [], 'samples/cxl/accel.c (2025)'), 0, 0, () => probe(pdev)),
  remove(pdev) {
    const accel = states.get(pdev);
    if (accel?.region && accel.cxled) cxl_region_detach(accel.cxled);
    if (accel?.cxled) cxl_dpa_free(accel.cxled);
    pci_disable_device(pdev);
    states.delete(pdev);
  },
};

export function qemu_cxl_accel_init(kernel: Kernel, owner: string | null): number {
  return pci_register_driver(kernel, qemu_cxl_accel, owner);
}
export function qemu_cxl_accel_exit(kernel: Kernel): void {
  pci_unregister_driver(kernel, qemu_cxl_accel);
}
