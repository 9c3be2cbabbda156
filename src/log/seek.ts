import type { EventLog } from './event-log.ts';
import { Row } from './event-log.ts';

/**
 * A copy of all cells at some row of a log: apply forwards, reverse backwards. `cells[n]` at cursor r is the value of
 * cell n after rows 0 … r-1. The page's mirror and the laws' tests both use it.
 */
export class CellsAt {
  cells: Float64Array;

  constructor(
    private readonly log: EventLog,
    public cursor: number,
  ) {
    this.cells = log.cells.slice();
    const wanted = cursor;
    this.cursor = log.length;
    this.seek(wanted);
  }

  /** Moves to `row` (between `log.start` and `log.length`), one change at a time, either way. */
  seek(row: number): void {
    const { log } = this;
    if (this.cells.length < log.cells.length) {
      const grown = new Float64Array(log.cells.length);
      grown.set(this.cells);
      this.cells = grown;
    }
    const { cells } = this;
    while (this.cursor < row) {
      const at = this.cursor++;
      const kind = log.kind(at);
      if (kind === Row.SET || kind === Row.OBJ) cells[log.a(at)] = log.c(at);
    }
    while (this.cursor > row) {
      const at = --this.cursor;
      const kind = log.kind(at);
      if (kind === Row.SET || kind === Row.OBJ) cells[log.a(at)] = log.b(at);
    }
  }
}
