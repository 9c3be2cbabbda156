/** One try of a VMM on L1 to give L2 a device: the program's run, its `vfio_realize`, and how it ended. */
import type { VfioDeviceState } from './schema.ts';
import { lastBefore, type Realize, type Run, type Trail } from './trail.ts';

export interface Attempt {
  readonly start: number;
  readonly run: Run | null;
  readonly realize: Realize | null;
  /** Row at which it was over, Infinity while it goes on. */
  readonly over: number;
  /** It ended, and not of its own accord or because somebody switched the machine off. */
  readonly failed: boolean;
  /** What it ended with, in words, for when nobody says more. */
  readonly ending: string;
  readonly opened: boolean;
  readonly region: boolean;
}

/** The last try for a device after `since`. */
export function lastAttempt(trail: Trail, bdf: string, since: number, cursor: number): Attempt | null {
  const run = lastBefore(
    trail.takers,
    (one) => one.start,
    cursor,
    (one) => one.takes.includes(bdf),
  );
  const realize = lastBefore(
    trail.realizes,
    (one) => one.begin,
    cursor,
    (one) => one.device === bdf,
  );
  // A device that came by the monitor: the run that realized it does not name it.
  const later = realize !== null && realize.begin > (run?.start ?? -1);
  const by = later
    ? trail.runs.findLast((one) => one.pid === realize.pid && one.machine === 'l1' && one.start < realize.begin)
    : run;
  const own = later ? realize : null;
  const start = run !== null && by === run ? run.start : (own?.begin ?? run?.start ?? -1);
  if (start < since || start < 0) return null;
  return attemptOf(trail, bdf, start, by ?? null, own, cursor);
}

function attemptOf(
  trail: Trail,
  bdf: string,
  start: number,
  run: Run | null,
  realize: Realize | null,
  cursor: number,
): Attempt {
  const ended = run !== null && run.end < cursor;
  const hung = run !== null && run.blocked < cursor;
  const refused = realize !== null && realize.end < cursor && realize.result < 0;
  const over = Math.min(
    ended ? run.end : Number.POSITIVE_INFINITY,
    hung ? run.blocked : Number.POSITIVE_INFINITY,
    refused ? realize.end : Number.POSITIVE_INFINITY,
  );
  const died = ended && isFailure(run);
  const during = trail.device(bdf, cursor).filter(({ row }) => row > start && row <= over);
  const opened = (state: VfioDeviceState | null): boolean => state?.opened === true;
  return {
    start,
    run,
    realize,
    over,
    failed: refused || hung || died,
    ending: hung ? 'it sleeps in the kernel for good' : endingOf(run),
    opened: during.some(({ value }) => opened(value)),
    region: during.some(({ value }) => opened(value) && value?.region !== undefined),
  };
}

export const isFailure = ({ exit }: Run): boolean => exit !== null && (exit.status !== 0 || exit.signal !== 0);

const SIGKILL = 9;
export const wasKilled = (run: Run | null): boolean => run?.exit?.signal === SIGKILL;

export function endingOf(run: Run | null): string {
  if (!run?.exit) return 'it ended without a word';
  const { status, signal } = run.exit;
  return signal === 0 ? `it ended with status ${status}` : `it was killed by signal ${signal}`;
}
