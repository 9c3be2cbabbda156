import { useEffect } from 'react';
import type { Mirror } from '../../mirror/index.ts';
import type { ExhibitSetting } from '../../mirror/side-client.ts';

/** Rows of the log one typed line took. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The typed line the cursor stands in or after: -1 before the first. */
export function lineAt(lines: readonly Stretch[], cursor: number): number {
  return lines.findLastIndex((line) => line.from < cursor);
}

/** Where the other run stands at the same line, as far through it. A run that ended earlier stands at its end. */
export function sameMoment(mine: readonly Stretch[], theirs: readonly Stretch[], cursor: number): number {
  const at = lineAt(mine, cursor);
  const end = theirs.at(-1)?.to ?? 0;
  const line = mine[at];
  if (!line) return part(cursor, { from: 0, to: mine[0]?.from ?? 0 }, { from: 0, to: theirs[0]?.from ?? 0 });
  const other = theirs[at];
  return other ? part(cursor, line, other) : end;
}

function part(cursor: number, mine: Stretch, other: Stretch): number {
  const through = mine.to > mine.from ? (cursor - mine.from) / (mine.to - mine.from) : 1;
  const row = other.from + Math.min(1, through) * (other.to - other.from);
  // The first row of a line already belongs to it.
  return Math.max(Math.round(row), cursor > mine.from ? Math.min(other.from + 1, other.to) : 0);
}

/** While on: where one cursor goes the other follows, and what is selected in one is selected in the other. */
export function useTogether(
  on: boolean,
  mirrors: Readonly<Record<ExhibitSetting, Mirror>>,
  lines: Readonly<Record<ExhibitSetting, readonly Stretch[]>>,
): void {
  const { posted, intended } = mirrors;
  useEffect(() => {
    if (!on) return;
    let leading = true;
    const { live, cursor } = posted.store.getState();
    if (!live) intended.seek(sameMoment(lines.posted, lines.intended, cursor));
    const lead = (mirror: Mirror, mine: readonly Stretch[], other: Mirror, theirs: readonly Stretch[]) =>
      mirror.store.subscribe((state, before) => {
        if (!leading) return;
        leading = false;
        if (state.selection !== before.selection)
          other.update({ selection: state.selection?.kind === 'event' ? null : state.selection });
        if (state.address !== before.address) other.update({ address: state.address });
        if (state.cursor !== before.cursor) {
          if (state.live) other.goLive();
          else other.seek(sameMoment(mine, theirs, state.cursor));
        }
        leading = true;
      });
    const stops = [
      lead(posted, lines.posted, intended, lines.intended),
      lead(intended, lines.intended, posted, lines.posted),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [on, posted, intended, lines.posted, lines.intended]);
}
