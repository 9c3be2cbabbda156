import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_CONFIG_COMMIT,
  CXL_CONFIG_INTERLEAVE_ACTIVE,
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_HOSTONLYMEM,
  CxlDaxRegion,
  CxlEndpointDecoder,
  type CxlPort,
  CxlRegion,
  CxlRootDecoder,
  IS_ERR,
} from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { posted } from '../../../include/quirks.ts';
import { acpi_first_window_node } from '../../acpi/tables.ts';
import { devm_cxl_add_pmem_region } from '../pmem.ts';
import { cxl_base_group } from './base-group.ts';
import { publish_region } from './publish.ts';
import { attach_target, cxl_region_attach, cxl_region_detach } from './region-attach.ts';
import { cxl_region_commit } from './region-commit.ts';
import { __create_region, next_region_id, unregister_region } from './region-create.ts';
import { alloc_hpa } from './region-hpa.ts';
import { region_ways_changed } from './region-sysfs.ts';
import { find_cxl_root } from './topology.ts';

/**
 * Regions made by kernel code: the type-2 API of the RFC v2, and those assembled from what firmware committed
 * (drivers/cxl/core/region.c, v6.11). Regions of type-2 memory get no DAX device, persistent ones no nvdimm region.
 */

export { cxl_region_detach };

const size_of = (range: { start: number; end: number } | null) => (range ? range.end - range.start + 1 : 0);

/** Free bytes of a window, the biggest hole, as find_max_hpa computes it. */
function find_max_hpa(cxlrd: CxlRootDecoder): number {
  const window = cxlrd.res;
  if (!window) return 0;
  const children = [...window.children].sort((a, b) => a.start - b.start);
  const first = children[0];
  if (!first) return window.end - window.start + 1;
  // as posted the size of a hole after a child counts its borders twice and comes out 2 too big
  const extra = posted(cxlrd.kernel, 'hpa-freespace-off-by-two') ? 2 : 0;
  let max = first.start - window.start;
  children.forEach((child, n) => {
    const next = children[n + 1];
    const hole = (next ? next.start : window.end + 1) - (child.end + 1);
    if (hole > 0) max = Math.max(max, hole + extra);
  });
  return max;
}

/** cxl_get_hpa_freespace: the window with the right capabilities and the most room for `interleave_ways` devices. */
export function cxl_get_hpa_freespace(
  endpoint: CxlPort,
  interleave_ways: number,
  flags: number,
  out: { max: number },
): CxlRootDecoder | number {
  if (endpoint.port_kind !== 'endpoint') {
    endpoint.dbg('cxl_core', 'cxl_get_hpa_freespace', 'not an endpoint');
    return -E.EINVAL;
  }
  const root = find_cxl_root(endpoint);
  if (!root) return -E.ENXIO;
  let best: CxlRootDecoder | null = null;
  out.max = 0;
  for (const cxlrd of root.decoders) {
    if (!(cxlrd instanceof CxlRootDecoder)) continue;
    if ((cxlrd.flags & flags) !== flags) {
      cxlrd.dbg('cxl_core', 'find_max_hpa', `cxlrd flags mismatch: 0x${hex(cxlrd.flags)} vs 0x${hex(flags)}`);
      continue;
    }
    const here = cxlrd.target.some((dport) => dport?.dport_dev === endpoint.host_bridge);
    if (!here || cxlrd.interleave_ways !== interleave_ways) continue;
    const max = find_max_hpa(cxlrd);
    if (max <= out.max) continue;
    best = cxlrd;
    out.max = max;
    cxlrd.info(`found 0x${hex(max, 16)} bytes of free space`);
  }
  return best ?? -E.ENOMEM;
}

/** The part of cxl_create_region that runs with cxl_region_rwsem held: addresses, targets, commit. */
function configure(cxlr: CxlRegion, cxled: readonly CxlEndpointDecoder[], ways: number, size: number): number {
  const { dpa_rwsem } = cxlr.kernel.get(CXL);
  let rc = alloc_hpa(cxlr, size);
  for (let i = 0; i < ways && rc === 0; i++) {
    const one = cxled[i];
    rc = one ? dpa_rwsem.read('cxl_create_region', () => cxl_region_attach(cxlr, one, i)) : -E.ENXIO;
  }
  return rc || cxl_region_commit(cxlr);
}

/** cxl_create_region (RFC v2): new region over these decoders, attached and committed. */
export function cxl_create_region(
  cxlrd: CxlRootDecoder,
  cxled: readonly CxlEndpointDecoder[],
  ways: number,
): CxlRegion | number {
  const first = cxled[0];
  if (!first || (first.mode !== 'ram' && first.mode !== 'pmem')) return -E.EINVAL;
  const { kernel } = cxlrd;
  const { mode } = first;
  const body = (): CxlRegion | number => {
    const cxlr = __create_region(cxlrd, mode, next_region_id(cxlrd), first.target_type);
    if (IS_ERR(cxlr)) return cxlr;
    const fail = (rc: number): number => {
      unregister_region(cxlr);
      return rc;
    };
    cxlr.interleave_ways = ways;
    cxlr.interleave_granularity = cxlrd.interleave_granularity;
    region_ways_changed(cxlr);
    const size = cxled.slice(0, ways).reduce((sum, one) => sum + size_of(one.dpa_res), 0);
    const rc = kernel.get(CXL).region_rwsem.write('cxl_create_region', () => configure(cxlr, cxled, ways, size));
    if (rc) return fail(rc);
    if (!cxlr.driver) kernel.drivers.device_attach(cxlr);
    return cxlr;
  };
  const site = kernel.site('cxl_create_region', ['ways'], 'type-2 RFC v2');
  const outer = kernel.log.begin(site, ways);
  let result: CxlRegion | number = -E.EIO;
  try {
    result = body();
    return result;
  } finally {
    kernel.log.end(outer, typeof result === 'number' ? result : 0);
  }
}

/** construct_region: a region for a decoder that firmware committed. */
function construct_region(cxlrd: CxlRootDecoder, cxled: CxlEndpointDecoder): CxlRegion | number {
  const { kernel } = cxlrd;
  const mode = cxled.mode === 'pmem' ? 'pmem' : 'ram';
  const cxlr = __create_region(cxlrd, mode, next_region_id(cxlrd), cxled.target_type);
  const who = `${cxled.cxlmd.name}:${cxled.name}`;
  if (IS_ERR(cxlr)) {
    cxled.cxlmd.parent?.err(`${who}: construct_region failed assign region: ${cxlr}`);
    return cxlr;
  }
  cxlr.auto = true;
  const { iomem } = kernel;
  const res = iomem.make(cxlr.name, cxled.hpa.start, cxled.hpa.end);
  const range = `[mem 0x${hex(res.start)}-0x${hex(res.end)} flags 0x200]`;
  if (!cxlrd.res || iomem.insert_resource(cxlrd.res, res) !== 0)
    cxled.cxlmd.parent?.warn(`${who}: construct_region ${cxlr.name} ${range} cannot insert resource`);
  cxlr.res = res;
  cxlr.interleave_ways = cxled.interleave_ways;
  cxlr.interleave_granularity = cxled.interleave_granularity;
  cxlr.state = CXL_CONFIG_INTERLEAVE_ACTIVE;
  region_ways_changed(cxlr);
  cxled.cxlmd.parent?.dbg(
    'cxl_core',
    'construct_region',
    `${who}: construct_region ${cxlr.name} res: ${range} iw: ${cxlr.interleave_ways} ig: ${cxlr.interleave_granularity}`,
  );
  publish_region(cxlr);
  return cxlr;
}

/** cxl_add_to_region: finds or makes the region a committed endpoint decoder belongs to. */
export function cxl_add_to_region(root: CxlPort, cxled: CxlEndpointDecoder): number {
  const { hpa } = cxled;
  const who = `${cxled.cxlmd.name}:${cxled.name}`;
  const cxlrd = root.decoders.find(
    (one) => one instanceof CxlRootDecoder && hpa.start >= one.hpa.start && hpa.end <= one.hpa.end,
  );
  if (!(cxlrd instanceof CxlRootDecoder)) {
    cxled.cxlmd.parent?.err(`${who} no CXL window for range 0x${hex(hpa.start)}:0x${hex(hpa.end)}`);
    return -E.ENXIO;
  }
  const known = cxlrd.children.find(
    (dev) => dev instanceof CxlRegion && dev.res?.start === hpa.start && dev.res.end === hpa.end,
  );
  const cxlr = known instanceof CxlRegion ? known : construct_region(cxlrd, cxled);
  if (IS_ERR(cxlr)) return cxlr;
  const rc = attach_target(cxlr, cxled, -1);
  if (rc) cxled.port.warn(`failed to attach ${cxled.name} to ${cxlr.name}: ${rc}`);
  if (cxlr.state === CXL_CONFIG_COMMIT && !cxlr.driver) cxlr.kernel.drivers.device_attach(cxlr);
  return rc;
}

/** discover_region: every decoder of a new endpoint that firmware had enabled. */
export function discover_regions(endpoint: CxlPort): void {
  const root = find_cxl_root(endpoint);
  if (!root || endpoint.kernel.config('CXL_REGION') === 'n') return;
  for (const cxled of [...endpoint.decoders]) {
    if (!(cxled instanceof CxlEndpointDecoder)) continue;
    if (!(cxled.flags & CXL_DECODER_F_ENABLE) || cxled.state !== 'auto') continue;
    const rc = cxl_add_to_region(root, cxled);
    if (rc)
      endpoint.dbg(
        'cxl_port',
        'discover_region',
        `failed to add to region: 0x${hex(cxled.hpa.start)}-0x${hex(cxled.hpa.end)}`,
      );
  }
}

/** cxl_region_probe: binds only to committed regions. */
export function cxl_region_probe(dev: Device): number {
  if (!(dev instanceof CxlRegion)) return -E.ENODEV;
  if (dev.state < CXL_CONFIG_COMMIT) {
    dev.dbg('cxl_core', 'cxl_region_probe', `config state: ${dev.state}`);
    return -E.ENXIO;
  }
  if (dev.needs_reset) {
    dev.err('failed to activate, re-commit region and retry');
    return -E.ENXIO;
  }
  // type-2 memory stays with its driver (RFC v2 patch 13), so there is no DAX device to make
  if (dev.type === CXL_DECODER_HOSTONLYMEM && dev.mode === 'ram') return devm_cxl_add_dax_region(dev);
  if (dev.mode === 'pmem') return devm_cxl_add_pmem_region(dev);
  return 0;
}

/** devm_cxl_add_dax_region: the memory of a volatile region goes to the DAX bus. */
function devm_cxl_add_dax_region(cxlr: CxlRegion): number {
  const { kernel, res, cxlrd } = cxlr;
  if (!res) return -E.ENXIO;
  const node = acpi_first_window_node(kernel);
  const target = node === null ? -1 : node + cxlrd.port.decoders.indexOf(cxlrd);
  const range = { start: res.start, end: res.end };
  const dax = new CxlDaxRegion(kernel, cxlr, range, target, [cxl_base_group('cxl:t8')]);
  const rc = kernel.drivers.device_add(dax);
  if (rc) return rc;
  cxlr.devm(() => kernel.drivers.device_del(dax));
  cxlr.dbg('cxl_core', 'devm_cxl_add_dax_region', `${cxlr.name}: register ${dax.name}`);
  return 0;
}

export function cxl_region_init(kernel: Kernel): number {
  if (kernel.config('CXL_REGION') === 'n') return 0;
  const driver = { name: 'cxl_region', bus: 'cxl', owner: null, mod_name: 'cxl_core', id: 6, probe: cxl_region_probe };
  return kernel.drivers.driver_register(driver);
}
