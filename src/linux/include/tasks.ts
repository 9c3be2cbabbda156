import type { Waiter } from '../../base/scheduler.ts';
import type { Sys } from '../uapi/sys.ts';

/** struct task_struct as other subsystems see it. */
export interface Process {
  readonly pid: number;
  ppid: number;
  comm: string;
  argv: readonly string[];
  readonly sys: Sys;
  /** Runs when the process ends, before its files are closed. */
  onExit(run: () => void): void;
}

export interface Tasks {
  /** The process in whose system call the kernel is now, or null (boot, interrupts). */
  readonly current: Process | null;
  readonly processes: ReadonlyMap<number, Process>;
  /** The machine is off, halted or crashed: nothing here runs again. */
  readonly dead: boolean;
  find(pid: number): Process | null;
  /** Sends a signal as the kernel itself (SIGBUS on a bad fault). */
  send(pid: number, signal: number): number;

  /** Makes `process` the current one (a vCPU exit runs in its VMM's process); gives the one before, to switch back. */
  switchTo(process: Process | null): Process | null;
  /** Runs `body` with `process` as the current one. */
  within<T>(process: Process | null, body: () => T): T;
  /**
   * Sleeps interruptibly on `waiter`: 0 when woken, -EINTR when a signal came, and `ProcessExit` when that signal is
   * fatal. Capture `current` before the first await and pass it; null waits uninterruptibly.
   */
  wait(process: Process | null, waiter: Waiter): Promise<number>;
  /**
   * A sleep whose end the kernel function decides, not the signal: -EINTR when `interruptible` and a signal came, fatal or not;
   * otherwise the process is in state D and signals wait for it. Throws `ProcessExit` only when the machine loses power.
   */
  sleep(process: Process | null, waiter: Waiter, interruptible: boolean): Promise<number>;
  /** Runs the handlers of caught signals; throws `ProcessExit` if a fatal one arrived: a call's return to user mode. */
  checkSignals(process: Process): void;
}
