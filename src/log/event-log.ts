import { assert } from '../base/assert.ts';
import { ByteArena } from './byte-arena.ts';
import { CHUNK_ROWS, type Chunk, newChunk } from './chunk.ts';

/** Kinds of rows. */
export const Row = {
  /** A register cell changed: a = cell, b = before, c = after. */
  SET: 1,
  /** A call or access began: a = site, b and c = its arguments. Its row number + 1 is the cause id of what it causes. */
  BEGIN: 2,
  /** It ended: a = row of BEGIN + 1, b = result. */
  END: 3,
  /** Something happened that changed no cell (an exit, a dropped write): a = site, b and c = its arguments. */
  NOTE: 4,
  /** A named point of the session (one per typed command): a = string, b = virtual ns, c = value index of its record. */
  MARK: 5,
  /** Bytes appeared on a console: a = string index of `console:channel`, b = virtual ns, c = string index of the text. */
  OUT: 6,
  /** Bytes of a memory object changed: a = memory id, b = byte offset, c = arena position of {before, after}. */
  RAM: 7,
  /** A whole memory page was exchanged: a = memory id, b = page index, c = index into the page table of the log. */
  PAGE: 8,
  /** Cells came into being: a = first cell, b = number of cells, c = value index of their `CellBlock`. */
  CELLS: 9,
  /** An object cell changed: a = cell, b = value index before, c = value index after (0 = absent). */
  OBJ: 10,
} as const;
export type RowKind = (typeof Row)[keyof typeof Row];

export type CellId = number;
export type SiteId = number;
/** Immutable JSON published as the value of an object cell. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Names a contiguous run of cells: a register block instance (one cell per dword) or one object cell. */
export interface CellBlock {
  /** Where it lives, for example `hw/l1/accel0/component`. Unique. */
  readonly path: string;
  readonly kind: 'registers' | 'object';
  /** For registers: id of the layout in `spec` that explains the dwords. */
  readonly layout?: string;
  /** For registers: configuration of that layout (decoder count, placements …). */
  readonly config?: Json;
}

/** A place in the model that causes or reports: which layer, which function, where it comes from. */
export interface Site {
  readonly layer: number;
  /** The real function's name, or our own words for a note. */
  readonly name: string;
  /** Names of the two numeric arguments; `json` as the second means "value index". */
  readonly args?: readonly [string?, string?];
  /** Source: patch, file, paragraph. */
  readonly cite?: string;
}

/** Output of at most this many characters is interned. */
const SHORT = 2;

/** Receives rows as they are appended (the worker's stream, the tracer). */
export type LogListener = (row: number) => void;

/**
 * The spine: every change of state, reversible, under its cause; columnar and bounded.
 *
 * Register cells live *in* the log (`cells`): a register file reads and writes them here, so the live state and the
 * state folded from the rows are the same numbers by construction. Object cells hold an index into `values`.
 */
export class EventLog {
  /** Present value of every cell: a 32-bit register dword, or a value index. Replaced when it grows: never keep it. */
  cells = new Float64Array(1 << 15);
  cellCount = 0;
  readonly blocks: { readonly first: CellId; readonly count: number; readonly block: CellBlock }[] = [];
  readonly strings: string[] = [''];
  /** Interned object values; index 0 means "absent". */
  readonly values: Json[] = [null];
  readonly sites: Site[] = [];
  /** Before/after bytes of RAM rows. */
  readonly arena = new ByteArena();
  readonly pages: { before: Uint8Array | null; after: Uint8Array | null }[] = [];

  private readonly chunks: Chunk[] = [];
  private current: Chunk;
  private firstRow = 0;
  private count = 0;
  private cause = 0;
  private readonly stringIndex = new Map<string, number>([['', 0]]);
  private readonly valueIndex = new Map<string, number>();
  private readonly blockByPath = new Map<string, number>();
  private listeners: readonly LogListener[] = [];

  /** @param maxRows rows kept; older ones are folded away in whole chunks (65,536 rows) */
  constructor(private readonly maxRows = 4_000_000) {
    this.current = newChunk();
    this.chunks.push(this.current);
  }

  /** Number of rows ever appended; the cursor "now". */
  get length(): number {
    return this.count;
  }
  /** First row still held. */
  get start(): number {
    return this.firstRow;
  }
  /** Cause id under which the next row falls (0: none). */
  get currentCause(): number {
    return this.cause;
  }

  listen(listener: LogListener): () => void {
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((other) => other !== listener);
    };
  }

  // --- directory ------------------------------------------------------------------------------------------------

  /** Registers a place. Do it once per place (module or constructor), not per event. */
  site(site: Site): SiteId {
    this.sites.push(site);
    return this.sites.length - 1;
  }

  /** Creates `count` cells under `block.path`, all 0; gives the first cell's id. Throws if the path exists. */
  defineCells(block: CellBlock, count: number): CellId {
    assert(!this.blockByPath.has(block.path), `log: cells ${block.path} exist`);
    const first = this.cellCount;
    this.cellCount += count;
    if (this.cellCount > this.cells.length) {
      const grown = new Float64Array(Math.max(this.cellCount, this.cells.length * 2));
      grown.set(this.cells);
      this.cells = grown;
    }
    this.blockByPath.set(block.path, this.blocks.length);
    this.blocks.push({ first, count, block });
    this.append(Row.CELLS, first, count, this.intern({ ...block }));
    return first;
  }

  /**
   * Register cells for one instance of a block. A device that is built again under the same path (a new VM) gets its
   * old cells back, each set to 0 by ordinary SET rows.
   */
  registerCells(path: string, layout: string, dwords: number, config?: Json): CellId {
    const known = this.blockByPath.get(path);
    if (known !== undefined) {
      const { first, count } = this.blocks[known] as { first: number; count: number };
      if (count === dwords) {
        for (let cell = first; cell < first + count; cell++) this.set(cell, 0);
        return first;
      }
      return this.registerCells(`${path}'`, layout, dwords, config);
    }
    return this.defineCells({ path, kind: 'registers', layout, ...(config === undefined ? {} : { config }) }, dwords);
  }

  /** The object cell at `path`, created on first use. */
  objectCell(path: string): CellId {
    const known = this.blockByPath.get(path);
    if (known !== undefined) return (this.blocks[known] as { first: number }).first;
    return this.defineCells({ path, kind: 'object' }, 1);
  }

  /** First cell and count of a register block or object, or undefined. */
  find(path: string): { readonly first: CellId; readonly count: number; readonly block: CellBlock } | undefined {
    const at = this.blockByPath.get(path);
    return at === undefined ? undefined : this.blocks[at];
  }

  internString(text: string): number {
    const known = this.stringIndex.get(text);
    if (known !== undefined) return known;
    this.strings.push(text);
    this.stringIndex.set(text, this.strings.length - 1);
    return this.strings.length - 1;
  }

  intern(value: Json): number {
    if (value === null) return 0;
    const key = JSON.stringify(value);
    const known = this.valueIndex.get(key);
    if (known !== undefined) return known;
    this.values.push(value);
    this.valueIndex.set(key, this.values.length - 1);
    return this.values.length - 1;
  }

  // --- changes --------------------------------------------------------------------------------------------------

  /** Sets a register cell (unsigned 32-bit value); no row if nothing changes. */
  set(cell: CellId, value: number): void {
    const before = this.cells[cell] as number;
    if (before === value) return;
    this.cells[cell] = value;
    this.append(Row.SET, cell, before, value);
  }

  /** Publishes the value of an object cell (null removes it); no row if the JSON is the same. */
  publish(path: string, value: Json): void {
    const cell = this.objectCell(path);
    const before = this.cells[cell] as number;
    const after = this.intern(value);
    if (before === after) return;
    this.cells[cell] = after;
    this.append(Row.OBJ, cell, before, after);
  }

  /** Present value of an object cell, or null. */
  object(path: string): Json {
    const found = this.find(path);
    return found ? (this.values[this.cells[found.first] as number] ?? null) : null;
  }

  /** Opens a span; everything until the matching `end` falls under it. Gives the handle for `end`. */
  begin(site: SiteId, b = 0, c = 0): number {
    this.append(Row.BEGIN, site, b, c);
    const outer = this.cause;
    this.cause = this.count;
    return outer;
  }

  /** Closes the innermost span. @param outer what `begin` gave @param result shown as its outcome */
  end(outer: number, result = 0): void {
    const begun = this.cause;
    this.cause = outer;
    this.append(Row.END, begun, result, 0);
  }

  note(site: SiteId, b = 0, c = 0): void {
    this.append(Row.NOTE, site, b, c);
  }

  /** A note whose second argument is a value (the site's second arg must be `json`). */
  noteValue(site: SiteId, b: number, value: Json): void {
    this.append(Row.NOTE, site, b, this.intern(value));
  }

  mark(label: string, ns: number, record: Json): void {
    this.append(Row.MARK, this.internString(label), ns, this.intern(record));
  }

  out(console: string, ns: number, text: string): void {
    this.append(Row.OUT, this.internString(console), ns, this.outString(text));
  }

  /** Echoed keys come back often and are interned; longer output hardly ever does, and goes when its row goes. */
  private outString(text: string): number {
    return text.length <= SHORT ? this.internString(text) : this.strings.push(text) - 1;
  }

  /** Records that bytes of memory object `ram` changed; both arrays have the same length. */
  ram(ram: CellId, offset: number, before: Uint8Array, after: Uint8Array): void {
    this.append(Row.RAM, ram, offset, this.arena.push(before, after));
  }

  /** The same for one access of up to 8 bytes, without allocation. */
  ramWord(
    ram: CellId,
    offset: number,
    width: number,
    beforeLo: number,
    beforeHi: number,
    lo: number,
    hi: number,
  ): void {
    this.append(Row.RAM, ram, offset, this.arena.pushWord(width, beforeLo, beforeHi, lo, hi));
  }

  /** Records that a whole page was exchanged; the log keeps both arrays, later byte changes go in place. */
  page(ram: CellId, index: number, before: Uint8Array | null, after: Uint8Array | null): void {
    this.pages.push({ before, after });
    this.append(Row.PAGE, ram, index, this.pages.length - 1);
  }

  // --- reading --------------------------------------------------------------------------------------------------

  kind(row: number): RowKind {
    return this.chunkOf(row).kind[row % CHUNK_ROWS] as RowKind;
  }
  a(row: number): number {
    return this.chunkOf(row).a[row % CHUNK_ROWS] as number;
  }
  b(row: number): number {
    return this.chunkOf(row).b[row % CHUNK_ROWS] as number;
  }
  c(row: number): number {
    return this.chunkOf(row).c[row % CHUNK_ROWS] as number;
  }
  /** Row of the enclosing BEGIN + 1, or 0. */
  causeOf(row: number): number {
    return this.chunkOf(row).cause[row % CHUNK_ROWS] as number;
  }

  /** The chunk holding `row`, for readers that walk many rows. */
  chunkOf(row: number): Chunk {
    const chunk = this.chunks[Math.floor(row / CHUNK_ROWS) - Math.floor(this.firstRow / CHUNK_ROWS)];
    // No text built per row.
    assert(chunk && row >= this.firstRow && row < this.count, 'log: this row is not held');
    return chunk;
  }

  /** Bytes the log holds per row: columns and byte arena (the directory of names and values is shared). */
  bytesPerEvent(): number {
    return 25 + this.arena.size / Math.max(1, this.count - this.firstRow);
  }

  /** A fresh chunk for the next rows: the oldest one's arrays when the log is full. */
  private nextChunk(): void {
    const oldest = this.count - this.firstRow >= this.maxRows ? this.chunks.shift() : undefined;
    if (oldest) {
      this.forget(oldest);
      this.firstRow = (Math.floor(this.firstRow / CHUNK_ROWS) + 1) * CHUNK_ROWS;
    }
    this.current = oldest ?? newChunk();
    this.chunks.push(this.current);
  }

  /** Gives up what only the rows of a dropped chunk referred to: output, bytes, pages. */
  private forget(chunk: Chunk): void {
    let bytes = -1;
    for (let n = 0; n < CHUNK_ROWS; n++) {
      const kind = chunk.kind[n];
      const c = chunk.c[n] as number;
      if (kind === Row.RAM) bytes = c;
      else if (kind === Row.PAGE) this.pages[c] = { before: null, after: null };
      else if (kind === Row.OUT && (this.strings[c] as string).length > SHORT) this.strings[c] = '';
    }
    if (bytes >= 0) this.arena.release(bytes);
  }

  private append(kind: RowKind, a: number, b: number, c: number): void {
    let at = this.count % CHUNK_ROWS;
    if (at === 0 && this.count > 0) {
      this.nextChunk();
      at = 0;
    }
    const chunk = this.current;
    chunk.kind[at] = kind;
    chunk.a[at] = a;
    chunk.b[at] = b;
    chunk.c[at] = c;
    chunk.cause[at] = this.cause;
    this.count++;
    const listeners = this.listeners;
    for (let n = 0; n < listeners.length; n++) (listeners[n] as LogListener)(this.count - 1);
  }
}
