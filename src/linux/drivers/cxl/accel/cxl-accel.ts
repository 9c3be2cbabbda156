import { E } from '../../../../base/errno.ts';
import {
  CXL_ACCEL_DRIVER_CAP_HDM,
  CXL_ACCEL_RES_DPA,
  CXL_ACCEL_RES_RAM,
  CXL_DECODER_F_RAM,
  CXL_DECODER_F_TYPE2,
  type CxlDevState,
  type CxlEndpointDecoder,
  type CxlMemdev,
  type CxlRegion,
  IS_ERR,
} from '../../../include/cxl_types.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { PciDev, PciDriver } from '../../../include/pci_types.ts';
import { posted } from '../../../include/quirks.ts';
import { pci_disable_device, pci_enable_device, pci_find_dvsec_capability, pci_get_dsn } from '../../pci/pci.ts';
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
import { cxl_await_media_ready, cxl_dvsec_range1_size } from '../core/pci.ts';
import { cxl_create_region, cxl_get_hpa_freespace, cxl_region_detach } from '../core/region.ts';
import { detach_target } from '../core/region-attach.ts';
import { cxl_pci_accel_setup_regs } from '../pci.ts';

/**
 * The dummy accelerator driver of the L2 guest (Zhi Wang's test driver of the RFC era, module cxl-accel): it only makes
 * the region. Its error paths are kept as posted, including those that forget the endpoint.
 */

const BUFFER_SIZE = 0x10000000;

interface CxlAccel {
  readonly cxlds: CxlDevState;
  cxlmd: CxlMemdev | null;
  /** Of the memory, and of the region. Posted: a constant. */
  readonly size: number;
  cxled: CxlEndpointDecoder | null;
  region: CxlRegion | null;
}

const states = new WeakMap<PciDev, CxlAccel>();

/** Steps 11 to 18: from the endpoint to the region. Gives the probe's result. */
function create_region(pdev: PciDev, accel: CxlAccel, cxlmd: CxlMemdev): number {
  const endpoint = cxl_acquire_endpoint(cxlmd);
  if (IS_ERR(endpoint)) {
    pdev.err('CXL accel acquire endpoint failed');
    if (!posted(pdev.kernel, 'cxl-accel-endpoint-error')) return endpoint;
    // posted: the error pointer is used as a port by the next call
    const address = BigInt.asUintN(64, BigInt(endpoint)).toString(16);
    pdev.kernel.oops(`BUG: unable to handle page fault for address: ${address}`, 'cxl_get_hpa_freespace');
  }
  const space = { max: 0 };
  const cxlrd = cxl_get_hpa_freespace(endpoint, 1, CXL_DECODER_F_RAM | CXL_DECODER_F_TYPE2, space);
  if (IS_ERR(cxlrd)) {
    pdev.err('CXL accel get HPA failed');
    cxl_release_endpoint(cxlmd, endpoint);
    return cxlrd;
  }
  if (space.max < accel.size) {
    pdev.err(`CXL accel not enough free HPA space ${space.max} < ${accel.size}`);
    cxl_release_endpoint(cxlmd, endpoint);
    return -E.ENOMEM;
  }
  const cxled = cxl_request_dpa(endpoint, true, accel.size, accel.size);
  if (IS_ERR(cxled)) {
    pdev.err('CXL accel request DPA failed');
    // posted: the endpoint stays acquired
    if (!posted(pdev.kernel, 'cxl-accel-endpoint-held')) cxl_release_endpoint(cxlmd, endpoint);
    return cxled;
  }
  accel.cxled = cxled;
  const region = cxl_create_region(cxlrd, [cxled], 1);
  if (IS_ERR(region)) {
    // posted: only a null pointer is caught here, so a real error goes on as a region
    if (posted(pdev.kernel, 'cxl-accel-region-null-only')) {
      const address = BigInt.asUintN(64, BigInt(region)).toString(16);
      pdev.kernel.oops(`BUG: unable to handle page fault for address: ${address}`, 'cxl_accel_get_region_params');
    }
    pdev.err('CXL accel create region failed');
    cxl_dpa_free(cxled);
    accel.cxled = null;
    if (!posted(pdev.kernel, 'cxl-accel-endpoint-held')) cxl_release_endpoint(cxlmd, endpoint);
    return -E.ENOMEM;
  }
  accel.region = region;
  cxl_accel_get_region_params(region, { start: 0, end: 0 });
  pdev.info('QEMU ACCEL device driver is loaded');
  cxl_release_endpoint(cxlmd, endpoint);
  return 0;
}

function cxl_accel_probe(pdev: PciDev): number {
  const dvsec = pci_find_dvsec_capability(pdev, 0x1e98, 0);
  if (!dvsec) return -E.ENODEV;
  pdev.info('CXL CXL_DVSEC_PCIE_DEVICE capability found');
  let rc = pci_enable_device(pdev);
  if (rc) return rc;
  const cxlds = cxl_accel_state_create(pdev, CXL_ACCEL_DRIVER_CAP_HDM);
  if (IS_ERR(cxlds)) {
    pdev.err('CXL accel device state failed');
    return cxlds;
  }
  const size = posted(pdev.kernel, 'cxl-accel-fixed-size') ? BUFFER_SIZE : cxl_dvsec_range1_size(pdev, dvsec);
  const accel: CxlAccel = { cxlds, size, cxlmd: null, cxled: null, region: null };
  cxl_accel_set_dvsec(cxlds, dvsec);
  cxl_accel_set_serial(cxlds, posted(pdev.kernel, 'cxl-accel-serial-zero') ? 0 : pci_get_dsn(pdev));
  cxl_accel_set_resource(cxlds, { start: 0, end: size - 1, name: 'dpa' }, CXL_ACCEL_RES_DPA);
  cxl_accel_set_resource(cxlds, { start: 0, end: size - 1, name: 'ram' }, CXL_ACCEL_RES_RAM);
  if (cxl_pci_accel_setup_regs(pdev, cxlds)) {
    pdev.err('CXL accel setup regs failed');
    return -E.ENODEV;
  }
  // posted: a refused partition is reported and otherwise ignored
  if (cxl_accel_request_resource(cxlds, true)) pdev.err('CXL accel resource request failed');
  if (cxl_await_media_ready(cxlds)) {
    pdev.err('CXL accel media not active');
    return -E.ENODEV;
  }
  cxl_accel_set_media_ready(cxlds);
  const cxlmd = devm_cxl_add_memdev(pdev, cxlds);
  if (IS_ERR(cxlmd)) {
    pdev.err('CXL accel memdev creation failed');
    return cxlmd;
  }
  accel.cxlmd = cxlmd;
  states.set(pdev, accel);
  rc = create_region(pdev, accel, cxlmd);
  return rc;
}

function cxl_accel_remove(pdev: PciDev): void {
  const accel = states.get(pdev);
  if (accel?.region && accel.cxled) {
    // Posted: without cxl_region_rwsem.
    if (posted(pdev.kernel, 'cxl-accel-detach-unlocked')) cxl_region_detach(accel.cxled);
    else detach_target(accel.cxled, 'cxl_accel_remove');
  }
  if (accel?.cxled) cxl_dpa_free(accel.cxled);
  pci_disable_device(pdev);
  states.delete(pdev);
}

const cxl_accel_driver: PciDriver = {
  name: 'cxl-accel',
  id_table: [{ vendor: 0x8086, device: 0x0d94 }],
  probe: (pdev) =>
    pdev.kernel.span(pdev.kernel.site('cxl_accel_probe', [], 'L2 test driver, drivers/cxl/cxl-accel.c'), 0, 0, () =>
      cxl_accel_probe(pdev),
    ),
  remove: cxl_accel_remove,
};

export function cxl_accel_init(kernel: Kernel, owner: string | null): number {
  return pci_register_driver(kernel, cxl_accel_driver, owner);
}

export function cxl_accel_exit(kernel: Kernel): void {
  pci_unregister_driver(kernel, cxl_accel_driver);
}
