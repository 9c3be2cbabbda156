/** Moments and spans of time as people write them. */
import { daysFromCivil } from './time.ts';

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(usec|us|µs)$/, 1e-6],
  [/^(msec|ms)$/, 1e-3],
  [/^(s|sec|seconds?)?$/, 1],
  [/^(m|min|minutes?)$/, 60],
  [/^(h|hr|hours?)$/, 3600],
  [/^(d|days?)$/, 86400],
  [/^(w|weeks?)$/, 7 * 86400],
];

/** `1h 30min`, `5s`, `90`: seconds, or null. */
function span(text: string): number | null {
  let total = 0;
  let rest = text.trim();
  if (rest === '') return null;
  while (rest !== '') {
    const m = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)\s*/.exec(rest);
    const unit = m && UNITS.find(([name]) => name.test(m[2] ?? ''));
    if (!m || !unit) return null;
    total += Number(m[1]) * unit[1];
    rest = rest.slice(m[0].length);
  }
  return total;
}

/** A moment as systemd.time(7) and `date -d` write it, in nanoseconds since 1970; null if it is none. */
export function parseDate(text: string, now: number): number | null {
  const words = text.trim();
  const midnight = Math.floor(now / 86400e9) * 86400e9;
  const named: Readonly<{ [word: string]: number }> = {
    now,
    today: midnight,
    yesterday: midnight - 86400e9,
    tomorrow: midnight + 86400e9,
  };
  if (Object.hasOwn(named, words)) return named[words] as number;
  if (/^@\d+(\.\d+)?$/.test(words)) return Number(words.slice(1)) * 1e9;
  const relative = /^([-+])(.*)$/.exec(words) ?? /^(.*)\s+ago$/.exec(words);
  if (relative) {
    const seconds = span(relative.length === 3 ? (relative[2] ?? '') : (relative[1] ?? ''));
    if (seconds === null) return null;
    return now + (relative[1] === '+' ? 1 : -1) * seconds * 1e9;
  }
  const m = /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[ T])(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?(?: UTC)?$/.exec(words);
  if (!m || words === '') return null;
  const day = m[1] === undefined ? midnight : daysFromCivil(Number(m[1]), Number(m[2]), Number(m[3])) * 86400e9;
  return day + (Number(m[4] ?? 0) * 3600 + Number(m[5] ?? 0) * 60 + Number(m[6] ?? 0)) * 1e9;
}
