/** touch, chmod, stat. */
import {
  O_CREAT,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFSOCK,
} from '../../linux/uapi/constants.ts';
import type { Stat } from '../../linux/uapi/sys.ts';
import { parseDate } from '../misc/date-text.ts';
import { join, strerror } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { modeString, userName } from './ls.ts';
import { isDir, isDirMode, isLink, listDir } from './paths.ts';

export const touch = defineTool(
  {
    name: 'touch',
    usage: '[OPTION]... FILE...',
    about: 'Sets times to now; makes files that are missing.',
    options: [
      ['-a', 'access time'],
      ['-c, --no-create', 'make no files'],
      ['-m', 'change time'],
      ['-d, --date=TEXT', '@SECONDS or YYYY-MM-DD HH:MM:SS'],
      ['-r, --reference=FILE', 'times of FILE'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await t.fail("missing file operand\nTry 'touch --help' for more information.");
      return 1;
    }
    let now = t.sys.clockGettime('realtime');
    const reference = t.get('r') === undefined ? null : t.sys.stat(t.get('r') ?? '');
    if (reference !== null && typeof reference !== 'number') now = reference.mtimeNs;
    const text = t.get('d');
    if (text !== undefined) {
      const at = parseDate(text, now);
      if (at === null) {
        await t.fail(`invalid date format '${text}'`);
        return 1;
      }
      now = at;
    }
    for (const path of t.args) {
      if (typeof t.sys.stat(path) === 'number') {
        if (t.has('c')) continue;
        const fd = t.sys.open(path, O_WRONLY | O_CREAT, 0o666);
        if (fd < 0) {
          await t.fail(`cannot touch '${path}': ${strerror(fd)}`);
          continue;
        }
        t.sys.close(fd);
      }
      const r = t.sys.utimes(path, now, now);
      if (r < 0) await t.fail(`setting times of '${path}': ${strerror(r)}`);
    }
    return t.status;
  },
);

/** Mode after a chmod expression, or null if malformed. */
export function applyMode(expression: string, mode: number, umask: number): number | null {
  if (/^[0-7]{1,4}$/.test(expression)) return Number.parseInt(expression, 8);
  let out = mode & 0o7777;
  for (const clause of expression.split(',')) {
    const m = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause);
    if (!m) return null;
    const who = m[1] ? m[1].replace('a', 'ugo') : 'ugo';
    let bits = 0;
    for (const c of m[3] ?? '') {
      const unit = { r: 4, w: 2, x: 1, X: isDirMode(mode) || mode & 0o111 ? 1 : 0 }[c] ?? 0;
      if (who.includes('u')) bits |= unit << 6;
      if (who.includes('g')) bits |= unit << 3;
      if (who.includes('o')) bits |= unit;
      if (c === 's') bits |= (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0);
      if (c === 't') bits |= 0o1000;
    }
    if (!m[1]) bits &= ~umask;
    const mask = (who.includes('u') ? 0o4700 : 0) | (who.includes('g') ? 0o2070 : 0) | (who.includes('o') ? 0o1007 : 0);
    out = m[2] === '+' ? out | bits : m[2] === '-' ? out & ~bits : (out & ~mask) | bits;
  }
  return out;
}

export const chmod = defineTool(
  {
    name: 'chmod',
    usage: '[OPTION]... MODE FILE...',
    about: 'Changes permissions.',
    options: [
      ['-R, --recursive', 'all below too'],
      ['-v, --verbose', 'say what is changed'],
      ['-f, --silent', 'no messages'],
    ],
  },
  async (t) => {
    const [mode, ...files] = t.args;
    if (mode === undefined) return missingOperand(t);
    if (files.length === 0) return missingOperand(t, mode);
    const mask = t.sys.umask(0);
    t.sys.umask(mask);
    const change = async (path: string): Promise<void> => {
      const stat = t.sys.stat(path);
      if (typeof stat === 'number') return t.fail(`cannot access '${path}': ${strerror(stat)}`);
      const next = applyMode(mode, stat.mode, mask);
      if (next === null) return t.fail(`invalid mode: '${mode}'`);
      const r = t.sys.chmod(path, next);
      if (r < 0) await t.fail(`changing permissions of '${path}': ${strerror(r)}`);
      const names = t.has('R') && isDir(t.sys.lstat(path)) ? listDir(t.sys, path) : [];
      for (const n of typeof names === 'number' ? [] : names) await change(join(path, n));
    };
    for (const f of files) await change(f);
    return t.status;
  },
);

function typeName(s: Stat): string {
  const names: Record<number, string> = {
    [S_IFDIR]: 'directory',
    [S_IFLNK]: 'symbolic link',
    [S_IFCHR]: 'character special file',
    [S_IFBLK]: 'block special file',
    [S_IFIFO]: 'fifo',
    [S_IFSOCK]: 'socket',
    0: 'weird file',
  };
  return names[s.mode & S_IFMT] ?? (s.size === 0 ? 'regular empty file' : 'regular file');
}

export const stat = defineTool(
  {
    name: 'stat',
    usage: '[OPTION]... FILE...',
    about: 'Shows what the kernel knows of a file.',
    options: [
      ['-c, --format=FORMAT', 'FORMAT for each file'],
      ['-L, --dereference', 'follow links'],
      ['-t, --terse', 'one line'],
      ['--printf=FORMAT', 'as -c with escapes, no newline'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args) {
      const s = t.has('L') ? t.sys.stat(path) : t.sys.lstat(path);
      if (typeof s === 'number') {
        await t.fail(`cannot statx '${path}': ${strerror(s)}`);
        continue;
      }
      const time = strftime('%Y-%m-%d %H:%M:%S.%N +0000', s.mtimeNs);
      const target = isLink(s) ? t.sys.readlink(path) : '';
      const octal = (s.mode & 0o7777).toString(8);
      const format = t.get('c') ?? t.get('printf');
      if (format !== undefined) {
        const text = format.replace(/%([a-zA-Z%])/g, (_, f: string) => {
          const values: Record<string, string> = {
            n: path,
            N: typeof target === 'string' && target ? `'${path}' -> '${target}'` : `'${path}'`,
            s: String(s.size),
            a: octal,
            A: modeString(s.mode),
            f: s.mode.toString(16),
            F: typeName(s),
            i: String(s.ino),
            h: String(s.nlink),
            u: String(s.uid),
            g: String(s.gid),
            U: userName(s.uid),
            G: userName(s.gid),
            d: String(s.dev),
            D: s.dev.toString(16),
            b: String(s.blocks),
            B: '512',
            o: '4096',
            y: time,
            x: time,
            z: time,
            Y: String(Math.floor(s.mtimeNs / 1e9)),
            X: String(Math.floor(s.mtimeNs / 1e9)),
            Z: String(Math.floor(s.mtimeNs / 1e9)),
            t: Math.floor(s.rdev / 256).toString(16),
            T: (s.rdev % 256).toString(16),
            w: '-',
            W: '0',
            '%': '%',
          };
          return values[f] ?? '?';
        });
        t.out.put(t.has('c') ? `${text}\n` : text.replace(/\\n/g, '\n').replace(/\\t/g, '\t'));
        continue;
      }
      const device = (s.mode & S_IFMT) === 0o020000 || (s.mode & S_IFMT) === 0o060000;
      t.out.put(
        `  File: ${path}${typeof target === 'string' && target ? ` -> ${target}` : ''}\n` +
          `  Size: ${String(s.size).padEnd(10)}\tBlocks: ${String(s.blocks).padEnd(10)} IO Block: 4096   ${typeName(s)}\n` +
          `Device: ${Math.floor(s.dev / 256)},${s.dev % 256}\tInode: ${String(s.ino).padEnd(11)} Links: ${s.nlink}${device ? `     Device type: ${Math.floor(s.rdev / 256)},${s.rdev % 256}` : ''}\n` +
          `Access: (${octal.padStart(4, '0')}/${modeString(s.mode)})  Uid: (${String(s.uid).padStart(5)}/${userName(s.uid).padStart(8)})   Gid: (${String(s.gid).padStart(5)}/${userName(s.gid).padStart(8)})\n` +
          `Access: ${time}\nModify: ${time}\nChange: ${time}\n Birth: -\n`,
      );
    }
    return t.status;
  },
);
