import type { Addr } from '../../base/addr.ts';
import type { CxlComponent, HdmDecoder } from './cxl-component.ts';
import { skip } from './silicon.ts';

/** "Nowhere" of the decode functions: addresses are never negative. */
export const NOWHERE = -1;

/** QEMU's cxl_decode_ig / 1 << iw for any encoding software wrote: reserved ones give odd but finite numbers. */
function unitOf(decoder: HdmDecoder): number {
  return 2 ** (decoder.ig + 8);
}

/** cxl_interleave_ways_dec(): 0 for reserved encodings. */
function waysOrZero(iw: number): number {
  if (iw <= 4) return 2 ** iw;
  return iw >= 8 && iw <= 10 ? 3 * 2 ** (iw - 8) : 0;
}

/**
 * cxl_type3_dpa() (QEMU hw/mem/cxl_type3.c): host address → device address through the endpoint's own decoders. Stops
 * at the first uncommitted decoder; earlier ones that do not match add their share to the device base.
 */
export function endpoint_dpa(component: CxlComponent, hpa: Addr): number {
  const { decoders } = component;
  if (component.silicon) return committed_dpa(decoders, hpa);
  let dpaBase = 0;
  for (let n = 0; n < decoders.length; n++) {
    const decoder = decoders[n] as HdmDecoder;
    if (!decoder.committed) return NOWHERE;
    dpaBase += skipOf(decoder);
    const offset = hpa - decoder.base;
    if (offset < 0 || offset >= decoder.size) {
      const ways = waysOrZero(decoder.iw);
      if (ways === 0) return NOWHERE;
      dpaBase += decoder.size / ways;
      continue;
    }
    if (decoder.iw === 0) return dpaBase + offset;
    const unit = unitOf(decoder);
    const divisor = decoder.iw < 8 ? 2 ** decoder.iw : 3 * 2 ** (decoder.iw - 8);
    return dpaBase + Math.floor(offset / (unit * divisor)) * unit + (offset % unit);
  }
  return NOWHERE;
}

/** The same by the specification: every committed decoder decodes, from the device address it got when committed. */
function committed_dpa(decoders: readonly HdmDecoder[], hpa: Addr): number {
  for (let n = 0; n < decoders.length; n++) {
    const decoder = decoders[n] as HdmDecoder;
    const offset = hpa - decoder.base;
    if (!decoder.committed || offset < 0 || offset >= decoder.size) continue;
    const unit = unitOf(decoder);
    return decoder.dpaBase + Math.floor(offset / (unit * waysOrZero(decoder.iw))) * unit + (offset % unit);
  }
  return NOWHERE;
}

/** DPA skip of an endpoint decoder. */
export const skipOf = skip;

/** Index of the first decoder whose range holds the address (strict silicon: of the committed ones), or NOWHERE. */
export function decoder_holding(component: CxlComponent, hpa: Addr): number {
  const { decoders } = component;
  for (let n = 0; n < decoders.length; n++) {
    const decoder = decoders[n] as HdmDecoder;
    if (component.silicon && !decoder.committed) continue;
    if (hpa >= decoder.base && hpa - decoder.base < decoder.size) return n;
  }
  return NOWHERE;
}

/** cxl_hdm_find_target(): port number the host bridge sends the address to, by absolute address, or NOWHERE. */
export function hdm_find_target(component: CxlComponent, hpa: Addr): number {
  const n = decoder_holding(component, hpa);
  if (n === NOWHERE) return NOWHERE;
  const decoder = component.decoders[n] as HdmDecoder;
  if (!decoder.committed) return NOWHERE;
  const index = Math.floor(hpa / unitOf(decoder)) % 2 ** decoder.iw;
  return targetAt(decoder, index);
}

/** Byte `index` of a target list of eight (QEMU reads past eight as 0). */
export function targetAt(decoder: HdmDecoder, index: number): number {
  if (index < 4) return (decoder.targetLow >>> (index * 8)) & 0xff;
  return index < 8 ? (decoder.targetHigh >>> ((index - 4) * 8)) & 0xff : 0;
}
