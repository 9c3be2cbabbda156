/** Tools that change or name files: mkdir rmdir rm cp mv ln touch chmod readlink realpath basename dirname stat tree. */
import { E } from '../../base/errno.ts';
import { O_CREAT, O_DIRECTORY, O_TRUNC, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT } from '../../linux/uapi/constants.ts';
import type { Stat, Sys } from '../../linux/uapi/sys.ts';
import { join, normalize, openPath, readSome, strerror, writeAll } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, missingOperand, type Tool } from '../misc/tool.ts';
import { modeString, userName } from './ls.ts';

export function listDir(sys: Sys, path: string): string[] | number {
  const fd = sys.open(path, O_DIRECTORY);
  if (fd < 0) return fd;
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number'
    ? entries
    : entries.map((e) => e.name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
export const isDir = (s: Stat | number): boolean => typeof s !== 'number' && (s.mode & S_IFMT) === S_IFDIR;
export const isLink = (s: Stat | number): boolean => typeof s !== 'number' && (s.mode & S_IFMT) === S_IFLNK;
const baseName = (path: string): string =>
  path.replace(/\/+$/, '').replace(/.*\//s, '') || (path.startsWith('/') ? '/' : '');

export const mkdir = defineTool(
  {
    name: 'mkdir',
    usage: '[OPTION]... DIRECTORY...',
    about: 'Makes directories.',
    options: [
      ['-m, --mode=MODE', 'octal mode'],
      ['-p, --parents', 'also parents; no error if it exists'],
      ['-v, --verbose', 'say what is made'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    const mode = t.has('m') ? Number.parseInt(t.get('m') ?? '', 8) : 0o777;
    for (const path of t.args) {
      const parts = path.split('/');
      const steps = t.has('p') ? parts.map((_, i) => parts.slice(0, i + 1).join('/')).filter(Boolean) : [path];
      for (const step of steps) {
        const r = t.sys.mkdir(step, mode);
        if (r === 0) {
          if (t.has('v')) t.out.line(`mkdir: created directory '${step}'`);
        } else if (!(t.has('p') && isDir(t.sys.stat(step)))) {
          await t.fail(`cannot create directory '${step}': ${strerror(r)}`);
          break;
        }
      }
    }
    return t.status;
  },
);

export const rmdir = defineTool(
  {
    name: 'rmdir',
    usage: '[OPTION]... DIRECTORY...',
    about: 'Removes empty directories.',
    options: [
      ['-p, --parents', 'parents too'],
      ['-v, --verbose', 'say what is removed'],
      ['--ignore-fail-on-non-empty', 'no error for full ones'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args)
      for (
        let at = path;
        at !== '' && at !== '.';
        at = t.has('p') && at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : ''
      ) {
        const r = t.sys.rmdir(at);
        if (r < 0) {
          if (!(r === -E.ENOTEMPTY && t.has('ignore-fail-on-non-empty')))
            await t.fail(`failed to remove '${at}': ${strerror(r)}`);
          break;
        }
      }
    return t.status;
  },
);

export const rm = defineTool(
  {
    name: 'rm',
    usage: '[OPTION]... [FILE]...',
    about: 'Removes files.',
    options: [
      ['-d, --dir', 'empty directories too'],
      ['-f, --force', 'no error for missing files'],
      ['-i', 'nothing is asked here: like without'],
      ['-r, --recursive', 'directories with all in them'],
      ['-R', 'as -r'],
      ['-v, --verbose', 'say what is removed'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return t.has('f') ? 0 : missingOperand(t);
    const remove = async (path: string): Promise<void> => {
      await t.sys.tick();
      const stat = t.sys.lstat(path);
      if (typeof stat === 'number') {
        if (!(t.has('f') && (stat === -E.ENOENT || stat === -E.ENOTDIR)))
          await t.fail(`cannot remove '${path}': ${strerror(stat)}`);
        return;
      }
      let r: number;
      if (isDir(stat)) {
        if (!t.has('r') && !t.has('R') && !t.has('d')) return t.fail(`cannot remove '${path}': Is a directory`);
        if (!t.has('d') || t.has('r')) {
          const names = listDir(t.sys, path);
          if (typeof names === 'number') return t.fail(`cannot remove '${path}': ${strerror(names)}`);
          for (const n of names) await remove(join(path, n));
        }
        r = t.sys.rmdir(path);
      } else r = t.sys.unlink(path);
      if (r < 0) await t.fail(`cannot remove '${path}': ${strerror(r)}`);
      else if (t.has('v')) t.out.line(`removed ${isDir(stat) ? 'directory ' : ''}'${path}'`);
    };
    for (const path of t.args) {
      if (/^(\.{1,2}\/?|\/+)$/.test(path))
        await t.fail(
          path.startsWith('/')
            ? "it is dangerous to operate recursively on '/'"
            : `refusing to remove '.' or '..' directory: skipping '${path}'`,
        );
      else await remove(path);
    }
    return t.status;
  },
);

/** Copies the bytes of one file; 0 or a complaint. */
async function copyFile(t: Tool, from: string, to: string, stat: Stat): Promise<boolean> {
  const { sys } = t;
  const input = openPath(sys, from);
  if (input < 0) {
    await t.fail(`cannot open '${from}' for reading: ${strerror(input)}`);
    return false;
  }
  const output = sys.open(to, O_WRONLY | O_CREAT | O_TRUNC, stat.mode & 0o777);
  if (output < 0) {
    sys.close(input);
    await t.fail(`cannot create regular file '${to}': ${strerror(output)}`);
    return false;
  }
  let ok = true;
  for (;;) {
    const data = await readSome(sys, input);
    if (typeof data === 'number') {
      await t.fail(`error reading '${from}': ${strerror(data)}`);
      ok = false;
      break;
    }
    if (data.length === 0) break;
    const r = await writeAll(sys, output, data);
    if (r < 0) {
      await t.fail(`error writing '${to}': ${strerror(r)}`);
      ok = false;
      break;
    }
    await sys.tick();
  }
  sys.close(input);
  sys.close(output);
  return ok;
}

async function copyTree(t: Tool, from: string, to: string): Promise<void> {
  const { sys } = t;
  const keepLinks = t.has('a') || t.has('d') || t.has('P') || t.has('r') || t.has('R') || t.name === 'mv';
  const stat = keepLinks ? sys.lstat(from) : sys.stat(from);
  if (typeof stat === 'number') return t.fail(`cannot stat '${from}': ${strerror(stat)}`);
  if (isLink(stat)) {
    const target = sys.readlink(from);
    if (t.has('f') || t.name === 'mv') sys.unlink(to);
    const r = typeof target === 'string' ? sys.symlink(target, to) : target;
    if (r < 0) await t.fail(`cannot create symbolic link '${to}': ${strerror(r)}`);
    return;
  }
  if (isDir(stat)) {
    if (!t.has('r') && !t.has('R') && !t.has('a') && t.name === 'cp')
      return t.fail(`-r not specified; omitting directory '${from}'`);
    if (!isDir(sys.stat(to))) {
      const r = sys.mkdir(to, stat.mode & 0o777);
      if (r < 0) return t.fail(`cannot create directory '${to}': ${strerror(r)}`);
    }
    const names = listDir(sys, from);
    if (typeof names === 'number') return t.fail(`cannot access '${from}': ${strerror(names)}`);
    for (const n of names) await copyTree(t, join(from, n), join(to, n));
    return;
  }
  const there = sys.stat(to);
  if (t.has('n') && typeof there !== 'number') return;
  if (typeof there !== 'number' && there.ino === stat.ino && there.dev === stat.dev)
    return t.fail(`'${from}' and '${to}' are the same file`);
  if (await copyFile(t, from, to, stat)) {
    if (t.has('p') || t.has('a')) sys.utimes(to, stat.mtimeNs, stat.mtimeNs);
    if (t.has('v')) t.out.line(`'${from}' -> '${to}'`);
  }
}

/** The last operand as target, the others as sources; each with the path it goes to. */
async function pairs(t: Tool): Promise<[string, string][] | null> {
  const args = [...t.args];
  const given = t.get('t');
  if (args.length === 0) {
    await t.fail(`missing file operand\nTry '${t.name} --help' for more information.`);
    return null;
  }
  if (args.length === 1 && given === undefined) {
    await t.fail(`missing destination file operand after '${args[0]}'\nTry '${t.name} --help' for more information.`);
    return null;
  }
  const target = given ?? args.pop() ?? '';
  const into = !t.has('T') && isDir(t.sys.stat(target));
  if (args.length > 1 && !into) {
    await t.fail(`target '${target}' is not a directory`);
    return null;
  }
  return args.map((a) => [a, into ? join(target, baseName(a)) : target]);
}

export const cp = defineTool(
  {
    name: 'cp',
    usage: '[OPTION]... SOURCE... DEST',
    about: 'Copies files.',
    options: [
      ['-a, --archive', 'as -dpR'],
      ['-d', 'links as links'],
      ['-f, --force', 'replace what is in the way'],
      ['-i', 'nothing is asked here'],
      ['-n, --no-clobber', 'keep existing files'],
      ['-P, --no-dereference', 'links as links'],
      ['-p, --preserve', 'keep times'],
      ['-r, --recursive', 'directories too'],
      ['-R', 'as -r'],
      ['-t, --target-directory=DIR', 'copy into DIR'],
      ['-T, --no-target-directory', 'DEST is no directory to copy into'],
      ['-u, --update', 'only newer'],
      ['-v, --verbose', 'say what is copied'],
    ],
  },
  async (t) => {
    for (const [from, to] of (await pairs(t)) ?? []) await copyTree(t, from, to);
    return t.args.length < 2 && !t.has('t') ? 1 : t.status;
  },
);

export const mv = defineTool(
  {
    name: 'mv',
    usage: '[OPTION]... SOURCE... DEST',
    about: 'Moves or renames files.',
    options: [
      ['-f, --force', 'replace without asking (always so here)'],
      ['-i', 'nothing is asked here'],
      ['-n, --no-clobber', 'keep existing files'],
      ['-t, --target-directory=DIR', 'move into DIR'],
      ['-T, --no-target-directory', 'DEST is no directory to move into'],
      ['-v, --verbose', 'say what is moved'],
    ],
  },
  async (t) => {
    for (const [from, to] of (await pairs(t)) ?? []) {
      if (t.has('n') && typeof t.sys.lstat(to) !== 'number') continue;
      const r = t.sys.rename(from, to);
      if (r === -E.EXDEV) {
        await copyTree(t, from, to);
        if (!t.status) t.sys.unlink(from);
      } else if (r < 0)
        await t.fail(
          r === -E.ENOENT && typeof t.sys.lstat(from) === 'number'
            ? `cannot stat '${from}': ${strerror(r)}`
            : `cannot move '${from}' to '${to}': ${strerror(r)}`,
        );
      if (r === 0 && t.has('v')) t.out.line(`renamed '${from}' -> '${to}'`);
    }
    return t.args.length < 2 && !t.has('t') ? 1 : t.status;
  },
);

export const ln = defineTool(
  {
    name: 'ln',
    usage: '[OPTION]... TARGET LINK_NAME',
    about: 'Makes links.',
    options: [
      ['-f, --force', 'replace existing'],
      ['-n, --no-dereference', 'LINK_NAME itself even if it leads to a directory'],
      ['-s, --symbolic', 'symbolic links'],
      ['-t, --target-directory=DIR', 'make the links in DIR'],
      ['-T, --no-target-directory', 'LINK_NAME is no directory'],
      ['-v, --verbose', 'say what is made'],
      ['-r, --relative', 'nothing: targets stay as given'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await t.fail("missing file operand\nTry 'ln --help' for more information.");
      return 1;
    }
    const list =
      t.args.length === 1
        ? [[t.args[0] ?? '', baseName(t.args[0] ?? '')] as const]
        : ((t.has('n') && isLink(t.sys.lstat(t.args[1] ?? ''))
            ? [[t.args[0] ?? '', t.args[1] ?? ''] as const]
            : await pairs(t)) ?? []);
    for (const [target, name] of list) {
      if (t.has('f')) t.sys.unlink(name);
      const r = t.has('s') ? t.sys.symlink(target, name) : t.sys.link(target, name);
      if (r < 0)
        await t.fail(
          `failed to create ${t.has('s') ? 'symbolic' : 'hard'} link '${name}'${t.has('s') ? '' : ` => '${target}'`}: ${strerror(r)}`,
        );
      else if (t.has('v')) t.out.line(`'${name}' ${t.has('s') ? '->' : '=>'} '${target}'`);
    }
    return t.status;
  },
);

export const touch = defineTool(
  {
    name: 'touch',
    usage: '[OPTION]... FILE...',
    about: 'Sets times to now; makes files that are missing.',
    options: [
      ['-a', 'access time'],
      ['-c, --no-create', 'make no files'],
      ['-m', 'change time'],
      ['-d, --date=TEXT', '@SECONDS'],
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
    const at = /^@(\d+)/.exec(t.get('d') ?? '');
    if (at) now = Number(at[1]) * 1e9;
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
const isDirMode = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR;

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

/** All links resolved. `mode` e: all must exist; f: all but the last; m: none. */
export function canonical(sys: Sys, path: string, mode: 'e' | 'f' | 'm', depth = 0): string | number {
  if (depth > 40) return -E.ELOOP;
  if (path === '') return -E.ENOENT;
  const parts = (path.startsWith('/') ? path : `${sys.getcwd()}/${path}`)
    .split('/')
    .filter((p) => p !== '' && p !== '.');
  let at = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const next = `${at}/${part}`;
    const stat = sys.lstat(next);
    if (typeof stat === 'number') {
      if (mode === 'e' || (mode === 'f' && (i < parts.length - 1 || stat !== -E.ENOENT))) return stat;
      at = next;
      continue;
    }
    if (isLink(stat)) {
      const target = sys.readlink(next);
      if (typeof target === 'number') return target;
      const rest = parts.slice(i + 1).join('/');
      return canonical(
        sys,
        (target.startsWith('/') ? target : `${at}/${target}`) + (rest ? `/${rest}` : ''),
        mode,
        depth + 1,
      );
    }
    at = next;
  }
  return at || '/';
}

export const readlink = defineTool(
  {
    name: 'readlink',
    usage: '[OPTION]... FILE...',
    about: 'Writes where a link leads.',
    options: [
      ['-e, --canonicalize-existing', 'whole path, all must exist'],
      ['-f, --canonicalize', 'whole path, all but the last must exist'],
      ['-m, --canonicalize-missing', 'whole path, nothing must exist'],
      ['-n, --no-newline', 'no newline'],
      ['-q, --quiet', 'no messages (as always)'],
      ['-s', 'as -q'],
      ['-v, --verbose', 'messages'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args) {
      const mode = (['e', 'f', 'm'] as const).find((k) => t.has(k));
      const r = mode ? canonical(t.sys, path, mode) : t.sys.readlink(path);
      if (typeof r === 'string') t.out.put(r + (t.has('z') ? '\0' : t.has('n') && t.args.length === 1 ? '' : '\n'));
      else {
        t.status = 1;
        if (t.has('v')) await t.failErrno(path, r);
      }
    }
    return t.status;
  },
);

export const realpath = defineTool(
  {
    name: 'realpath',
    usage: '[OPTION]... FILE...',
    about: 'Writes the whole path without links.',
    options: [
      ['-e, --canonicalize-existing', 'all must exist'],
      ['-m, --canonicalize-missing', 'nothing must exist'],
      ['-q, --quiet', 'no messages'],
      ['-s, --no-symlinks', 'do not resolve links'],
      ['--relative-to=DIR', 'relative to DIR'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args) {
      let r: string | number = t.has('s')
        ? normalize(t.sys.getcwd(), path)
        : canonical(t.sys, path, t.has('e') ? 'e' : t.has('m') ? 'm' : 'f');
      const base = t.get('relative-to');
      if (typeof r === 'string' && base !== undefined) {
        const from = canonical(t.sys, base, 'm');
        const a = typeof from === 'string' ? from.split('/').filter(Boolean) : [];
        const b = r.split('/').filter(Boolean);
        let n = 0;
        while (n < a.length && a[n] === b[n]) n++;
        r = [...a.slice(n).map(() => '..'), ...b.slice(n)].join('/') || '.';
      }
      if (typeof r === 'string') t.out.put(r + (t.has('z') ? '\0' : '\n'));
      else if (t.has('q')) t.status = 1;
      else await t.failErrno(path, r);
    }
    return t.status;
  },
);

export const basename = defineTool(
  {
    name: 'basename',
    usage: 'NAME [SUFFIX]',
    about: 'Writes the last part of a path.',
    options: [
      ['-a, --multiple', 'every operand is a NAME'],
      ['-s, --suffix=SUFFIX', 'take SUFFIX off'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    const many = t.has('a') || t.has('s');
    if (!many && t.args.length > 2) {
      await t.fail(`extra operand '${t.args[2]}'\nTry 'basename --help' for more information.`);
      return 1;
    }
    const suffix = t.get('s') ?? (many ? '' : (t.args[1] ?? ''));
    for (const a of many ? t.args : t.args.slice(0, 1)) {
      const b = baseName(a);
      t.out.put(
        (suffix && b !== suffix && b.endsWith(suffix) ? b.slice(0, -suffix.length) : b) + (t.has('z') ? '\0' : '\n'),
      );
    }
    return 0;
  },
);

export const dirname = defineTool(
  {
    name: 'dirname',
    usage: 'NAME...',
    about: 'Writes paths without their last part.',
    options: [['-z, --zero', 'end with NUL']],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const a of t.args) {
      const trimmed = a.replace(/(.)\/+$/, '$1');
      const cut = trimmed.lastIndexOf('/');
      t.out.put((cut < 0 ? '.' : trimmed.slice(0, cut).replace(/\/+$/, '') || '/') + (t.has('z') ? '\0' : '\n'));
    }
    return 0;
  },
);

function typeName(s: Stat): string {
  const names: Record<number, string> = {
    [S_IFDIR]: 'directory',
    [S_IFLNK]: 'symbolic link',
    4802: 'character special file',
    14406: 'block special file',
    2401: 'fifo',
    26411: 'socket',
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

export const tree = defineTool(
  {
    name: 'tree',
    usage: '[OPTION]... [DIRECTORY]...',
    about: 'Draws directories as a tree.',
    options: [
      ['-a', 'names with a dot too'],
      ['-d', 'directories only'],
      ['-f', 'whole paths'],
      ['-l', 'follow links to directories'],
      ['-L LEVEL', 'only so deep'],
      ['-i', 'no lines'],
      ['-P PATTERN', 'only such names'],
      ['-F', 'mark types'],
      ['--noreport', 'no counts at the end'],
      ['--charset=X', 'ascii for plain lines'],
    ],
  },
  async (t) => {
    let [dirs, files] = [0, 0];
    const level = Number(t.get('L') ?? Number.POSITIVE_INFINITY);
    const ascii = /ascii/i.test(t.get('charset') ?? '');
    const [tee, end, bar] = ascii ? ['|-- ', '`-- ', '|   '] : ['├── ', '└── ', '│   '];
    const walk = async (path: string, indent: string, depth: number): Promise<void> => {
      const names = listDir(t.sys, path);
      if (typeof names === 'number') return;
      const shown = names
        .map((n) => ({ n, s: t.sys.lstat(join(path, n)) }))
        .filter(
          ({ n, s }) =>
            (t.has('a') || !n.startsWith('.')) &&
            (!t.has('d') || isDir(s) || (isLink(s) && isDir(t.sys.stat(join(path, n))))),
        );
      for (const [i, { n, s }] of shown.entries()) {
        const last = i === shown.length - 1;
        const full = join(path, n);
        let label = t.has('f') ? full : n;
        const leads = isLink(s) && isDir(t.sys.stat(full));
        if (isLink(s)) label += ` -> ${String(t.sys.readlink(full))}`;
        if (t.has('F') && isDir(s)) label += '/';
        t.out.line((t.has('i') ? '' : indent + (last ? end : tee)) + label);
        await t.out.step();
        if (isDir(s) || leads) dirs++;
        else files++;
        if ((isDir(s) || (leads && t.has('l'))) && depth < level)
          await walk(full, indent + (last ? '    ' : bar), depth + 1);
      }
    };
    for (const path of t.args.length ? t.args : ['.']) {
      const s = t.sys.stat(path);
      t.out.line(isDir(s) ? path : `${path}  [error opening dir]`);
      if (isDir(s)) await walk(path, '', 1);
      else t.status = 2;
    }
    const plural = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
    if (!t.has('noreport'))
      t.out.put(
        `\n${plural(dirs, 'directory', 'directories')}${t.has('d') ? '' : `, ${plural(files, 'file', 'files')}`}\n`,
      );
    return t.status;
  },
);
