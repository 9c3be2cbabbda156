import type { MirrorLog } from '../mirror/mirror-log.ts';
import type { RowReader } from '../state/exits.ts';

const readers = new WeakMap<MirrorLog, RowReader>();

/** The rows of the page's copy of the log, up to its cursor: one reader a log. */
export function rowsOf(log: MirrorLog): RowReader {
  const known = readers.get(log);
  if (known) return known;
  const { columns } = log;
  const reader: RowReader = {
    start: 0,
    get length() {
      return Math.min(log.cursor, log.head);
    },
    kind: (row) => columns.kind[row] as number,
    a: (row) => columns.a[row] as number,
    b: (row) => columns.b[row] as number,
    c: (row) => columns.c[row] as number,
    value: (index) => log.value(index),
    string: (index) => log.strings[index] ?? '',
    cause: (row) => columns.cause[row] ?? 0,
    pathOf: (cell) => log.blockOfCell(cell)?.block.path,
    site: (index) => log.sites[index],
  };
  readers.set(log, reader);
  return reader;
}
