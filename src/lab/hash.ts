import type { EventLog } from '../log/index.ts';
import type { RamPages } from './ram-pages.ts';

/**
 * State hash: 64 bits over every cell (register dwords and object JSON, by path) and every non-zero page of memory.
 * The same inputs give the same hash on every run and machine; printed as 16 hex digits.
 */
export function stateHash(log: EventLog, memories: readonly RamPages[]): string {
  const hash = new Hash();
  const entries = log.blocks.map((entry) => entry).sort((a, b) => (a.block.path < b.block.path ? -1 : 1));
  for (const { first, count, block } of entries) {
    hash.text(block.path);
    for (let cell = first; cell < first + count; cell++) {
      const value = log.cells[cell] as number;
      if (block.kind === 'object') hash.text(JSON.stringify(log.values[value] ?? null));
      else hash.word(value >>> 0);
    }
  }
  for (const memory of memories) {
    hash.text(memory.id);
    memory.forEachPage((index, bytes) => {
      if (bytes.every((byte) => byte === 0)) return;
      hash.word(index);
      hash.bytes(bytes);
    });
  }
  return hash.digest();
}

/** Two multiplicative lanes (cyrb53's mixing) over 32-bit words. */
class Hash {
  private h1 = 0xdeadbeef;
  private h2 = 0x41c6ce57;

  word(value: number): void {
    this.h1 = Math.imul(this.h1 ^ value, 2654435761);
    this.h2 = Math.imul(this.h2 ^ value, 1597334677);
  }

  text(text: string): void {
    this.word(text.length);
    for (let n = 0; n < text.length; n++) this.word(text.charCodeAt(n));
  }

  bytes(bytes: Uint8Array): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    for (let n = 0; n < words.length; n++) this.word(words[n] as number);
  }

  digest(): string {
    let a = this.h1;
    let b = this.h2;
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (b >>> 0).toString(16).padStart(8, '0') + (a >>> 0).toString(16).padStart(8, '0');
  }
}
