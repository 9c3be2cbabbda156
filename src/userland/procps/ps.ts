/**
 * ps of procps-ng 4.0.2, out of /proc: UNIX, BSD and GNU options, which processes, which columns, order and trees. Left out: personalities,
 * security labels, signals, environment (BSD e), -O, namespaces.
 */
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, isatty, readFileText, windowSize, writeText } from '../misc/io.ts';
import { type ProcEntry, procEntries, procNumber, threadEntries } from './processes.ts';
import { COLUMNS, type Column, FULL_UID, type PsContext, sortKey } from './ps-columns.ts';

const USAGE = `
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).`;

interface Shown extends Column {
  readonly width: number;
}
interface Request {
  /** Any of these picks a process; none: those of the same user and terminal. */
  readonly picks: ((entry: ProcEntry) => boolean)[];
  /** An option without a dash was there. */
  bsd: boolean;
  bsdAll: boolean;
  bsdOwn: boolean;
  running: boolean;
  negate: boolean;
  columns: Shown[] | null;
  format: string;
  headers: boolean;
  tree: 'none' | 'forest' | 'indent';
  threads: '' | 'L' | 'T';
  /** `w`: 132 columns, `ww`: no end. */
  wide: number;
  sort: { readonly column: Column; readonly down: boolean }[];
}

/** Misuse: what ps says before its usage. */
class Misuse {
  constructor(readonly text: string) {}
}

/** `pid,comm=NAME,rss:9`; a name after `=` goes to the end. */
function columnList(text: string): Shown[] | Misuse {
  const out: Shown[] = [];
  let rest = text;
  while (rest !== '') {
    const m = /^[\s,]*([^\s,=:]+)(?::(\d+))?(=.*)?/s.exec(rest);
    if (!m) break;
    const [whole, key = '', width, header] = m;
    const known = Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined;
    if (!known) return new Misuse(`unknown user-defined format specifier "${key}"`);
    // `=` ends the list unless a comma follows it at once (`pid=,comm=`).
    const empty = header?.startsWith('=,') === true;
    const title = header === undefined ? known.header : empty ? '' : header.slice(1);
    out.push({ ...known, header: title, width: Math.max(width === undefined ? known.width : Number(width), 0) });
    rest = empty ? rest.slice(whole.length - (header?.length ?? 0) + 1) : rest.slice(whole.length);
  }
  return out;
}

function idList(text: string, what: string): Set<number> | Misuse {
  const words = text.split(/[\s,]+/).filter(Boolean);
  if (words.length === 0 || words.some((word) => !/^\d+$/.test(word))) return new Misuse(`${what} list syntax error`);
  return new Set(words.map(Number));
}

function sortList(text: string): Request['sort'] | Misuse {
  const out: Request['sort'] = [];
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const column = COLUMNS[word.replace(/^[-+]/, '').toLowerCase()];
    if (!column) return new Misuse('unknown sort specifier');
    out.push({ column, down: word.startsWith('-') });
  }
  return out;
}

const TAKES_VALUE = 'oOpqCuUgGst';
const LONG_VALUE: Readonly<Record<string, string>> = {
  format: 'o',
  pid: 'p',
  'quick-pid': 'q',
  ppid: 'P',
  user: 'u',
  User: 'u',
  group: 'G',
  Group: 'G',
  sid: 's',
  tty: 't',
  sort: 'k',
  cols: 'W',
  columns: 'W',
  width: 'W',
  rows: 'W',
  lines: 'W',
};

/** An option that takes a value, whichever way it was written. */
function withValue(r: Request, letter: string, value: string): Misuse | null {
  const pick = (list: Set<number> | Misuse, of: (entry: ProcEntry) => number): Misuse | null => {
    if (list instanceof Misuse) return list;
    r.picks.push((entry) => list.has(of(entry)));
    return null;
  };
  switch (letter) {
    case 'o': {
      const columns = columnList(value);
      if (columns instanceof Misuse) return columns;
      r.columns = [...(r.columns ?? []), ...columns];
      return null;
    }
    case 'p':
    case 'q':
      return pick(idList(value, 'process ID'), (e) => e.pid);
    case 'P':
      return pick(idList(value, 'process ID'), (e) => e.ppid);
    case 's':
    case 'g':
      return pick(idList(value, 'session ID'), (e) => e.session);
    case 'C': {
      const names = new Set(value.split(/[\s,]+/));
      r.picks.push((e) => names.has(e.comm));
      return null;
    }
    case 'u':
    case 'U':
    case 'G': {
      const names = value.split(/[\s,]+/).filter(Boolean);
      const unknown = names.some((one) => one !== 'root' && !/^\d+$/.test(one));
      if (unknown) return new Misuse(`${letter === 'G' ? 'group' : 'user'} name does not exist`);
      r.picks.push(() => names.some((one) => one === 'root' || Number(one) === 0));
      return null;
    }
    case 't': {
      const names = value.split(/[\s,]+/).map((one) => one.replace(/^\/dev\//, ''));
      r.picks.push((e) => names.includes(COLUMNS.tname?.show(e, NO_CONTEXT) ?? ''));
      return null;
    }
    case 'k': {
      const sort = sortList(value);
      if (sort instanceof Misuse) return sort;
      r.sort.push(...sort);
      return null;
    }
    default:
      return null;
  }
}
const NO_CONTEXT: PsContext = { now: 0, bootNs: 0, memTotal: 0, digits: 5, indent: new Map() };

/** One letter without a value, after a dash or without one. */
function letterOf(r: Request, letter: string, bsd: boolean): boolean {
  if (letter === 'w') r.wide++;
  else if (letter === 'H') r.tree = bsd ? r.tree : 'indent';
  else if (letter === 'L' || letter === 'T') r.threads = bsd ? r.threads : letter;
  else if (bsd) {
    if (letter === 'a') r.bsdAll = true;
    else if (letter === 'x') r.bsdOwn = true;
    else if (letter === 'r') r.running = true;
    else if (letter === 'f') r.tree = 'forest';
    else if (letter === 'h') r.headers = false;
    else if ('uljv'.includes(letter)) r.format = `bsd-${letter}`;
    else if (!'cengSXm'.includes(letter)) return false;
  } else if (letter === 'e' || letter === 'A') r.picks.push(() => true);
  else if (letter === 'a') r.picks.push((e) => e.pid !== e.session && e.tty !== 0);
  else if (letter === 'd') r.picks.push((e) => e.pid !== e.session);
  else if (letter === 'N') r.negate = true;
  else if ('fFljy'.includes(letter)) r.format += letter;
  else if (!'cM'.includes(letter)) return false;
  return true;
}

function parse(argv: readonly string[]): Request | Misuse {
  const r: Request = {
    ...{
      picks: [],
      bsd: false,
      bsdAll: false,
      bsdOwn: false,
      running: false,
      negate: false,
      columns: null,
      format: '',
    },
    ...{ headers: true, tree: 'none', threads: '', wide: 0, sort: [] },
  };
  for (let n = 1; n < argv.length; n++) {
    const word = argv[n] ?? '';
    if (word.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      if (name === 'forest') r.tree = 'forest';
      else if (name === 'headers') r.headers = true;
      else if (/^no-?head(ers?|ing)$/.test(name)) r.headers = false;
      else if (name === 'deselect') r.negate = true;
      else if (Object.hasOwn(LONG_VALUE, name)) {
        const given = value ?? argv[++n];
        if (given === undefined) return new Misuse(`long option --${name} must have a value`);
        const wrong = withValue(r, LONG_VALUE[name] ?? '', given);
        if (wrong) return wrong;
      } else return new Misuse('unknown gnu long option');
      continue;
    }
    if (/^\d+(,\d+)*$/.test(word)) {
      r.bsd = true;
      const wrong = withValue(r, 'p', word);
      if (wrong) return wrong;
      continue;
    }
    const bsd = !word.startsWith('-');
    if (bsd) r.bsd = true;
    for (let at = bsd ? 0 : 1; at < word.length; at++) {
      const letter = word[at] ?? '';
      const valued = bsd ? 'oOpqUtk'.includes(letter) : TAKES_VALUE.includes(letter);
      if (!valued) {
        if (!letterOf(r, letter, bsd))
          return new Misuse(bsd ? 'unsupported option (BSD syntax)' : 'unsupported SysV option');
        continue;
      }
      const value = word.slice(at + 1) || argv[++n];
      if (value === undefined) {
        if (letter === 'k') return new Misuse("long sort specification must follow 'k'");
        if (/[oO]/.test(letter)) return new Misuse(`format specification must follow ${bsd ? '' : '-'}${letter}`);
        return new Misuse(
          `list of ${'pq'.includes(letter) ? 'process IDs' : 'names'} must follow ${bsd ? '' : '-'}${letter}`,
        );
      }
      const wrong = withValue(r, letter, value);
      if (wrong) return wrong;
      break;
    }
  }
  return r;
}

/** The columns of a named format. */
function formatColumns(r: Request): readonly Shown[] {
  const list = (text: string): Shown[] => {
    const found = columnList(text);
    return found instanceof Misuse ? [] : found;
  };
  const { format, threads } = r;
  if (format === 'bsd-u') return list('user,pid,pcpu,pmem,vsz,rss,tname,stat,bsdstart:5,bsdtime,args');
  if (format === 'bsd-l') return list('f,uid:5,pid,ppid,priority,nice,vsz,rss,wchan,stat,tname,bsdtime,args');
  if (format === 'bsd-j') return list('ppid,pid,pgid,sid,tname,tpgid,stat,uid,bsdtime,args');
  if (r.bsd && format === '') return list('pid,tname,stat,bsdtime,args');
  const lwp = threads === 'L' ? ',lwp' : threads === 'T' ? ',spid' : '';
  if (/[fF]/.test(format)) {
    const full = format.includes('F') ? ',sz,rss,psr' : '';
    const nlwp = threads === 'L' ? ',nlwp' : '';
    return [FULL_UID, ...list(`pid,ppid${lwp},c${nlwp}${full},stime,tname,time,cmd`)];
  }
  if (format.includes('l')) {
    return format.includes('y')
      ? list(`s,uid:5,pid,ppid${lwp},c,opri,ni,rss,sz,wchan,tname,time,ucmd`)
      : list(`f,s,uid:5,pid,ppid${lwp},c,opri,ni,addr_sz,wchan,tname,time,ucmd`);
  }
  if (format.includes('j')) return list(`pid,pgid,sid${lwp},tname,time,ucmd`);
  return list(`pid${lwp},tname,time,ucmd`);
}

/** Parents before children, and what stands before each command. */
function treeOf(list: readonly ProcEntry[], style: Request['tree']): [ProcEntry[], Map<ProcEntry, string>] {
  const indent = new Map<ProcEntry, string>();
  if (style === 'none') return [[...list], indent];
  const out: ProcEntry[] = [];
  const known = new Set(list.map((e) => e.pid));
  const children = (pid: number): ProcEntry[] => list.filter((e) => e.ppid === pid && e.pid !== pid);
  const visit = (entry: ProcEntry, depth: number, bars: string, last: boolean): void => {
    out.push(entry);
    if (style === 'indent') indent.set(entry, '  '.repeat(depth));
    else if (depth > 0) indent.set(entry, `${bars} \\_ `);
    const below = children(entry.pid);
    const next = depth === 0 ? '' : `${bars}${last ? '    ' : ' |  '}`;
    for (const [n, child] of below.entries()) visit(child, depth + 1, next, n === below.length - 1);
  };
  for (const entry of list) if (!known.has(entry.ppid)) visit(entry, 0, '', true);
  return [out, indent];
}

/** One line: a value wider than its column takes from the spaces of those after it. */
function line(cells: readonly string[], columns: readonly Shown[], digits: number): string {
  let out = '';
  let want = 0;
  for (const [n, column] of columns.entries()) {
    const text = cells[n] ?? '';
    const width =
      column.width === 0 ? Math.max(digits, column.header.length) : Math.max(column.width, column.header.length);
    const start = column.left ? want : want + Math.max(0, width - text.length);
    out = `${out.padEnd(n === 0 ? start : Math.max(start, out.length + 1))}${text}`;
    want += width + 1;
  }
  return out;
}

async function wanted(sys: Sys, r: Request): Promise<ProcEntry[]> {
  const all = await procEntries(sys);
  const own = all.find((e) => e.pid === sys.pid);
  const picked = (entry: ProcEntry): boolean => {
    if (r.picks.length > 0) return r.picks.some((test) => test(entry));
    if (r.bsdAll) return r.bsdOwn || entry.tty !== 0;
    return r.bsdOwn || entry.tty === (own?.tty ?? 0);
  };
  return all.filter((e) => picked(e) !== r.negate && (!r.running || e.state === 'R' || e.state === 'D'));
}

export const ps: Program = async (sys, argv) => {
  if (argv.includes('--help')) {
    await writeText(sys, 1, `${USAGE.trimStart()}\n`);
    return 0;
  }
  if (argv.includes('-V') || argv.includes('--version')) {
    await writeText(sys, 1, 'ps from procps-ng 4.0.2\n');
    return 0;
  }
  const r = parse(argv);
  if (r instanceof Misuse) {
    await complain(sys, `error: ${r.text}\n${USAGE}`);
    return 1;
  }
  const limit = await readFileText(sys, '/proc/sys/kernel/pid_max');
  const now = sys.clockGettime('realtime');
  let list = await wanted(sys, r);
  const found = list.length;
  if (r.threads !== '') {
    const each: ProcEntry[][] = [];
    for (const entry of list) each.push(await threadEntries(sys, entry));
    list = each.flat();
  }
  const base: PsContext = {
    now,
    bootNs: now - sys.clockGettime('monotonic'),
    memTotal: (await procNumber(sys, '/proc/meminfo', 'MemTotal')) * 1024,
    digits: Math.max(5, String(Number(typeof limit === 'string' ? limit.trim() : 0) - 1).length),
    indent: new Map(),
  };
  for (const { column, down } of [...r.sort].reverse()) {
    const key = (e: ProcEntry): number | string => sortKey(column, e, base);
    list.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1));
  }
  const [ordered, indent] = treeOf(list, r.tree);
  const context = { ...base, indent };
  const columns = r.columns ?? formatColumns(r);
  const columnsWide = (await isatty(sys, 1)) ? (await windowSize(sys, 1)).columns : 0;
  const width = columnsWide === 0 || r.wide > 1 ? Infinity : Math.max(columnsWide, r.wide === 1 ? 132 : 0);
  const rows = ordered.map((entry) => columns.map((column) => column.show(entry, context)));
  const header = columns.map(({ header, left, width: w }) =>
    left ? header : header.padStart(w === 0 ? base.digits : w),
  );
  const shown = r.headers && columns.some((column) => column.header !== '') ? [header, ...rows] : rows;
  await writeText(sys, 1, shown.map((cells) => `${line(cells, columns, base.digits).slice(0, width)}\n`).join(''));
  return found > 0 ? 0 : 1;
};
