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
  find(pid: number): Process | null;
  /** Sends a signal as the kernel itself (SIGBUS on a bad fault). */
  send(pid: number, signal: number): number;

  /** Makes `process` the current one (a vCPU exit runs in its VMM's process); gives the one before, to switch back. */
  switchTo(process: Process | null): Process | null;
  /**
   * Sleeps interruptibly on `waiter`: 0 when woken, -EINTR when a signal came, and `ProcessExit` when that signal is
   * fatal. Capture `current` before the first await and pass it; null waits uninterruptibly.
   */
  wait(process: Process | null, waiter: Waiter): Promise<number>;
  /** Runs the handlers of caught signals; throws `ProcessExit` if a fatal one arrived: a call's return to user mode. */
  checkSignals(process: Process): void;
}
