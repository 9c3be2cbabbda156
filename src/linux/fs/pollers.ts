/** poll_wait: wakes a polling task when one of its files may have become ready. */
import { type Scheduler, type Waiter, WaitQueue } from '../../base/scheduler.ts';
import type { OpenFile } from './file.ts';

export class Pollers {
  private readonly queue: WaitQueue;
  private readonly armed = new Map<OpenFile, Set<Waiter>>();

  constructor(private readonly scheduler: Scheduler) {
    this.queue = new WaitQueue(scheduler);
  }
  /** Sleeps until a file that is armed for this waiter stirs. */
  wait(): Waiter {
    return this.queue.wait();
  }
  /** One watcher task per file, however many sleep on it: a task may hold only one waiter of the scheduler. */
  arm(file: OpenFile, waiter: Waiter): void {
    const known = this.armed.get(file);
    if (known) {
      known.add(waiter);
      return;
    }
    const { wait } = file.fops;
    if (!wait) return;
    this.armed.set(file, new Set([waiter]));
    this.scheduler.spawn(async () => {
      await wait(file);
      const waiters = this.armed.get(file);
      this.armed.delete(file);
      for (const sleeping of waiters ?? []) sleeping.wake();
    });
  }
}
