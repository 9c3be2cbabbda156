import { eig_to_granularity, eiw_to_ways } from './interleave.ts';

/**
 * Offsets in a region to offsets in a device and back (drivers/cxl/core/region.c and acpi.c, v7.1: cxl_calculate_*, with
 * cxl_do_xormap_calc). 64-bit arithmetic as the kernel's, so in bigint: a translation is made when an event or a poison
 * record is reported, never on the way of a load. cxl_translate tests exactly these functions.
 */

export const ULLONG_MAX = 2n ** 64n - 1n;
const GENMASK = (high: number, low: number): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);

/** Number of XOR maps that a window of so many ways uses; 0 for one and three ways, and for what is no number of ways. */
export function hbiw_to_nr_maps(ways: number): number {
  return (
    new Map([
      [2, 1],
      [4, 2],
      [6, 1],
      [8, 3],
      [12, 2],
      [16, 4],
    ]).get(ways) ?? 0
  );
}

/** cxl_do_xormap_calc: each map makes its lowest bit the parity of the address bits it selects. Its own inverse. */
export function cxl_do_xormap_calc(xormaps: readonly bigint[], addr: bigint, hbiw: number): bigint {
  if (hbiw === 1 || hbiw === 3) return addr;
  let out = addr;
  for (const map of xormaps) {
    if (map === 0n) continue;
    const bit = map & -map;
    out = parity(out & map) ? out | bit : out & ~bit;
  }
  return out;
}

function parity(value: bigint): boolean {
  let odd = false;
  for (let rest = value; rest !== 0n; rest &= rest - 1n) odd = !odd;
  return odd;
}

/** cxl_validate_translation_params */
export function cxl_validate_translation_params(eiw: number, eig: number, pos: number): boolean {
  const ways = eiw_to_ways(eiw);
  return ways !== 0 && eig_to_granularity(eig) !== 0 && pos >= 0 && pos < ways;
}

/** cxl_calculate_hpa_offset */
export function cxl_calculate_hpa_offset(dpa_offset: bigint, pos: number, eiw: number, eig: number): bigint {
  if (!cxl_validate_translation_params(eiw, eig, pos)) return ULLONG_MAX;
  const low = BigInt(eig + 8);
  const upper = dpa_offset & GENMASK(51, eig + 8);
  const chunk =
    eiw < 8
      ? (upper << BigInt(eiw)) | (BigInt(pos) << low)
      : ((((upper >> low) * 3n) << BigInt(eiw - 8)) + BigInt(pos)) << low;
  return BigInt.asUintN(64, chunk | (dpa_offset & GENMASK(eig + 7, 0)));
}

/** cxl_calculate_dpa_offset */
export function cxl_calculate_dpa_offset(hpa_offset: bigint, eiw: number, eig: number): bigint {
  if (!cxl_validate_translation_params(eiw, eig, 0)) return ULLONG_MAX;
  const low = BigInt(eig + 8);
  const rest = hpa_offset >> BigInt(eig + eiw + (eiw < 8 ? 8 : 0));
  return ((eiw < 8 ? rest : rest / 3n) << low) | (hpa_offset & GENMASK(eig + 7, 0));
}

/** cxl_calculate_position */
export function cxl_calculate_position(hpa_offset: bigint, eiw: number, eig: number): number {
  if (!cxl_validate_translation_params(eiw, eig, 0)) return -1;
  return Number((hpa_offset >> BigInt(eig + 8)) % BigInt(eiw_to_ways(eiw)));
}
