/** Processes as /proc lists them. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { listDir } from '../coreutils/paths.ts';
import { readFileText } from '../misc/io.ts';

export interface ProcEntry {
  readonly pid: number;
  /** Of a thread its own number, otherwise the process's. */
  readonly lwp: number;
  readonly comm: string;
  /** Letter of /proc/PID/stat. */
  readonly state: string;
  readonly argv: readonly string[];
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 without one. */
  readonly tty: number;
  readonly tpgid: number;
  readonly flags: number;
  /** User and system time, in hundredths of a second. */
  readonly ticks: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  /** Since boot, in hundredths of a second. */
  readonly startTicks: number;
  readonly vsize: number;
  /** Resident bytes. */
  readonly rss: number;
  readonly processor: number;
}

/** The stat file of a process or thread. */
async function readEntry(sys: Sys, dir: string): Promise<ProcEntry | null> {
  const stat = await readFileText(sys, `${dir}/stat`);
  const parts = typeof stat === 'string' ? /^(\d+) \((.*)\) (\S) (.*)/s.exec(stat) : null;
  if (!parts) return null;
  const cmdline = await readFileText(sys, `${dir}/cmdline`);
  const [, pid, comm = '', state = '', rest = ''] = parts;
  const fields = rest.trim().split(/\s+/).map(Number);
  /** By the number proc(5) gives it; ppid is the fourth. */
  const field = (number: number): number => fields[number - 4] ?? 0;
  return {
    pid: Number(pid),
    lwp: Number(pid),
    comm,
    state,
    argv: typeof cmdline === 'string' ? cmdline.split('\0').slice(0, -1) : [],
    ppid: field(4),
    pgrp: field(5),
    session: field(6),
    tty: field(7),
    tpgid: field(8),
    flags: field(9),
    ticks: field(14) + field(15),
    priority: field(18),
    nice: field(19),
    threads: field(20),
    startTicks: field(22),
    vsize: field(23),
    rss: field(24) * 4096,
    processor: field(39),
  };
}

/** The threads of a process, with the process's number. */
export async function threadEntries(sys: Sys, { pid }: ProcEntry): Promise<ProcEntry[]> {
  return (await procEntries(sys, `/proc/${pid}/task`)).map((task) => ({ ...task, pid }));
}

/** Entries of the directories of `base` that are numbers. */
export async function procEntries(sys: Sys, base = '/proc'): Promise<ProcEntry[]> {
  const names = listDir(sys, base);
  const list: ProcEntry[] = [];
  for (const name of typeof names === 'number' ? [] : names) {
    const entry = /^\d+$/.test(name) ? await readEntry(sys, `${base}/${name}`) : null;
    if (entry) list.push(entry);
  }
  return list.sort((a, b) => a.pid - b.pid);
}

/** dev_to_tty: `ttyS0`, `pts/1`; `?` without one. */
export function ttyName(device: number): string {
  const major = Math.floor(device / 256);
  const minor = device % 256;
  if (device === 0) return '?';
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  if (major === 136) return `pts/${minor}`;
  return device === 0x501 ? 'console' : '?';
}

/** The whole command line, or the name in brackets of what has none. */
export function commandLine(entry: ProcEntry): string {
  if (entry.argv.length > 0) return entry.argv.join(' ').trimEnd();
  return entry.state === 'Z' ? `[${entry.comm}] <defunct>` : `[${entry.comm}]`;
}

/** STAT of ps(1): the state, then s for a session's leader, l for threads, + in the terminal's foreground. */
export function stateFlags({ state, nice, session, pid, threads, pgrp, tpgid }: ProcEntry): string {
  const niceness = nice < 0 ? '<' : nice > 0 ? 'N' : '';
  return `${state}${niceness}${session === pid ? 's' : ''}${threads > 1 ? 'l' : ''}${pgrp === tpgid ? '+' : ''}`;
}

/** A number of a file of `key value` or `key: value` lines; 0 if it is not there. */
export async function procNumber(sys: Sys, path: string, key: string): Promise<number> {
  const text = await readFileText(sys, path);
  const found = typeof text === 'string' ? new RegExp(`^${key}:?\\s+(\\d+)`, 'm').exec(text) : null;
  return Number(found?.[1] ?? 0);
}
