import type { EventLog } from '../log/index.ts';
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
