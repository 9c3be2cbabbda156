/** Tools that run another: env timeout, and which and printenv beside them. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { complain, join, strerror } from '../misc/io.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { signalNumber } from '../shell/control.ts';
import { duration } from './clock.ts';

/** Path of a command as execvp finds it, or null. */
export function which(sys: Sys, name: string, env: Readonly<Record<string, string>>): string[] {
  if (name.includes('/')) return sys.access(name, 1) === 0 ? [name] : [];
  return (env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    .split(':')
    .map((d) => join(d || '.', name))
    .filter((p) => {
      const s = sys.stat(p);
      return typeof s !== 'number' && (s.mode & 0o170000) === 0o100000 && sys.access(p, 1) === 0;
    });
}

/** Spawns a command found in PATH; its status, 127 or 126 with `who`'s message. */
export async function runCommand(
  sys: Sys,
  who: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const path = which(sys, command[0] ?? '', env)[0];
  if (path === undefined) {
    await complain(
      sys,
      `${who}: ${who === 'env' || who === 'timeout' ? (who === 'env' ? `'${command[0]}'` : `failed to run command '${command[0]}'`) : command[0]}: No such file or directory`,
    );
    return 127;
  }
  const pid = sys.spawn(path, command, { env });
  if (pid < 0) {
    await complain(sys, `${who}: ${command[0]}: ${strerror(pid)}`);
    return 126;
  }
  for (;;) {
    const r = await sys.waitpid(pid);
    if (typeof r !== 'number') return r.status;
    if (r !== -4) return 127;
  }
}

export const env = defineTool(
  {
    name: 'env',
    usage: '[OPTION]... [NAME=VALUE]... [COMMAND [ARG]...]',
    about: 'Shows the environment or runs a command in a changed one.',
    posix: true,
    options: [
      ['-i, --ignore-environment', 'start empty'],
      ['-u, --unset=NAME', 'without NAME'],
      ['-C, --chdir=DIR', 'in DIR'],
      ['-S, --split-string=TEXT', 'words of TEXT as arguments'],
    ],
  },
  async (t) => {
    const vars: Record<string, string> = t.has('i') ? {} : { ...t.env };
    for (const [k, v] of t.order) if (k === 'u') delete vars[v];
    const args = [...(t.get('S')?.split(/\s+/) ?? []), ...t.args];
    while (args[0]?.includes('=')) {
      const a = args.shift() ?? '';
      vars[a.slice(0, a.indexOf('='))] = a.slice(a.indexOf('=') + 1);
    }
    const dir = t.get('C');
    if (dir !== undefined) t.sys.chdir(dir);
    if (args.length > 0) return runCommand(t.sys, 'env', args, vars);
    for (const [k, v] of Object.entries(vars)) t.out.line(`${k}=${v}`);
    return 0;
  },
);

export const printenv = defineTool(
  { name: 'printenv', usage: '[NAME]...', about: 'Shows environment variables.', options: [] },
  async (t) => {
    if (t.args.length === 0) for (const [k, v] of Object.entries(t.env)) t.out.line(`${k}=${v}`);
    for (const n of t.args) {
      const v = t.env[n];
      if (v === undefined) t.status = 1;
      else t.out.line(v);
    }
    return t.status;
  },
);

export const whichTool = defineTool(
  { name: 'which', usage: '[-a] NAME...', about: 'Shows where commands are.', options: [['-a', 'all of them']] },
  async (t) => {
    for (const n of t.args) {
      const found = which(t.sys, n, t.env);
      if (found.length === 0) t.status = 1;
      for (const p of t.has('a') ? found : found.slice(0, 1)) t.out.line(p);
    }
    return t.status;
  },
);

export const timeout = defineTool(
  {
    name: 'timeout',
    usage: '[OPTION] DURATION COMMAND [ARG]...',
    about: 'Runs a command and ends it after a time.',
    posix: true,
    misuse: 125,
    options: [
      ['-s, --signal=SIGNAL', 'which signal (TERM)'],
      ['-k, --kill-after=DURATION', 'KILL if still there'],
      ['--preserve-status', "the command's own status"],
      ['--foreground', 'nothing here'],
    ],
  },
  async (t) => {
    const [time, ...command] = t.args;
    const seconds = duration(time ?? '');
    if (time === undefined || command.length === 0) return missingOperand(t).then(() => 125);
    if (seconds === null) {
      await t.fail(`invalid time interval '${time}'\nTry 'timeout --help' for more information.`, 125);
      return 125;
    }
    const path = which(t.sys, command[0] ?? '', t.env)[0];
    if (path === undefined) {
      await t.fail(`failed to run command '${command[0]}': No such file or directory`);
      return 127;
    }
    const pid = t.sys.spawn(path, command, { env: t.env });
    let fired = false;
    const guard =
      seconds === 0
        ? -1
        : t.sys.fork(async (child) => {
            await child.nanosleep(Math.round(seconds * 1e9));
            child.kill(pid, signalNumber(t.get('s') ?? 'TERM') ?? 15);
            const again = duration(t.get('k') ?? '');
            if (again !== null) {
              await child.nanosleep(again * 1e9);
              child.kill(pid, 9);
            }
            return 0;
          });
    const r = await t.sys.waitpid(pid);
    if (guard > 0) {
      const g = await t.sys.waitpid(guard, { nohang: true });
      fired = typeof g !== 'number' && g.pid > 0;
      if (!fired) {
        t.sys.kill(guard, 9);
        await t.sys.waitpid(guard);
      }
    }
    const status = typeof r === 'number' ? 125 : r.status;
    // A command that had to be killed outright takes timeout with it.
    if (fired && typeof r !== 'number' && r.signal === 9) t.sys.kill(t.sys.pid, 9);
    return fired && typeof r !== 'number' && r.signal && !t.has('preserve-status') ? 124 : status;
  },
);
