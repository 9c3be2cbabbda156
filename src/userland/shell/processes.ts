/** Children of the shell: forked copies, waiting for them, the terminal's foreground, what finished in the background. */
import { E } from '../../base/errno.ts';
import { SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, TIOCSPGRP } from '../../linux/uapi/constants.ts';
import { ProcessExit, type Sys } from '../../linux/uapi/sys.ts';
import { complain, writeText } from '../misc/io.ts';
import { BreakSignal, DiscardSignal, deathText, ExitSignal, InterruptSignal, ReturnSignal } from './control.ts';
import type { Job } from './jobs.ts';
import type * as Ast from './parse.ts';
import type { Shell } from './shell.ts';
import { exitTrap, resetTrap, runSignalTraps } from './traps.ts';

/** Runs `body` in a forked copy of this shell. */
export function fork(
  sh: Shell,
  body: (child: Shell) => Promise<number>,
  options: { pgid?: number; keepTested?: boolean } = {},
): number {
  const child = sh.copy();
  const interactive = sh.interactive;
  if (!options.keepTested) child.tested = 0;
  return sh.sys.fork(async (sys) => {
    child.sys = sys;
    if (options.pgid !== undefined) sys.setpgid(0, options.pgid);
    if (interactive)
      for (const signal of [SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU]) sys.onSignal(signal, null);
    else for (const name of sh.traps.keys()) resetTrap(sh, child, name);
    return runToEnd(child, () => body(child));
  });
}

/** Runs to the end of the shell: turns every way out into a status, runs the EXIT trap. */
export async function runToEnd(sh: Shell, body: () => Promise<number>): Promise<number> {
  let status: number;
  let replaced = false;
  try {
    status = await body();
  } catch (error) {
    if (error instanceof ExitSignal) {
      status = error.status;
      replaced = error.replaced;
    } else if (error instanceof ReturnSignal || error instanceof DiscardSignal) status = error.status;
    else if (error instanceof BreakSignal) status = sh.status;
    else if (error instanceof InterruptSignal) status = 130;
    else throw error;
  }
  if (!replaced) status = await exitTrap(sh, status);
  return status & 255;
}

/** Gives the terminal to a process group. */
export function foreground(sh: Shell, pgid: number): void {
  if (sh.ttyFd < 0) return;
  const arg = new Uint8Array(4);
  new DataView(arg.buffer).setInt32(0, pgid, true);
  void sh.sys.ioctl(sh.ttyFd, TIOCSPGRP, arg);
}

/** Waits for one child; traps run in between. With `untraced` also until it stops. */
export async function waitFor(
  sh: Shell,
  pid: number,
  untraced = false,
): Promise<{ status: number; signal: number; stopped?: number }> {
  for (;;) {
    const known = sh.jobs.finished.get(pid);
    if (known !== undefined) return { status: known, signal: 0 };
    const r = await sh.sys.waitpid(pid, { untraced });
    if (typeof r !== 'number')
      return r.stopped
        ? { status: 128 + r.stopped, signal: 0, stopped: r.stopped }
        : { status: r.status, signal: r.signal };
    if (r !== -E.EINTR) return { status: 127, signal: 0 };
    await runSignalTraps(sh);
  }
}

/** Waits for the processes of a foreground pipeline; the terminal is theirs meanwhile. */
export async function waitPipeline(
  sh: Shell,
  pids: readonly number[],
  pgid: number,
  text: string,
  known?: Job,
): Promise<number[]> {
  if (pgid) foreground(sh, pgid);
  const statuses: number[] = [];
  let interrupted = false;
  try {
    for (const pid of pids) {
      const { status, signal, stopped } = await waitFor(sh, pid, pgid > 0 && sh.interactive);
      statuses.push(status);
      if (stopped) {
        // Ctrl-Z: what ran in the foreground becomes a job; the line goes on with its next command.
        const job = known ?? sh.jobs.add(pids, pgid, text);
        job.stopped = true;
        await complain(sh.sys, `\n${sh.jobs.line(job)}`);
        return pids.map((_, n) => statuses[n] ?? status);
      }
      if (known) sh.jobs.record(pid, status, signal);
      if (signal === SIGINT) interrupted = true;
      const death = deathText(signal);
      if (death && pid === pids.at(-1)) {
        const where = sh.interactive ? '' : `${sh.prefix()}${String(pid).padStart(5)} `;
        await complain(sh.sys, sh.interactive ? death : `${where}${death.padEnd(24)}${text}`);
      }
    }
  } finally {
    if (pgid) foreground(sh, sh.sys.getpgid(0));
  }
  if (interrupted && sh.interactive) {
    await writeText(sh.sys, 2, '\n');
    sh.status = 130;
    throw new InterruptSignal();
  }
  return statuses;
}

/** Looks for finished background children without sleeping. */
export async function reap(sh: Shell): Promise<void> {
  for (const pid of [...sh.strays]) {
    const r = await sh.sys.waitpid(pid, { nohang: true });
    if (typeof r !== 'number' && r.pid === 0) continue;
    if (typeof r !== 'number') sh.jobs.record(pid, r.status, r.signal);
    sh.strays = sh.strays.filter((p) => p !== pid);
  }
  for (const job of sh.jobs.list)
    for (const pid of job.pids) {
      if (job.statuses.has(pid)) continue;
      const r = await sh.sys.waitpid(pid, { nohang: true });
      if (typeof r !== 'number' && r.pid > 0) sh.jobs.record(pid, r.status, r.signal);
    }
}

/** `command &` */
export async function background(sh: Shell, statement: Ast.Statement): Promise<void> {
  if (sh.strays.length > 32) await reap(sh);
  const text = sh.source.text.slice(statement.pos, statement.end).replace(/\s*&\s*$/, '');
  const monitor = sh.options.has('monitor');
  const pid = fork(
    sh,
    async (child) => {
      if (!monitor) {
        child.sys.onSignal(SIGINT, 'ignore');
        const fd = child.sys.open('/dev/null', 0);
        if (fd > 0) {
          child.sys.dup2(fd, 0);
          child.sys.close(fd);
        }
      }
      child.interactive = false;
      return child.runNode(statement.command, { last: true });
    },
    monitor ? { pgid: 0 } : {},
  );
  if (monitor) sh.sys.setpgid(pid, pid);
  sh.lastBackground = pid;
  const job = sh.jobs.add([pid], pid, text);
  if (sh.interactive) await complain(sh.sys, `[${job.number}] ${pid}`);
  sh.status = 0;
}

/** A child that only writes into a descriptor (big here-documents). */
export function feeder(sh: Shell, body: (sys: Sys) => Promise<void>): void {
  const pid = sh.sys.fork(async (sys) => {
    try {
      await body(sys);
    } catch (error) {
      if (!(error instanceof ProcessExit)) throw error;
    }
    return 0;
  });
  sh.strays.push(pid);
}
