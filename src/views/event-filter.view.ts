import type { MirrorLog } from '../mirror/mirror-log.ts';
import { eventLine } from './events.view.ts';

export interface EventFilter {
  /** Layer id, or empty for all. */
  readonly layer: string;
  /** Words that must all occur in the line. */
  readonly text: string;
  /** Row kinds to keep; empty for all. */
  readonly kinds: readonly number[];
}

/** Rows below `head` that pass. The text is only rendered for rows that pass the cheap tests. */
export function filterRows(log: MirrorLog, head: number, filter: EventFilter): readonly number[] {
  const words = filter.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word);
  const rows: number[] = [];
  for (let row = 0; row < head; row++) {
    if (filter.kinds.length > 0 && !filter.kinds.includes(log.columns.kind[row] ?? 0)) continue;
    if (filter.layer !== '' || words.length > 0) {
      const line = eventLine(log, row);
      if (filter.layer !== '' && line.layerId !== filter.layer) continue;
      if (words.length > 0) {
        const text = `${line.layer} ${line.name} ${line.detail}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
      }
    }
    rows.push(row);
  }
  return rows;
}
