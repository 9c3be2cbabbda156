/** Text tools out of just-bash (awk, sed, jq, sort …), loaded on first use: one command at a time, argv untouched. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, readAll, strerror, writeAll } from '../misc/io.ts';

/** What the box offers under its own names. */
export const BOX_COMMANDS = [
  'awk',
  'sed',
  'jq',
  'sort',
  'uniq',
  'cut',
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
  'diff',
  'base64',
  'expr',
  'md5sum',
  'sha1sum',
  'sha256sum',
  'xargs',
  'du',
  'file',
  'tac',
] as const;

/** Of which these read standard input when they have no file operand. */
const CAP = 16 * 1024 * 1024;

function readsStdin(name: string, args: readonly string[]): boolean {
  if (name === 'expr' || name === 'du' || name === 'file') return false;
  const operands = args.filter((a) => !a.startsWith('-') || a === '-');
  if (operands.includes('-')) return true;
  const need =
    name === 'awk' || name === 'sed' || name === 'jq'
      ? args.some((a) => /^(-e|-f|--expression|--file)/.test(a))
        ? 1
        : 2
      : name === 'diff' || name === 'comm' || name === 'join'
        ? 99
        : 1;
  return (
    need !== 99 &&
    (name === 'tr' || name === 'xargs' || !args.includes('-n') || true) &&
    (operands.length < need + (name === 'awk' ? args.filter((a) => a === '-F' || a === '-v').length : 0) ||
      name === 'tr' ||
      name === 'xargs' ||
      mayHaveValueOptions(name))
  );
}
/** `sort -k 2`, `cut -d : -f 1`: an operand may be an option's value, so standard input may still be meant. */
function mayHaveValueOptions(name: string): boolean {
  return ['sort', 'cut', 'uniq', 'fold', 'nl', 'column', 'paste', 'split', 'jq'].includes(name);
}

export function boxTool(name: string, programs: () => ReadonlyMap<string, Program>): Program {
  return async (sys, argv, env) => {
    const args = argv.slice(1);
    let stdin = new Uint8Array(0) as Uint8Array;
    const files = args.some(
      (a) => !a.startsWith('-') && typeof sys.stat(a) !== 'number' && !['jq', 'awk', 'sed'].includes(name),
    );
    if (readsStdin(name, args) && !(files && mayHaveValueOptions(name))) {
      const data = await readAll(sys, 0, CAP);
      if (typeof data === 'number') {
        await complain(sys, `${name}: read error: ${strerror(data)}`);
        return 2;
      }
      stdin = data;
    }
    const { runBox } = await import('./run.ts');
    const result = await runBox(sys, name, args, stdin, env, programs());
    if (result.stdout.length > 0) {
      const r = await writeAll(sys, 1, result.stdout);
      if (r < 0) {
        await complain(sys, `${name}: write error: ${strerror(r)}`);
        return 1;
      }
    }
    if (result.stderr.length > 0) await writeAll(sys, 2, result.stderr);
    return result.status;
  };
}
