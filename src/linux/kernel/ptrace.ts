/**
 * kernel/ptrace.c as far as a system-call tracer needs it: seize, follow children, wait for events, detach. Left out: stops (a tracee
 * runs on, its calls wait in the tracer's queue as copies), access to registers and memory, breakpoints.
 */
import { E } from '../../base/errno.ts';
import { WaitQueue } from '../../base/scheduler.ts';
import type { PtraceEvent, TracedCall } from '../uapi/ptrace.ts';
import type { Linux } from './linux.ts';
import type { Task } from './task.ts';

/** What one tracer knows of its tracees. */
export class Tracer {
  readonly tracees = new Set<Task>();
  private readonly queue: PtraceEvent[] = [];
  private readonly news: WaitQueue;

  constructor(
    private readonly kernel: Linux,
    readonly task: Task,
    readonly follow: boolean,
  ) {
    this.news = new WaitQueue(kernel.scheduler);
    task.onExit(() => {
      for (const tracee of [...this.tracees]) this.detach(tracee);
    });
  }

  attach(tracee: Task): void {
    tracee.tracer = this;
    this.tracees.add(tracee);
  }
  detach(tracee: Task): void {
    tracee.tracer = null;
    this.tracees.delete(tracee);
  }
  /** PTRACE_O_TRACEFORK: a child is traced as its parent is. */
  child(child: Task): void {
    if (!this.follow) return;
    this.attach(child);
    this.push({ kind: 'attached', pid: child.pid });
  }
  call(task: Task, call: TracedCall, result: number, startNs: number): void {
    this.push({ kind: 'call', pid: task.pid, call, result, startNs, endNs: this.kernel.now() });
  }
  exited(task: Task, status: number, signal: number): void {
    this.detach(task);
    this.push({ kind: 'exited', pid: task.pid, status, signal });
  }
  private push(event: PtraceEvent): void {
    this.queue.push(event);
    this.news.wakeAll();
  }

  /** The next event; -ECHILD when nothing is traced any more, -EINTR when a signal came first. */
  async next(): Promise<PtraceEvent | number> {
    for (;;) {
      const event = this.queue.shift();
      if (event) return event;
      if (this.tracees.size === 0) return -E.ECHILD;
      const ret = await this.kernel.tasks.wait(this.task, this.news.wait());
      this.kernel.tasks.checkSignals(this.task);
      if (ret < 0 && this.queue.length === 0) return ret;
    }
  }
}

/** PTRACE_SEIZE by `task`: 0, -ESRCH, or -EPERM (itself, or traced already). */
export function ptrace_attach(kernel: Linux, task: Task, pid: number, follow: boolean): number {
  const tracee = kernel.tasks.find(pid);
  if (!tracee || tracee.exit) return -E.ESRCH;
  if (tracee === task || tracee.tracer) return -E.EPERM;
  task.tracing ??= new Tracer(kernel, task, follow);
  task.tracing.attach(tracee);
  return 0;
}

export function ptrace_detach(kernel: Linux, task: Task, pid: number): number {
  const tracee = kernel.tasks.find(pid);
  if (!tracee || !task.tracing || tracee.tracer !== task.tracing) return -E.ESRCH;
  task.tracing.detach(tracee);
  return 0;
}
