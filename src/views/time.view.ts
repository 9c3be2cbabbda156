import { LAYERS } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';

export interface TimeLane {
  readonly layer: number;
  readonly id: string;
  readonly label: string;
  readonly spans: number;
}

/** Layers in which something happened, in the order a trapped access passes them. */
export function timeLanes(log: MirrorLog): readonly TimeLane[] {
  return LAYERS.map((layer, n) => ({
    layer: n,
    id: layer.id,
    label: layer.label,
    spans: (log.time.spans.get(n)?.start.length ?? 0) + (log.time.notes.get(n)?.row.length ?? 0),
  })).filter((lane) => lane.spans > 0 && lane.id !== 'lab');
}

export interface CommandMark {
  readonly row: number;
  readonly label: string;
}

export function commandMarks(log: MirrorLog): readonly CommandMark[] {
  return log.time.marks.map((row) => ({ row, label: log.strings[log.columns.a[row] as number] ?? '' }));
}

/** The next stop in one direction: a command, else the ends. */
export function neighbourMark(log: MirrorLog, cursor: number, direction: 1 | -1): number {
  const marks = log.time.marks;
  if (direction === 1)
    return marks.find((row) => row + 1 > cursor) !== undefined ? nextAfter(marks, cursor, log.head) : log.head;
  for (let n = marks.length - 1; n >= 0; n--) {
    const row = marks[n] as number;
    if (row < cursor) return row;
  }
  return 0;
}

function nextAfter(marks: readonly number[], cursor: number, head: number): number {
  for (const row of marks) if (row > cursor) return row;
  return head;
}
