import { useMemo } from 'react';
import { accessPath, lastStore } from '../../views/access-path.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import { useThrottled } from '../parts/use-throttled.ts';

const SETTLE_MS = 250;

export interface AccessPath {
  /** Order of each function on the path, by its key. */
  readonly order: ReadonlyMap<string, number>;
  /** Another access is another path even where it takes the same way. */
  readonly row: number;
  /** Stays drawn: somebody looks at this event. Otherwise it is a pulse that passes. */
  readonly stays: boolean;
}
const NONE: AccessPath = { order: new Map(), row: -1, stays: false };

/**
 * The way of the access to look at: the selected event's, in the past that of the event before the cursor, at present that of
 * the last command's last store. Follows when the page has come to rest, never while it plays.
 */
export function useAccessPath(): AccessPath {
  const mirror = useMirror();
  const selection = usePageState((state) => state.selection);
  const playing = usePageState((state) => state.playing || state.booting);
  const live = usePageState((state) => state.live);
  const cursor = useThrottled(
    usePageState((state) => state.cursor),
    SETTLE_MS,
  );
  return useMemo(() => {
    if (playing) return NONE;
    const { log } = mirror;
    const from = log.time.marks.findLast((mark) => mark < cursor) ?? 0;
    const row =
      selection?.kind === 'event' ? selection.row : live ? lastStore(log, from, cursor) : Math.max(0, cursor - 1);
    const path = row < 0 ? [] : accessPath(log, row);
    return path.length === 0
      ? NONE
      : { order: new Map(path.map((key, n) => [key, n])), row, stays: !live || selection?.kind === 'event' };
  }, [mirror, selection, playing, live, cursor]);
}
