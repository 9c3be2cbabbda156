import { type Addr, TWO32 } from '../../base/addr.ts';
import { assert } from '../../base/assert.ts';

/**
 * CXL address arithmetic (CXL 3.1 8.2.4.20.13 "Decode Operation", CFMWS of 9.18.1.3; checked against the vectors of Linux's
 * cxl_translate test). Pure: no registers, no devices. Addresses are numbers; only pieces below 2^32 meet bitwise operators.
 */

export const GRANULARITY_ENC_MAX = 6;

/** eig_to_granularity(): 256 << ig, or null for a reserved encoding. */
export function granularityOf(ig: number): number | null {
  return ig >= 0 && ig <= GRANULARITY_ENC_MAX && Number.isInteger(ig) ? 256 * 2 ** ig : null;
}

/** granularity_to_eig(). */
export function encodeGranularity(granularity: number): number | null {
  const ig = Math.log2(granularity) - 8;
  return granularityOf(ig) === null ? null : ig;
}

/** eiw_to_ways(): 1 2 4 8 16 for 0…4, 3 6 12 for 8…10, else null. */
export function waysOf(iw: number): number | null {
  if (iw >= 0 && iw <= 4 && Number.isInteger(iw)) return 2 ** iw;
  if (iw >= 8 && iw <= 10 && Number.isInteger(iw)) return 3 * 2 ** (iw - 8);
  return null;
}

/** ways_to_eiw(). */
export function encodeWays(ways: number): number | null {
  for (let iw = 0; iw <= 10; iw++) if (waysOf(iw) === ways) return iw;
  return null;
}

/** HDM decoder count field → decoders, or null (cxl_hdm_decoder_count). */
export function decoderCount(encoded: number): number | null {
  if (encoded === 0) return 1;
  if (encoded >= 1 && encoded <= 8) return encoded * 2;
  return encoded >= 9 && encoded <= 12 ? 20 + (encoded - 9) * 4 : null;
}

/** Position of the target an offset belongs to: (offset >> (ig + 8)) mod ways. */
export function positionOf(offset: Addr, iw: number, ig: number): number {
  return Math.floor(offset / 2 ** (ig + 8)) % (iw < 8 ? 2 ** iw : 3 * 2 ** (iw - 8));
}

/** Endpoint: offset in the decoder's host range → offset in its device memory. */
export function endpointDpaOffset(hpaOffset: Addr, iw: number, ig: number): number {
  const unit = 2 ** (ig + 8);
  const low = hpaOffset % unit;
  // For 3, 6, 12 ways: (offset >> (ig + iw)) / 3, and ig + iw is (ig + 8) + (iw - 8).
  const divisor = iw < 8 ? 2 ** iw : 3 * 2 ** (iw - 8);
  return Math.floor(hpaOffset / (unit * divisor)) * unit + low;
}

/** Inverse: device offset and position → offset in the decoder's host range. */
export function endpointHpaOffset(dpaOffset: number, position: number, iw: number, ig: number): Addr {
  const unit = 2 ** (ig + 8);
  const low = dpaOffset % unit;
  const ways = iw < 8 ? 2 ** iw : 3 * 2 ** (iw - 8);
  return (Math.floor(dpaOffset / unit) * ways + position) * unit + low;
}

/** Fixed memory window: which host bridge, by absolute address (modulo arithmetic). */
export function windowTarget(hpa: Addr, granularity: number, ways: number): number {
  return Math.floor(hpa / granularity) % ways;
}

/** Host bridge or switch decoder: index into its target list. Powers of two only, as the capability says. */
export function portTarget(hpa: Addr, iw: number, ig: number): number {
  return Math.floor(hpa / 2 ** (ig + 8)) % 2 ** iw;
}

/** XOR maps a window of so many ways uses (CXIMS). */
export function xorMapsUsed(ways: number): number {
  const power = ways % 3 === 0 ? ways / 3 : ways;
  return Math.log2(power);
}

/** Applies XOR maps; the same function converts both ways. A map of 0 is skipped. */
export function applyXorMaps(addr: Addr, maps: readonly number[]): Addr {
  let out = addr;
  for (const map of maps) {
    if (map === 0) continue;
    const bit = lowestBit(map);
    const parity = (popcountOfAnd(out, map) & 1) === 1;
    const has = Math.floor(out / bit) % 2 === 1;
    if (parity !== has) out += parity ? bit : -bit;
  }
  return out;
}

/** DPA offset → host offset under XOR arithmetic: modulo first, then the maps on (base + offset). */
export function xorHpaOffset(
  dpaOffset: number,
  position: number,
  iw: number,
  ig: number,
  maps: readonly number[],
  base: Addr = 0,
): Addr {
  return applyXorMaps(base + endpointHpaOffset(dpaOffset, position, iw, ig), maps) - base;
}

/** Start of a decoder's device memory: what the decoders before it took, plus its own skip. */
export function dpaBase(
  before: readonly { readonly skip: number; readonly size: number; readonly ways: number }[],
  skip: number,
): number {
  let base = skip;
  for (const decoder of before) {
    assert(decoder.size % decoder.ways === 0, 'decoder size is no multiple of its ways');
    base += decoder.skip + decoder.size / decoder.ways;
  }
  return base;
}

function lowestBit(value: number): number {
  const low = (value % TWO32) >>> 0;
  if (low !== 0) return (low & -low) >>> 0;
  const high = Math.floor(value / TWO32) >>> 0;
  return ((high & -high) >>> 0) * TWO32;
}

function popcountOfAnd(a: number, b: number): number {
  return popcount(((a % TWO32) & (b % TWO32)) >>> 0) + popcount((Math.floor(a / TWO32) & Math.floor(b / TWO32)) >>> 0);
}

function popcount(value: number): number {
  let n = 0;
  for (let rest = value; rest !== 0; rest = (rest & (rest - 1)) >>> 0) n++;
  return n;
}
