import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL_DECODER_F_ENABLE,
  type CxlDport,
  type CxlEndpointDecoder,
  type CxlPort,
  type CxlRegion,
  type CxlRegionRef,
  CxlSwitchDecoder,
} from '../../../include/cxl_types.ts';
import { publish_decoder } from './publish.ts';
import { dbg, ep_dport, ports_up, who } from './region-path.ts';

/** Targets of the decoders between window and endpoint, once a region is complete (drivers/cxl/core/region.c, v6.11). */

const is_power_of_2 = (n: number) => n > 0 && (n & (n - 1)) === 0;

function report_target(
  port: CxlPort,
  cxlr: CxlRegion,
  cxled: CxlEndpointDecoder,
  cxld: CxlSwitchDecoder,
  dport: CxlDport | null,
): void {
  const label = `${port.uport_dev.name}:${port.name} target[${cxld.target.indexOf(dport)}]`;
  dbg(cxlr, 'cxl_port_setup_targets', `${label} = ${dport?.dport_dev.name} for ${who(cxled)} @ ${cxled.pos}`);
}

/** cxl_port_setup_targets: ways and granularity of a switch-level decoder, and its next target. */
function cxl_port_setup_targets(port: CxlPort, cxlr: CxlRegion, cxled: CxlEndpointDecoder): number {
  const fn = 'cxl_port_setup_targets';
  const ref = port.regions.get(cxlr);
  const cxld = ref?.decoder;
  if (!ref || !(cxld instanceof CxlSwitchDecoder) || !cxlr.res) return -E.ENXIO;
  const label = `${port.uport_dev.name}:${port.name}`;
  const dport = ep_dport(port, cxled);
  if (ref.nr_targets_set === 0) {
    const iw = ref.nr_targets;
    if (!is_power_of_2(iw) || iw > 8) {
      dbg(cxlr, fn, `${label}: invalid target count ${iw}`);
      return -E.EINVAL;
    }
    const parent = port.parent_port;
    const above = parent && parent.port_kind !== 'root' ? parent.regions.get(cxlr)?.decoder : null;
    let parent_iw = above ? above.interleave_ways : cxlr.cxlrd.interleave_ways;
    if (!above && !is_power_of_2(parent_iw)) parent_iw /= 3;
    const parent_ig = above ? above.interleave_granularity : cxlr.interleave_granularity;
    const ig = parent_ig * parent_iw;
    if (ig > 16384) {
      dbg(cxlr, fn, `${label}: invalid granularity calculation (${parent_ig} * ${parent_iw})`);
      return -E.EINVAL;
    }
    const { start, end } = cxlr.res;
    if (cxlr.auto && !cxld.passthrough) {
      const same =
        cxld.interleave_ways === iw &&
        cxld.interleave_granularity === ig &&
        cxld.hpa.start === start &&
        cxld.hpa.end === end;
      if (!same || !(cxld.flags & CXL_DECODER_F_ENABLE)) {
        cxlr.err(`${label} cxl_port_setup_targets expected iw: ${iw} ig: ${ig} [mem 0x${hex(start)}-0x${hex(end)}]`);
        cxlr.err(
          `${label} cxl_port_setup_targets got iw: ${cxld.interleave_ways} ig: ${cxld.interleave_granularity} state: ${cxld.flags & CXL_DECODER_F_ENABLE ? 'enabled' : 'disabled'} 0x${hex(cxld.hpa.start)}:0x${hex(Math.max(cxld.hpa.end, 0))}`,
        );
        return -E.ENXIO;
      }
    } else {
      cxld.interleave_ways = iw;
      cxld.interleave_granularity = ig;
      cxld.hpa = { start, end };
      cxld.target = [];
    }
    dbg(cxlr, fn, `${label} iw: ${iw} ig: ${ig}`);
  } else if (dport && cxld.target.slice(0, ref.nr_targets_set).includes(dport)) {
    const rc = check_last_peer(port, cxlr, cxled, ref);
    if (rc === 0) report_target(port, cxlr, cxled, cxld, dport);
    return rc;
  }
  if (ref.nr_targets_set === ref.nr_targets) {
    dbg(cxlr, fn, `${label}: targets full trying to add ${dport?.dport_dev.name}:${cxled.pos}`);
    return -E.ENXIO;
  }
  if (cxlr.auto && !cxld.passthrough) {
    if (cxld.target[ref.nr_targets_set] !== dport) {
      dbg(cxlr, fn, `${label} ${dport?.dport_dev.name} expected position ${ref.nr_targets_set}`);
      return -E.ENXIO;
    }
  } else cxld.target[ref.nr_targets_set] = dport;
  report_target(port, cxlr, cxled, cxld, dport);
  ref.nr_targets_set++;
  publish_decoder(cxld);
  return 0;
}

/** cxl_region_teardown_targets */
export function teardown_targets(cxlr: CxlRegion): void {
  // what firmware set up stays as it is: its address space is live
  if (cxlr.auto) return;
  for (const target of cxlr.targets)
    for (const port of target ? ports_up(target) : []) {
      const ref = port.regions.get(cxlr);
      if (!ref || port === target?.port) continue;
      // cxl_port_reset_targets: only where other endpoints of the region still hold the port
      ref.nr_targets_set = 0;
      if (!ref.decoder) continue;
      ref.decoder.hpa = { start: 0, end: -1 };
      publish_decoder(ref.decoder);
    }
}

/**
 * check_last_peer: a downstream port that has positions already must have had the one `distance` before this as well.
 */
function check_last_peer(port: CxlPort, cxlr: CxlRegion, cxled: CxlEndpointDecoder, ref: CxlRegionRef): number {
  let distance = 1;
  for (let iter: CxlPort | null = port; iter && iter.port_kind !== 'root'; iter = iter.parent_port)
    distance *= iter === port ? ref.nr_targets : (iter.regions.get(cxlr)?.nr_targets ?? 1);
  distance *= cxlr.cxlrd.interleave_ways;
  const label = `${port.uport_dev.name}:${port.name}`;
  const fn = 'check_last_peer';
  if (cxled.pos < distance) {
    dbg(cxlr, fn, `${label}: cannot host ${who(cxled)} at ${cxled.pos}`);
    return -E.ENXIO;
  }
  const peer = cxlr.targets[cxled.pos - distance];
  if (!peer || ep_dport(port, cxled) !== ep_dport(port, peer)) {
    dbg(cxlr, fn, `${label}: ${who(cxled)} pos ${cxled.pos} mismatched peer ${peer ? who(peer) : 'none'}`);
    return -E.ENXIO;
  }
  return 0;
}

/** cxl_region_setup_targets: from the host bridge down, for every position. */
export function cxl_region_setup_targets(cxlr: CxlRegion): number {
  for (const cxled of cxlr.targets) {
    if (!cxled) continue;
    for (const port of ports_up(cxled).reverse()) {
      if (port === cxled.port) continue;
      const rc = cxl_port_setup_targets(port, cxlr, cxled);
      if (rc) {
        teardown_targets(cxlr);
        return rc;
      }
    }
  }
  return 0;
}
