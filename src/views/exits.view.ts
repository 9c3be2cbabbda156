import type { MirrorLog } from '../mirror/mirror-log.ts';
import { type CommandExits, exitsByCommand } from '../state/exits.ts';
import { rowsOf } from './rows.ts';

/** The exit meter of the page's copy of the log, up to the cursor or another row. */
export function exitMeter(log: MirrorLog, upTo = log.cursor): readonly CommandExits[] {
  return exitsByCommand({ ...rowsOf(log), length: Math.min(upTo, log.head) });
}
