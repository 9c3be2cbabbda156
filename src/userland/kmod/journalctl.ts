/**
 * journalctl: the journal holds nothing but what the kernel said since it booted, read from its ring buffer. Times are those
 * of the records; unit, user and boot selections other than the running one find nothing.
 */
import type { Sys } from '../../linux/uapi/sys.ts';
import { parseDate } from '../misc/date-text.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { LEVELS, type Record, records } from './kmsg.ts';

interface Entry {
  readonly record: Record;
  /** Nanoseconds since 1970. */
  readonly at: number;
}

/** Levels that `-p` lets through: one and everything more urgent, or a range; null if it names none. */
function priorities(text: string): ReadonlySet<number> | null {
  const level = (word: string): number =>
    /^[0-7]$/.test(word) ? Number(word) : LEVELS.indexOf(word.replace(/^warning$/, 'warn').replace(/^error$/, 'err'));
  const [low, high] = text.includes('..') ? text.split('..') : ['0', text];
  const [from, to] = [level(low ?? ''), level(high ?? '')].sort((a, b) => a - b) as [number, number];
  if (from < 0) return null;
  return new Set(LEVELS.map((_, n) => n).filter((n) => n >= from && n <= to));
}

/** Who said it: the kernel, or what a program put before its words. */
function identified(record: Record): { readonly who: string; readonly text: string } {
  if (record.facility === 0) return { who: 'kernel', text: record.text };
  const m = /^([^\s:[\]]+)(?:\[(\d+)\])?: ?(.*)$/s.exec(record.text);
  return m
    ? { who: m[2] ? `${m[1]}[${m[2]}]` : (m[1] ?? ''), text: m[3] ?? '' }
    : { who: 'unknown', text: record.text };
}

const FORMATS: readonly string[] = [
  'short',
  'short-full',
  'short-iso',
  'short-iso-precise',
  'short-precise',
  'short-monotonic',
  'short-unix',
  'cat',
  'json',
  'with-unit',
];

function stamp(format: string, { record, at }: Entry): string {
  const us = String(Math.floor(at / 1e3) % 1e6).padStart(6, '0');
  switch (format) {
    case 'short-full':
    case 'with-unit':
      return strftime('%a %F %T UTC', at);
    case 'short-iso':
      return `${strftime('%FT%T', at)}+00:00`;
    case 'short-iso-precise':
      return `${strftime('%FT%T', at)}.${us}+00:00`;
    case 'short-precise':
      return `${strftime('%b %d %T', at)}.${us}`;
    case 'short-monotonic':
      return `[${(record.us / 1e6).toFixed(6).padStart(12)}]`;
    case 'short-unix':
      return (at / 1e9).toFixed(6);
    default:
      return strftime('%b %d %T', at);
  }
}

function line(t: Tool, format: string, host: string, entry: Entry): string {
  const { who, text } = identified(entry.record);
  if (format === 'cat') return text;
  if (format === 'json')
    return JSON.stringify({
      __REALTIME_TIMESTAMP: String(Math.floor(entry.at / 1e3)),
      __MONOTONIC_TIMESTAMP: String(entry.record.us),
      _TRANSPORT: 'kernel',
      _HOSTNAME: host,
      PRIORITY: String(entry.record.level),
      SYSLOG_FACILITY: String(entry.record.facility),
      SYSLOG_IDENTIFIER: who.replace(/\[\d+\]$/, ''),
      MESSAGE: text,
    });
  const head = `${stamp(format, entry)} ${t.has('no-hostname') ? '' : `${host} `}${who}: `;
  return head + text.replaceAll('\n', `\n${' '.repeat(head.length)}`);
}

/** Which records: everything the options ask, but the number of lines. */
async function selection(t: Tool, sys: Sys): Promise<((entry: Entry) => boolean) | null> {
  const now = sys.clockGettime('realtime');
  const bounds: number[] = [];
  for (const [option, fallback] of [
    ['S', Number.NEGATIVE_INFINITY],
    ['U', Number.POSITIVE_INFINITY],
  ] as const) {
    const text = t.get(option);
    const at = text === undefined ? fallback : parseDate(text, now);
    if (at === null) {
      await t.fail(`Failed to parse timestamp: ${text}`);
      return null;
    }
    bounds.push(at);
  }
  const [since = 0, until = 0] = bounds;
  const levels = t.has('p') ? priorities(t.get('p') ?? '') : null;
  if (t.has('p') && !levels) {
    await t.fail(`Unknown log level ${t.get('p')}`);
    return null;
  }
  const pattern = t.get('g');
  const re = pattern === undefined ? null : new RegExp(pattern, /[A-Z]/.test(pattern) ? '' : 'i');
  const boot = t.get('b') ?? '';
  const none = t.has('u') || t.has('user-unit') || (boot !== '' && boot !== '0' && boot !== '-0');
  const tag = t.get('t');
  return (entry) =>
    !none &&
    entry.at >= since &&
    entry.at <= until &&
    (!levels || levels.has(entry.record.level)) &&
    (!re || re.test(entry.record.text)) &&
    (tag === undefined || identified(entry.record).who === tag);
}

export const journalctl = defineTool(
  {
    name: 'journalctl',
    usage: '[OPTION]... [MATCH]...',
    about: 'Shows the journal: on these machines what the kernel said since it booted.',
    options: [
      ['-k, --dmesg', 'only the kernel'],
      ['-b, --boot[=ID]', 'of this boot'],
      ['-S, --since=TIME', 'not older than TIME'],
      ['-U, --until=TIME', 'not newer than TIME'],
      ['-p, --priority=RANGE', 'at least that urgent, or a range'],
      ['-g, --grep=PATTERN', 'messages that match'],
      ['-t, --identifier=NAME', 'of this speaker'],
      ['-u, --unit=UNIT', 'of a unit; there are none here'],
      ['--user-unit=UNIT', 'of a unit; there are none here'],
      ['-n, --lines[=N]', 'the last N (10)'],
      ['-r, --reverse', 'the newest first'],
      ['-f, --follow', 'wait for more'],
      ['-e, --pager-end', 'nothing here'],
      ['-x, --catalog', 'nothing here'],
      ['-a, --all', 'nothing here'],
      ['-q, --quiet', 'not a word when there is nothing'],
      ['-o, --output=FORMAT', 'short, short-iso, short-precise, short-monotonic, cat, json …'],
      ['--no-hostname', 'without the host name'],
      ['--no-pager', 'nothing here'],
      ['--no-tail', 'with -f from the start'],
      ['--utc', 'nothing here'],
    ],
  },
  async (t) => {
    const { sys } = t;
    const format = t.get('o') ?? 'short';
    if (!FORMATS.includes(format)) {
      await t.fail(`Unknown output format '${format}'.`);
      return 1;
    }
    const wanted = await selection(t, sys);
    if (!wanted) return 1;
    // `-n 5`: the number may be a word of its own.
    const words = t.has('n') && t.get('n') === '' && /^\d+$/.test(t.args[0] ?? '') ? t.args.slice(1) : t.args;
    const odd = words.find((word) => !/^[A-Z_]+=/.test(word));
    if (odd !== undefined) {
      await t.fail(`Failed to add match '${odd}': Invalid argument`);
      return 1;
    }
    const count = t.has('n')
      ? Number(t.get('n') || (words === t.args ? '10' : t.args[0]))
      : t.has('f') && !t.has('no-tail')
        ? 10
        : null;
    if (count !== null && Number.isNaN(count)) {
      await t.fail(`Failed to parse lines '${t.get('n')}'`);
      return 1;
    }
    const start = sys.clockGettime('realtime') - sys.clockGettime('monotonic');
    const host = sys.uname().nodename;
    const entry = (record: Record): Entry => ({ record, at: start + record.us * 1000 });
    const matches = (e: Entry): boolean =>
      wanted(e) && words.every((word) => word === '_TRANSPORT=kernel' || word === `PRIORITY=${e.record.level}`);
    const found: Entry[] = [];
    const r = await records(sys, null, async (record) => {
      const e = entry(record);
      if (matches(e)) found.push(e);
    });
    if (r < 0) {
      await t.failErrno('Failed to open journal', r);
      return 1;
    }
    const shown = count === null ? found : found.slice(Math.max(0, found.length - count));
    if (shown.length === 0 && !t.has('q') && !t.has('f')) t.out.line('-- No entries --');
    for (const e of t.has('r') ? shown.reverse() : shown) {
      t.out.line(line(t, format, host, e));
      await t.out.step();
    }
    if (!t.has('f')) return 0;
    await t.out.flush();
    await records(sys, 'new', async (record) => {
      const e = entry(record);
      if (matches(e)) t.out.line(line(t, format, host, e));
      await t.out.flush();
    });
    return 0;
  },
);
