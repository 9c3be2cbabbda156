/**
 * Processes and signals: kernel/fork.c, exit.c, signal.c as far as programs can tell. A process is one asynchronous
 * function; it sleeps only inside system calls. Left out: threads, real-time signals, siginfo, credentials, priorities.
 */
import { assert } from '../../base/assert.ts';
import { E } from '../../base/errno.ts';
import { type Waiter, WaitQueue } from '../../base/scheduler.ts';
import { type ProcessState, paths } from '../../state/schema.ts';
import { FdTable } from '../fs/file.ts';
import type { Path } from '../fs/inode.ts';
import type { FsContext } from '../fs/vfs.ts';
import type { Kernel } from '../include/kernel.ts';
import type { Process, Tasks } from '../include/tasks.ts';
import { SIGCHLD, SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH } from '../uapi/constants.ts';
import { ProcessExit, type Sys, TaskHung } from '../uapi/sys.ts';
import type { Tracer } from './ptrace.ts';

const INTERRUPTED = Symbol('signal');
const STOP: ReadonlySet<number> = new Set([SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]);
const IGNORED_BY_DEFAULT: ReadonlySet<number> = new Set([SIGCHLD, SIGCONT, SIGWINCH, 23]);

/** What a terminal is to a session (drivers/tty/tty_jobctrl.c). */
export interface ControllingTty {
  readonly name: string;
  session: number;
  pgrp: number;
}

/** struct task_struct. */
export class Task implements FsContext {
  pgid: number;
  sid: number;
  state: ProcessState['state'] = 'running';
  sys!: Sys;
  umask = 0o022;
  tty: ControllingTty | null = null;
  env: Readonly<Record<string, string>> = {};
  /** mm->exe_file */
  exe: Path | null = null;
  /** Its threads beside the main one. */
  readonly threads = new Set<number>();
  readonly children = new Set<Task>();
  readonly startNs: number;
  /** Set once a fatal signal arrived or the process ended: thrown from the next system call. */
  fatal: ProcessExit | null = null;
  /** Caught signals not handled yet. */
  readonly pending: number[] = [];
  readonly handlers = new Map<number, (() => void) | 'ignore'>();
  /** What its threads sleep on. */
  readonly waiters = new Set<Waiter>();
  /** The same in state D: no signal ends these. */
  readonly uninterruptible = new Set<Waiter>();
  exit: ProcessExit | null = null;
  stopSignal = 0;
  /** Since when it waits for what will not come (state D). */
  blockedNs = 0;
  stopReported = true;
  readonly childEvent: WaitQueue;
  readonly continued: WaitQueue;
  readonly exitHooks: (() => void)[] = [];
  /** Who traces this process. */
  tracer: Tracer | null = null;
  /** What it traces itself. */
  tracing: Tracer | null = null;

  constructor(
    readonly kernel: Kernel,
    readonly pid: number,
    public parent: Task | null,
    public comm: string,
    public argv: readonly string[],
    public cwd: Path,
    public files: FdTable,
  ) {
    this.pgid = parent?.pgid ?? pid;
    this.sid = parent?.sid ?? pid;
    this.startNs = kernel.now();
    this.childEvent = new WaitQueue(kernel.scheduler);
    this.continued = new WaitQueue(kernel.scheduler);
    if (parent) {
      this.umask = parent.umask;
      this.tty = parent.tty;
      this.env = parent.env;
      this.exe = parent.exe;
      for (const [signal, action] of parent.handlers) if (action === 'ignore') this.handlers.set(signal, action);
      parent.children.add(this);
    }
  }
  get ppid(): number {
    return this.parent?.pid ?? 0;
  }
  /** Letter and word of its state (task_state_array); who is on a processor is in the kernel now. */
  get stateWord(): 'R (running)' | 'S (sleeping)' | 'D (disk sleep)' | 'T (stopped)' | 'Z (zombie)' {
    if (this.state === 'running') return this.waiters.size > 0 ? 'S (sleeping)' : 'R (running)';
    return ({ stopped: 'T (stopped)', zombie: 'Z (zombie)', blocked: 'D (disk sleep)' } as const)[this.state];
  }
  onExit(run: () => void): void {
    this.exitHooks.push(run);
  }
}

export class TaskTable implements Tasks {
  current: Task | null = null;
  readonly processes = new Map<number, Task>();
  private nextPid = 1;
  dead = false;
  /** pid 1 ended. */
  onInitExit: (exit: ProcessExit) => void = () => {};

  constructor(
    private readonly kernel: Kernel,
    private readonly makeSys: (task: Task) => Sys,
    private readonly exitMm: (task: Task) => void,
  ) {}

  switchTo(process: Process | null): Task | null {
    const before = this.current;
    assert(process === null || process instanceof Task, 'switchTo: not a task of this kernel');
    this.current = process;
    return before;
  }
  /** Processes and threads made so far. */
  get forks(): number {
    return this.nextPid - 1;
  }
  within<T>(process: Process | null, body: () => T): T {
    const before = this.switchTo(process);
    try {
      return body();
    } finally {
      this.switchTo(before);
    }
  }
  find(pid: number): Task | null {
    return this.processes.get(pid) ?? null;
  }

  create(parent: Task | null, comm: string, argv: readonly string[], cwd: Path, files?: FdTable): Task {
    const task = new Task(this.kernel, this.nextPid++, parent, comm, argv, cwd, files ?? new FdTable());
    task.sys = this.makeSys(task);
    this.processes.set(task.pid, task);
    this.publish(task);
    return task;
  }

  /** Runs the body of a process and ends it. */
  start(task: Task, body: () => Promise<number>): void {
    this.kernel.scheduler.spawn(async () => {
      let exit: ProcessExit;
      try {
        exit = new ProcessExit((await body()) & 255);
      } catch (error) {
        if (error instanceof TaskHung) {
          task.state = 'blocked';
          task.blockedNs = this.kernel.now();
          this.publish(task);
          return;
        }
        if (!(error instanceof ProcessExit)) throw error;
        exit = error;
      }
      this.do_exit(task, exit);
    });
  }

  /** One more thread of a process. A fatal fault in it ends the whole process. */
  thread(task: Task, body: () => Promise<void>): number {
    const tid = this.nextPid++;
    task.threads.add(tid);
    this.kernel.scheduler.spawn(async () => {
      try {
        await body();
      } catch (error) {
        if (!(error instanceof ProcessExit)) throw error;
        task.fatal ??= error;
        this.interrupt(task);
      } finally {
        task.threads.delete(tid);
      }
    });
    return tid;
  }

  publish(task: Task): void {
    const path = paths.process(this.kernel.machine, task.pid);
    if (this.dead || this.processes.get(task.pid) !== task) {
      this.kernel.log.publish(path, null);
      return;
    }
    const state: ProcessState = {
      pid: task.pid,
      ppid: task.ppid,
      comm: task.comm,
      argv: task.argv,
      state: task.state,
      ...(task.exit && task.state === 'zombie' ? { exit: { status: task.exit.status, signal: task.exit.signal } } : {}),
    };
    this.kernel.log.publish(path, { ...state });
  }

  do_exit(task: Task, exit: ProcessExit): void {
    // What waits for a lock that never comes does not die either.
    if (task.exit || task.state === 'blocked') return;
    task.exit = exit;
    task.fatal ??= exit;
    const before = this.switchTo(task);
    for (let hook = task.exitHooks.pop(); hook; hook = task.exitHooks.pop()) hook();
    this.interrupt(task);
    if (this.dead) {
      this.switchTo(before);
      return;
    }
    task.tracer?.exited(task, exit.status, exit.signal);
    try {
      this.exitMm(task);
      task.files.closeAll();
    } catch (error) {
      if (!(error instanceof TaskHung)) throw error;
      task.exit = null;
      task.state = 'blocked';
      this.publish(task);
      this.switchTo(before);
      return;
    }
    this.switchTo(before);
    task.state = 'zombie';
    if (task.pid === 1) {
      this.onInitExit(exit);
      return;
    }
    const { tty } = task;
    if (tty && tty.session === task.pid) {
      // disassociate_ctty
      this.sendGroup(tty.pgrp, SIGHUP);
      tty.session = 0;
      tty.pgrp = 0;
      for (const other of this.processes.values()) if (other.tty === tty) other.tty = null;
    }
    const init = this.find(1);
    for (const child of task.children) {
      child.parent = init;
      init?.children.add(child);
      if (child.exit) init?.childEvent.wakeAll();
      this.publish(child);
    }
    task.children.clear();
    const { parent } = task;
    this.publish(task);
    if (!parent || parent.handlers.get(SIGCHLD) === 'ignore') this.release_task(task);
    else {
      this.deliver(parent, SIGCHLD);
      parent.childEvent.wakeAll();
    }
  }

  release_task(task: Task): void {
    task.parent?.children.delete(task);
    this.processes.delete(task.pid);
    this.publish(task);
  }

  // --- signals ------------------------------------------------------------------------------------------------------

  send(pid: number, signal: number): number {
    const task = this.find(pid);
    if (!task) return -E.ESRCH;
    this.deliver(task, signal);
    return 0;
  }
  sendGroup(pgid: number, signal: number): number {
    const group = [...this.processes.values()].filter((task) => task.pgid === pgid);
    for (const task of group) this.deliver(task, signal);
    return group.length > 0 ? 0 : -E.ESRCH;
  }

  deliver(task: Task, signal: number): void {
    if (signal === 0 || task.exit) return;
    if (signal === SIGCONT || signal === SIGKILL) this.cont(task);
    const action = signal === SIGKILL || signal === SIGSTOP ? undefined : task.handlers.get(signal);
    if (action === 'ignore') return;
    if (action) task.pending.push(signal);
    // SIGNAL_UNKILLABLE: init gets only what it catches.
    else if (IGNORED_BY_DEFAULT.has(signal) || task.pid === 1) return;
    else if (STOP.has(signal)) {
      this.stop(task, signal);
      return;
    } else task.fatal ??= new ProcessExit(128 + signal, signal);
    this.interrupt(task);
  }

  /** signal_wake_up: sleeping threads see that something came. */
  private interrupt(task: Task): void {
    for (const waiter of [...task.waiters]) waiter.cancel(INTERRUPTED);
  }

  private stop(task: Task, signal: number): void {
    if (task.state !== 'running') return;
    task.state = 'stopped';
    task.stopSignal = signal;
    task.stopReported = false;
    this.publish(task);
    if (task.parent) {
      this.deliver(task.parent, SIGCHLD);
      task.parent.childEvent.wakeAll();
    }
  }
  private cont(task: Task): void {
    if (task.state !== 'stopped') return;
    task.state = 'running';
    task.stopReported = true;
    this.publish(task);
    task.continued.wakeAll();
  }

  /** Sleeps while the process is stopped. */
  async whileStopped(task: Task): Promise<void> {
    while (task.state === 'stopped' && !task.fatal) await this.sleepOn(task, task.continued.wait());
    if (task.fatal) throw task.fatal;
  }

  async wait(process: Process | null, waiter: Waiter): Promise<number> {
    if (process === null) {
      await waiter.promise;
      return 0;
    }
    assert(process instanceof Task, 'wait: not a task of this kernel');
    if (process.fatal || process.pending.length > 0) {
      waiter.cancel(INTERRUPTED);
      if (process.fatal) throw process.fatal;
      return -E.EINTR;
    }
    const woken = await this.sleepOn(process, waiter);
    if (process.state === 'stopped') await this.whileStopped(process);
    if (process.fatal) throw process.fatal;
    return woken ? 0 : -E.EINTR;
  }

  async sleep(process: Process | null, waiter: Waiter, interruptible: boolean): Promise<number> {
    assert(process === null || process instanceof Task, 'sleep: not a task of this kernel');
    let woken = true;
    if (process === null) await waiter.promise;
    else if (interruptible) {
      if (process.fatal || process.pending.length > 0) {
        waiter.cancel(INTERRUPTED);
        woken = false;
      } else woken = await this.sleepOn(process, waiter);
    } else {
      process.state = 'blocked';
      this.publish(process);
      await this.sleepOn(process, waiter, process.uninterruptible);
      if (!process.exit) process.state = 'running';
      this.publish(process);
    }
    if (this.dead) throw process?.fatal ?? new ProcessExit(128 + SIGKILL, SIGKILL);
    return woken ? 0 : -E.EINTR;
  }

  private async sleepOn(task: Task, waiter: Waiter, waiters = task.waiters): Promise<boolean> {
    waiters.add(waiter);
    try {
      await waiter.promise;
      return true;
    } catch (reason) {
      if (reason !== INTERRUPTED) throw reason;
      return false;
    } finally {
      waiters.delete(waiter);
    }
  }

  /** Runs caught signals' handlers and throws if a fatal one arrived: the return to user mode. */
  checkSignals(task: Process): void {
    assert(task instanceof Task, 'checkSignals: not a task of this kernel');
    if (task.fatal) throw task.fatal;
    for (let signal = task.pending.shift(); signal !== undefined; signal = task.pending.shift()) {
      const action = task.handlers.get(signal);
      if (typeof action === 'function') action();
      if (task.fatal) throw task.fatal;
    }
  }

  /** The machine lost power: every process ends without ceremony. */
  kill_all(): void {
    if (this.dead) return;
    this.dead = true;
    const gone = new ProcessExit(128 + SIGKILL, SIGKILL);
    const all = [...this.processes.values()];
    this.processes.clear();
    for (const task of all) {
      task.fatal ??= gone;
      this.kernel.log.publish(paths.process(this.kernel.machine, task.pid), null);
      this.do_exit(task, gone);
      this.interrupt(task);
      for (const waiter of [...task.uninterruptible]) waiter.cancel(INTERRUPTED);
    }
  }
}
