import { type CellBlock, type Json, LAYERS, Row, type Site } from '../log/index.ts';
import type { StateReader } from '../state/reader.ts';
import { Columns } from './columns.ts';
import type { ConsoleInfo, LogBatch } from './lab-client.ts';
import { TimeIndex } from './spans.ts';

export interface BlockEntry {
  readonly first: number;
  readonly count: number;
  readonly block: CellBlock;
  /** Row that brought it into being. */
  readonly row: number;
}

/** Output of one console: rows and the string index of their text. */
export interface ConsoleOutput {
  readonly rows: number[];
  readonly text: number[];
}

function isCellBlock(value: Json): value is { path: string; kind: 'registers' | 'object' } & { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'path' in value && 'kind' in value;
}

/** `cxl/l1/` of `cxl/l1/mem0`; null for what has fewer parts. */
function stemOf(path: string): string | null {
  const at = path.indexOf('/', path.indexOf('/') + 1);
  return at < 0 ? null : path.slice(0, at + 1);
}

/**
 * The page's copy of the log and the state folded from it up to `cursor` (rows 0 … cursor-1). Seeking applies or
 * reverses only the rows that changed cells, so it costs what changed in between, never what is held.
 */
export class MirrorLog implements StateReader {
  readonly columns = new Columns();
  readonly strings: string[] = [];
  readonly values: Json[] = [];
  readonly sites: Site[] = [];
  readonly blocks: BlockEntry[] = [];
  readonly output = new Map<string, ConsoleOutput>();
  readonly time = new TimeIndex();
  consoles: readonly ConsoleInfo[] = [];
  cursor = 0;
  /** Grows by one whenever the folded state may have changed: selectors key on it. */
  version = 0;

  private cells = new Float64Array(1 << 12);
  /** Rows that are SET or OBJ, ascending; `at` = how many of them are applied. */
  private changes = new Uint32Array(1 << 12);
  private changeCount = 0;
  private at = 0;
  private readonly byPath = new Map<string, BlockEntry>();
  private readonly objectsInOrder: string[] = [];
  /** The same, by the first two parts of the path: nearly every question names them. */
  private readonly objectsByStem = new Map<string, string[]>();
  private readonly byCell: number[] = [];

  get head(): number {
    return this.columns.length;
  }

  append(batch: LogBatch): void {
    const from = this.columns.length;
    for (const text of batch.newStrings) this.strings.push(text);
    for (const value of batch.newValues) this.values.push(value);
    for (const site of batch.newSites) this.sites.push(site);
    this.consoles = batch.consoles;
    this.columns.append(batch);
    this.index(from);
    this.time.add(this.columns, from, (site) => this.sites[site]?.layer ?? 0);
  }

  private index(from: number): void {
    const { kind, a, b, c, length } = this.columns;
    for (let row = from; row < length; row++) {
      const what = kind[row];
      if (what === Row.SET || what === Row.OBJ) this.pushChange(row);
      else if (what === Row.CELLS) this.defineCells(row, a[row] as number, b[row] as number, c[row] as number);
      else if (what === Row.OUT) {
        const key = this.strings[a[row] as number] ?? '';
        const console = key.slice(0, key.lastIndexOf(':') < 0 ? undefined : key.lastIndexOf(':'));
        const output = this.outputOf(console);
        output.rows.push(row);
        output.text.push(c[row] as number);
      }
    }
  }

  private outputOf(console: string): ConsoleOutput {
    const known = this.output.get(console);
    if (known) return known;
    const output: ConsoleOutput = { rows: [], text: [] };
    this.output.set(console, output);
    return output;
  }

  private pushChange(row: number): void {
    if (this.changeCount === this.changes.length) {
      const grown = new Uint32Array(this.changes.length * 2);
      grown.set(this.changes);
      this.changes = grown;
    }
    this.changes[this.changeCount++] = row;
  }

  private defineCells(row: number, first: number, count: number, value: number): void {
    const record = this.values[value] ?? null;
    if (!isCellBlock(record)) return;
    const block: CellBlock = {
      path: String(record.path),
      kind: record.kind === 'object' ? 'object' : 'registers',
      ...(typeof record.layout === 'string' ? { layout: record.layout } : {}),
      ...(record.config === undefined ? {} : { config: record.config }),
    };
    const entry: BlockEntry = { first, count, block, row };
    for (let cell = first; cell < first + count; cell++) this.byCell[cell] = this.blocks.length;
    this.blocks.push(entry);
    this.byPath.set(block.path, entry);
    if (block.kind === 'object') this.addObject(block.path);
    if (first + count > this.cells.length) {
      const grown = new Float64Array(Math.max(first + count, this.cells.length * 2));
      grown.set(this.cells);
      this.cells = grown;
    }
  }

  /** Moves to `row`; gives whether any cell changed. */
  seek(row: number): boolean {
    const { a, b, c } = this.columns;
    const { cells, changes } = this;
    const before = this.at;
    while (this.at < this.changeCount && (changes[this.at] as number) < row) {
      const change = changes[this.at++] as number;
      cells[a[change] as number] = c[change] as number;
    }
    while (this.at > 0 && (changes[this.at - 1] as number) >= row) {
      const change = changes[--this.at] as number;
      cells[a[change] as number] = b[change] as number;
    }
    this.cursor = row;
    if (before === this.at) return false;
    this.version++;
    return true;
  }

  // --- reading the folded state ---------------------------------------------------------------------------------

  find(path: string): BlockEntry | undefined {
    const entry = this.byPath.get(path);
    return entry && entry.row < this.cursor ? entry : undefined;
  }
  blockOfCell(cell: number): BlockEntry | undefined {
    return this.blocks[this.byCell[cell] ?? -1];
  }
  value(index: number): Json {
    return this.values[index] ?? null;
  }

  object(path: string): Json {
    const entry = this.byPath.get(path);
    return entry ? (this.values[this.cells[entry.first] as number] ?? null) : null;
  }

  objectPaths(prefix: string): readonly string[] {
    const stem = stemOf(prefix);
    const among = stem === null ? this.objectsInOrder : (this.objectsByStem.get(stem) ?? []);
    return among.filter((path) => path.startsWith(prefix) && this.isPresent(path));
  }

  private addObject(path: string): void {
    this.objectsInOrder.push(path);
    const stem = stemOf(path);
    if (stem === null) return;
    const known = this.objectsByStem.get(stem);
    if (known) known.push(path);
    else this.objectsByStem.set(stem, [path]);
  }

  private isPresent(path: string): boolean {
    const entry = this.byPath.get(path);
    return entry !== undefined && this.cells[entry.first] !== 0;
  }

  register(block: string, byteOffset: number): number | null {
    const entry = this.find(block);
    const cell = Math.floor(byteOffset / 4);
    if (!entry || cell < 0 || cell >= entry.count) return null;
    return this.cells[entry.first + cell] as number;
  }

  /** Row of the last change of a cell at or before the cursor, or -1. */
  lastChange(cell: number): number {
    const { a } = this.columns;
    for (let n = this.at - 1; n >= 0; n--) {
      const row = this.changes[n] as number;
      if (a[row] === cell) return row;
    }
    return -1;
  }

  /** Row of the last change at or before the cursor among the cells of some blocks, or -1. */
  lastChangeAmong(blocks: readonly BlockEntry[]): number {
    const { a } = this.columns;
    for (let n = this.at - 1; n >= 0; n--) {
      const row = this.changes[n] as number;
      const cell = a[row] as number;
      if (blocks.some(({ first, count }) => cell >= first && cell < first + count)) return row;
    }
    return -1;
  }

  /** Rows in [from, to) that changed cells. */
  changesBetween(from: number, to: number): readonly number[] {
    const rows: number[] = [];
    for (let n = this.lowerBound(from); n < this.changeCount; n++) {
      const row = this.changes[n] as number;
      if (row >= to) break;
      rows.push(row);
    }
    return rows;
  }

  private lowerBound(row: number): number {
    let low = 0;
    let high = this.changeCount;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle] as number) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Rows of the spans around a row, innermost first. */
  causes(row: number): readonly number[] {
    const rows: number[] = [];
    let cause = this.columns.cause[row] ?? 0;
    while (cause > 0 && rows.length < 64) {
      rows.push(cause - 1);
      cause = this.columns.cause[cause - 1] ?? 0;
    }
    return rows;
  }

  site(index: number): Site | undefined {
    return this.sites[index];
  }
  layerId(layer: number): string {
    return LAYERS[layer]?.id ?? 'lab';
  }
}
