/** Encodings of ways and granularity (drivers/cxl/cxl.h, v6.12). 0 for an encoding that means nothing. */

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
