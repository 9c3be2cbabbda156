/** uptime, w and who: how long, how loaded, and who logged in (/run/utmp, as login programs write it). */
import { readFileBytes, readFileText } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { commandLine, procEntries, ttyName } from './processes.ts';

const UTMP = '/run/utmp';
/** sizeof(struct utmp); of its fields ut_type, ut_pid, ut_line, ut_user and ut_tv.tv_sec are read. */
const RECORD = 384;
const USER_PROCESS = 7;

interface Login {
  readonly user: string;
  readonly line: string;
  readonly pid: number;
  readonly seconds: number;
}

async function logins(t: Tool): Promise<Login[]> {
  const bytes = await readFileBytes(t.sys, UTMP);
  const found: Login[] = [];
  if (typeof bytes === 'number') return found;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (at: number, size: number): string => {
    const part = bytes.subarray(at, at + size);
    const end = part.indexOf(0);
    return String.fromCharCode(...(end < 0 ? part : part.subarray(0, end)));
  };
  for (let at = 0; at + RECORD <= bytes.length; at += RECORD) {
    if (view.getInt16(at, true) !== USER_PROCESS) continue;
    const [pid, seconds] = [view.getInt32(at + 4, true), view.getInt32(at + 340, true)];
    found.push({ user: text(at + 44, 32), line: text(at + 8, 32), pid, seconds });
  }
  return found;
}

/** uptime -p: days, hours and minutes, those that are none left out unless all are. */
function pretty(minutes: number): string {
  const parts = [
    [Math.floor(minutes / 1440), 'day'],
    [Math.floor(minutes / 60) % 24, 'hour'],
    [minutes % 60, 'minute'],
  ] as const;
  const shown = parts.filter(([n, unit]) => n > 0 || (unit === 'minute' && minutes < 60));
  return `up ${shown.map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`).join(', ')}`;
}

/** procps_uptime_sprint: the first line of w and top. */
export async function uptimeLine(t: Tool): Promise<string> {
  const minutes = Math.floor(t.sys.clockGettime('monotonic') / 60e9);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const long = days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : '';
  const clock =
    hours > 0 ? `${String(hours).padStart(2)}:${String(minutes % 60).padStart(2, '0')}` : `${minutes % 60} min`;
  const users = (await logins(t)).length;
  const load = await readFileText(t.sys, '/proc/loadavg');
  const averages = typeof load === 'string' ? load.split(' ').slice(0, 3).join(', ') : '0.00, 0.00, 0.00';
  const now = strftime('%T', t.sys.clockGettime('realtime'));
  return `${now} up ${long}${clock}, ${String(users).padStart(2)} user${users > 1 ? 's' : ''},  load average: ${averages}`;
}

export const uptime = defineTool(
  {
    name: 'uptime',
    usage: '[options]',
    about: 'Shows how long the machine has been up.',
    options: [
      ['-p, --pretty', 'in words'],
      ['-s, --since', 'since when'],
    ],
  },
  async (t) => {
    const ns = t.sys.clockGettime('monotonic');
    if (t.has('p')) t.out.line(pretty(Math.floor(ns / 60e9)));
    else if (t.has('s')) t.out.line(strftime('%F %T', t.sys.clockGettime('realtime') - ns));
    else t.out.line(` ${await uptimeLine(t)}`);
    return 0;
  },
);

export const w = defineTool(
  {
    name: 'w',
    usage: '[options] [user]',
    about: 'Shows who is logged in and what they run.',
    options: [
      ['-h, --no-header', 'no heading'],
      ['-s, --short', 'without times'],
      ['-f, --from', 'without FROM'],
      ['-i, --ip-addr', 'addresses'],
    ],
  },
  async (t) => {
    const short = t.has('s');
    const from = t.has('f') ? '' : 'FROM             ';
    if (!t.has('h')) {
      t.out.line(` ${await uptimeLine(t)}`);
      t.out.line(`USER     TTY      ${from}${short ? '  IDLE' : ' LOGIN@   IDLE   JCPU   PCPU'} WHAT`);
    }
    const all = await procEntries(t.sys);
    for (const { user, line, seconds } of await logins(t)) {
      if (t.args.length > 0 && t.args[0] !== user) continue;
      // What runs in the foreground of that terminal; how long nobody typed is not recorded.
      const running = all.findLast((e) => ttyName(e.tty) === line && e.pgrp === e.tpgid && e.pid !== t.sys.pid);
      const where = from === '' ? '' : '-                ';
      const times = short ? '  ?   ' : `${strftime('%H:%M', seconds * 1e9).padEnd(7)}  ?      0.00s  0.00s`;
      t.out.line(`${user.padEnd(8)} ${line.padEnd(8)} ${where}${times} ${running ? commandLine(running) : '-'}`);
    }
    return 0;
  },
);

export const who = defineTool(
  {
    name: 'who',
    usage: '[OPTION]... [am i]',
    about: 'Shows who is logged in.',
    options: [
      ['-a, --all', 'all there is'],
      ['-b, --boot', 'when the machine booted'],
      ['-H, --heading', 'a heading'],
      ['-m', 'only this terminal'],
      ['-q, --count', 'names and their number'],
      ['-u, --users', 'process ids too'],
    ],
  },
  async (t) => {
    const all = await logins(t);
    const own = (await procEntries(t.sys)).find((e) => e.pid === t.sys.pid);
    const only = t.has('m') || t.args.length === 2;
    const list = only ? all.filter((one) => one.line === ttyName(own?.tty ?? 0)) : all;
    if (t.has('q')) {
      t.out.line(all.map((one) => one.user).join(' '));
      t.out.line(`# users=${all.length}`);
      return 0;
    }
    const row = (name: string, line: string, time: string, rest = ''): string =>
      `${name.padEnd(8)} ${line.padEnd(12)} ${time}${rest}`;
    if (t.has('H'))
      t.out.line(row('NAME', 'LINE', 'TIME            ', t.has('u') ? ' IDLE          PID COMMENT' : ' COMMENT'));
    const at = (ns: number): string => strftime('%F %H:%M', ns);
    const booted = t.sys.clockGettime('realtime') - t.sys.clockGettime('monotonic');
    if (t.has('b') || t.has('a')) t.out.line(row('', 'system boot', at(booted)));
    if (t.has('b')) return 0;
    for (const one of list)
      t.out.line(
        row(
          one.user,
          one.line,
          at(one.seconds * 1e9),
          t.has('u') || t.has('a') ? `   ?  ${String(one.pid).padStart(11)}` : '',
        ),
      );
    return 0;
  },
);
