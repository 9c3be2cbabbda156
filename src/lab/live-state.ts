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

/** The rows the engine's own log still holds. */
export function liveRows(log: EventLog): RowReader {
  const owners = new Map<number, string>();
  for (const { first, block } of log.blocks) if (block.kind === 'object') owners.set(first, block.path);
  return {
    start: log.start,
    length: log.length,
    kind: (row) => log.kind(row),
    a: (row) => log.a(row),
    b: (row) => log.b(row),
    c: (row) => log.c(row),
    value: (index) => log.values[index] ?? null,
    pathOf: (cell) => owners.get(cell),
    site: (index) => log.sites[index],
  };
}
