import type { MirrorLog } from '../../mirror/index.ts';

interface Screen {
  write(text: string): void;
  reset(): void;
}

/** Keeps a terminal equal to a console's output up to a row: appends going forward, repaints going back. */
export class OutputReplay {
  private shown = 0;
  private log: MirrorLog | null = null;

  constructor(
    private readonly screen: Screen,
    private readonly console: string,
  ) {}

  showTo(log: MirrorLog, cursor: number): void {
    if (log !== this.log) {
      if (this.log) this.screen.reset();
      this.log = log;
      this.shown = 0;
    }
    const output = log.output.get(this.console);
    const wanted = output ? countBefore(output.rows, cursor) : 0;
    if (wanted < this.shown) {
      this.screen.reset();
      this.shown = 0;
    }
    if (!output || wanted === this.shown) return;
    const parts: string[] = [];
    for (let n = this.shown; n < wanted; n++) parts.push(log.strings[output.text[n] as number] ?? '');
    this.shown = wanted;
    this.screen.write(parts.join(''));
  }
}

/** How many of the ascending `rows` are below `row`. */
export function countBefore(rows: readonly number[], row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as number) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
