import { E } from '../../../../base/errno.ts';
import { mock_dev_ops } from '../../../include/cxl_mock.ts';
import {
  CXL,
  CXL_CONFIG_COMMIT,
  CXL_DECODER_F_LOCK,
  type CxlDecoder,
  type CxlPort,
  type CxlRegion,
} from '../../../include/cxl_types.ts';
import { publish_region } from './publish.ts';
import { at_least, has_type2_v28 } from './version.ts';

/** Committing and resetting a region's decoders (drivers/cxl/core/region.c, v6.11, with the later change of teardown). */

/**
 * cxl_region_invalidate_memregion: on x86 the caches can be written back by address range only on bare metal; under a
 * hypervisor the kernel refuses unless built with CXL_REGION_INVALIDATION_TEST.
 */
export function cxl_region_invalidate_memregion(cxlr: CxlRegion): number {
  const { kernel } = cxlr;
  if (!kernel.cpu.features.hypervisor) return 0;
  // the mock topology comes with modules built for it, and those have the option on
  const test = mock_dev_ops(cxlr.cxlrd.port.uport_dev) !== null;
  if (test || kernel.config('CXL_REGION_INVALIDATION_TEST') !== 'n') {
    const state = kernel.get(CXL);
    if (!state.bypass_warned) cxlr.info('Bypassing cpu_cache_invalidate_memregion() for testing!');
    state.bypass_warned = true;
    return 0;
  }
  const text = 'Failed to synchronize CPU cache state';
  if (at_least(kernel, 6, 12)) {
    kernel.warn(
      `${cxlr.driverString()} ${cxlr.name}: ${text}`,
      'drivers/cxl/core/region.c:235 cxl_region_invalidate_memregion',
    );
  } else cxlr.err(text);
  return -E.ENXIO;
}

/** Ports from the endpoint up to the host bridge. */
function path_up(endpoint: CxlPort): CxlPort[] {
  const path: CxlPort[] = [];
  for (let port: CxlPort | null = endpoint; port && port.port_kind !== 'root'; port = port.parent_port) path.push(port);
  return path;
}

const decoder_of = (port: CxlPort, cxlr: CxlRegion): CxlDecoder | null => port.regions.get(cxlr)?.decoder ?? null;

/** cxl_region_decode_commit: every target from the endpoint to the host bridge; undone on failure. */
export function cxl_region_decode_commit(cxlr: CxlRegion): number {
  for (let i = 0; i < cxlr.nr_targets; i++) {
    const cxled = cxlr.targets[i];
    if (!cxled) continue;
    const done: CxlDecoder[] = [];
    for (const port of path_up(cxled.port)) {
      const cxld = decoder_of(port, cxlr);
      const rc = cxld?.commit?.(cxld) ?? 0;
      if (rc) {
        for (const back of done.reverse()) back.reset?.(back);
        cxl_region_decode_reset(cxlr, i);
        return rc;
      }
      if (cxld) done.push(cxld);
    }
  }
  return 0;
}

/** cxl_region_decode_reset: the first `count` targets, last one first, from the host bridge down. */
export function cxl_region_decode_reset(cxlr: CxlRegion, count: number): number {
  // CXL_REGION_F_LOCK (2025): what firmware locked is left alone.
  const locked = cxlr.targets.some((cxled) => cxled && cxled.flags & CXL_DECODER_F_LOCK);
  if (locked && has_type2_v28(cxlr.kernel)) return 0;
  const rc = count > 0 ? cxl_region_invalidate_memregion(cxlr) : 0;
  // before v6.12 this cancelled the teardown, later it is only a warning
  if (rc && !at_least(cxlr.kernel, 6, 12)) return rc;
  for (let i = count - 1; i >= 0; i--) {
    const cxled = cxlr.targets[i];
    if (!cxled) continue;
    for (const port of path_up(cxled.port).reverse()) {
      const cxld = decoder_of(port, cxlr);
      cxld?.reset?.(cxld);
    }
  }
  cxlr.needs_reset = false;
  return 0;
}

/** The state part of commit_store: all targets are there, decoders take the range. */
export function cxl_region_commit(cxlr: CxlRegion): number {
  const rc = cxl_region_decode_commit(cxlr);
  if (rc) return rc;
  cxlr.state = CXL_CONFIG_COMMIT;
  publish_region(cxlr);
  return 0;
}
