import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellsAt, CHUNK_ROWS, EventLog, type Json, Row } from './index.ts';

/** Random changes: register writes, published objects, spans and marks, in any order. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), cell: fc.nat(31), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({
    kind: fc.constant('publish' as const),
    path: fc.constantFrom('a', 'b', 'c'),
    value: fc.oneof(fc.constant(null), fc.jsonValue({ maxDepth: 2 })),
  }),
  fc.record({ kind: fc.constant('span' as const), depth: fc.nat(3) }),
  fc.record({ kind: fc.constant('mark' as const), text: fc.string({ maxLength: 5 }) }),
);

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(log: EventLog, first: number, site: number, changes: readonly Change[]): Float64Array[] {
  const states: Float64Array[] = [];
  for (const one of changes) {
    if (one.kind === 'set') log.set(first + one.cell, one.value);
    else if (one.kind === 'publish') log.publish(one.path, one.value as Json);
    else if (one.kind === 'mark') log.mark(one.text, 0, { line: one.text });
    else {
      const handles: number[] = [];
      for (let n = 0; n < one.depth; n++) handles.push(log.begin(site, n, 0));
      for (const handle of handles.reverse()) log.end(handle);
    }
    states.push(log.cells.slice());
  }
  return states;
}

function fresh() {
  const log = new EventLog();
  const first = log.registerCells('regs', 'test', 32);
  const site = log.site({ layer: 0, name: 'f' });
  return { log, first, site };
}

test('folding all rows forwards gives the live cells, and reversing them all gives zeros', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const { log, first, site } = fresh();
      apply(log, first, site, changes);
      const copy = new CellsAt(log, log.length);
      expect([...copy.cells.slice(0, log.cellCount)]).toEqual([...log.cells.slice(0, log.cellCount)]);
      copy.seek(0);
      expect(copy.cells.every((value) => value === 0)).toBe(true);
      copy.seek(log.length);
      expect([...copy.cells.slice(0, log.cellCount)]).toEqual([...log.cells.slice(0, log.cellCount)]);
    }),
    { seed: 42 },
  );
});

test('any seek, from anywhere, lands on the state that was live at that row', () => {
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (changes, targets) => {
        const { log, first, site } = fresh();
        const rows: number[] = [];
        const states: Float64Array[] = [];
        for (const one of changes) {
          states.push(...apply(log, first, site, [one]));
          rows.push(log.length);
        }
        const copy = new CellsAt(log, log.length);
        for (const target of targets) {
          const at = target % rows.length;
          copy.seek(rows[at] as number);
          expect([...copy.cells.slice(0, log.cellCount)]).toEqual([
            ...(states[at] as Float64Array).slice(0, log.cellCount),
          ]);
        }
      },
    ),
    { seed: 42 },
  );
});

test('the same changes give the same rows', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const rowsOf = () => {
        const { log, first, site } = fresh();
        apply(log, first, site, changes);
        return Array.from({ length: log.length }, (_, row) => [
          log.kind(row),
          log.a(row),
          log.b(row),
          log.c(row),
          log.causeOf(row),
        ]);
      };
      expect(rowsOf()).toEqual(rowsOf());
    }),
    { seed: 42 },
  );
});

test('writing what is already there leaves no row', () => {
  const { log, first } = fresh();
  log.set(first, 5);
  log.publish('o', { a: 1 });
  const rows = log.length;
  log.set(first, 5);
  log.publish('o', { a: 1 });
  expect(log.length).toBe(rows);
});

test('a row knows the span it happened under', () => {
  const { log, first, site } = fresh();
  const outer = log.begin(site, 1, 2);
  const inner = log.begin(site, 3, 4);
  log.set(first, 7);
  log.end(inner);
  log.set(first, 8);
  log.end(outer);
  const set7 = log.length - 4;
  expect(log.kind(log.causeOf(set7) - 1)).toBe(Row.BEGIN);
  expect(log.b(log.causeOf(set7) - 1)).toBe(3);
  expect(log.b(log.causeOf(log.length - 2) - 1)).toBe(1);
  expect(log.causeOf(log.length - 1)).toBe(0);
});

test('cells defined again under the same path start at zero, visibly', () => {
  const { log, first } = fresh();
  log.set(first + 3, 9);
  expect(log.registerCells('regs', 'test', 32)).toBe(first);
  expect(log.cells[first + 3]).toBe(0);
  expect([log.kind(log.length - 1), log.b(log.length - 1), log.c(log.length - 1)]).toEqual([Row.SET, 9, 0]);
});

test('a bounded log drops whole chunks from its start and keeps the newest rows readable', () => {
  const log = new EventLog(2 * CHUNK_ROWS);
  const first = log.registerCells('regs', 'test', 1);
  for (let n = 1; n <= 4 * CHUNK_ROWS; n++) log.set(first, n);
  expect(log.start).toBeGreaterThan(0);
  expect(log.length - log.start).toBeLessThanOrEqual(3 * CHUNK_ROWS);
  const copy = new CellsAt(log, log.start);
  expect(copy.cells[first]).toBe(log.b(log.start));
});

test('a bounded log gives up the bytes, pages and output of the rows it drops, and keeps those of the others', () => {
  const log = new EventLog(2 * CHUNK_ROWS);
  const ram = log.objectCell('ram/x');
  const bytes = (n: number) => Uint8Array.of(n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff, 7, 7, 7, 7, 7);
  const zero = new Uint8Array(8);
  log.out('host:tty1', 0, 'printed long ago');
  const old = log.strings.length - 1;
  log.page(ram, 0, new Uint8Array(65536), new Uint8Array(65536));
  for (let n = 0; n < 4 * CHUNK_ROWS; n++) log.ram(ram, n * 8, zero, bytes(n));
  expect(log.strings[old]).toBe('');
  expect(log.pages[0]).toEqual({ before: null, after: null });
  expect(log.arena.size).toBeLessThan(3.2 * CHUNK_ROWS * 20);
  for (const row of [log.start, log.start + 30_000, log.length - 1]) {
    expect(log.arena.after(log.c(row))).toEqual(bytes(log.b(row) / 8));
    expect(log.arena.before(log.c(row))).toEqual(zero);
  }
});

test('output is not kept twice, nor looked up; typed keys are', () => {
  const log = new EventLog();
  for (let n = 0; n < 10; n++) log.out('host:tty1', 0, 'a');
  const strings = log.strings.length;
  log.out('host:tty1', 0, 'some line\n');
  expect(log.strings.length).toBe(strings + 1);
  expect(log.strings[log.c(log.length - 1)]).toBe('some line\n');
  // The text of an output is no interned name.
  expect(log.internString('some line\n')).toBe(strings + 1);
});

test('a pair larger than a segment of the arena comes back whole', () => {
  const log = new EventLog();
  const small = Uint8Array.of(1);
  const big = new Uint8Array(3 << 20).map((_, n) => n * 31);
  const first = log.arena.push(small, small);
  const large = log.arena.push(big, big.slice().reverse());
  const last = log.arena.push(small, Uint8Array.of(2));
  expect([log.arena.before(first)[0], log.arena.after(last)[0]]).toEqual([1, 2]);
  expect(Buffer.compare(log.arena.before(large), big)).toBe(0);
  expect(log.arena.after(large)[0]).toBe(big.at(-1));
});
