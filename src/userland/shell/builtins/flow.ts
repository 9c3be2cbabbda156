/** Builtins about the flow: break, return, exit, eval, source, exec, trap, cd and the directory stack, type, command. */
import { strerror } from '../../../base/errno.ts';
import { normalize, openPath, readFileText } from '../../misc/io.ts';
import { BreakSignal, ExitSignal, ReturnSignal, SIGNALS, signalName, signalNumber } from '../control.ts';
import { Source } from '../parse.ts';
import type { Builtin, Shell } from '../shell.ts';
import { options } from './options.ts';
import { logicalPwd } from './print.ts';

const KEYWORDS = new Set(
  'if then else elif fi case esac for select while until do done in function time { } ! [[ ]] coproc'.split(' '),
);

const jump =
  (kind: 'break' | 'continue'): Builtin =>
  async (sh, args) => {
    if (sh.loops === 0) {
      await sh.error(`${kind}: only meaningful in a \`for', \`while', or \`until' loop`);
      return 0;
    }
    const n = Number(args[0] ?? 1);
    if (!Number.isInteger(n) || n < 1) {
      await sh.error(
        `${kind}: ${args[0]}: ${Number.isInteger(n) ? 'loop count out of range' : 'numeric argument required'}`,
      );
      throw new BreakSignal('break', sh.loops);
    }
    throw new BreakSignal(kind, Math.min(n, sh.loops));
  };

async function statusArg(sh: Shell, who: string, arg: string | undefined): Promise<number> {
  if (arg === undefined) return sh.status;
  if (/^[-+]?\d+$/.test(arg.trim())) return Number(BigInt.asUintN(8, BigInt(arg.trim().replace(/^\+/, ''))));
  await sh.error(`${who}: ${arg}: numeric argument required`);
  return 2;
}

const exit: Builtin = async (sh, args) => {
  if (sh.interactive && sh.depth === 0) await sh.sys.write(2, new TextEncoder().encode('exit\n'));
  throw new ExitSignal(await statusArg(sh, 'exit', args[0]));
};

const returnBuiltin: Builtin = async (sh, args) => {
  if (sh.frames.length === 0) {
    await sh.error("return: can only `return' from a function or sourced script");
    return 2;
  }
  throw new ReturnSignal(await statusArg(sh, 'return', args[0]));
};

const evalBuiltin: Builtin = async (sh, args) => {
  const text = args.join(' ');
  if (text.trim() === '') return 0;
  return sh.evalText(text);
};

const source: Builtin = async (sh, args) => {
  const [file, ...rest] = args[0] === '--' ? args.slice(1) : args;
  if (file === undefined) {
    await sh.error('source: filename argument required');
    return 2;
  }
  let path = file;
  if (!file.includes('/'))
    for (const dir of (sh.vars.get('PATH') ?? '').split(':')) {
      const stat = sh.sys.stat(`${dir}/${file}`);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000) {
        path = `${dir}/${file}`;
        break;
      }
    }
  const text = await readFileText(sh.sys, path);
  if (typeof text === 'number') {
    await sh.error(`${file}: ${strerror(text)}`);
    return 1;
  }
  const { positional, line } = sh;
  if (rest.length) sh.positional = rest;
  sh.frames.push({ name: 'source', source: path, callLine: line });
  try {
    sh.status = 0;
    return await sh.runSource(new Source(text, path));
  } catch (error) {
    if (error instanceof ReturnSignal) return error.status;
    throw error;
  } finally {
    sh.frames.pop();
    if (rest.length) sh.positional = positional;
    sh.line = line;
  }
};

const exec: Builtin = async (sh, args) => {
  const o = await options(sh, 'exec', args, 'cla:', 'exec [-cl] [-a name] [command [argument ...]] [redirection ...]');
  if (!o) return 2;
  if (o.rest.length === 0) return 0;
  const argv0 = o.get('a') ?? (o.has('l') ? `-${o.rest[0]}` : undefined);
  const status = await sh.execute(o.rest, argv0);
  if (!sh.interactive) throw new ExitSignal(status);
  return status;
};

const trap: Builtin = async (sh, args) => {
  if (args[0] === '-l')
    return sh.out('trap', `${SIGNALS.map(([n, s]) => `${String(n).padStart(2)}) SIG${s}`).join('\n')}\n`);
  const show = (name: string): string => {
    const text = sh.traps.get(name);
    const full = /EXIT|ERR|DEBUG|RETURN/.test(name) ? name : `SIG${name}`;
    return text === undefined ? '' : `trap -- '${text.replaceAll("'", "'\\''")}' ${full}\n`;
  };
  if (args.length === 0 || (args[0] === '-p' && args.length === 1))
    return sh.out('trap', [...sh.traps.keys()].map(show).join(''));
  if (args[0] === '-p')
    return sh.out(
      'trap',
      args
        .slice(1)
        .map((n) => show(n.replace(/^SIG/, '')))
        .join(''),
    );
  const rest = args[0] === '--' ? args.slice(1) : args;
  const reset = rest[0] === '-' || rest.length === 1;
  const action = reset ? null : (rest[0] ?? '');
  let status = 0;
  for (const word of rest.length === 1 ? rest : rest.slice(1)) {
    const pseudo = /^(EXIT|ERR|DEBUG|RETURN)$/.test(word.toUpperCase())
      ? word.toUpperCase()
      : word === '0'
        ? 'EXIT'
        : null;
    const number = pseudo ? null : signalNumber(word);
    if (!pseudo && number === null) {
      await sh.error(`trap: ${word}: invalid signal specification`);
      status = 1;
      continue;
    }
    const name = pseudo ?? signalName(number ?? 0);
    if (action === null) sh.traps.delete(name);
    else sh.traps.set(name, action);
    if (name === 'ERR') sh.trapDepth = sh.frames.length;
    if (number === null || number === 9 || number === 19) continue;
    if (action === '') sh.sys.onSignal(number, 'ignore');
    else if (action !== null || (sh.interactive && number === 2))
      sh.sys.onSignal(number, () => sh.pendingSignals.push(number));
    else sh.sys.onSignal(number, null);
  }
  return status;
};

async function changeDir(sh: Shell, who: string, target: string, physical: boolean): Promise<number> {
  const logical = logicalPwd(sh);
  const wanted = physical ? target : normalize(logical, target);
  let r = sh.sys.chdir(wanted);
  if (r < 0 && !physical) r = sh.sys.chdir(target);
  if (r < 0) {
    await sh.error(`${who}: ${target}: ${strerror(r)}`);
    return 1;
  }
  sh.vars.set('OLDPWD', logical);
  sh.vars.set('PWD', physical ? sh.sys.getcwd() : wanted);
  return 0;
}

const cd: Builtin = async (sh, args) => {
  const o = await options(sh, 'cd', args[0] === '-' ? ['--', ...args] : args, 'LPe@', 'cd [-L|[-P [-e]] [-@]] [dir]');
  if (!o) return 2;
  if (o.rest.length > 1) {
    await sh.error('cd: too many arguments');
    return 1;
  }
  let target = o.rest[0];
  let print = false;
  if (target === undefined) {
    target = sh.vars.get('HOME');
    if (target === undefined) {
      await sh.error('cd: HOME not set');
      return 1;
    }
  } else if (target === '-') {
    target = sh.vars.get('OLDPWD');
    print = true;
    if (target === undefined) {
      await sh.error('cd: OLDPWD not set');
      return 1;
    }
  } else if (target === '') return 0;
  const cdpath = sh.vars.get('CDPATH');
  if (cdpath && !/^\.{0,2}\//.test(target))
    for (const dir of cdpath.split(':')) {
      const stat = sh.sys.stat(`${dir || '.'}/${target}`);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000) {
        target = `${dir || '.'}/${target}`;
        print = dir !== '';
        break;
      }
    }
  const status = await changeDir(sh, 'cd', target, o.has('P') || sh.options.has('physical'));
  return status === 0 && print ? sh.out('cd', `${logicalPwd(sh)}\n`) : status;
};

const short = (sh: Shell, dir: string): string => {
  const home = sh.vars.get('HOME') ?? '';
  return home && (dir === home || dir.startsWith(`${home}/`)) ? `~${dir.slice(home.length)}` : dir;
};
const dirs: Builtin = async (sh, args) => {
  if (args.includes('-c')) {
    sh.dirs = [];
    return 0;
  }
  const all = [logicalPwd(sh), ...sh.dirs].map((d) => (args.includes('-l') ? d : short(sh, d)));
  if (args.includes('-v')) return sh.out('dirs', all.map((d, i) => `${String(i).padStart(2)}  ${d}\n`).join(''));
  return sh.out('dirs', `${all.join(args.includes('-p') ? '\n' : ' ')}\n`);
};
const pushd: Builtin = async (sh, args) => {
  const here = logicalPwd(sh);
  const target = args[0] ?? sh.dirs[0];
  if (target === undefined) {
    await sh.error('pushd: no other directory');
    return 1;
  }
  const status = await changeDir(sh, 'pushd', target, false);
  if (status) return status;
  if (args[0] === undefined) sh.dirs.shift();
  sh.dirs.unshift(here);
  return dirs(sh, []);
};
const popd: Builtin = async (sh) => {
  const target = sh.dirs[0];
  if (target === undefined) {
    await sh.error('popd: directory stack empty');
    return 1;
  }
  const status = await changeDir(sh, 'popd', target, false);
  if (status) return status;
  sh.dirs.shift();
  return dirs(sh, []);
};

/** Prints what a name is; used by type and command -v/-V. */
async function describe(
  sh: Shell,
  who: string,
  name: string,
  mode: 'words' | 'type' | 'path' | 'v',
  all: boolean,
): Promise<boolean> {
  const rows: { kind: string; words: string; v: string; path?: string }[] = [];
  const alias = sh.aliases.get(name);
  if (alias !== undefined && sh.shopts.has('expand_aliases'))
    rows.push({ kind: 'alias', words: `${name} is aliased to \`${alias}'`, v: `alias ${name}='${alias}'` });
  if (KEYWORDS.has(name)) rows.push({ kind: 'keyword', words: `${name} is a shell keyword`, v: name });
  const def = sh.functions.get(name);
  if (def) rows.push({ kind: 'function', words: `${name} is a function\n${name} () \n${def.text}`, v: name });
  if (sh.builtins.has(name)) rows.push({ kind: 'builtin', words: `${name} is a shell builtin`, v: name });
  const hashed = sh.hashed.get(name);
  const paths = name.includes('/') ? (sh.sys.access(name, 1) === 0 ? [name] : []) : sh.searchPath(name);
  for (const path of paths)
    rows.push({
      kind: 'file',
      words: hashed === path && !all ? `${name} is hashed (${path})` : `${name} is ${path}`,
      v: path,
      path,
    });
  if (rows.length === 0) {
    if (mode === 'words') await sh.error(`${who}: ${name}: not found`);
    return false;
  }
  for (const row of all ? rows : rows.slice(0, 1)) {
    if (mode === 'path') {
      if (row.path) await sh.out(who, `${row.path}\n`);
    } else await sh.out(who, `${mode === 'type' ? row.kind : mode === 'v' ? row.v : row.words}\n`);
  }
  return true;
}

const type: Builtin = async (sh, args) => {
  const o = await options(sh, 'type', args, 'afptP', 'type [-afptP] name [name ...]');
  if (!o) return 2;
  let status = 0;
  for (const name of o.rest) {
    const mode = o.has('t') ? 'type' : o.has('p') || o.has('P') ? 'path' : 'words';
    if (!(await describe(sh, 'type', name, mode, o.has('a')))) status = 1;
  }
  return status;
};

const command: Builtin = async (sh, args) => {
  const o = await options(sh, 'command', args, 'pvV', 'command [-pVv] command [arg ...]');
  if (!o) return 2;
  const name = o.rest[0];
  if (name === undefined) return 0;
  if (o.has('v') || o.has('V')) {
    let status = 1;
    for (const n of o.rest) if (await describe(sh, 'command', n, o.has('v') ? 'v' : 'words', false)) status = 0;
    return status;
  }
  const builtin = sh.builtins.get(name);
  if (builtin) return builtin(sh, o.rest.slice(1));
  const pid = sh.fork((child) => child.execute(o.rest));
  return (await sh.waitPipeline([pid], 0, o.rest.join(' ')))[0] ?? 0;
};

const builtinBuiltin: Builtin = async (sh, args) => {
  const [name, ...rest] = args;
  if (name === undefined) return 0;
  const found = sh.builtins.get(name);
  if (found) return found(sh, rest);
  await sh.error(`builtin: ${name}: not a shell builtin`);
  return 1;
};

const hash: Builtin = async (sh, args) => {
  if (args[0] === '-r') {
    sh.hashed.clear();
    return 0;
  }
  if (args.length === 0) {
    if (sh.hashed.size === 0) return sh.out('hash', 'hash: hash table empty\n');
    return sh.out('hash', `hits\tcommand\n${[...sh.hashed.values()].map((p) => `   1\t${p}\n`).join('')}`);
  }
  let status = 0;
  for (const name of args.filter((a) => !a.startsWith('-'))) {
    if ('path' in sh.lookup(name)) continue;
    await sh.error(`hash: ${name}: not found`);
    status = 1;
  }
  return status;
};

const alias: Builtin = async (sh, args) => {
  const show = (name: string): string => `alias ${name}='${(sh.aliases.get(name) ?? '').replaceAll("'", "'\\''")}'\n`;
  if (args.length === 0 || args[0] === '-p') return sh.out('alias', [...sh.aliases.keys()].sort().map(show).join(''));
  let status = 0;
  for (const arg of args) {
    const eq = arg.indexOf('=');
    if (eq > 0) sh.aliases.set(arg.slice(0, eq), arg.slice(eq + 1));
    else if (sh.aliases.has(arg)) await sh.out('alias', show(arg));
    else {
      await sh.error(`alias: ${arg}: not found`);
      status = 1;
    }
  }
  return status;
};
const unalias: Builtin = async (sh, args) => {
  if (args[0] === '-a') {
    sh.aliases.clear();
    return 0;
  }
  let status = 0;
  for (const name of args)
    if (!sh.aliases.delete(name)) {
      await sh.error(`unalias: ${name}: not found`);
      status = 1;
    }
  return status;
};

const umask: Builtin = async (sh, args) => {
  if (args[0] === undefined || args[0] === '-S') {
    const mask = sh.sys.umask(0);
    sh.sys.umask(mask);
    if (args[0] === undefined) return sh.out('umask', `${mask.toString(8).padStart(4, '0')}\n`);
    const triple = (n: number): string => `${n & 4 ? '' : 'r'}${n & 2 ? '' : 'w'}${n & 1 ? '' : 'x'}`;
    return sh.out('umask', `u=${triple(mask >> 6)},g=${triple(mask >> 3)},o=${triple(mask)}\n`);
  }
  if (!/^[0-7]+$/.test(args[0])) {
    await sh.error(`umask: ${args[0]}: octal number out of range`);
    return 1;
  }
  sh.sys.umask(Number.parseInt(args[0], 8));
  return 0;
};

const history: Builtin = async (sh, args) => {
  if (args[0] === '-c') {
    sh.history.length = 0;
    return 0;
  }
  if (args[0] !== undefined && !/^\d+$/.test(args[0])) {
    await sh.error(`history: ${args[0]}: numeric argument required`);
    return 1;
  }
  const from = args[0] === undefined ? 0 : Math.max(0, sh.history.length - Number(args[0]));
  return sh.out(
    'history',
    sh.history
      .slice(from)
      .map((l, i) => `${String(from + i + 1).padStart(5)}  ${l}\n`)
      .join(''),
  );
};

const LIMITS: readonly (readonly [string, string, string])[] = [
  ['c', 'core file size              (blocks, -c)', '0'],
  ['l', 'max locked memory           (kbytes, -l)', 'unlimited'],
  ['m', 'max memory size             (kbytes, -m)', 'unlimited'],
  ['n', 'open files                          (-n)', '1024'],
  ['s', 'stack size                  (kbytes, -s)', '8192'],
  ['t', 'cpu time                   (seconds, -t)', 'unlimited'],
  ['u', 'max user processes                  (-u)', 'unlimited'],
  ['v', 'virtual memory              (kbytes, -v)', 'unlimited'],
  ['f', 'file size                   (blocks, -f)', 'unlimited'],
];
const ulimit: Builtin = async (sh, args) => {
  const letter = (args.find((a) => /^-[A-Za-z]+$/.test(a)) ?? '-f').replace(/[-SH]/g, '') || 'f';
  if (letter === 'a') return sh.out('ulimit', LIMITS.map(([, t, v]) => `${t} ${v}\n`).join(''));
  const row = LIMITS.find(([l]) => l === letter);
  if (!row) {
    await sh.error(`ulimit: -${letter}: invalid option`);
    return 2;
  }
  return args.some((a) => !a.startsWith('-')) ? 0 : sh.out('ulimit', `${row[2]}\n`);
};

const times: Builtin = (sh) => sh.out('times', '0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n');

const help: Builtin = async (sh, args) => {
  const name = args[0];
  if (name !== undefined && !sh.builtins.has(name)) {
    await sh.error(`help: no help topics match \`${name}'.`);
    return 1;
  }
  if (name !== undefined) return sh.out('help', `${name}: a shell builtin, as in bash.\n`);
  return sh.out(
    'help',
    `These commands are built into the shell; other commands have --help.\n${[...sh.builtins.keys()].sort().join(' ')}\n`,
  );
};

export const FLOW_BUILTINS: Record<string, Builtin> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  break: jump('break'),
  continue: jump('continue'),
  exit,
  logout: exit,
  return: returnBuiltin,
  eval: evalBuiltin,
  source,
  '.': source,
  exec,
  trap,
  cd,
  dirs,
  pushd,
  popd,
  type,
  command,
  builtin: builtinBuiltin,
  hash,
  alias,
  unalias,
  umask,
  ulimit,
  times,
  history,
  help,
};

export { openPath };
