/** find: -name -iname -path -type -maxdepth -mindepth -size -newer -empty -lname, ! -a -o ( ), -print -print0 -printf -ls -exec -delete -prune -quit. */
import type { Program, Stat, Sys } from '../../linux/uapi/sys.ts';
import { complain, join, Out, strerror } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { patternRegExp, posixRegExp } from '../shell/pattern.ts';
import { modeString, userName } from './ls.ts';
import { isDir, listDir } from './paths.ts';

interface File {
  readonly path: string;
  readonly name: string;
  readonly stat: Stat;
  readonly depth: number;
}
type Test = (file: File) => Promise<boolean>;

class Usage extends Error {}

export const find: Program = async (sys, argv, env) => {
  const out = new Out(sys);
  const args = argv.slice(1);
  let follow = false;
  while (/^-[PLH]$/.test(args[0] ?? '')) follow = args.shift() === '-L';
  const roots: string[] = [];
  while (args.length > 0 && !/^[-!(]/.test(args[0] ?? '')) roots.push(args.shift() ?? '');
  let [max, min, status] = [Number.POSITIVE_INFINITY, 0, 0];
  let acts = false;
  let depthFirst = false;
  let pruned = false;
  let quit = false;
  let at = 0;
  const need = (option: string): string => {
    const v = args[at++];
    if (v === undefined) throw new Usage(`missing argument to \`${option}'`);
    return v;
  };
  const run = async (command: readonly string[]): Promise<boolean> => {
    await out.flush();
    for (const dir of command[0]?.includes('/') ? [''] : (env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(':')) {
      const path = dir ? join(dir, command[0] ?? '') : (command[0] ?? '');
      if (sys.access(path, 1) < 0) continue;
      const pid = sys.spawn(path, command, { env });
      if (pid < 0) break;
      const r = await sys.waitpid(pid);
      return typeof r !== 'number' && r.status === 0;
    }
    await complain(sys, `find: '${command[0]}': No such file or directory`);
    return false;
  };
  const batches: { command: string[]; files: string[] }[] = [];
  const primary = (): Test => {
    const word = args[at++] ?? '';
    switch (word) {
      case '!':
      case '-not': {
        const t = primary();
        return async (f) => !(await t(f));
      }
      case '(': {
        const t = or();
        if (args[at++] !== ')') throw new Usage("invalid expression; expected to find a ')' but didn't see one.");
        return t;
      }
      case '-name':
      case '-iname': {
        const re = patternRegExp(need(word), word === '-iname' ? 'i' : '');
        return async (f) => re.test(f.name);
      }
      case '-path':
      case '-wholename':
      case '-ipath': {
        const re = patternRegExp(need(word), word === '-ipath' ? 'i' : '');
        return async (f) => re.test(f.path);
      }
      case '-regex': {
        const source = need(word);
        let re: RegExp;
        try {
          re = posixRegExp(`^(${source})$`);
        } catch {
          throw new Usage(`failed to compile regular expression '${source}': Invalid regular expression`);
        }
        return async (f) => re.test(f.path);
      }
      case '-lname': {
        const re = patternRegExp(need(word));
        return async (f) => re.test(String(sys.readlink(f.path)));
      }
      case '-type':
      case '-xtype': {
        const kinds = need(word)
          .split(',')
          .map(
            (k) => ({ f: 0o100000, d: 0o040000, l: 0o120000, c: 0o020000, b: 0o060000, p: 0o010000, s: 0o140000 })[k],
          );
        if (kinds.includes(undefined)) throw new Usage(`Unknown argument to -type: ${args[at - 1]}`);
        return async (f) => kinds.includes(f.stat.mode & 0o170000);
      }
      case '-maxdepth':
        max = Number(need(word));
        return async () => true;
      case '-mindepth':
        min = Number(need(word));
        return async () => true;
      case '-depth':
        depthFirst = true;
        return async () => true;
      case '-mount':
      case '-xdev':
      case '-noleaf':
        return async () => true;
      case '-empty':
        return async (f) => (isDir(f.stat) ? (listDir(sys, f.path) as string[]).length === 0 : f.stat.size === 0);
      case '-size': {
        const m = /^([-+]?)(\d+)([ckMGwb]?)$/.exec(need(word));
        if (!m) throw new Usage(`Invalid argument \`${args[at - 1]}' to -size`);
        const unit = { c: 1, k: 1024, M: 1048576, G: 1073741824, w: 2, b: 512, '': 512 }[m[3] ?? ''] ?? 512;
        return async (f) => {
          const n = Math.ceil(f.stat.size / unit);
          return m[1] === '+' ? n > Number(m[2]) : m[1] === '-' ? n < Number(m[2]) : n === Number(m[2]);
        };
      }
      case '-newer': {
        const s = sys.stat(need(word));
        return async (f) => typeof s !== 'number' && f.stat.mtimeNs > s.mtimeNs;
      }
      case '-perm': {
        const bits = Number.parseInt(need(word).replace(/^[-/]/, ''), 8);
        const kind = args[at - 1]?.[0];
        return async (f) =>
          kind === '-'
            ? (f.stat.mode & bits) === bits
            : kind === '/'
              ? (f.stat.mode & bits) !== 0
              : (f.stat.mode & 0o7777) === bits;
      }
      case '-readable':
        return async (f) => sys.access(f.path, 4) === 0;
      case '-writable':
        return async (f) => sys.access(f.path, 2) === 0;
      case '-executable':
        return async (f) => sys.access(f.path, 1) === 0;
      case '-true':
        return async () => true;
      case '-false':
        return async () => false;
      case '-prune':
        return async () => (pruned = true);
      case '-print':
      case '-print0': {
        acts = true;
        const end = word === '-print0' ? '\0' : '\n';
        return async (f) => {
          out.put(f.path + end);
          return true;
        };
      }
      case '-quit':
        acts = true;
        return async () => (quit = true);
      case '-ls':
        acts = true;
        return async (f) => {
          out.line(longLine(sys, f));
          return true;
        };
      case '-printf': {
        acts = true;
        const format = need(word);
        return async (f) => {
          const target = sys.readlink(f.path);
          const values: Record<string, string> = {
            p: f.path,
            f: f.name,
            h: f.path.replace(/\/?[^/]*$/, '') || '.',
            l: typeof target === 'string' ? target : '',
            s: String(f.stat.size),
            m: (f.stat.mode & 0o7777).toString(8),
            M: modeString(f.stat.mode),
            y: typeLetter(f.stat.mode),
            u: userName(f.stat.uid),
            g: userName(f.stat.gid),
            U: String(f.stat.uid),
            G: String(f.stat.gid),
            i: String(f.stat.ino),
            n: String(f.stat.nlink),
            b: String(f.stat.blocks),
            k: String(Math.ceil(f.stat.blocks / 2)),
            t: strftime('%a %b %e %H:%M:%S.%N %Y', f.stat.mtimeNs),
            d: String(f.depth),
            P: f.path.replace(roots[0] ?? '', '').replace(/^\//, ''),
            '%': '%',
          };
          out.put(
            format.replace(/%([a-zA-Z%])|\\([nt0\\])/g, (_, c: string | undefined, e: string | undefined) =>
              c ? (values[c] ?? '?') : ({ n: '\n', t: '\t', '0': '\0', '\\': '\\' }[e ?? ''] ?? ''),
            ),
          );
          return true;
        };
      }
      case '-delete':
        acts = true;
        depthFirst = true;
        return async (f) => {
          const r = isDir(f.stat) ? sys.rmdir(f.path) : sys.unlink(f.path);
          if (r < 0) {
            await complain(sys, `find: cannot delete '${f.path}': ${strerror(r)}`);
            status = 1;
          }
          return r === 0;
        };
      case '-exec':
      case '-ok': {
        acts = true;
        const command: string[] = [];
        for (;;) {
          const part = need(word);
          if (part === ';' || (part === '+' && command.at(-1) === '{}')) break;
          command.push(part);
        }
        if (args[at - 1] === '+') {
          const batch = { command: command.slice(0, -1), files: [] as string[] };
          batches.push(batch);
          return async (f) => batch.files.push(f.path) > 0;
        }
        return (f) => run(command.map((c) => c.replaceAll('{}', f.path)));
      }
    }
    throw new Usage(
      word.startsWith('-') ? `unknown predicate \`${word}'` : `paths must precede expression: \`${word}'`,
    );
  };
  const and = (): Test => {
    let a = primary();
    while (at < args.length && !['-o', '-or', ')'].includes(args[at] ?? '')) {
      if (args[at] === '-a' || args[at] === '-and') at++;
      const [x, y] = [a, primary()];
      a = async (f) => (await x(f)) && (await y(f));
    }
    return a;
  };
  const or = (): Test => {
    let a = and();
    while (args[at] === '-o' || args[at] === '-or') {
      at++;
      const [x, y] = [a, and()];
      a = async (f) => (await x(f)) || (await y(f));
    }
    return a;
  };
  let test: Test = async () => true;
  try {
    if (args[0] === '--help' || args[0] === '-help') {
      out.put(
        'Usage: find [PATH]... [EXPRESSION]\nWalks directories and writes the paths for which the expression holds.\n',
      );
      await out.flush();
      return 0;
    }
    if (args.length > 0) test = or();
    if (at < args.length) throw new Usage(`paths must precede expression: \`${args[at]}'`);
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    await complain(sys, `find: ${error.message}`);
    return 1;
  }
  const visit = async (path: string, depth: number): Promise<void> => {
    await sys.tick();
    if (quit) return;
    const stat = follow ? sys.stat(path) : sys.lstat(path);
    if (typeof stat === 'number') {
      await complain(sys, `find: '${path}': ${strerror(stat)}`);
      status = 1;
      return;
    }
    const file: File = { path, name: path.replace(/\/+$/, '').replace(/.*\//, '') || '/', stat, depth };
    const check = async (): Promise<void> => {
      if (depth >= min && (await test(file)) && !acts) out.line(path);
      await out.step();
    };
    pruned = false;
    if (!depthFirst) await check();
    if (isDir(stat) && depth < max && !pruned) {
      const names = kernelOrder(sys, path);
      if (typeof names === 'number') {
        await complain(sys, `find: '${path}': ${strerror(names)}`);
        status = 1;
      } else for (const n of names) await visit(join(path, n), depth + 1);
    }
    if (depthFirst) await check();
  };
  for (const root of roots.length ? roots : ['.']) await visit(root, 0);
  for (const b of batches) if (b.files.length > 0 && !(await run([...b.command, ...b.files]))) status = 1;
  await out.flush();
  return status;
};

const typeLetter = (mode: number): string => modeString(mode)[0]?.replace('-', 'f') ?? '?';

/** `find -ls`: ls -dils. */
function longLine(sys: Sys, { path, stat }: File): string {
  const letter = typeLetter(stat.mode);
  const device = `${Math.floor(stat.rdev / 256)}, ${String(stat.rdev % 256).padStart(3)}`;
  const size = /[bc]/.test(letter) ? device : String(stat.size);
  const target = letter === 'l' ? ` -> ${sys.readlink(path)}` : '';
  const when = strftime('%b %e %H:%M', stat.mtimeNs);
  const owner = userName(stat.uid).padEnd(8);
  const [ino, blocks, links] = [stat.ino, Math.ceil(stat.blocks / 2), stat.nlink];
  return `${String(ino).padStart(9)} ${String(blocks).padStart(6)} ${modeString(stat.mode)} ${String(links).padStart(3)} ${owner} ${owner} ${size.padStart(8)} ${when} ${path}${target}`;
}

function kernelOrder(sys: Sys, path: string): readonly string[] | number {
  const fd = sys.open(path, 0o200000);
  if (fd < 0) return fd;
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number' ? entries : entries.map((e) => e.name);
}
