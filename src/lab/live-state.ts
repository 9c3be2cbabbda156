import type { EventLog } from '../log/index.ts';
import type { RowReader } from '../state/exits.ts';
import type { StateReader } from '../state/reader.ts';

/** The state as it is now, read from the engine's own log. */
export function liveState(log: EventLog): StateReader {
  return {
    object: (path) => log.object(path),
    objectPaths: (prefix) =>
      log.blocks
        .filter(
          ({ first, block }) => block.kind === 'object' && block.path.startsWith(prefix) && log.cells[first] !== 0,
        )
        .map(({ block }) => block.path),
    register(path, offset) {
      const found = log.find(path);
      const dword = offset / 4;
      return found && dword < found.count ? (log.cells[found.first + dword] as number) : null;
    },
  };
}

const readers = new WeakMap<EventLog, RowReader>();

/** The rows the engine's own log still holds: one reader a log, and it grows with it. */
export function liveRows(log: EventLog): RowReader {
  const known = readers.get(log);
  if (known) return known;
  const owners = new Map<number, string>();
  let blocks = 0;
  const reader: RowReader = {
    get start() {
      return log.start;
    },
    get length() {
      return log.length;
    },
    kind: (row) => log.kind(row),
    a: (row) => log.a(row),
    b: (row) => log.b(row),
    c: (row) => log.c(row),
    value: (index) => log.values[index] ?? null,
    string: (index) => log.strings[index] ?? '',
    cause: (row) => log.causeOf(row),
    pathOf(cell) {
      for (; blocks < log.blocks.length; blocks++) {
        const entry = log.blocks[blocks];
        if (entry?.block.kind === 'object') owners.set(entry.first, entry.block.path);
      }
      return owners.get(cell);
    },
    site: (index) => log.sites[index],
  };
  readers.set(log, reader);
  return reader;
}
