import { expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { EventLog } from '../../log/index.ts';
import { RAM_PAGE, ramAt, SparseRam } from './sparse-ram.ts';

test('untouched memory reads zero and unchanged stores leave no row', () => {
  const log = new EventLog();
  const ram = new SparseRam(log, 'host', 4 * RAM_PAGE);
  const rows = log.length;
  expect(ram.load(12345, 8)).toBe(0);
  ram.store(8, 4, 0);
  expect(log.length).toBe(rows);
});

test('stores and loads agree across a page boundary and in every width', () => {
  const ram = new SparseRam(new EventLog(), 'host', 4 * RAM_PAGE);
  ram.store(RAM_PAGE - 3, 8, 0x81828384, 0xa1a2a3a4);
  expect([ram.load(RAM_PAGE - 3, 8), ram.hi]).toEqual([0x81828384, 0xa1a2a3a4]);
  ram.store(16, 2, 0x1fffe);
  expect(ram.load(16, 4)).toBe(0xfffe);
});

test('bytes at any earlier row come back from the log alone', () => {
  const log = new EventLog();
  const ram = new SparseRam(log, 'host', 8 * RAM_PAGE);
  const random = new Prng(7);
  const states: { row: number; bytes: Uint8Array }[] = [];
  const snapshot = () => {
    const bytes = new Uint8Array(4 * RAM_PAGE);
    ram.read(0, bytes);
    states.push({ row: log.length, bytes });
  };
  snapshot();
  for (let n = 0; n < 60; n++) {
    const kind = random.below(3);
    const offset = random.below(3 * RAM_PAGE);
    if (kind === 0) ram.store(offset, 8, random.next(), random.next());
    else ram.write(offset, new Uint8Array(kind === 1 ? 100 : RAM_PAGE).fill(random.below(256)));
    snapshot();
  }
  for (const { row, bytes } of states)
    expect(ramAt(log, ram.cell, 0, bytes.length, row)?.every((byte, at) => byte === bytes[at])).toBe(true);
});

test('history of bulk writes is bounded, and says so instead of guessing', () => {
  const log = new EventLog();
  const ram = new SparseRam(log, 'host', 8 * RAM_PAGE);
  const start = log.length;
  for (let n = 0; n < 600; n++) ram.write(0, new Uint8Array(RAM_PAGE).fill(n));
  expect(ramAt(log, ram.cell, 0, 4, start)).toEqual(new Uint8Array(4));
  expect(ramAt(log, ram.cell, 0, 4, start + 2)).toBe(null);
  expect(ramAt(log, ram.cell, 0, 1, log.length - 1)).toEqual(new Uint8Array([598 % 256]));
  expect(ram.load(0, 1)).toBe(599 % 256);
});
