import { assert } from '../base/assert.ts';

/** Grow-only store of {before, after} byte pairs: [u32 length][before …][after …] one after another. */
export class ByteArena {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** Stores two arrays of equal length; gives their position. */
  push(before: Uint8Array, after: Uint8Array): number {
    assert(before.length === after.length, 'arena: before and after differ in length');
    const at = this.reserve(before.length);
    this.bytes.set(before, at + 4);
    this.bytes.set(after, at + 4 + before.length);
    return at;
  }

  /** Stores one access of 1, 2, 4 or 8 bytes given as 32-bit halves. */
  pushWord(width: number, beforeLo: number, beforeHi: number, lo: number, hi: number): number {
    const at = this.reserve(width);
    this.putWord(at + 4, width, beforeLo, beforeHi);
    this.putWord(at + 4 + width, width, lo, hi);
    return at;
  }

  length(at: number): number {
    return this.view.getUint32(at, true);
  }
  before(at: number): Uint8Array {
    return this.bytes.subarray(at + 4, at + 4 + this.length(at));
  }
  after(at: number): Uint8Array {
    const length = this.length(at);
    return this.bytes.subarray(at + 4 + length, at + 4 + 2 * length);
  }

  private putWord(at: number, width: number, lo: number, hi: number): void {
    if (width === 8) {
      this.view.setUint32(at, lo, true);
      this.view.setUint32(at + 4, hi, true);
    } else if (width === 4) this.view.setUint32(at, lo, true);
    else if (width === 2) this.view.setUint16(at, lo, true);
    else this.view.setUint8(at, lo);
  }

  private reserve(length: number): number {
    const need = 4 + 2 * length;
    if (this.used + need > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.used + need, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    const at = this.used;
    this.used += need;
    this.view.setUint32(at, length, true);
    return at;
  }
}
