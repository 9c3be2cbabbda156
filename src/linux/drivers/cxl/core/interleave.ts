import type { CxlEndpointDecoder } from '../../../include/cxl_types.ts';

/** Encodings of ways and granularity (drivers/cxl/cxl.h, v6.12), 0 for one that means nothing; what a decoder can do. */

export function eig_to_granularity(eig: number): number {
  return eig <= 6 ? 256 << eig : 0;
}
export function eiw_to_ways(eiw: number): number {
  if (eiw <= 4) return 1 << eiw;
  return eiw >= 8 && eiw <= 10 ? 3 << (eiw - 8) : 0;
}
export function granularity_to_eig(granularity: number): number {
  return Math.log2(granularity) - 8;
}
export function ways_to_eiw(ways: number): number {
  return ways % 3 === 0 ? Math.log2(ways / 3) + 8 : Math.log2(ways);
}

/** check_interleave_cap: can this decoder do the region's ways and granularity? */
export function check_interleave_cap(cxled: CxlEndpointDecoder, iw: number, ig: number): boolean {
  const hdm = cxled.port.hdm;
  if (!hdm || hdm.hdm_decoder === null || iw === 1) return true;
  if (![1, 2, 3, 4, 6, 8, 12, 16].includes(iw)) return false;
  if (iw === 16 && !(hdm.iw_cap_mask & 0x10000)) return false;
  if (iw % 3 === 0 && !(hdm.iw_cap_mask & 0x1040)) return false;
  const eig = granularity_to_eig(ig);
  const eiw = ways_to_eiw(iw);
  if (eiw === 8) return true;
  const high = eiw > 8 ? eiw + eig - 1 : eiw + eig + 7;
  let mask = 0;
  for (let bit = eig + 8; bit <= high; bit++) mask |= 1 << bit;
  return (mask & ~hdm.interleave_mask) === 0;
}
