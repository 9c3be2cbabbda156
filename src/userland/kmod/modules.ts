/** lsmod, modprobe, insmod, rmmod, modinfo, depmod as kmod does them: from /proc/modules, modules.dep and the module files. */
import { E } from '../../base/errno.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { listDir } from '../coreutils/paths.ts';
import { complain, readFileText, strerror } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { patternRegExp } from '../shell/pattern.ts';

export const under = (name: string): string => name.replaceAll('-', '_');
export const directory = (sys: Sys): string => `/lib/modules/${sys.uname().release}`;
const fileName = (path: string): string => under(path.replace(/.*\//, '').replace(/\.ko(\.\w+)?$/, ''));

interface Loaded {
  readonly name: string;
  readonly size: string;
  readonly refs: string;
  readonly users: string[];
}
async function loadedModules(sys: Sys): Promise<Loaded[]> {
  const text = await readFileText(sys, '/proc/modules');
  if (typeof text === 'number') return [];
  return text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', size = '0', refs = '0', users = '-'] = line.split(' ');
      return { name, size, refs, users: users === '-' ? [] : users.split(',').filter(Boolean) };
    });
}

/** kmod_module_get_holders: who uses a module, in the directory's order. */
function holders(sys: Sys, name: string): readonly string[] {
  const names = listDir(sys, `/sys/module/${name}/holders`);
  return typeof names === 'number' ? [] : names;
}

/** modules.dep: module name → its file and those it needs (nearest first), as absolute paths. */
export async function dependencies(sys: Sys): Promise<Map<string, string[]>> {
  const map = new Map<string, string[]>();
  const text = await readFileText(sys, `${directory(sys)}/modules.dep`);
  for (const line of typeof text === 'string' ? text.split('\n') : []) {
    const m = /^(\S+):\s*(.*)$/.exec(line);
    if (!m) continue;
    const files = [m[1] ?? '', ...(m[2] ?? '').split(/\s+/).filter(Boolean)].map((f) =>
      f.startsWith('/') ? f : `${directory(sys)}/${f}`,
    );
    map.set(fileName(m[1] ?? ''), files);
  }
  return map;
}

/** Modules that are part of the kernel, from modules.builtin. */
export async function builtinModules(sys: Sys): Promise<ReadonlySet<string>> {
  const text = await readFileText(sys, `${directory(sys)}/modules.builtin`);
  return new Set(typeof text === 'string' ? text.split('\n').filter(Boolean).map(fileName) : []);
}

async function aliases(sys: Sys, name: string): Promise<string[]> {
  const text = await readFileText(sys, `${directory(sys)}/modules.alias`);
  const found: string[] = [];
  for (const line of typeof text === 'string' ? text.split('\n') : []) {
    const m = /^alias\s+(\S+)\s+(\S+)/.exec(line);
    if (m && patternRegExp(m[1] ?? '').test(name)) found.push(under(m[2] ?? ''));
  }
  return [...new Set(found)];
}

/** `options`, `blacklist` and `softdep` lines of /etc/modprobe.d and /lib/modprobe.d. */
async function configuredOptions(sys: Sys, name: string): Promise<string> {
  let out = '';
  for (const dir of ['/lib/modprobe.d', '/etc/modprobe.d', '/run/modprobe.d']) {
    const names = listDir(sys, dir);
    for (const n of typeof names === 'number' ? [] : names) {
      const text = n.endsWith('.conf') ? await readFileText(sys, `${dir}/${n}`) : '';
      for (const m of typeof text === 'string' ? text.matchAll(/^\s*options\s+(\S+)\s+(.*)$/gm) : [])
        if (under(m[1] ?? '') === name) out += `${out ? ' ' : ''}${m[2]}`;
    }
  }
  return out;
}

async function load(sys: Sys, file: string, params: string): Promise<number> {
  const fd = sys.open(file, O_RDONLY);
  if (fd < 0) return fd;
  const r = sys.finitModule(fd, params);
  sys.close(fd);
  await sys.tick();
  return r;
}

/** kmod_module_probe_insert_module: a module and what it needs; 0 also when it is there already. */
export async function insertModule(sys: Sys, name: string): Promise<number> {
  const loaded = new Set((await loadedModules(sys)).map((m) => m.name));
  const files = (await dependencies(sys)).get(name);
  if (files === undefined) return (await builtinModules(sys)).has(name) ? 0 : -E.ENOENT;
  for (const file of loaded.has(name) ? [] : [...files].reverse()) {
    const one = fileName(file);
    const rc = loaded.has(one) ? 0 : await load(sys, file, await configuredOptions(sys, one));
    if (rc < 0 && rc !== -E.EEXIST) return rc;
  }
  return 0;
}

/** kmod's own words for what insertion can answer. */
const insertError = (r: number): string =>
  r === -E.ENOENT
    ? 'Unknown symbol in module, or unknown parameter (see dmesg)'
    : r === -E.ENOEXEC
      ? 'Exec format error'
      : strerror(r);

export const lsmod = defineTool(
  { name: 'lsmod', usage: '', about: 'Shows loaded modules, from /proc/modules.', options: [] },
  async (t) => {
    if (t.args.length > 0) {
      await complain(t.sys, 'Usage: lsmod');
      return 1;
    }
    t.out.line('Module                  Size  Used by');
    for (const m of await loadedModules(t.sys)) {
      const users = holders(t.sys, m.name);
      t.out.line(`${m.name.padEnd(19)} ${m.size.padStart(8)}  ${m.refs}${users.length ? ` ${users.join(',')}` : ''}`);
    }
    return 0;
  },
);

export const insmod = defineTool(
  {
    name: 'insmod',
    usage: 'FILE [NAME=VALUE]...',
    about: 'Loads one module file.',
    posix: true,
    options: [
      ['-f, --force', 'nothing here'],
      ['-s, --syslog', 'nothing here'],
      ['-v, --verbose', 'say more'],
    ],
  },
  async (t) => {
    const [file, ...params] = t.args;
    if (file === undefined) {
      await complain(t.sys, 'insmod: ERROR: missing filename.');
      return 1;
    }
    const stat = t.sys.stat(file);
    const r = typeof stat === 'number' ? stat : await load(t.sys, file, params.join(' '));
    if (r >= 0) return 0;
    if (typeof stat === 'number') await complain(t.sys, `insmod: ERROR: could not load module ${file}: ${strerror(r)}`);
    else
      await complain(
        t.sys,
        `insmod: ERROR: could not insert module ${file}: ${r === -E.ENOENT ? 'Unknown symbol in module' : r === -E.ENOEXEC ? 'Invalid module format' : strerror(r)}`,
      );
    return 1;
  },
);

async function removeOne(t: Tool, who: string, name: string): Promise<number> {
  const mod = (await loadedModules(t.sys)).find((m) => m.name === name);
  const builtin = (await builtinModules(t.sys)).has(name);
  if (!mod) {
    await complain(
      t.sys,
      builtin ? `${who}: ERROR: Module ${name} is builtin.` : `${who}: ERROR: Module ${name} is not currently loaded`,
    );
    return 1;
  }
  if (mod.users.length > 0) {
    await complain(t.sys, `${who}: ERROR: Module ${name} is in use by: ${holders(t.sys, name).join(' ')}`);
    return 1;
  }
  if (Number(mod.refs) > 0) {
    await complain(t.sys, `${who}: ERROR: Module ${name} is in use`);
    return 1;
  }
  const r = t.sys.deleteModule(name, 0);
  if (r === 0) return 0;
  await complain(t.sys, `${who}: ERROR: could not remove module ${name}: ${strerror(r)}`);
  return 1;
}

export const rmmod = defineTool(
  {
    name: 'rmmod',
    usage: 'MODULE...',
    about: 'Unloads modules.',
    options: [
      ['-f, --force', 'nothing here'],
      ['-s, --syslog', 'nothing here'],
      ['-v, --verbose', 'say more'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await complain(t.sys, 'rmmod: ERROR: missing module name.');
      return 1;
    }
    for (const a of t.args) if (await removeOne(t, 'rmmod', fileName(a))) t.status = 1;
    return t.status;
  },
);

/** A value with blanks goes to the kernel in quotes. */
const quoted = (arg: string): string => arg.replace(/^([^=]+)=(?!")(.*\s.*)$/s, '$1="$2"');

export const modprobe = defineTool(
  {
    name: 'modprobe',
    usage: '[OPTION]... MODULE [NAME=VALUE]...',
    about: 'Loads a module and those it needs, or removes it.',
    options: [
      ['-a, --all', 'every operand is a module'],
      ['-c, --showconfig', 'nothing here'],
      ['-D, --show-depends', 'show what would be loaded'],
      ['-f, --force', 'nothing here'],
      ['-i, --ignore-install', 'nothing here'],
      ['-n, --dry-run, --show', 'do nothing'],
      ['-q, --quiet', 'no message for unknown modules'],
      ['-r, --remove', 'remove'],
      ['-R, --resolve-alias', 'show what an alias stands for'],
      ['-v, --verbose', 'say what is done'],
      ['--first-time', 'complain if nothing is to do'],
      ['-S, --set-version=X', 'nothing here'],
      ['-d, --dirname=X', 'nothing here'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await complain(t.sys, 'modprobe: ERROR: missing parameters. See -h.');
      return 1;
    }
    const deps = await dependencies(t.sys);
    const all = t.has('a') || t.has('r');
    const names = all ? t.args : t.args.slice(0, 1);
    const params = all ? '' : t.args.slice(1).map(quoted).join(' ');
    for (const given of names) {
      const name = under(given);
      const targets = deps.has(name) ? [name] : (await aliases(t.sys, given)).filter((n) => deps.has(n));
      if (t.has('R')) {
        for (const n of targets) t.out.line(n);
        if (targets.length > 0) continue;
        await complain(t.sys, `modprobe: FATAL: Module ${given} not found in directory ${directory(t.sys)}`);
        t.status = 1;
        continue;
      }
      if (targets.length === 0 && (await builtinModules(t.sys)).has(name)) {
        if (t.has('D')) t.out.line(`builtin ${name}`);
        else if (t.has('r') || t.has('first-time')) {
          const what = t.has('r') ? `Module ${given} is builtin.` : `Module ${given} already in kernel (builtin).`;
          await complain(t.sys, `modprobe: FATAL: ${what}`);
          t.status = 1;
        }
        continue;
      }
      if (targets.length === 0) {
        if (typeof t.sys.stat(`/sys/module/${name}`) !== 'number') continue;
        if (!t.has('q'))
          await complain(
            t.sys,
            `modprobe: FATAL: Module ${given} not found${t.has('r') ? '.' : ` in directory ${directory(t.sys)}`}`,
          );
        t.status = 1;
        continue;
      }
      for (const target of targets) {
        const failed = t.has('r') ? await removeTree(t, target, deps) : await loadTree(t, target, params, deps);
        if (failed) t.status = 1;
      }
    }
    return t.status;
  },
);

async function loadTree(
  t: Tool,
  name: string,
  params: string,
  deps: ReadonlyMap<string, readonly string[]>,
): Promise<number> {
  const loaded = new Set((await loadedModules(t.sys)).map((m) => m.name));
  const files = [...(deps.get(name) ?? [])].reverse();
  if (loaded.has(name) && !t.has('D')) {
    if (!t.has('first-time')) return 0;
    await complain(t.sys, `modprobe: ERROR: could not insert '${name}': Module already in kernel`);
    return 1;
  }
  for (const file of files) {
    const n = fileName(file);
    const options = [await configuredOptions(t.sys, n), n === name ? params : ''].filter(Boolean).join(' ');
    if (t.has('D') || (t.has('v') && !loaded.has(n))) t.out.line(`insmod ${file} ${options}`);
    if (t.has('D') || t.has('n') || loaded.has(n)) continue;
    await t.out.flush();
    const r = await load(t.sys, file, options);
    if (r >= 0 || (r === -E.EEXIST && n !== name)) continue;
    await complain(t.sys, `modprobe: ERROR: could not insert '${n === name ? name : n}': ${insertError(r)}`);
    return 1;
  }
  return 0;
}

async function removeTree(t: Tool, name: string, deps: ReadonlyMap<string, readonly string[]>): Promise<number> {
  const mod = (await loadedModules(t.sys)).find((m) => m.name === name);
  if (!mod) {
    if (!t.has('first-time')) return 0;
    await complain(t.sys, `modprobe: FATAL: Module ${name} is not in kernel.`);
    return 1;
  }
  if (mod.users.length > 0 || Number(mod.refs) > 0) {
    await complain(t.sys, `modprobe: FATAL: Module ${name} is in use.`);
    return 1;
  }
  if (t.has('v') || t.has('n')) t.out.line(`rmmod ${name}`);
  if (t.has('n')) return 0;
  const r = t.sys.deleteModule(name, 0);
  if (r < 0) {
    await complain(t.sys, `modprobe: FATAL: Error removing module ${name}: ${strerror(r)}`);
    return 1;
  }
  // What it needed goes too if nobody else uses it, as kmod does.
  for (const file of deps.get(name)?.slice(1) ?? []) {
    const n = fileName(file);
    const m = (await loadedModules(t.sys)).find((x) => x.name === n);
    if (m && Number(m.refs) === 0 && m.users.length === 0) {
      if (t.has('v')) t.out.line(`rmmod ${n}`);
      t.sys.deleteModule(n, 0);
    }
  }
  return 0;
}

/** The images' modules.dep is complete from the start; there is nothing to compute anew. */
export const depmod: Program = async (sys) => (typeof sys.stat(`${directory(sys)}/modules.dep`) === 'number' ? 1 : 0);
