import { hex } from '../../../../base/addr.ts';
import { CxlEndpointDecoder, type CxlMemdev, type CxlRegion } from '../../../include/cxl_types.ts';
import { granularity_to_eig, ways_to_eiw } from './interleave.ts';
import { cxl_calculate_hpa_offset, cxl_do_xormap_calc } from './translate.ts';

/** From an address in a device to its region and the host's address of it (drivers/cxl/core/region.c, v6.12). */

/** cxl_dpa_to_region: the region that maps this byte of the device. */
export function cxl_dpa_to_region(cxlmd: CxlMemdev, dpa: number): CxlRegion | null {
  const { endpoint } = cxlmd;
  if (!endpoint || endpoint.commit_end < 0) return null;
  for (const cxled of endpoint.decoders) {
    if (!(cxled instanceof CxlEndpointDecoder) || !cxled.dpa_res) continue;
    if (dpa < cxled.dpa_res.start || dpa > cxled.dpa_res.end) continue;
    if (cxled.region)
      cxled.dbg('cxl_core', '__cxl_dpa_to_region', `dpa:0x${hex(dpa)} mapped in region:${cxled.region.name}`);
    return cxled.region;
  }
  return null;
}

/** cxl_is_hpa_in_chunk: does the address belong to this position? Only asked where the arithmetic is modulo. */
function cxl_is_hpa_in_chunk(hpa: number, cxlr: CxlRegion, pos: number): boolean {
  const { interleave_granularity: gran, interleave_ways: ways } = cxlr;
  const offset = (hpa - (cxlr.res?.start ?? 0)) % (gran * ways);
  if (offset >= pos * gran && offset < (pos + 1) * gran) return true;
  cxlr.dbg('cxl_core', 'cxl_is_hpa_in_chunk', `Addr trace fail: hpa 0x${hex(hpa)} not in expected chunk`);
  return false;
}

/** cxl_dpa_to_hpa: the host's address of a byte of a device in this region, or null. */
export function cxl_dpa_to_hpa(cxlr: CxlRegion, cxlmd: CxlMemdev, dpa: number): number | null {
  const cxled = cxlr.targets.find((target) => target?.cxlmd === cxlmd);
  const { res, cxlrd } = cxlr;
  if (!cxled?.dpa_res || !res || cxled.pos < 0) return null;
  const eiw = ways_to_eiw(cxlr.interleave_ways);
  const eig = granularity_to_eig(cxlr.interleave_granularity);
  const offset = cxl_calculate_hpa_offset(BigInt(dpa - cxled.dpa_res.start), cxled.pos, eiw, eig);
  let address = offset + BigInt(res.start);
  if (cxlrd.xormaps) address = cxl_do_xormap_calc(cxlrd.xormaps, address, cxlrd.interleave_ways);
  const hpa = Number(address);
  if (hpa < res.start || hpa > res.end) {
    cxlr.dbg('cxl_core', 'cxl_dpa_to_hpa', `Addr trace fail: hpa 0x${hex(hpa)} not in region`);
    return null;
  }
  if (!cxlrd.xormaps && !cxl_is_hpa_in_chunk(hpa, cxlr, cxled.pos)) return null;
  return hpa;
}
