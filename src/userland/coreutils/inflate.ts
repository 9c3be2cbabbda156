/** gunzip: members of RFC 1952 with stored, fixed and dynamic blocks of RFC 1951. Checksums are not looked at. Null: not gzip, or cut short. */
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class CutShort extends Error {}

interface Tree {
  /** Codes of each length, and their symbols in order. */
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

function tree(lengths: readonly number[]): Tree {
  const counts = new Array<number>(16).fill(0);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const symbols = lengths.map((_, symbol) => symbol).filter((symbol) => (lengths[symbol] ?? 0) > 0);
  symbols.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  return { counts, symbols };
}

const FIXED = tree(Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8)));
const FIXED_DISTANCES = tree(new Array<number>(30).fill(5));

class Bits {
  private have = 0;
  private held = 0;
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}
  take(count: number): number {
    let value = 0;
    for (let n = 0; n < count; n++) {
      if (this.have === 0) {
        const next = this.bytes[this.at++];
        if (next === undefined) throw new CutShort();
        this.held = next;
        this.have = 8;
      }
      value |= (this.held & 1) << n;
      this.held >>= 1;
      this.have--;
    }
    return value;
  }
  align(): void {
    this.have = 0;
  }
  symbol({ counts, symbols }: Tree): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length++) {
      code |= this.take(1);
      const count = counts[length] ?? 0;
      if (code - first < count) return symbols[index + code - first] ?? 0;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new CutShort();
  }
}

function dynamicTrees(bits: Bits): readonly [Tree, Tree] {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const codes = bits.take(4) + 4;
  const lengths = new Array<number>(19).fill(0);
  for (let n = 0; n < codes; n++) lengths[ORDER[n] ?? 0] = bits.take(3);
  const coder = tree(lengths);
  const all: number[] = [];
  while (all.length < literals + distances) {
    const symbol = bits.symbol(coder);
    if (symbol < 16) all.push(symbol);
    else {
      const again = symbol === 16 ? (all.at(-1) ?? 0) : 0;
      const count = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      for (let n = 0; n < count; n++) all.push(again);
    }
  }
  return [tree(all.slice(0, literals)), tree(all.slice(literals))];
}

function block(bits: Bits, bytes: Uint8Array, out: number[]): void {
  const kind = bits.take(2);
  if (kind === 0) {
    bits.align();
    const length = (bytes[bits.at] ?? 0) | ((bytes[bits.at + 1] ?? 0) << 8);
    bits.at += 4;
    if (bits.at + length > bytes.length) throw new CutShort();
    for (let n = 0; n < length; n++) out.push(bytes[bits.at++] ?? 0);
    return;
  }
  if (kind === 3) throw new CutShort();
  const [literals, distances] = kind === 1 ? [FIXED, FIXED_DISTANCES] : dynamicTrees(bits);
  for (let symbol = bits.symbol(literals); symbol !== 256; symbol = bits.symbol(literals)) {
    if (symbol < 256) {
      out.push(symbol);
      continue;
    }
    const length = (LENGTH_BASE[symbol - 257] ?? 0) + bits.take(LENGTH_BITS[symbol - 257] ?? 0);
    const code = bits.symbol(distances);
    const extra = code < 2 ? 0 : (code >> 1) - 1;
    const back = (code < 2 ? code : (2 + (code & 1)) << extra) + 1 + bits.take(extra);
    if (back > out.length) throw new CutShort();
    for (let n = 0; n < length; n++) out.push(out[out.length - back] ?? 0);
  }
}

export function gunzip(bytes: Uint8Array): Uint8Array | null {
  const out: number[] = [];
  let at = 0;
  try {
    do {
      if (bytes[at] !== 0x1f || bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8)
        return at === 0 ? null : Uint8Array.from(out);
      const flags = bytes[at + 3] ?? 0;
      at += 10;
      if (flags & 4) at += 2 + ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
      for (const text of [8, 16]) {
        if (!(flags & text)) continue;
        while (at < bytes.length && bytes[at] !== 0) at++;
        at++;
      }
      if (flags & 2) at += 2;
      const bits = new Bits(bytes, at);
      for (let last = 0; last === 0; ) {
        last = bits.take(1);
        block(bits, bytes, out);
      }
      at = bits.at + 8;
    } while (at < bytes.length);
  } catch (error) {
    if (!(error instanceof CutShort)) throw error;
    return null;
  }
  return Uint8Array.from(out);
}
