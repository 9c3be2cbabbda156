/** Commands that are files: finding them, running them, scripts without a program of their own. */
import { E, strerror } from '../../base/errno.ts';
import { readFileText } from '../misc/io.ts';
import { runAssignment } from './assign.ts';
import { ExitSignal } from './control.ts';
import type * as Ast from './parse.ts';
import { Source } from './parse.ts';
import { fork, runToEnd, waitPipeline } from './processes.ts';
import { Redirections } from './redirect.ts';
import type { RunOptions, Shell } from './shell.ts';

/** Where a command's file is, or a status with its message (127 not found, 126 not executable). */
export function lookup(sh: Shell, name: string): { path: string } | { status: number; message: string } {
  const { sys } = sh;
  if (name.includes('/')) {
    const stat = sys.stat(name);
    if (typeof stat === 'number') return { status: 127, message: `${name}: ${strerror(stat)}` };
    if ((stat.mode & 0o170000) === 0o040000) return { status: 126, message: `${name}: Is a directory` };
    if (sys.access(name, 1) < 0) return { status: 126, message: `${name}: Permission denied` };
    return { path: name };
  }
  const hashed = sh.hashed.get(name);
  if (hashed !== undefined && sys.access(hashed, 1) === 0) return { path: hashed };
  const path = searchPath(sh, name)[0];
  if (path === undefined) return { status: 127, message: `${name}: command not found` };
  sh.hashed.set(name, path);
  return { path };
}

export function searchPath(sh: Shell, name: string): string[] {
  const found: string[] = [];
  if (name === '') return found;
  for (const dir of (sh.vars.get('PATH') ?? '').split(':')) {
    const path = `${dir || '.'}/${name}`;
    const stat = sh.sys.stat(path);
    if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000 && sh.sys.access(path, 1) === 0)
      found.push(path);
  }
  return found;
}

export async function external(
  sh: Shell,
  node: Ast.Command,
  assignments: readonly Ast.Assignment[],
  words: readonly string[],
  options: RunOptions,
): Promise<void> {
  const run = async (child: Shell): Promise<number> => {
    const redirections = new Redirections(child, true);
    if (!(await child.redirect(redirections, node.redirects))) return 1;
    for (const a of assignments) {
      await runAssignment(child, a, null, true);
      if (a.name === 'PATH') child.hashed.clear();
    }
    return execute(child, words);
  };
  if (options.last && sh.traps.size === 0) throw new ExitSignal(await run(sh), true);
  // Remember the place now: the child's table is lost.
  if (!(words[0] ?? '').includes('/') && !assignments.some((a) => a.name === 'PATH')) lookup(sh, words[0] ?? '');
  const monitor = sh.options.has('monitor');
  const pid = fork(sh, run, monitor ? { pgid: 0 } : {});
  if (pid < 0) {
    await sh.error(`fork: ${strerror(pid)}`);
    sh.status = 254;
    return;
  }
  if (monitor) sh.sys.setpgid(pid, pid);
  sh.pipestatus = await waitPipeline(sh, [pid], monitor ? pid : 0, sh.commandText);
  sh.status = sh.pipestatus[0] ?? 0;
}

/** Replaces this process by a program; gives a status if that fails. */
export async function execute(sh: Shell, words: readonly string[], argv0?: string): Promise<number> {
  const name = words[0] ?? '';
  const found = lookup(sh, name);
  if ('status' in found) {
    await sh.error(found.message);
    return found.status;
  }
  const env = sh.vars.environment();
  env._ = found.path;
  const r = await sh.sys.exec(found.path, argv0 === undefined ? words : [argv0, ...words.slice(1)], env);
  if (r >= 0) throw new ExitSignal(r, true);
  if (r === -E.ENOEXEC) return runFile(sh, found.path, words);
  await sh.error(`${name}: ${strerror(r)}`);
  return r === -E.ENOENT ? 127 : 126;
}

/** A file without a known program: shell script, with or without `#!`. */
async function runFile(sh: Shell, path: string, words: readonly string[]): Promise<number> {
  const text = await readFileText(sh.sys, path);
  if (typeof text === 'number') {
    await sh.error(`${path}: ${strerror(text)}`);
    return 126;
  }
  const bang = /^#!\s*(\S+)(?:[ \t]+([^\n]*?))?\s*(?:\n|$)/.exec(text);
  if (bang && !/\/(ba|da)?sh$/.test(bang[1] ?? '') && !/^(ba|da)?sh$/.test(bang[2] ?? '')) {
    const arg = bang[2];
    return execute(sh, [bang[1] ?? '', ...(arg ? [arg] : []), path, ...words.slice(1)]);
  }
  const fresh = sh.fresh(path, 'script');
  fresh.scriptFile = path;
  for (const letter of /^#!\s*\S+\s+-([a-z]+)/.exec(text)?.[1] ?? '') fresh.setLetter(letter, true);
  for (const [name, value] of Object.entries(sh.vars.environment())) {
    fresh.vars.set(name, value);
    fresh.vars.ensure(name).exported = true;
  }
  fresh.positional = words.slice(1);
  throw new ExitSignal(await runToEnd(fresh, () => fresh.runSource(new Source(text, path), true)), true);
}
