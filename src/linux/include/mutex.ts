import { type Waiter, WaitQueue } from '../../base/scheduler.ts';
import type { Slept } from './device.ts';
import type { Kernel } from './kernel.ts';

/** struct mutex (kernel/locking/mutex.c): who waits sleeps in state D, first come first served. Left out: spinning, interruptible waits. */
export class Mutex {
  private held = false;
  private queue: WaitQueue | null = null;
  private waiting = 0;

  constructor(private readonly kernel: Kernel) {}

  get locked(): boolean {
    return this.held;
  }

  /** mutex_lock; `where` is the function khungtaskd would name. */
  lock(where: string): Slept {
    if (this.held) return this.lock_slowpath(where);
    this.held = true;
  }

  private async lock_slowpath(where: string): Promise<void> {
    const { kernel } = this;
    this.queue ??= new WaitQueue(kernel.scheduler);
    const waiter: Waiter = this.queue.wait();
    let done = false;
    kernel.watch_hung(where, () => !done);
    this.waiting++;
    try {
      await kernel.tasks.sleep(kernel.tasks.current, waiter, false);
    } finally {
      this.waiting--;
      done = true;
    }
  }

  /** mutex_unlock: hands the lock to who waits longest. */
  unlock(): void {
    if (this.waiting > 0) this.queue?.wakeOne();
    else this.held = false;
  }
}

/** Goes on with `next` at once, or, when `slept` is a sleep, after it and in the process that slept. */
export function after<T>(
  kernel: Kernel,
  slept: Slept | number | Promise<number>,
  next: () => T | Promise<T>,
): T | Promise<T> {
  if (!(slept instanceof Promise)) return next();
  const { tasks } = kernel;
  const { current } = tasks;
  return slept.then(() => tasks.within(current, next));
}
