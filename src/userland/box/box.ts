/** Text tools out of just-bash (awk, sed, jq, sort …), loaded on first use: one command at a time, argv untouched. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, decode, readAll, strerror, utf8, writeAll } from '../misc/io.ts';
import { usageError } from './usage.ts';

/** What the box offers under its own names. */
export const BOX_COMMANDS = [
  'awk',
  'sed',
  'jq',
  'tr',
  'rev',
  'nl',
  'fold',
  'expand',
  'unexpand',
  'split',
  'column',
  'join',
  'comm',
  'paste',
  'base64',
  'expr',
  'md5sum',
  'sha1sum',
  'sha256sum',
  'du',
  'file',
  'tac',
] as const;

const CAP = 16 * 1024 * 1024;

/** One-letter options that take the next word as their value. */
const VALUED: Record<string, string> = {
  awk: 'Fvf',
  sed: 'ef',
  fold: 'w',
  nl: 'bwsv',
  column: 'sco',
  paste: 'd',
  split: 'blna',
  base64: 'w',
  expand: 't',
  unexpand: 't',
  jq: 'f',
};
const NO_INPUT = new Set(['expr', 'du', 'file', 'diff', 'comm', 'join']);

/** Is standard input meant: no file operand, or `-`? */
function readsStdin(name: string, args: readonly string[]): boolean {
  if (name === 'tr' || args.includes('-')) return true;
  if (NO_INPUT.has(name) || (name === 'jq' && args.some((a) => a === '-n' || a === '--null-input'))) return false;
  let operands = 0;
  for (let i = 0; i < args.length; i++) {
    const a = args[i] ?? '';
    if (/^--(arg|argjson|slurpfile|rawfile)$/.test(a)) i += 2;
    else if (/^-[A-Za-z]$/.test(a) && VALUED[name]?.includes(a[1] ?? '')) i++;
    else if (!a.startsWith('-')) operands++;
  }
  const script =
    name === 'jq'
      ? 1
      : name === 'awk'
        ? args.some((a) => a.startsWith('-f'))
          ? 0
          : 1
        : name === 'sed'
          ? args.some((a) => /^(-n?[ef]|--expression|--file)/.test(a))
            ? 0
            : 1
          : 0;
  return operands <= script;
}

/** The box's messages as the real tools word them. */
function inItsWords(name: string, text: string): string {
  if (name === 'sed')
    return text.replace(
      /^sed: (?!can't read)([^:\n]*): (No such file or directory|Permission denied)$/gm,
      "sed: can't read $1: $2",
    );
  if (name === 'jq')
    return text
      .replace(/^jq: parse error: (?=Cannot |.*(cannot be|has no keys|not defined))/gm, 'jq: error (at <stdin>:1): ')
      .replace(
        /^jq: ([^:\n]*): No such file or directory$/gm,
        'jq: error: Could not open file $1: No such file or directory',
      );
  return text;
}

export function boxTool(name: string): Program {
  return async (sys, argv, env) => {
    // The box does not take apart `-sd,`.
    const args =
      name === 'paste'
        ? argv.slice(1).flatMap((a) => (/^-sd./.test(a) ? ['-s', '-d', a.slice(3)] : [a]))
        : argv.slice(1);
    const wrong = usageError(name, args);
    if (wrong) {
      await writeAll(sys, 2, utf8(wrong.text));
      return wrong.status;
    }
    let stdin = new Uint8Array(0) as Uint8Array;
    if (readsStdin(name, args)) {
      if (name === 'paste' && !args.includes('-')) args.push('-');
      const data = await readAll(sys, 0, CAP);
      if (typeof data === 'number') {
        await complain(sys, `${name}: read error: ${strerror(data)}`);
        return 2;
      }
      stdin = data;
    }
    const { runBox } = await import('./run.ts');
    const result = await runBox(sys, name, args, stdin, env);
    if (result.stdout.length > 0) {
      const r = await writeAll(sys, 1, result.stdout);
      if (r < 0) {
        await complain(sys, `${name}: write error: ${strerror(r)}`);
        return 1;
      }
    }
    const said = inItsWords(name, decode(result.stderr));
    if (said !== '') await writeAll(sys, 2, utf8(said));
    // sed has a status of its own for trouble.
    const trouble = result.status === 1 && name === 'sed' && /can't read/.test(said);
    if (name === 'jq' && result.status !== 0 && /^jq: error \(at /m.test(said)) return 5;
    return trouble ? 2 : result.status;
  };
}
