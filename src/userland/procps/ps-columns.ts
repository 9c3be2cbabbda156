/** The columns of ps (procps-ng 4.0.2, output.c): what each is called, how wide it is and what it shows. */
import { strftime } from '../misc/time.ts';
import { commandLine, type ProcEntry, stateFlags, ttyName } from './processes.ts';

/** What columns need to know of the machine. */
export interface PsContext {
  /** Nanoseconds since 1970, and of boot. */
  readonly now: number;
  readonly bootNs: number;
  readonly memTotal: number;
  /** Digits of a process id. */
  readonly digits: number;
  /** What stands before a command in a tree, by process. */
  readonly indent: ReadonlyMap<ProcEntry, string>;
}

export interface Column {
  readonly header: string;
  /** 0: as wide as a process id. */
  readonly width: number;
  readonly left?: boolean;
  readonly show: (entry: ProcEntry, context: PsContext) => string;
}

const DAY = 86400;
const two = (value: number): string => String(value).padStart(2, '0');
const startNs = (entry: ProcEntry, { bootNs }: PsContext): number => bootNs + entry.startTicks * 1e7;
const elapsed = (entry: ProcEntry, context: PsContext): number =>
  Math.max(0, Math.floor((context.now - startNs(entry, context)) / 1e9));

/** `[[days-]hours:]minutes:seconds` */
function etime(seconds: number): string {
  const hours = Math.floor(seconds / 3600) % 24;
  const days = Math.floor(seconds / DAY);
  const head = days > 0 ? `${days}-${two(hours)}:` : hours > 0 ? `${two(hours)}:` : '';
  return `${head}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
/** `[days-]hours:minutes:seconds` */
function cputime(ticks: number): string {
  const seconds = Math.floor(ticks / 100);
  const days = Math.floor(seconds / DAY);
  const rest = seconds % DAY;
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days > 0 ? `${days}-${clock}` : clock;
}
function bsdtime(ticks: number): string {
  const seconds = Math.floor(ticks / 100);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${two(seconds % 60)}`;
}
/** Hours and minutes today, then day and month, then the year. */
function when(entry: ProcEntry, context: PsContext): string {
  const start = startNs(entry, context);
  if (context.now - start < DAY * 1e9) return strftime('%H:%M', start);
  return strftime(strftime('%Y', start) === strftime('%Y', context.now) ? '%b%d' : '%Y', start);
}
const share = (entry: ProcEntry, context: PsContext): number => {
  const seconds = elapsed(entry, context);
  return seconds === 0 ? 0 : Math.floor((entry.ticks * 10) / seconds) / 10;
};
const memory = (entry: ProcEntry, { memTotal }: PsContext): string =>
  // whole tenths, as the integers of ps give them
  Math.min(99.9, memTotal === 0 ? 0 : Math.floor((entry.rss * 1000) / memTotal) / 10).toFixed(1);
const command = (entry: ProcEntry, { indent }: PsContext): string => `${indent.get(entry) ?? ''}${commandLine(entry)}`;
const name = (entry: ProcEntry, { indent }: PsContext): string =>
  `${indent.get(entry) ?? ''}${entry.comm}${entry.state === 'Z' ? ' <defunct>' : ''}`;

const number = (header: string, width: number, value: (entry: ProcEntry) => number): Column => ({
  ...{ header, width },
  show: (entry) => String(value(entry)),
});
const text = (header: string, width: number, show: Column['show']): Column => ({ header, width, left: true, show });
const kib = (bytes: number): number => Math.floor(bytes / 1024);

const pid = number('PID', 0, (e) => e.pid);
const pgid = number('PGID', 0, (e) => e.pgrp);
const sid = number('SID', 0, (e) => e.session);
const user = (header: string): Column => text(header, 8, () => 'root');
const id = (header: string): Column => number(header, 5, () => 0);
const tty = text('TT', 8, (e) => ttyName(e.tty));
const rss = number('RSS', 5, (e) => kib(e.rss));
const vsz = number('VSZ', 6, (e) => kib(e.vsize));
const cpu: Column = { header: '%CPU', width: 4, show: (e, c) => share(e, c).toFixed(1) };
const mem: Column = { header: '%MEM', width: 4, show: memory };
const nice = number('NI', 3, (e) => e.nice);
const args = (header: string): Column => text(header, 27, command);
const comm = text('COMMAND', 15, name);
const time: Column = { header: 'TIME', width: 8, show: (e) => cputime(e.ticks) };

export const COLUMNS: Readonly<Record<string, Column>> = {
  '%cpu': cpu,
  '%mem': mem,
  args: args('COMMAND'),
  bsdtime: { header: 'TIME', width: 6, show: (e) => bsdtime(e.ticks) },
  bsdstart: { header: 'START', width: 6, show: when },
  c: { header: 'C', width: 2, show: (e, c) => String(Math.floor(share(e, c))) },
  class: text('CLS', 3, () => 'TS'),
  cls: text('CLS', 3, () => 'TS'),
  cmd: args('CMD'),
  comm,
  command: args('COMMAND'),
  cputime: time,
  egid: id('EGID'),
  egroup: user('EGROUP'),
  etime: { header: 'ELAPSED', width: 11, show: (e, c) => etime(elapsed(e, c)) },
  etimes: { header: 'ELAPSED', width: 7, show: (e, c) => String(elapsed(e, c)) },
  euid: id('EUID'),
  euser: user('EUSER'),
  f: number('F', 1, (e) => (e.flags >> 6) & 7),
  gid: id('GID'),
  group: user('GROUP'),
  lstart: { header: 'STARTED', width: 24, show: (e, c) => strftime('%a %b %e %H:%M:%S %Y', startNs(e, c)) },
  lwp: number('LWP', 0, (e) => e.lwp),
  ni: nice,
  nice,
  nlwp: number('NLWP', 4, (e) => e.threads),
  opri: number('PRI', 3, (e) => 60 + e.priority),
  pcpu: cpu,
  pgid,
  pgrp: pgid,
  pid,
  pmem: mem,
  ppid: number('PPID', 0, (e) => e.ppid),
  pri: number('PRI', 3, (e) => 39 - e.priority),
  priority: number('PRI', 3, (e) => e.priority),
  psr: number('PSR', 3, (e) => e.processor),
  rgid: id('RGID'),
  rss,
  rssize: rss,
  ruid: id('RUID'),
  ruser: user('RUSER'),
  s: text('S', 1, (e) => e.state),
  sess: number('SESS', 0, (e) => e.session),
  sid,
  spid: number('SPID', 0, (e) => e.lwp),
  start: {
    ...{ header: 'STARTED', width: 8 },
    show: (e, c) => (elapsed(e, c) < DAY ? strftime('%H:%M:%S', startNs(e, c)) : strftime('%b %d', startNs(e, c))),
  },
  start_time: { header: 'START', width: 5, left: true, show: when },
  stat: text('STAT', 4, stateFlags),
  state: text('S', 1, (e) => e.state),
  stime: { header: 'STIME', width: 5, left: true, show: when },
  sz: number('SZ', 5, (e) => Math.floor(e.vsize / 4096)),
  thcount: number('THCNT', 5, (e) => e.threads),
  tid: number('TID', 0, (e) => e.lwp),
  time,
  tname: text('TTY', 8, (e) => ttyName(e.tty)),
  tpgid: number('TPGID', 0, (e) => e.tpgid),
  tt: tty,
  tty,
  ucmd: text('CMD', 15, name),
  ucomm: comm,
  uid: id('UID'),
  uname: user('USER'),
  user: user('USER'),
  vsize: vsz,
  vsz,
  // Where a process sleeps is not told (no /proc/PID/wchan).
  wchan: text('WCHAN', 6, () => '-'),
  // One column of two: no address, and the size.
  addr_sz: { header: 'ADDR SZ', width: 7, show: (e) => `- ${String(Math.floor(e.vsize / 4096)).padStart(5)}` },
};
/** `UID` of the full format is a name, left in eight. */
export const FULL_UID = user('UID');

/** What a column sorts by: numbers as such. */
export function sortKey(column: Column, entry: ProcEntry, context: PsContext): number | string {
  const shown = column.show(entry, context);
  return column.left ? shown : /^-?[\d.]+$/.test(shown) ? Number(shown) : shown;
}
