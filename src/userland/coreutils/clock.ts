/** Time: date, sleep, and durations as tools take them. */
import { parseDate } from '../misc/date-text.ts';
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
