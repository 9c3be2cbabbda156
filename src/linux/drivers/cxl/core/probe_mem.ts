import { E } from '../../../../base/errno.ts';
import {
  CXL_CONFIG_COMMIT,
  CXL_DECODER_F_ENABLE,
  type CxlDevState,
  CxlEndpointDecoder,
  type CxlMemdev,
  type CxlRegion,
  IS_ERR,
} from '../../../include/cxl_types.ts';
import type { PciDev } from '../../../include/pci_types.ts';
import { cxl_accel_request_resource, cxl_accel_set_resource } from './accel.ts';
import { devm_cxl_add_memdev } from './memdev.ts';
import { unregister_region } from './region-create.ts';

/**
 * What the type-2 series v28 (18 Jun 2026) gives its drivers beyond the RFC v2 of 2024: a memdev whose region firmware made. On this
 * tree's v6.11 core; how the real one attaches the region inside cxl_mem's probe is left out.
 */

/** cxl_set_capacity: the whole device is one volatile partition. */
export function cxl_set_capacity(cxlds: CxlDevState, capacity: number): number {
  const end = capacity - 1;
  cxl_accel_set_resource(cxlds, { start: 0, end, name: 'dpa' }, 0);
  cxl_accel_set_resource(cxlds, { start: 0, end, name: 'ram' }, 1);
  return capacity > 0 ? cxl_accel_request_resource(cxlds, true) : 0;
}

/** cxl_memdev_attach_region: makes nothing; there must be a committed decoder in a region of one target. */
function cxl_memdev_attach_region(cxlmd: CxlMemdev): CxlRegion | null {
  const { endpoint } = cxlmd;
  for (const cxled of endpoint?.decoders ?? []) {
    if (!(cxled instanceof CxlEndpointDecoder) || !(cxled.flags & CXL_DECODER_F_ENABLE)) continue;
    const { region } = cxled;
    if (!region?.res || region.state !== CXL_CONFIG_COMMIT || region.interleave_ways !== 1) continue;
    // endpoint_unregister_region: the region goes when the endpoint port does.
    endpoint?.devm(() => unregister_region(region));
    return region;
  }
  return null;
}

/** devm_cxl_probe_mem: -ENXIO when the memdev found no port or firmware left no region. */
export function devm_cxl_probe_mem(
  host: PciDev,
  cxlds: CxlDevState,
  hpa_range: { start: number; end: number },
): CxlMemdev | number {
  const cxlmd = devm_cxl_add_memdev(host, cxlds);
  if (IS_ERR(cxlmd)) return cxlmd;
  const res = cxlmd.driver ? cxl_memdev_attach_region(cxlmd)?.res : null;
  if (!res) return -E.ENXIO;
  hpa_range.start = res.start;
  hpa_range.end = res.end;
  return cxlmd;
}
