/** pgrep, pkill and kill of procps-ng 4.0.2. Left out: selection by user, terminal, namespace. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, strerror } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { signalNumber } from '../shell/control.ts';
import { posixRegExp } from '../shell/pattern.ts';
import { commandLine, type ProcEntry, procEntries } from './processes.ts';

/** Pattern of pgrep and pkill, or what is wrong with it. */
function processPattern(text: string | undefined, exact: boolean): RegExp | string {
  if (text === undefined) return 'no matching criteria specified';
  try {
    return posixRegExp(exact ? `^(${text})$` : text);
  } catch {
    return `invalid regular expression: ${text}`;
  }
}

/** Processes that the pattern names, but this one; null after a complaint. */
async function matching(t: Tool): Promise<readonly ProcEntry[] | null> {
  const re = processPattern(t.args[0], t.has('x'));
  if (typeof re === 'string') {
    await t.fail(re, 2);
    return null;
  }
  return (await procEntries(t.sys)).filter((p) => p.pid !== t.sys.pid && re.test(t.has('f') ? commandLine(p) : p.comm));
}

export const pgrep = defineTool(
  {
    name: 'pgrep',
    usage: 'PATTERN',
    about: 'Shows processes whose name matches.',
    options: [
      ['-f, --full', 'match the command line'],
      ['-l', 'names too'],
      ['-x, --exact', 'exactly'],
    ],
  },
  async (t) => {
    const hits = await matching(t);
    if (!hits) return 2;
    for (const p of hits) t.out.line(t.has('l') ? `${p.pid} ${p.comm}` : String(p.pid));
    return hits.length ? 0 : 1;
  },
);

export const pkill = defineTool(
  {
    name: 'pkill',
    usage: '[-SIGNAL] PATTERN',
    about: 'Signals processes whose name matches.',
    digits: 's',
    options: [
      ['-f, --full', 'match the command line'],
      ['-x, --exact', 'exactly'],
      ['-s SIGNAL', 'the signal'],
    ],
  },
  async (t) => {
    const hits = await matching(t);
    if (!hits) return 2;
    for (const p of hits) t.sys.kill(p.pid, signalNumber(t.get('s') ?? '15') ?? 15);
    return hits.length ? 0 : 1;
  },
);

export const kill: Program = async (sys, argv) => {
  let signal = 15;
  let args = argv.slice(1);
  const first = args[0] ?? '';
  if (first === '-s' || first === '-n') {
    signal = signalNumber(args[1] ?? '') ?? 15;
    args = args.slice(2);
  } else if (/^-\w+$/.test(first)) {
    signal = signalNumber(first.slice(1)) ?? 15;
    args = args.slice(1);
  }
  let status = 0;
  for (const a of args) {
    const r = sys.kill(Number(a), signal);
    if (r < 0) {
      await complain(sys, `kill: sending signal to ${a} failed: ${strerror(r)}`);
      status = 1;
    }
  }
  return status;
};
