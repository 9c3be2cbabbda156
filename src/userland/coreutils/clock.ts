/** Time: date, sleep, uptime, and durations as tools take them. */
import { parseDate } from '../misc/date-text.ts';
import { readFileText } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';

export const date = defineTool(
  {
    name: 'date',
    usage: '[OPTION]... [+FORMAT]',
    about: "Shows the machine's time (UTC).",
    options: [
      ['-d, --date=TEXT', '@SECONDS, now, or YYYY-MM-DD [HH:MM:SS]'],
      ['-I, --iso-8601[=SPEC]', 'date, or with hours, minutes, seconds'],
      ['-R, --rfc-email', 'as in mail'],
      ['-u, --utc', 'UTC (always)'],
      ['-r, --reference=FILE', 'time of FILE'],
    ],
  },
  async (t) => {
    let ns = t.sys.clockGettime('realtime');
    const text = t.get('d');
    const reference = t.get('r');
    if (reference !== undefined) {
      const s = t.sys.stat(reference);
      if (typeof s === 'number') {
        await t.failErrno(reference, s);
        return 1;
      }
      ns = s.mtimeNs;
    } else if (text !== undefined) {
      const at = parseDate(text, ns);
      if (at === null) {
        await t.fail(`invalid date '${text}'`);
        return 1;
      }
      ns = at;
    }
    if (t.args[0] !== undefined && !t.args[0].startsWith('+')) {
      await t.fail(`invalid date '${t.args[0]}'`);
      return 1;
    }
    const format = t.args[0]?.startsWith('+')
      ? t.args[0].slice(1)
      : t.has('R')
        ? '%a, %d %b %Y %H:%M:%S %z'
        : t.has('I')
          ? t.get('I') === 'seconds'
            ? '%FT%T+00:00'
            : '%F'
          : '%a %b %e %H:%M:%S UTC %Y';
    t.out.line(strftime(format, ns));
    return 0;
  },
);

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
    const now = t.sys.clockGettime('realtime');
    const ns = t.sys.clockGettime('monotonic');
    const up = Math.floor(ns / 60e9);
    if (t.has('p')) t.out.line(pretty(up));
    else if (t.has('s')) t.out.line(strftime('%F %T', now - ns));
    else {
      const hours = Math.floor(up / 60);
      const text = hours ? `${hours}:${String(up % 60).padStart(2, '0')}` : `${up} min`;
      const load = await readFileText(t.sys, '/proc/loadavg');
      const l = typeof load === 'string' ? load.split(' ').slice(0, 3).join(', ') : '0.00, 0.00, 0.00';
      t.out.line(` ${strftime('%T', now)} up ${text},  1 user,  load average: ${l}`);
    }
    return 0;
  },
);

/** Seconds of `10`, `1.5`, `2m`, `1h`, `infinity`; null if malformed. */
export function duration(text: string): number | null {
  if (/^inf(inity)?$/.test(text)) return 1e9;
  const m = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  return m ? Number(m[1]) * ({ s: 1, m: 60, h: 3600, d: 86400 }[m[2] || 's'] ?? 1) : null;
}

export const sleep = defineTool(
  { name: 'sleep', usage: 'NUMBER[SUFFIX]...', about: 'Waits; s, m, h or d after the number.', options: [] },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    let total = 0;
    for (const a of t.args) {
      const s = duration(a);
      if (s === null) {
        await t.fail(`invalid time interval '${a}'\nTry 'sleep --help' for more information.`);
        return 1;
      }
      total += s;
    }
    await t.sys.nanosleep(Math.round(total * 1e9));
    return 0;
  },
);
