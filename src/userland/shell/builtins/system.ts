/** Builtins about the process and the session: umask, ulimit, times, history, help. */
import type { Builtin } from '../shell.ts';

const umask: Builtin = async (sh, args) => {
  if (args[0] === undefined || args[0] === '-S') {
    const mask = sh.sys.umask(0);
    sh.sys.umask(mask);
    if (args[0] === undefined) return sh.out('umask', `${mask.toString(8).padStart(4, '0')}\n`);
    const triple = (n: number): string => `${n & 4 ? '' : 'r'}${n & 2 ? '' : 'w'}${n & 1 ? '' : 'x'}`;
    return sh.out('umask', `u=${triple(mask >> 6)},g=${triple(mask >> 3)},o=${triple(mask)}\n`);
  }
  if (!/^[0-7]+$/.test(args[0])) {
    await sh.error(`umask: ${args[0]}: octal number out of range`);
    return 1;
  }
  sh.sys.umask(Number.parseInt(args[0], 8));
  return 0;
};

const history: Builtin = async (sh, args) => {
  if (args[0] === '-c') {
    sh.history.length = 0;
    return 0;
  }
  if (args[0] !== undefined && !/^\d+$/.test(args[0])) {
    await sh.error(`history: ${args[0]}: numeric argument required`);
    return 1;
  }
  const from = args[0] === undefined ? 0 : Math.max(0, sh.history.length - Number(args[0]));
  return sh.out(
    'history',
    sh.history
      .slice(from)
      .map((l, i) => `${String(from + i + 1).padStart(5)}  ${l}\n`)
      .join(''),
  );
};

const LIMITS: readonly (readonly [string, string, string])[] = [
  ['c', 'core file size              (blocks, -c)', '0'],
  ['l', 'max locked memory           (kbytes, -l)', 'unlimited'],
  ['m', 'max memory size             (kbytes, -m)', 'unlimited'],
  ['n', 'open files                          (-n)', '1024'],
  ['s', 'stack size                  (kbytes, -s)', '8192'],
  ['t', 'cpu time                   (seconds, -t)', 'unlimited'],
  ['u', 'max user processes                  (-u)', 'unlimited'],
  ['v', 'virtual memory              (kbytes, -v)', 'unlimited'],
  ['f', 'file size                   (blocks, -f)', 'unlimited'],
];
const ulimit: Builtin = async (sh, args) => {
  const letter = (args.find((a) => /^-[A-Za-z]+$/.test(a)) ?? '-f').replace(/[-SH]/g, '') || 'f';
  if (letter === 'a') return sh.out('ulimit', LIMITS.map(([, t, v]) => `${t} ${v}\n`).join(''));
  const row = LIMITS.find(([l]) => l === letter);
  if (!row) {
    await sh.error(`ulimit: -${letter}: invalid option`);
    return 2;
  }
  return args.some((a) => !a.startsWith('-')) ? 0 : sh.out('ulimit', `${row[2]}\n`);
};

const times: Builtin = (sh) => sh.out('times', '0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n');

const help: Builtin = async (sh, args) => {
  const name = args[0];
  if (name !== undefined && !sh.builtins.has(name)) {
    await sh.error(`help: no help topics match \`${name}'.`);
    return 1;
  }
  if (name !== undefined) return sh.out('help', `${name}: a shell builtin, as in bash.\n`);
  return sh.out(
    'help',
    `These commands are built into the shell; other commands have --help.\n${[...sh.builtins.keys()].sort().join(' ')}\n`,
  );
};

export const SYSTEM_BUILTINS: Record<string, Builtin> = { umask, ulimit, times, history, help };
