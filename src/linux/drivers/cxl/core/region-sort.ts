import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import { type CxlEndpointDecoder, type CxlPort, type CxlRegion, CxlSwitchDecoder } from '../../../include/cxl_types.ts';

/** Positions of endpoint decoders as the topology gives them (drivers/cxl/core/region.c, v6.12). */

/** cxl_calc_interleave_pos: position from the topology, walking up. Reported as a self test for regions made by hand. */
export function cxl_calc_interleave_pos(cxled: CxlEndpointDecoder): number {
  const { start, end } = cxled.hpa;
  let pos = 0;
  for (let port: CxlPort = cxled.port; port.parent_port; port = port.parent_port) {
    const above: CxlPort = port.parent_port;
    const cxlsd =
      above.decoders.find((cxld) =>
        above.port_kind === 'root'
          ? start >= cxld.hpa.start && end <= cxld.hpa.end
          : cxld.hpa.start === start && cxld.hpa.end === end,
      ) ?? above.decoders.find((cxld) => cxld instanceof CxlSwitchDecoder && cxld.passthrough);
    if (!(cxlsd instanceof CxlSwitchDecoder)) return -E.ENXIO;
    const at = cxlsd.target.findIndex((dport) => dport !== null && dport === port.parent_dport);
    if (at < 0) return -E.ENXIO;
    pos = pos * cxlsd.interleave_ways + at;
  }
  cxled.cxlmd.dbg(
    'cxl_core',
    'cxl_calc_interleave_pos',
    `decoder:${cxled.name} parent:${cxled.cxlmd.cxlds.dev.name} port:${cxled.port.name} range:0x${hex(start)}-0x${hex(end)} pos:${pos}`,
  );
  return pos;
}

/** cxl_region_sort_targets: a region's decoders in the order of their positions; -ENXIO when one has none. */
export function cxl_region_sort_targets(cxlr: CxlRegion): number {
  let rc = 0;
  for (const target of cxlr.targets) {
    if (!target) continue;
    target.pos = cxl_calc_interleave_pos(target);
    if (target.pos < 0) rc = -E.ENXIO;
  }
  cxlr.targets.sort((a, b) => (a?.pos ?? 0) - (b?.pos ?? 0));
  cxlr.dbg('cxl_core', 'cxl_region_sort_targets', `region sort ${rc ? 'failed' : 'successful'}`);
  return rc;
}
