import { UserError } from '../../base/assert.ts';
import { liveRows } from '../../lab/live-state.ts';
import { type CommandExits, exitFigures, exitsByCommand } from '../../state/exits.ts';
import { options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `exits --after FILE [--json]`: the exit meter, a line a command. */
export async function exits(args: string[]): Promise<number> {
  const opts = options(args, ['json'], ['after']);
  const file = opts.values.after;
  if (file === undefined || opts.rest.length > 0)
    throw new UserError('exits wants --after FILE, a transcript, and no more');
  const lab = await playTranscript(readText(file, 'transcript'), file, seedOf(opts), () => {});
  const commands = exitsByCommand(liveRows(lab.log));
  process.stdout.write(opts.flags.json ? `${JSON.stringify(commands)}\n` : asTable(commands));
  return 0;
}

const COLUMNS = ['L1 rd', 'L1 wr', 'L1 io', 'L2 rd', 'L2 wr', 'L2 io', 'L0 for L2', 'pread', 'pwrite', 'ioctl'];

function asTable(commands: readonly CommandExits[]): string {
  const rows = commands.map((command) => ({
    cells: exitFigures(command).map(String),
    label:
      command.console === ''
        ? '(before the first command)'
        : `${command.console}# ${command.line.length > 60 ? `${command.line.slice(0, 59)}…` : command.line}`,
  }));
  const widths = COLUMNS.map((name, n) => Math.max(name.length, ...rows.map((row) => (row.cells[n] ?? '').length)));
  const text = (cells: readonly string[]): string => cells.map((cell, n) => cell.padStart(widths[n] ?? 0)).join('  ');
  return `${text(COLUMNS)}  command\n${rows.map((row) => `${text(row.cells)}  ${row.label}\n`).join('')}`;
}
