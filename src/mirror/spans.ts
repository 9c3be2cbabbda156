import { Row } from '../log/index.ts';
import type { Columns } from './columns.ts';

/** Spans of one layer in order of their first row: parallel arrays, grow-only. */
export interface LaneSpans {
  readonly start: number[];
  /** Row of the END, or Infinity while open. */
  readonly end: number[];
  readonly site: number[];
  /** Nesting inside the layer. */
  readonly depth: number[];
}

export interface LaneNotes {
  readonly row: number[];
  readonly site: number[];
}

const emptySpans = (): LaneSpans => ({ start: [], end: [], site: [], depth: [] });

/** The timeline's index: rows sorted into lanes by the layer of their site, built once as rows arrive. */
export class TimeIndex {
  readonly spans = new Map<number, LaneSpans>();
  readonly notes = new Map<number, LaneNotes>();
  /** Rows of MARK, in order. */
  readonly marks: number[] = [];
  private readonly open = new Map<number, { layer: number; at: number }>();
  private readonly depth = new Map<number, number>();

  add(columns: Columns, from: number, layerOf: (site: number) => number): void {
    for (let row = from; row < columns.length; row++) {
      const kind = columns.kind[row];
      if (kind === Row.BEGIN) this.begin(row, columns.a[row] as number, layerOf);
      else if (kind === Row.END) this.end(row, columns.a[row] as number);
      else if (kind === Row.NOTE) {
        const site = columns.a[row] as number;
        const notes = this.notesOf(layerOf(site));
        notes.row.push(row);
        notes.site.push(site);
      } else if (kind === Row.MARK) this.marks.push(row);
    }
  }

  private begin(row: number, site: number, layerOf: (site: number) => number): void {
    const layer = layerOf(site);
    const spans = this.spansOf(layer);
    const depth = this.depth.get(layer) ?? 0;
    this.open.set(row + 1, { layer, at: spans.start.length });
    this.depth.set(layer, depth + 1);
    spans.start.push(row);
    spans.end.push(Number.POSITIVE_INFINITY);
    spans.site.push(site);
    spans.depth.push(depth);
  }

  private end(row: number, handle: number): void {
    const open = this.open.get(handle);
    if (!open) return;
    this.open.delete(handle);
    this.spansOf(open.layer).end[open.at] = row;
    this.depth.set(open.layer, Math.max(0, (this.depth.get(open.layer) ?? 1) - 1));
  }

  private spansOf(layer: number): LaneSpans {
    return known(this.spans, layer, emptySpans);
  }
  private notesOf(layer: number): LaneNotes {
    return known(this.notes, layer, () => ({ row: [], site: [] }));
  }
}

function known<T>(map: Map<number, T>, key: number, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
