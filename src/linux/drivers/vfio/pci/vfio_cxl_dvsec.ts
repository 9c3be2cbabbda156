import type { ShadowBytes } from './vconfig.ts';

/**
 * What a guest may write in CXL DVSECs according to the policy Zhi Wang sent to the list on 30 Oct 2024 (never part of the
 * RFC): the device DVSEC by register, every other one read-only. Left out: what he wanted forwarded to the device (Control 2).
 */
const CONTROL = 0x0c;
const LOCK = 0x14;
/** Writable bits of the device DVSEC by byte offset. */
const WRITABLE: Readonly<Record<number, number>> = {
  // Control: bits 0, 2 to 12 and 14; IO_Enable is read-only.
  [CONTROL]: 0xfd,
  [CONTROL + 1]: 0x5f,
  // Control 2: bits 0, 3, 4, 5 are kept; the doorbells 1 and 2 are not.
  16: 0x39,
  // Range bases.
  32: 0xff,
  33: 0xff,
  34: 0xff,
  35: 0xff,
  39: 0xf0,
  48: 0xff,
  49: 0xff,
  50: 0xff,
  51: 0xff,
  55: 0xf0,
};
/** Registers that CONFIG_LOCK holds. */
const locked_by_config = (at: number) => at === CONTROL || at === CONTROL + 1 || at >= 32;

/** One write of 1, 2 or 4 bytes at `offset` of the DVSEC at `cap_start`. */
export function cxl_dvsec_write(
  v: ShadowBytes,
  cap_start: number,
  offset: number,
  count: 1 | 2 | 4,
  value: number,
): void {
  if (v.read(cap_start + 8, 2) !== 0) return;
  const locked = (v.read(cap_start + LOCK, 1) & 1) !== 0;
  for (let n = 0; n < count; n++) {
    const at = offset + n;
    const byte = (value >>> (8 * n)) & 0xff;
    const old = v.read(cap_start + at, 1);
    // Lock is written once; Status bit 14 is cleared by writing it.
    if (at === LOCK) v.write(cap_start + at, 1, old | (byte & 1));
    else if (at === 0x0f) v.write(cap_start + at, 1, old & ~(byte & 0x40));
    else {
      const mask = locked && locked_by_config(at) ? 0 : (WRITABLE[at] ?? 0);
      if (mask) v.write(cap_start + at, 1, (old & ~mask) | (byte & mask));
    }
  }
}
