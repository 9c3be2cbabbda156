import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_CONFIG_ACTIVE,
  CXL_CONFIG_COMMIT,
  CXL_CONFIG_INTERLEAVE_ACTIVE,
  CXL_DECODER_F_ENABLE,
  type CxlDecoder,
  type CxlDport,
  type CxlEndpointDecoder,
  type CxlPort,
  type CxlRegion,
  type CxlRegionRef,
  CxlSwitchDecoder,
} from '../../../include/cxl_types.ts';
import { posted } from '../../../include/quirks.ts';
import { check_interleave_cap } from './interleave.ts';
import { publish_decoder, publish_region } from './publish.ts';
import { cxl_region_decode_reset } from './region-commit.ts';
import { dbg, ep_dport, ports_up, who } from './region-path.ts';
import { cxl_calc_interleave_pos, cxl_region_sort_targets } from './region-sort.ts';
import { cxl_region_setup_targets, teardown_targets } from './region-targets.ts';
import { at_least } from './version.ts';

/**
 * Endpoint decoders in regions (drivers/cxl/core/region.c, v6.11). Positions do not depend on
 * XOR arithmetic: it changes which addresses a position gets, not which devices may take it.
 */

/** %pr of a memory resource */
const pr = (res: { start: number; end: number }) => `[mem 0x${hex(res.start)}-0x${hex(res.end)} flags 0x200]`;
const MODES: readonly string[] = ['none', 'ram', 'pmem', 'mixed'];
const size_of = (range: { start: number; end: number } | null) => (range ? range.end - range.start + 1 : 0);

/** cxl_region_find_decoder */
function cxl_region_find_decoder(port: CxlPort, cxled: CxlEndpointDecoder, cxlr: CxlRegion): CxlDecoder | null {
  if (port === cxled.port) return cxled;
  if (cxlr.auto)
    return (
      port.decoders.find((cxld) => cxld.hpa.start === cxlr.res?.start && cxld.hpa.end === cxlr.res?.end) ??
      port.decoders.find((cxld) => cxld instanceof CxlSwitchDecoder && cxld.passthrough && !cxld.region) ??
      null
    );
  // match_free_decoder: the one after the last committed, and none disabled below it
  if (!at_least(port.kernel, 6, 12)) {
    for (const cxld of [...port.decoders].sort((a, b) => a.id - b.id)) if (!cxld.region) return cxld;
    return null;
  }
  const cxld = port.decoders.find((one) => one.id === port.commit_end + 1);
  if (!cxld) return null;
  const say = (text: string) => port.dbg('cxl_core', 'match_free_decoder', text);
  if (cxld.region) {
    say(`next decoder to commit (${cxld.name}) is already reserved (${cxld.region.name})`);
    return null;
  }
  if (port.decoders.some((one) => one.id < cxld.id && !(one.flags & CXL_DECODER_F_ENABLE))) {
    say(`unable to allocate ${cxld.name} due to out of order shutdown`);
    return null;
  }
  return cxld;
}

/** cxl_port_attach_region: one level of the path. */
function cxl_port_attach_region(port: CxlPort, cxlr: CxlRegion, cxled: CxlEndpointDecoder, pos: number): number {
  const fn = 'cxl_port_attach_region';
  let ref: CxlRegionRef | undefined = port.regions.get(cxlr);
  const dport = ep_dport(port, cxled);
  if (!ref) {
    for (const [other] of port.regions)
      if (other.res && cxlr.res && other.res.start > cxlr.res.start) {
        dbg(cxlr, fn, `${port.name}: HPA order violation ${other.name}:${pr(other.res)} vs ${pr(cxlr.res)}`);
        dbg(cxlr, fn, `${port.name}: failed to allocate region reference`);
        return -E.EBUSY;
      }
    const cxld = cxl_region_find_decoder(port, cxled, cxlr);
    if (!cxld) {
      dbg(cxlr, fn, `${port.name}: no decoder available`);
      return -E.EBUSY;
    }
    if (cxld.region) {
      dbg(cxlr, fn, `${port.name}: ${cxld.name} already attached to ${cxld.region.name}`);
      return -E.EBUSY;
    }
    ref = { decoder: cxld, nr_targets_set: 0, nr_eps: 0, nr_targets: 1, endpoints: new Map() };
    port.regions.set(cxlr, ref);
    cxld.target_type = cxlr.type;
  } else if (dport && ![...ref.endpoints.values()].some((ep) => ep.dport === dport)) ref.nr_targets++;
  ref.endpoints.set(cxled, { dport });
  ref.nr_eps++;
  const { decoder } = ref;
  if (decoder) decoder.region = cxlr;
  const ep = port.endpoints.get(cxled.cxlmd);
  const next = ep ? (ep.next?.uport_dev.name ?? cxled.cxlmd.name) : 'none';
  dbg(
    cxlr,
    fn,
    `${port.uport_dev.name}:${port.name} ${decoder?.name} add: ${who(cxled)} @ ${pos} next: ${next} nr_eps: ${ref.nr_eps} nr_targets: ${ref.nr_targets}`,
  );
  return 0;
}

/** cxl_port_detach_region */
function cxl_port_detach_region(port: CxlPort, cxlr: CxlRegion, cxled: CxlEndpointDecoder): void {
  port.kernel.get(CXL).region_rwsem.assert_held_write('cxl_port_detach_region');
  const ref = port.regions.get(cxlr);
  if (!ref?.endpoints.delete(cxled)) return;
  ref.nr_eps--;
  const below = (one: CxlEndpointDecoder) => port.endpoints.get(one.cxlmd)?.next ?? null;
  if (port !== cxled.port && ![...ref.endpoints.keys()].some((other) => below(other) === below(cxled)))
    ref.nr_targets--;
  if (ref.nr_eps > 0) return;
  const { decoder } = ref;
  if (decoder) {
    decoder.region = null;
    publish_decoder(decoder);
  }
  port.regions.delete(cxlr);
}

function cxl_region_attach_position(cxlr: CxlRegion, cxled: CxlEndpointDecoder, dport: CxlDport, pos: number): number {
  const { cxlrd } = cxlr;
  if (cxlrd.target[pos % Math.max(cxlrd.interleave_ways, 1)] !== dport) {
    dbg(cxlr, 'cxl_region_attach_position', `${who(cxled)} invalid target position for ${cxlrd.name}`);
    return -E.ENXIO;
  }
  for (const port of ports_up(cxled)) {
    const rc = cxl_port_attach_region(port, cxlr, cxled, pos);
    if (rc) {
      for (const iter of ports_up(cxled)) cxl_port_detach_region(iter, cxlr, cxled);
      return rc;
    }
  }
  return 0;
}

/** cxl_region_attach: all the checks of linux-cxl-core.md §4, then the path, then (with the last one) the targets. */
export function cxl_region_attach(cxlr: CxlRegion, cxled: CxlEndpointDecoder, wanted: number): number {
  const fn = 'cxl_region_attach';
  const { cxlrd } = cxlr;
  const iw = cxlr.interleave_ways;
  const ig = cxlr.interleave_granularity;
  if (!check_interleave_cap(cxled, iw, ig)) {
    dbg(cxlr, fn, `${cxled.name} iw: ${iw} ig: ${ig} is not supported`);
    return -E.ENXIO;
  }
  if (cxled.mode !== cxlr.mode) {
    dbg(cxlr, fn, `${cxled.name} region mode: ${MODES.indexOf(cxlr.mode)} mismatch: ${MODES.indexOf(cxled.mode)}`);
    return -E.EINVAL;
  }
  if (cxlr.state > CXL_CONFIG_INTERLEAVE_ACTIVE) {
    dbg(cxlr, fn, 'region already active');
    return -E.EBUSY;
  }
  if (cxlr.state < CXL_CONFIG_INTERLEAVE_ACTIVE) {
    dbg(cxlr, fn, 'interleave config missing');
    return -E.ENXIO;
  }
  if (cxlr.nr_targets >= iw) {
    dbg(cxlr, fn, `region already has ${cxlr.nr_targets} endpoints`);
    return -E.EINVAL;
  }
  const dport = cxlrd.port.dports.find((other) => other.dport_dev === cxled.port.host_bridge) ?? null;
  if (!dport) {
    dbg(cxlr, fn, `${who(cxled)} invalid target for ${cxlrd.name}`);
    return -E.ENXIO;
  }
  if (cxled.target_type !== cxlr.type) {
    dbg(cxlr, fn, `${who(cxled)} type mismatch: ${cxled.target_type} vs ${cxlr.type}`);
    return -E.ENXIO;
  }
  if (!cxled.dpa_res) {
    dbg(cxlr, fn, `${who(cxled)}: missing DPA allocation.`);
    return -E.ENXIO;
  }
  if (size_of(cxled.dpa_res) * iw !== size_of(cxlr.res)) {
    dbg(
      cxlr,
      fn,
      `${who(cxled)}: decoder-size-0x${hex(size_of(cxled.dpa_res))} * ways-${iw} != region-size-0x${hex(size_of(cxlr.res))}`,
    );
    return -E.EINVAL;
  }
  if (cxlr.auto) return cxl_region_attach_auto(cxlr, cxled);
  const pos = wanted;
  if (pos < 0 || pos >= iw) {
    dbg(cxlr, fn, `position ${pos} out of range ${iw}`);
    return -E.ENXIO;
  }
  if (cxlr.targets[pos]) {
    dbg(cxlr, fn, `position ${pos} already assigned to ${cxlr.targets[pos]?.cxlmd.name}:${cxlr.targets[pos]?.name}`);
    return -E.EBUSY;
  }
  if (cxlr.targets.some((other) => other && other.cxlmd === cxled.cxlmd)) {
    dbg(
      cxlr,
      fn,
      `${cxled.cxlmd.name} already specified at position ${cxlr.targets.findIndex((other) => other?.cxlmd === cxled.cxlmd)} via: ${cxled.name}`,
    );
    return -E.EBUSY;
  }
  let rc = cxl_region_attach_position(cxlr, cxled, dport, pos);
  if (rc) return rc;
  cxlr.targets[pos] = cxled;
  cxled.pos = pos;
  cxlr.nr_targets++;
  if (cxlr.nr_targets === iw) {
    rc = cxl_region_setup_targets(cxlr);
    if (rc) {
      cxlr.targets[pos] = null;
      cxlr.nr_targets--;
      cxled.pos = -1;
      for (const port of ports_up(cxled)) cxl_port_detach_region(port, cxlr, cxled);
      return rc;
    }
    cxlr.state = CXL_CONFIG_ACTIVE;
  }
  cxled.interleave_ways = iw;
  cxled.interleave_granularity = ig;
  if (cxlr.res) cxled.hpa = { start: cxlr.res.start, end: cxlr.res.end };
  if (cxlr.nr_targets === iw)
    for (const target of cxlr.targets) {
      if (!target) continue;
      const test = cxl_calc_interleave_pos(target);
      const verdict = test === target.pos ? 'success' : 'fail';
      target.dbg(
        'cxl_core',
        fn,
        `Test cxl_calc_interleave_pos(): ${verdict} test_pos:${test} cxled->pos:${target.pos}`,
      );
    }
  publish_decoder(cxled);
  publish_region(cxlr);
  return 0;
}

/**
 * cxl_region_attach_auto: decoders that firmware committed arrive in any order. They wait in the first free slots, and
 * when all are there the topology tells each one's place.
 */
function cxl_region_attach_auto(cxlr: CxlRegion, cxled: CxlEndpointDecoder): number {
  if (cxled.state !== 'auto') {
    cxlr.err(`${who(cxled)}: unable to add decoder to autodetected region`);
    return -E.EINVAL;
  }
  cxled.pos = cxlr.nr_targets;
  cxlr.targets[cxlr.nr_targets++] = cxled;
  publish_decoder(cxled);
  publish_region(cxlr);
  if (cxlr.nr_targets < cxlr.interleave_ways) return 0;
  let rc = cxl_region_sort_targets(cxlr);
  if (rc) return rc;
  for (const [pos, target] of cxlr.targets.entries()) {
    const { dports } = cxlr.cxlrd.port;
    const dport = dports.find((other) => other.dport_dev === target?.port.host_bridge);
    rc = target && dport ? cxl_region_attach_position(cxlr, target, dport, pos) : -E.ENXIO;
    if (rc) return rc;
  }
  rc = cxl_region_setup_targets(cxlr);
  if (rc) return rc;
  // what was set up already is committed already
  cxlr.state = CXL_CONFIG_COMMIT;
  publish_region(cxlr);
  return 0;
}

/** cxl_region_detach: resets an active region first; a refused reset leaves everything as it is (v6.11). */
export function cxl_region_detach(cxled: CxlEndpointDecoder): number {
  const fn = 'cxl_region_detach';
  const { region_rwsem } = cxled.kernel.get(CXL);
  region_rwsem.assert_held_write(fn);
  const cxlr = cxled.region;
  if (!cxlr) return 0;
  const { kernel } = cxlr;
  return kernel.span(kernel.site('cxl_region_detach', ['region'], 'drivers/cxl/core/region.c'), cxlr.id, 0, () => {
    if (cxlr.state > CXL_CONFIG_ACTIVE) {
      const rc = cxl_region_decode_reset(cxlr, cxlr.interleave_ways);
      if (rc) return rc;
      cxlr.state = CXL_CONFIG_ACTIVE;
    }
    for (const port of ports_up(cxled)) cxl_port_detach_region(port, cxlr, cxled);
    const { pos } = cxled;
    if (pos < 0 || cxlr.targets[pos] !== cxled) return 0;
    if (cxlr.state === CXL_CONFIG_ACTIVE) {
      cxlr.state = CXL_CONFIG_INTERLEAVE_ACTIVE;
      teardown_targets(cxlr);
    }
    cxlr.targets[pos] = null;
    cxlr.nr_targets--;
    cxled.hpa = { start: 0, end: -1 };
    cxled.pos = -1;
    // The region driver hears that a target left, without the lock. Exported as it is (type-2 RFC v2), it gives up and takes again a
    // lock that its caller may not have: then nobody gets it any more, this task first.
    const relock = region_rwsem.write_locked || posted(kernel, 'cxl-region-detach-relock');
    if (relock) region_rwsem.up_write(fn);
    if (cxlr.driver) kernel.drivers.device_release_driver(cxlr);
    if (relock) region_rwsem.down_write(fn);
    publish_decoder(cxled);
    publish_region(cxlr);
    return 0;
  });
}

/** attach_target: the last step of a targetN write, and of assembling a region. */
export function attach_target(cxlr: CxlRegion, cxled: CxlEndpointDecoder, pos: number): number {
  const { region_rwsem, dpa_rwsem } = cxlr.kernel.get(CXL);
  const fn = 'attach_target';
  return region_rwsem.write(fn, () => dpa_rwsem.read(fn, () => cxl_region_attach(cxlr, cxled, pos)));
}

/** detach_target, cxl_decoder_kill_region: detaching with the lock. */
export function detach_target(cxled: CxlEndpointDecoder, fn = 'detach_target'): number {
  return cxled.kernel.get(CXL).region_rwsem.write(fn, () => cxl_region_detach(cxled));
}
