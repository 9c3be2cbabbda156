/** ls: long, columns, recursive, sorted; symlinks shown as links. Leaves out colours of file types beyond directories and links. */
import {
  O_DIRECTORY,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFSOCK,
} from '../../linux/uapi/constants.ts';
import type { Stat } from '../../linux/uapi/sys.ts';
import { isatty, join, strerror, windowSize } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stat | null;
  /** Where a link leads, read while its directory is open (/proc/self/fd). */
  readonly target: string;
}

export function modeString(mode: number): string {
  const type =
    { [S_IFDIR]: 'd', [S_IFLNK]: 'l', [S_IFCHR]: 'c', [S_IFBLK]: 'b', [S_IFIFO]: 'p', [S_IFSOCK]: 's' }[
      mode & S_IFMT
    ] ?? '-';
  const bits = (n: number, special: boolean, letter: string): string =>
    `${n & 4 ? 'r' : '-'}${n & 2 ? 'w' : '-'}${special ? (n & 1 ? letter : letter.toUpperCase()) : n & 1 ? 'x' : '-'}`;
  return (
    type +
    bits((mode >> 6) & 7, (mode & 0o4000) !== 0, 's') +
    bits((mode >> 3) & 7, (mode & 0o2000) !== 0, 's') +
    bits(mode & 7, (mode & 0o1000) !== 0, 't')
  );
}

export function humanSize(size: number): string {
  if (size < 1024) return String(size);
  let v = size;
  for (const unit of 'KMGTP') {
    v /= 1024;
    if (v < 1024 || unit === 'P')
      return v < 10 ? `${(Math.ceil(v * 10) / 10).toFixed(1)}${unit}` : `${Math.ceil(v)}${unit}`;
  }
  return String(size);
}

export const userName = (uid: number): string => (uid === 0 ? 'root' : String(uid));

export const ls = defineTool(
  {
    name: 'ls',
    usage: '[OPTION]... [FILE]...',
    about: 'Lists files, or what directories hold (the current one by default).',
    misuse: 2,
    options: [
      ['-a, --all', 'also names that begin with a dot'],
      ['-A, --almost-all', 'as -a without . and ..'],
      ['-C', 'columns'],
      ['--color[=WHEN]', 'colour names: always, auto or never'],
      ['-d, --directory', 'directories themselves, not what they hold'],
      ['-F, --classify', 'mark directories, links, pipes, programs'],
      ['-g', 'as -l without the owner'],
      ['-h, --human-readable', 'sizes like 1.5K'],
      ['-i, --inode', 'inode numbers'],
      ['-l', 'long form'],
      ['-L, --dereference', 'follow links'],
      ['-n, --numeric-uid-gid', 'as -l with numbers for owners'],
      ['-p', 'mark directories with /'],
      ['-r, --reverse', 'reverse order'],
      ['-R, --recursive', 'directories below too'],
      ['-s, --size', 'allocated blocks'],
      ['-S', 'sort by size'],
      ['-t', 'sort by time'],
      ['-U', 'directory order'],
      ['-v', 'natural order of numbers'],
      ['-1', 'one name a line'],
    ],
  },
  async (t) => {
    const { sys } = t;
    const tty = await isatty(sys, 1);
    const color =
      t.has('color') && !['never', 'none', 'no'].includes(t.get('color') ?? '') && (tty || t.get('color') !== 'auto');
    const files: Entry[] = [];
    const dirs: Entry[] = [];
    for (const path of t.args.length ? t.args : ['.']) {
      let stat = t.has('l') || t.has('d') || t.has('F') || t.has('n') || t.has('g') ? sys.lstat(path) : sys.stat(path);
      if (t.has('L')) stat = sys.stat(path);
      if (typeof stat === 'number' && !t.has('L')) stat = sys.lstat(path);
      if (typeof stat === 'number') {
        await t.fail(`cannot access '${path}': ${strerror(stat)}`, 2);
        continue;
      }
      (!t.has('d') && (stat.mode & S_IFMT) === S_IFDIR ? dirs : files).push(entry(t, path, path, stat));
    }
    const width = tty ? (await windowSize(sys, 1)).columns : 80;
    show(t, sort(t, files), tty, width, color, '');
    let first = files.length === 0;
    const several = t.args.length > 1 || t.has('R');
    const queue = sort(t, dirs);
    while (queue.length > 0) {
      const dir = queue.shift();
      if (!dir) break;
      if (several) t.out.put(`${first ? '' : '\n'}${dir.path}:\n`);
      first = false;
      const entries = await read(t, dir.path);
      if (!entries) continue;
      show(t, entries, tty, width, color, dir.path);
      if (t.has('R'))
        queue.unshift(
          ...entries.filter((e) => e.stat && (e.stat.mode & S_IFMT) === S_IFDIR && e.name !== '.' && e.name !== '..'),
        );
      await t.out.step();
    }
    return t.status;
  },
);

function entry(t: Tool, name: string, path: string, stat: Stat | null): Entry {
  const target = stat && (stat.mode & S_IFMT) === S_IFLNK ? t.sys.readlink(path) : '';
  return { name, path, stat, target: typeof target === 'string' ? target : '' };
}

async function read(t: Tool, path: string): Promise<Entry[] | null> {
  const fd = t.sys.open(path, O_RDONLY | O_DIRECTORY);
  const list = fd < 0 ? fd : t.sys.getdents(fd);
  if (typeof list === 'number') {
    if (fd >= 0) t.sys.close(fd);
    await t.fail(`cannot open directory '${path}': ${strerror(list)}`, t.args.length > 0 ? 2 : 1);
    return null;
  }
  let names = list.map((e) => e.name);
  if (t.has('a')) names = ['.', '..', ...names];
  else if (!t.has('A')) names = names.filter((n) => !n.startsWith('.'));
  const entries: Entry[] = [];
  for (const name of names) {
    const full = join(path, name);
    const stat = t.has('L') ? t.sys.stat(full) : t.sys.lstat(full);
    entries.push(entry(t, name, full, typeof stat === 'number' ? null : stat));
  }
  // Open until all are looked at: /proc/self/fd shows the descriptor too.
  t.sys.close(fd);
  return sort(t, entries);
}

const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function sort(t: Tool, entries: Entry[]): Entry[] {
  if (t.has('U')) return entries;
  const compare = t.has('S')
    ? (a: Entry, b: Entry) => (b.stat?.size ?? 0) - (a.stat?.size ?? 0) || byName(a, b)
    : t.has('t')
      ? (a: Entry, b: Entry) => (b.stat?.mtimeNs ?? 0) - (a.stat?.mtimeNs ?? 0) || byName(a, b)
      : t.has('v')
        ? (a: Entry, b: Entry) => natural(a.name, b.name)
        : byName;
  const sorted = entries.toSorted(compare);
  return t.has('r') ? sorted.reverse() : sorted;
}

function natural(a: string, b: string): number {
  const x = a.match(/\d+|\D+/g) ?? [];
  const y = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const p = x[i] ?? '';
    const q = y[i] ?? '';
    const d = /^\d/.test(p) && /^\d/.test(q) ? Number(p) - Number(q) : p < q ? -1 : p > q ? 1 : 0;
    if (d) return d;
  }
  return 0;
}

function mark(t: Tool, e: Entry): string {
  const type = (e.stat?.mode ?? 0) & S_IFMT;
  if (type === S_IFDIR && (t.has('F') || t.has('p'))) return '/';
  if (!t.has('F')) return '';
  if (type === S_IFLNK) return t.has('l') ? '' : '@';
  if (type === S_IFIFO) return '|';
  if (type === S_IFSOCK) return '=';
  return type === 0o100000 && (e.stat?.mode ?? 0) & 0o111 ? '*' : '';
}

function paint(e: Entry, color: boolean): string {
  if (!color || !e.stat) return e.name;
  const type = e.stat.mode & S_IFMT;
  const code =
    type === S_IFDIR
      ? '01;34'
      : type === S_IFLNK
        ? '01;36'
        : type === S_IFCHR || type === S_IFBLK
          ? '40;33;01'
          : e.stat.mode & 0o111
            ? '01;32'
            : null;
  return code ? `\x1b[0m\x1b[${code}m${e.name}\x1b[0m` : e.name;
}

function show(t: Tool, entries: readonly Entry[], tty: boolean, width: number, color: boolean, dir: string): void {
  const prefix = (e: Entry): string =>
    (t.has('i') ? `${e.stat?.ino ?? '?'} ` : '') + (t.has('s') ? `${Math.ceil((e.stat?.blocks ?? 0) / 2)} ` : '');
  if (t.has('l') || t.has('n') || t.has('g')) {
    if (dir !== '') t.out.line(`total ${entries.reduce((n, e) => n + Math.ceil((e.stat?.blocks ?? 0) / 2), 0)}`);
    const owner = (id: number): string => (t.has('n') ? String(id) : userName(id));
    const rows = entries.map((e) => {
      const s = e.stat;
      const device = s && ((s.mode & S_IFMT) === S_IFCHR || (s.mode & S_IFMT) === S_IFBLK);
      const size = !s
        ? '?'
        : device
          ? `${Math.floor(s.rdev / 256)}, ${String(s.rdev % 256).padStart(3)}`
          : t.has('h')
            ? humanSize(s.size)
            : String(s.size);
      return { e, s, links: String(s?.nlink ?? '?'), user: owner(s?.uid ?? 0), group: owner(s?.gid ?? 0), size };
    });
    const w = (pick: (r: (typeof rows)[number]) => string): number => Math.max(0, ...rows.map((r) => pick(r).length));
    const [wl, wu, wg, ws] = [w((r) => r.links), w((r) => r.user), w((r) => r.group), w((r) => r.size)];
    const now = t.sys.clockGettime('realtime');
    for (const { e, s, links, user, group, size } of rows) {
      const old = s ? Math.abs(now - s.mtimeNs) > 15_778_476e9 : false;
      const when = s ? strftime(old ? '%b %e  %Y' : '%b %e %H:%M', s.mtimeNs) : '?';
      let name = paint(e, color) + mark(t, e);
      if (s && (s.mode & S_IFMT) === S_IFLNK) {
        if (e.target !== '') name += ` -> ${e.target}`;
      }
      const who = t.has('g') ? group.padEnd(wg) : `${user.padEnd(wu)} ${group.padEnd(wg)}`;
      t.out.line(
        `${prefix(e)}${s ? modeString(s.mode) : '??????????'} ${links.padStart(wl)} ${who} ${size.padStart(ws)} ${when} ${name}`,
      );
    }
    return;
  }
  const cells = entries.map((e) => ({
    text: prefix(e) + paint(e, color) + mark(t, e),
    width: (prefix(e) + e.name + mark(t, e)).length,
  }));
  if ((!tty && !t.has('C')) || t.has('1')) {
    for (const c of cells) t.out.line(c.text);
    return;
  }
  if (cells.length === 0) return;
  for (let rows = 1; ; rows++) {
    const columns = Math.ceil(cells.length / rows);
    const widths = Array.from(
      { length: columns },
      (_, c) => Math.max(...cells.slice(c * rows, c * rows + rows).map((x) => x.width)) + 2,
    );
    if (rows < cells.length && widths.reduce((a, b) => a + b, 0) - 2 > width) continue;
    for (let r = 0; r < rows; r++) {
      let line = '';
      for (let c = 0; c * rows + r < cells.length; c++) {
        const cell = cells[c * rows + r];
        if (!cell) break;
        const last = (c + 1) * rows + r >= cells.length;
        line += cell.text + (last ? '' : ' '.repeat((widths[c] ?? 0) - cell.width));
      }
      t.out.line(line);
    }
    return;
  }
}
