/**
 * fuser of psmisc 23.6 for files: open descriptors and working directories out of /proc. Left out: sockets, maps and
 * executables (the kernels show no /proc/PID/exe), -i, -M.
 */
import type { Program, Stat, Sys } from '../../linux/uapi/sys.ts';
import { listDir } from '../coreutils/paths.ts';
import { Out } from '../misc/io.ts';
import { procEntries } from '../procps/processes.ts';
import { signalNumber } from '../shell/control.ts';

const USAGE =
  'Usage: fuser [-fIMuvw] [-a|-s] [-4|-6] [-c|-m|-n SPACE]\n             [-k [-i] [-SIGNAL]] NAME...\n       fuser -l\n       fuser -V\n';

interface User {
  readonly pid: number;
  readonly comm: string;
  /** c: working directory; f, F: open file, F when it can be written. */
  readonly access: ReadonlySet<'c' | 'f' | 'F'>;
}

async function users(sys: Sys, wanted: Stat, wholeMount: boolean): Promise<User[]> {
  const same = (stat: Stat | number): boolean =>
    typeof stat !== 'number' && stat.dev === wanted.dev && (wholeMount || stat.ino === wanted.ino);
  const found: User[] = [];
  for (const { pid, comm } of await procEntries(sys)) {
    if (pid === sys.pid) continue;
    const access = new Set<'c' | 'f' | 'F'>();
    if (same(sys.stat(`/proc/${pid}/cwd`))) access.add('c');
    const fds = listDir(sys, `/proc/${pid}/fd`);
    for (const fd of typeof fds === 'number' ? [] : fds) {
      if (!same(sys.stat(`/proc/${pid}/fd/${fd}`))) continue;
      const link = sys.lstat(`/proc/${pid}/fd/${fd}`);
      access.add(typeof link !== 'number' && (link.mode & 0o222) !== 0 ? 'F' : 'f');
    }
    if (access.size > 0) found.push({ pid, comm, access });
  }
  return found;
}

interface Request {
  readonly flags: ReadonlySet<string>;
  readonly signal: number;
  readonly names: readonly string[];
}

function request(argv: readonly string[]): Request | string {
  const flags = new Set<string>();
  const names: string[] = [];
  let signal = 9;
  for (let n = 1; n < argv.length; n++) {
    const word = argv[n] ?? '';
    if (!/^-./.test(word)) {
      names.push(word);
      continue;
    }
    const number = signalNumber(word.slice(1));
    if (number !== null && !/^-[a-z]/.test(word)) {
      signal = number;
      continue;
    }
    for (const letter of word.slice(1)) {
      if (!'acfIkmMsuvwV'.includes(letter)) return `fuser: Invalid option ${letter}\n${USAGE}`;
      flags.add(letter);
    }
  }
  if (names.length === 0 && !flags.has('V')) return `No process specification given\n${USAGE}`;
  return { flags, signal, names };
}

export const fuser: Program = async (sys, argv) => {
  const out = new Out(sys);
  const err = new Out(sys, 2);
  const ask = request(argv);
  if (typeof ask === 'string') {
    err.put(ask);
    await err.flush();
    return 1;
  }
  const { flags, signal, names } = ask;
  if (flags.has('V')) {
    err.line('fuser (PSmisc) 23.6');
    await err.flush();
    return 0;
  }
  const quiet = flags.has('s');
  let hits = 0;
  let headed = false;
  for (const name of names) {
    const wanted = sys.stat(name);
    if (typeof wanted === 'number') {
      err.line(`Specified filename ${name} does not exist.`);
      await err.flush();
      continue;
    }
    const found = await users(sys, wanted, flags.has('m') || flags.has('c'));
    hits += found.length;
    if (flags.has('k')) for (const { pid } of found) sys.kill(pid, signal);
    if (quiet || (found.length === 0 && !flags.has('a'))) continue;
    if (flags.has('v') && !headed) err.put(`${' '.repeat(20)} USER        PID ACCESS COMMAND\n`);
    headed = true;
    err.put(`${`${name}:`.padEnd(20)}${flags.has('v') ? ' ' : ''}`);
    for (const [n, { pid, comm, access }] of found.entries()) {
      if (flags.has('v')) {
        if (n > 0) err.put(' '.repeat(21));
        err.put('root     ');
        await err.flush();
        out.put(String(pid).padStart(6));
        await out.flush();
        const open = access.has('F') ? 'F' : access.has('f') ? 'f' : '.';
        err.put(` ${open}${'.'}${access.has('c') ? 'c' : '.'}.. ${comm}\n`);
      } else {
        await err.flush();
        out.put(` ${String(pid).padStart(5)}`);
        await out.flush();
        if (access.has('c')) err.put('c');
      }
    }
    if (!flags.has('v') || found.length === 0) err.put('\n');
    await err.flush();
  }
  return hits > 0 ? 0 : 1;
};
