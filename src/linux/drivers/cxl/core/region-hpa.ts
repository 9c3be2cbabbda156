import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_CONFIG_ACTIVE,
  CXL_CONFIG_IDLE,
  CXL_CONFIG_INTERLEAVE_ACTIVE,
  type CxlRegion,
} from '../../../include/cxl_types.ts';
import { publish_region } from './publish.ts';

/** Host-physical space of a region inside its window (drivers/cxl/core/region.c, v6.11). */

const SZ_256M = 0x10000000;

/** alloc_hpa: lowest free 256 MiB aligned range of the window. */
export function alloc_hpa(cxlr: CxlRegion, size: number): number {
  const { cxlrd, kernel } = cxlr;
  const { iomem } = kernel;
  kernel.get(CXL).region_rwsem.assert_held_write('alloc_hpa');
  if (cxlr.res && cxlr.res.end - cxlr.res.start + 1 === size) return 0;
  // to change the size the old one is given back first
  if (cxlr.res) return -E.EBUSY;
  if (cxlr.state >= CXL_CONFIG_INTERLEAVE_ACTIVE) return -E.EBUSY;
  if (!cxlr.interleave_ways || !cxlr.interleave_granularity || (cxlr.mode === 'pmem' && cxlr.uuid === ''))
    return -E.ENXIO;
  if (size % (SZ_256M * cxlr.interleave_ways) !== 0) return -E.EINVAL;
  const window = cxlrd.res;
  if (!window) return -E.ENXIO;
  const at = iomem.find_free(window, size, SZ_256M, window.start, window.end);
  const res = at === null ? null : iomem.make(cxlr.name, at, at + size - 1);
  if (!res || iomem.request_resource(window, res) !== 0) {
    cxlr.dbg(
      'cxl_core',
      'alloc_hpa',
      `HPA allocation error (-34) for size:0x${hex(size, 16)} in ${window.name} [mem 0x${hex(window.start)}-0x${hex(window.end)}]`,
    );
    return -E.ERANGE;
  }
  cxlr.res = res;
  cxlr.state = CXL_CONFIG_INTERLEAVE_ACTIVE;
  publish_region(cxlr);
  return 0;
}

/** free_hpa */
export function free_hpa(cxlr: CxlRegion): number {
  cxlr.kernel.get(CXL).region_rwsem.assert_held_write('free_hpa');
  if (!cxlr.res) return 0;
  if (cxlr.state >= CXL_CONFIG_ACTIVE) return -E.EBUSY;
  // cxl_region_iomem_release: what still lies inside (System RAM that could not go) stays
  if (cxlr.res.parent) cxlr.kernel.iomem.remove_resource(cxlr.res);
  cxlr.res = null;
  cxlr.state = CXL_CONFIG_IDLE;
  publish_region(cxlr);
  return 0;
}
