import { E } from '../../../../base/errno.ts';
import {
  CXL_ACCEL_DRIVER_CAP_HDM,
  CXL_ACCEL_DRIVER_CAP_MBOX,
  CXL_ACCEL_RES_DPA,
  CXL_ACCEL_RES_PMEM,
  CXL_ACCEL_RES_RAM,
  type CxlDevState,
  type CxlMemdev,
  type CxlPort,
  type CxlRegion,
  type DpaResource,
} from '../../../include/cxl_types.ts';
import { lockdep } from '../../../include/locking.ts';
import type { PciDev } from '../../../include/pci_types.ts';
import { cxl_port_class } from './port-lock.ts';
import { cxl_register_map } from './regs.ts';

/**
 * State of a type-2 device for its driver (Alejandro Lucero, "cxl: add Type2 device support", RFC v2, July 2024). The
 * mailbox capability is refused as there: no accelerator driver has one yet.
 */

const partition = (name: string): DpaResource => ({ start: 0, end: -1, name, requested: false, children: [] });

/** cxl_accel_state_create: device-managed in the kernel; here it lives as long as the caller keeps it. */
export function cxl_accel_state_create(dev: PciDev, caps: number): CxlDevState | number {
  if (caps & ~(CXL_ACCEL_DRIVER_CAP_HDM | CXL_ACCEL_DRIVER_CAP_MBOX)) return -E.EINVAL;
  return {
    dev,
    type: 'devmem',
    capabilities: caps,
    reg_map: cxl_register_map(dev),
    ras: null,
    cxl_dvsec: 0,
    rcd: false,
    serial: 0,
    media_ready: false,
    dpa_res: partition('dpa'),
    ram_res: partition('ram'),
    pmem_res: partition('pmem'),
    cxlmd: null,
  };
}

export function cxl_accel_set_dvsec(cxlds: CxlDevState, dvsec: number): void {
  cxlds.cxl_dvsec = dvsec;
}

export function cxl_accel_set_serial(cxlds: CxlDevState, serial: number): void {
  cxlds.serial = serial;
}

/** cxl_accel_set_resource: `type` is one of CXL_ACCEL_RES_*. */
export function cxl_accel_set_resource(
  cxlds: CxlDevState,
  res: { readonly start: number; readonly end: number; readonly name?: string },
  type: number,
): number {
  const into =
    type === CXL_ACCEL_RES_DPA
      ? cxlds.dpa_res
      : type === CXL_ACCEL_RES_RAM
        ? cxlds.ram_res
        : type === CXL_ACCEL_RES_PMEM
          ? cxlds.pmem_res
          : null;
  if (!into) {
    cxlds.dev.err(`unknown resource type (${type})`);
    return -E.EINVAL;
  }
  into.start = res.start;
  into.end = res.end;
  if (res.name !== undefined) into.name = res.name;
  return 0;
}

/** cxl_accel_request_resource: puts the partition into the DPA space; -EBUSY when it is there already or does not fit. */
export function cxl_accel_request_resource(cxlds: CxlDevState, is_ram: boolean): number {
  const res = is_ram ? cxlds.ram_res : cxlds.pmem_res;
  const { dpa_res } = cxlds;
  if (res.requested || res.start < dpa_res.start || res.end > dpa_res.end || res.end < res.start) return -E.EBUSY;
  res.requested = true;
  return 0;
}

export function cxl_accel_set_media_ready(cxlds: CxlDevState): void {
  cxlds.media_ready = true;
}

/** cxl_acquire_endpoint: the endpoint port of a memdev with its device locked, or -ENXIO when no driver is bound to it. */
export function cxl_acquire_endpoint(cxlmd: CxlMemdev): CxlPort | number {
  const { endpoint } = cxlmd;
  if (!endpoint?.driver) return -E.ENXIO;
  lockdep(endpoint.kernel).acquire(cxl_port_class(endpoint), true, 'cxl_acquire_endpoint');
  endpoint.acquired = true;
  return endpoint;
}

export function cxl_release_endpoint(_cxlmd: CxlMemdev, endpoint: CxlPort): void {
  lockdep(endpoint.kernel).release(cxl_port_class(endpoint), 'cxl_release_endpoint');
  endpoint.acquired = false;
}

/** cxl_accel_get_region_params: host-physical range of a configured region. */
export function cxl_accel_get_region_params(region: CxlRegion, out: { start: number; end: number }): number {
  if (!region.res) return -E.ENODEV;
  out.start = region.res.start;
  out.end = region.res.end;
  return 0;
}
