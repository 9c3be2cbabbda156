import { fromHalves } from '../../base/addr.ts';
import type { HdmDecoder } from './cxl-component.ts';

/**
 * What the specification asks of a component that commits an HDM decoder (CXL 3.1 8.2.4.20.12), for devices made with
 * `silicon=strict`. QEMU asks none of it. Base alignment beyond 256 MiB is not asked either: Linux places regions on 256 MiB.
 */
export interface Silicon {
  /** Bytes of device memory; null for host bridges and switches, whose decoders name ports. */
  readonly capacity: number | null;
  /** The one target range type of the device (bit 12 is read-only then); null: both. */
  readonly type: 0 | 1 | null;
}

export const REFUSALS = [
  'a lower decoder is not committed',
  'size is 0',
  'interleave ways not supported',
  'interleave granularity not supported',
  'interleave bits beyond address bit 14',
  'size is no multiple of 256 MiB times ways',
  'base plus size wraps around',
  'base lies below the end of a lower decoder',
  'device addresses beyond the capacity',
] as const;

const MiB256 = 0x1000_0000;
const TOP = 2 ** 52;
const HIGHEST_BIT = 14;

/** Ways a decoder of this kind can do, or 0. */
function waysOf(iw: number, capacity: number | null): number {
  if (iw <= 3 || (iw === 4 && capacity !== null)) return 2 ** iw;
  return capacity !== null && iw >= 8 && iw <= 10 ? 3 * 2 ** (iw - 8) : 0;
}

/** Device bytes a committed decoder covers, skip excluded. */
export function share(decoder: HdmDecoder): number {
  const { iw, size } = decoder;
  return size / (iw < 8 ? 2 ** iw : 3 * 2 ** (iw - 8));
}

/** DPA skip of an endpoint decoder. */
export function skip(decoder: HdmDecoder): number {
  return fromHalves(decoder.targetHigh, decoder.targetLow & 0xf0000000);
}

/** Number in REFUSALS of the reason why decoder `n` cannot be committed now, or -1. */
export function refusal(decoders: readonly HdmDecoder[], n: number, { capacity }: Silicon): number {
  const decoder = decoders[n] as HdmDecoder;
  const { base, size, ig, iw } = decoder;
  let dpa = 0;
  for (let m = 0; m < n; m++) {
    const lower = decoders[m] as HdmDecoder;
    if (!lower.committed) return 0;
    dpa += skip(lower) + share(lower);
  }
  if (size === 0) return 1;
  const ways = waysOf(iw, capacity);
  if (ways === 0) return 2;
  if (ig > 6) return 3;
  const highest = iw < 8 ? ig + 7 + iw : ig + iw - 1;
  if (iw !== 0 && iw !== 8 && highest > HIGHEST_BIT) return 4;
  if (size % (MiB256 * ways) !== 0) return 5;
  if (base + size > TOP) return 6;
  const lower = decoders[n - 1];
  if (lower && base < lower.base + lower.size) return 7;
  if (capacity !== null && dpa + skip(decoder) + size / ways > capacity) return 8;
  return -1;
}

/** Device address at which decoder `n` begins when it commits after all lower ones. */
export function device_base(decoders: readonly HdmDecoder[], n: number): number {
  let dpa = 0;
  for (let m = 0; m < n; m++) dpa += skip(decoders[m] as HdmDecoder) + share(decoders[m] as HdmDecoder);
  return dpa + skip(decoders[n] as HdmDecoder);
}
