/** sort: lines in the order of the C locale, by keys, numbers, sizes, months or versions. */

import { O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import { LineReader, openPath, writeText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { compareVersions } from './version-order.ts';

type Compare = (a: string, b: string) => number;

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const UNITS = 'KMGTPEZY';
/** Options that say how keys compare. */
const ORDERS = 'bdfghiMnRrV';

interface Key {
  /** Field and character, from 1; character 0: to the end of the field. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number] | null;
  readonly flags: string;
}

/** Byte order: as UTF-8 would compare. */
const bytewise: Compare = (a, b) => {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // surrogates stand for characters above all others
    const high = (c: number): number => (c >= 0xd800 && c <= 0xdfff ? c + 0x10000 : c);
    return high(x) - high(y);
  }
  return a.length - b.length;
};

/** Decimal text of any length. */
const numeric: Compare = (a, b) => {
  const read = (text: string) => /^[ \t]*(-?)(\d*)(?:\.(\d*))?/.exec(text);
  const parts = [read(a), read(b)].map((m) => {
    const whole = (m?.[2] ?? '').replace(/^0+/, '');
    const fraction = (m?.[3] ?? '').replace(/0+$/, '');
    return { sign: whole === '' && fraction === '' ? 0 : m?.[1] ? -1 : 1, whole, fraction };
  });
  const [x, y] = parts;
  if (!x || !y || x.sign !== y.sign) return (x?.sign ?? 0) - (y?.sign ?? 0);
  const size = x.whole.length - y.whole.length || bytewise(x.whole, y.whole) || bytewise(x.fraction, y.fraction);
  return x.sign < 0 ? -size : size;
};

const human: Compare = (a, b) => {
  const unit = (text: string): number =>
    UNITS.indexOf(/^\s*-?[\d.]+([KkMGTPEZY])/.exec(text)?.[1]?.toUpperCase() ?? ' ');
  return unit(a) - unit(b) || numeric(a, b);
};

const general: Compare = (a, b) => {
  const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
  return x - y;
};

const month: Compare = (a, b) => {
  const at = (text: string): number => MONTHS.indexOf(text.trim().slice(0, 3).toUpperCase());
  return at(a) - at(b);
};

/** A comparison by the letters of its options, without `r`. */
function comparison(flags: string): Compare {
  if (flags.includes('n')) return numeric;
  if (flags.includes('g')) return general;
  if (flags.includes('h')) return human;
  if (flags.includes('M')) return month;
  if (flags.includes('V')) return compareVersions;
  const change = (text: string): string => {
    if (flags.includes('d')) text = text.replace(/[^A-Za-z0-9 \t]/g, '');
    if (flags.includes('i')) text = text.replace(/[^\x20-\x7e]/g, '');
    return flags.includes('f') ? text.toUpperCase() : text;
  };
  return /[dif]/.test(flags) ? (a, b) => bytewise(change(a), change(b)) : bytewise;
}

/** `F[.C][OPTS][,F[.C][OPTS]]`, or what is wrong with it. */
function parseKey(text: string): Key | string {
  const m = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(text);
  if (!m) return `invalid number at field start: invalid count at start of '${text}'`;
  if (Number(m[1]) === 0) return `field number is zero: invalid field specification '${text}'`;
  if (m[2] !== undefined && Number(m[2]) === 0)
    return `character offset is zero: invalid field specification '${text}'`;
  const flags = `${m[3] ?? ''}${m[6] ?? ''}`;
  if ([...flags].some((c) => !ORDERS.includes(c)))
    return `stray character in field spec: invalid field specification '${text}'`;
  return {
    from: [Number(m[1]), Number(m[2] ?? 1)],
    to: m[4] === undefined ? null : [Number(m[4]), Number(m[5] ?? 0)],
    flags,
  };
}

/** Where fields start and end: with a separator between them, or blanks at their head. */
function fieldRanges(line: string, separator: string | undefined): readonly (readonly [number, number])[] {
  const out: [number, number][] = [];
  if (separator !== undefined) {
    let at = 0;
    for (;;) {
      const next = line.indexOf(separator, at);
      out.push([at, next < 0 ? line.length : next]);
      if (next < 0) return out;
      at = next + separator.length;
    }
  }
  for (const m of line.matchAll(/[ \t]*[^ \t]+/g)) out.push([m.index, m.index + m[0].length]);
  return out;
}

function keyText(line: string, key: Key, separator: string | undefined, flags: string): string {
  const ranges = fieldRanges(line, separator);
  const skip = (at: number): number => {
    if (!flags.includes('b')) return at;
    while (/[ \t]/.test(line[at] ?? '')) at++;
    return at;
  };
  const first = ranges[key.from[0] - 1];
  if (!first) return '';
  const start = skip(first[0]) + key.from[1] - 1;
  if (!key.to) return line.slice(start);
  const last = ranges[key.to[0] - 1];
  const end = last ? (key.to[1] === 0 ? last[1] : skip(last[0]) + key.to[1]) : line.length;
  return line.slice(start, Math.max(start, end));
}

/** The comparison of whole lines by all keys; null after a complaint. */
async function lineOrder(t: Tool): Promise<{ keys: Compare; last: Compare } | null> {
  const global = [...ORDERS].filter((c) => t.has(c)).join('');
  const separator = t.get('t') === '\\0' ? '\0' : t.get('t');
  if (separator !== undefined && [...separator].length !== 1) {
    await t.fail(separator === '' ? 'empty tab' : `multi-character tab '${separator}'`, 2);
    return null;
  }
  const keys: Compare[] = [];
  for (const [, text] of t.order.filter(([option]) => option === 'k')) {
    const key = parseKey(text);
    if (typeof key === 'string') {
      await t.fail(key, 2);
      return null;
    }
    // A key without options of its own has the general ones.
    const flags = key.flags || global;
    const compare = comparison(flags);
    const sign = flags.includes('r') ? -1 : 1;
    keys.push((a, b) => sign * compare(keyText(a, key, separator, flags), keyText(b, key, separator, flags)));
  }
  const sign = t.has('r') ? -1 : 1;
  const last: Compare = t.has('s') || t.has('u') ? () => 0 : (a, b) => sign * bytewise(a, b);
  if (keys.length === 0) {
    const compare = comparison(global);
    const trim = global.includes('b') ? (text: string) => text.replace(/^[ \t]+/, '') : (text: string) => text;
    keys.push((a, b) => sign * compare(trim(a), trim(b)));
  }
  const all: Compare = (a, b) => {
    for (const key of keys) {
      const r = key(a, b);
      if (r !== 0) return r;
    }
    return 0;
  };
  return { keys: all, last };
}

async function readLines(t: Tool): Promise<string[] | null> {
  const lines: string[] = [];
  for (const name of t.args.length ? t.args : ['-']) {
    const fd = name === '-' ? 0 : openPath(t.sys, name);
    if (fd < 0) {
      await t.failErrno(`cannot read: ${name}`, fd, 2);
      return null;
    }
    const reader = new LineReader(t.sys, fd, t.has('z') ? 0 : 10);
    for (let line = await reader.next(); line !== null; line = await reader.next()) lines.push(line);
    if (fd !== 0) t.sys.close(fd);
    if (reader.error < 0) {
      await t.failErrno(`read failed: ${name}`, reader.error, 2);
      return null;
    }
  }
  return lines;
}

export const sort = defineTool(
  {
    name: 'sort',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes the lines of the files in order.',
    misuse: 2,
    options: [
      ['-b, --ignore-leading-blanks', 'blanks at the head of a key do not count'],
      ['-d, --dictionary-order', 'only blanks and alphanumerics count'],
      ['-f, --ignore-case', 'lower case as upper case'],
      ['-g, --general-numeric-sort', 'by floating-point value'],
      ['-h, --human-numeric-sort', 'by sizes like 2K and 1G'],
      ['-i, --ignore-nonprinting', 'only printable characters count'],
      ['-M, --month-sort', 'JAN to DEC'],
      ['-n, --numeric-sort', 'by number'],
      ['-r, --reverse', 'the other way round'],
      ['-V, --version-sort', 'numbers inside text by value'],
      ['-c, --check', 'only tell whether it is in order'],
      ['-C', 'the same, without a word'],
      ['-k, --key=KEYDEF', 'by this key: F[.C][OPTS][,F[.C][OPTS]]'],
      ['-m, --merge', 'the files are sorted already'],
      ['-o, --output=FILE', 'write there'],
      ['-s, --stable', 'equal lines stay as they come'],
      ['-t, --field-separator=SEP', 'fields are parted by SEP'],
      ['-u, --unique', 'only the first of equal lines'],
      ['-z, --zero-terminated', 'lines end with NUL'],
      ['-S, --buffer-size=SIZE', 'nothing here'],
      ['-T, --temporary-directory=DIR', 'nothing here'],
    ],
  },
  async (t) => {
    const order = await lineOrder(t);
    if (!order) return 2;
    const lines = await readLines(t);
    if (!lines) return 2;
    const compare: Compare = (a, b) => order.keys(a, b) || order.last(a, b);
    if (t.has('c') || t.has('C')) {
      const at = lines.findIndex((line, n) => {
        if (n === 0) return false;
        const r = compare(lines[n - 1] as string, line);
        return t.has('u') ? r >= 0 : r > 0;
      });
      if (at < 0) return 0;
      if (t.has('c')) await t.fail(`${t.args[0] ?? '-'}:${at + 1}: disorder: ${lines[at]}`);
      return 1;
    }
    await t.sys.tick();
    lines.sort(compare);
    const kept = t.has('u')
      ? lines.filter((line, n) => n === 0 || order.keys(lines[n - 1] as string, line) !== 0)
      : lines;
    const end = t.has('z') ? '\0' : '\n';
    const text = kept.map((line) => line + end).join('');
    const file = t.get('o');
    if (file === undefined) {
      t.out.put(text);
      return 0;
    }
    const fd = openPath(t.sys, file, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    if (fd < 0) {
      await t.failErrno(`open failed: ${file}`, fd, 2);
      return 2;
    }
    await writeText(t.sys, fd, text);
    t.sys.close(fd);
    return 0;
  },
);
