import { assert } from '../base/assert.ts';

const SEGMENT = 1 << 20;

interface Segment {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Store of {before, after} byte pairs: [u32 length][before …][after …] one after another, in segments of 1 MiB. A pair never
 * crosses two segments; whole segments of forgotten pairs are given up or used again.
 */
export class ByteArena {
  private readonly segments: (Segment | null)[] = [];
  private current: Segment = newSegment(SEGMENT);
  /** Position of the first byte of `current`, and bytes used in it. */
  private base = 0;
  private used = 0;
  private firstHeld = 0;
  private spare: Segment | null = null;

  constructor() {
    this.segments.push(this.current);
  }

  /** Bytes held. */
  get size(): number {
    return this.base + this.used - this.firstHeld * SEGMENT;
  }

  /** Stores two arrays of equal length; gives their position. */
  push(before: Uint8Array, after: Uint8Array): number {
    assert(before.length === after.length, 'arena: before and after differ in length');
    const at = this.reserve(before.length);
    this.current.bytes.set(before, at + 4);
    this.current.bytes.set(after, at + 4 + before.length);
    return this.base + at;
  }

  /** Stores one access of 1, 2, 4 or 8 bytes given as 32-bit halves. */
  pushWord(width: number, beforeLo: number, beforeHi: number, lo: number, hi: number): number {
    const at = this.reserve(width);
    const { view } = this.current;
    putWord(view, at + 4, width, beforeLo, beforeHi);
    putWord(view, at + 4 + width, width, lo, hi);
    return this.base + at;
  }

  length(at: number): number {
    return this.segment(at).view.getUint32(at % SEGMENT, true);
  }
  before(at: number): Uint8Array {
    const from = (at % SEGMENT) + 4;
    return this.segment(at).bytes.subarray(from, from + this.length(at));
  }
  after(at: number): Uint8Array {
    const length = this.length(at);
    const from = (at % SEGMENT) + 4 + length;
    return this.segment(at).bytes.subarray(from, from + length);
  }

  /** Nothing before position `at` will be asked for again. */
  release(at: number): void {
    const keep = Math.floor(at / SEGMENT);
    for (; this.firstHeld < keep; this.firstHeld++) {
      const segment = this.segments[this.firstHeld] ?? null;
      if (segment?.bytes.length === SEGMENT) this.spare = segment;
      this.segments[this.firstHeld] = null;
    }
  }

  private segment(at: number): Segment {
    const found = this.segments[Math.floor(at / SEGMENT)];
    assert(found, 'arena: these bytes were given up');
    return found;
  }

  private reserve(length: number): number {
    const need = 4 + 2 * length;
    if (this.used + need > SEGMENT) this.grow(need);
    const at = this.used;
    this.used += need;
    this.current.view.setUint32(at, length, true);
    return at;
  }

  private grow(need: number): void {
    // A pair larger than a segment gets one of its own, which takes the places of several.
    const places = Math.ceil(this.current.bytes.length / SEGMENT);
    for (let n = 1; n < places; n++) this.segments.push(null);
    this.base += places * SEGMENT;
    const size = Math.ceil(need / SEGMENT) * SEGMENT;
    this.current = (size === SEGMENT ? this.spare : null) ?? newSegment(size);
    if (size === SEGMENT) this.spare = null;
    this.segments.push(this.current);
    this.used = 0;
  }
}

function newSegment(size: number): Segment {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function putWord(view: DataView, at: number, width: number, lo: number, hi: number): void {
  if (width === 8) {
    view.setUint32(at, lo, true);
    view.setUint32(at + 4, hi, true);
  } else if (width === 4) view.setUint32(at, lo, true);
  else if (width === 2) view.setUint16(at, lo, true);
  else view.setUint8(at, lo);
}
