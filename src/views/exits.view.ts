import type { MirrorLog } from '../mirror/mirror-log.ts';
import { type CommandExits, exitsByCommand } from '../state/exits.ts';

/** The exit meter of the page's copy of the log, up to the cursor. */
export function exitMeter(log: MirrorLog): readonly CommandExits[] {
  const { columns } = log;
  return exitsByCommand({
    start: 0,
    length: Math.min(log.cursor, log.head),
    kind: (row) => columns.kind[row] as number,
    a: (row) => columns.a[row] as number,
    b: (row) => columns.b[row] as number,
    c: (row) => columns.c[row] as number,
    value: (index) => log.value(index),
    pathOf: (cell) => log.blockOfCell(cell)?.block.path,
    site: (index) => log.sites[index],
  });
}
