import { fromHalves } from '../../../../base/addr.ts';
import type { ShadowBytes } from './vconfig.ts';

/**
 * HDM decoder emulation of RFC patch 08 (vfio_cxl_core.c: is_hdm_regblock, write_hdm_decoder_global,
 * write_hdm_decoder_n, emulate_hdm_regblock), as posted: raw stores, COMMITTED follows COMMIT at once, no order, size or
 * overlap checks, nothing reaches the device. `hdm` below is the offset in the HDM block.
 */
export const HDM_CTRL_LOCK = 0x100;
export const HDM_CTRL_COMMIT = 0x200;
export const HDM_CTRL_COMMITTED = 0x400;
export const HDM_CTRL_COMMIT_ERROR = 0x800;

/** Offset of decoder n's control register. */
export function CXL_HDM_DECODER0_CTRL_OFFSET(n: number): number {
  return 0x20 * n + 0x20;
}

/** Locked means both LOCK and COMMITTED: LOCK alone stays writable. */
export function hdm_decoder_locked(shadow: ShadowBytes, base: number, n: number): boolean {
  const ctrl = shadow.read(base + CXL_HDM_DECODER0_CTRL_OFFSET(n), 4);
  return (ctrl & HDM_CTRL_LOCK) !== 0 && (ctrl & HDM_CTRL_COMMITTED) !== 0;
}

/** What a guest's CTRL write leaves: error cleared, COMMITTED equal to COMMIT, everything else raw. */
export function hdm_ctrl_after_write(value: number): number {
  const kept = value & ~(HDM_CTRL_COMMIT_ERROR | HDM_CTRL_COMMITTED);
  return (kept | (value & HDM_CTRL_COMMIT ? HDM_CTRL_COMMITTED : 0)) >>> 0;
}

/** Which of the reviewers' rules hold for guest writes; the posted code knows none. */
export interface HdmRules {
  /** Reserved bits read back as written. */
  readonly rawReserved: boolean;
  /** Base and size may be changed while the decoder is committed. */
  readonly committedWritable: boolean;
  /** COMMIT always succeeds, whatever the decoder says. */
  readonly commitUnchecked: boolean;
}
export const POSTED_RULES: HdmRules = { rawReserved: true, committedWritable: true, commitUnchecked: true };

/** HDM Decoder Capability, Poison On Decode Error Capability. */
const POISON_CAPABLE = 0x400;
const MiB256 = 0x1000_0000;

/** Bits of a decoder's registers that are not reserved (CXL 3.1, 8.2.4.20), by offset in the decoder. */
const DEFINED: Readonly<Record<number, number>> = {
  16: 0xf0000000,
  20: 0xffffffff,
  24: 0xf0000000,
  28: 0xffffffff,
  32: 0x0f007fff,
  36: 0xffffffff,
  40: 0xffffffff,
  44: 0,
};

/**
 * One 32-bit guest write at `hdm`; `base` is the block's offset in the shadow. False when the write was dropped because
 * the decoder is locked (or, as intended, committed).
 */
export function hdm_write(
  shadow: ShadowBytes,
  base: number,
  hdm: number,
  value: number,
  rules: HdmRules = POSTED_RULES,
): boolean {
  if (hdm < 0x10) {
    const poison = rules.rawReserved || (shadow.read(base, 4) & POISON_CAPABLE) !== 0;
    if (hdm === 4) shadow.write(base + 4, 4, value & (poison ? 3 : 2));
    return true;
  }
  const n = (hdm - 0x10) >> 5;
  if (hdm_decoder_locked(shadow, base, n)) return false;
  const reg = ((hdm - 0x10) & 0x1f) + 0x10;
  const ctrl = reg === 0x20;
  if (!ctrl && !rules.committedWritable && shadow.read(base + CXL_HDM_DECODER0_CTRL_OFFSET(n), 4) & HDM_CTRL_COMMITTED)
    return false;
  const kept = rules.rawReserved ? value : (value & (DEFINED[reg] ?? 0)) >>> 0;
  if (ctrl && !rules.commitUnchecked && kept & HDM_CTRL_COMMIT && !hdm_may_commit(shadow, base, n)) {
    shadow.write(base + hdm, 4, ((kept & ~HDM_CTRL_COMMITTED) | HDM_CTRL_COMMIT_ERROR) >>> 0);
    return true;
  }
  shadow.write(base + hdm, 4, ctrl ? hdm_ctrl_after_write(kept) : kept);
  return true;
}

/** What a device asks at commit (CXL 3.1, 8.2.4.20.12): lower decoders committed, sizes and order of addresses right. */
function hdm_may_commit(shadow: ShadowBytes, base: number, n: number): boolean {
  const field = (decoder: number, lo: number) =>
    fromHalves(
      shadow.read(base + 0x20 * decoder + lo + 4, 4),
      (shadow.read(base + 0x20 * decoder + lo, 4) & 0xf0000000) >>> 0,
    );
  for (let lower = 0; lower < n; lower++)
    if (!(shadow.read(base + CXL_HDM_DECODER0_CTRL_OFFSET(lower), 4) & HDM_CTRL_COMMITTED)) return false;
  const size = field(n, 0x18);
  if (size === 0 || size % MiB256 !== 0) return false;
  return n === 0 || field(n, 0x10) >= field(n - 1, 0x10) + field(n - 1, 0x18);
}

/** First position past the emulated window: posted, the last dword is left out (`pos + 4 < end`). */
export function hdm_window_end(start: number, size: number, posted: boolean): number {
  return posted ? start + size - 4 : start + size;
}
