import { assert } from './assert.ts';

/**
 * Virtual time and the ordered run queue of the whole lab (all machines, all processes).
 *
 * A *task* is an async function. It may only sleep through this class (`WaitQueue.wait`, `sleep`, `yieldNow`): the
 * scheduler counts runnable tasks, and when none is left it is *idle*. Virtual time moves when somebody says so
 * (`advance`, charged by the models) or when idle and the driver fires the next timer. Nothing here reads a clock.
 */
export class Scheduler {
  private runnable = 0;
  private timers: Timer[] = [];
  private timerSeq = 0;
  private ops = 0;
  private time = 0;
  private idleWaiters: (() => void)[] = [];
  private idleCheckQueued = false;
  private fired = 0;

  /** @param yieldToHost lets the embedding event loop breathe (a MessageChannel ping in a worker, setImmediate in Node). */
  constructor(private readonly yieldToHost: () => Promise<void>) {}

  /** Virtual time since power-on of the host, in nanoseconds. */
  get now(): number {
    return this.time;
  }

  /** Count of `tick` calls so far: a deterministic position, recorded with inputs that arrive while tasks run. */
  get position(): number {
    return this.ops;
  }

  /** Timers fired so far: with `position`, the other deterministic position. */
  get timersFired(): number {
    return this.fired;
  }

  /** Charges `ns` nanoseconds of virtual time. */
  advance(ns: number): void {
    this.time += ns;
  }

  /** Starts a task. Its rejection is an invariant failure and is handed to `onCrash`. */
  spawn(run: () => Promise<void>): void {
    this.runnable++;
    void Promise.resolve()
      .then(run)
      .catch((error: unknown) => this.onCrash(error))
      .finally(() => this.block());
  }

  /** What to do when a task dies of an exception nobody caught. The lab replaces it. */
  onCrash: (error: unknown) => void = (error) => {
    throw error;
  };

  /** For long synchronous loops: call once per step and await the result when it is a promise (every 256 steps). */
  tick(): Promise<void> | undefined {
    return ++this.ops % 256 === 0 ? this.yieldToHost() : undefined;
  }

  /** Sleeps `ns` of virtual time; `cancel` on the returned waiter ends it early. */
  sleep(ns: number): Waiter {
    const waiter = new Waiter(this);
    const timer: Timer = { due: this.time + ns, seq: this.timerSeq++, waiter };
    this.timers.push(timer);
    this.timers.sort((a, b) => a.due - b.due || a.seq - b.seq);
    waiter.onEnd = () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
    return waiter;
  }

  /** Nanoseconds until the next timer, or null if none is pending. */
  untilNextTimer(): number | null {
    const next = this.timers[0];
    return next ? Math.max(0, next.due - this.time) : null;
  }

  /** Moves time to the next timer and wakes its sleeper. */
  fireNextTimer(): void {
    const next = this.timers[0];
    assert(next, 'no timer to fire');
    this.time = Math.max(this.time, next.due);
    this.fired++;
    next.waiter.wake();
  }

  /** True when no task can run without an input or a timer. */
  get isIdle(): boolean {
    return this.runnable === 0;
  }

  /** Resolves once no task is runnable. */
  idle(): Promise<void> {
    if (this.runnable === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** @internal a task stopped being runnable */
  block(): void {
    this.runnable--;
    assert(this.runnable >= 0, 'scheduler: more sleepers than tasks');
    if (this.runnable === 0 && !this.idleCheckQueued) {
      this.idleCheckQueued = true;
      queueMicrotask(() => {
        this.idleCheckQueued = false;
        if (this.runnable !== 0) return;
        const waiters = this.idleWaiters;
        this.idleWaiters = [];
        for (const resolve of waiters) resolve();
      });
    }
  }

  /** @internal a task became runnable */
  unblock(): void {
    this.runnable++;
  }
}

interface Timer {
  readonly due: number;
  readonly seq: number;
  readonly waiter: Waiter;
}

/** One sleeping task. `promise` resolves on `wake` and rejects on `cancel`; whichever comes first wins. */
export class Waiter {
  readonly promise: Promise<void>;
  onEnd: () => void = () => {};
  private resolve!: () => void;
  private reject!: (reason: unknown) => void;
  private ended = false;

  constructor(private readonly scheduler: Scheduler) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
    scheduler.block();
  }

  wake(): void {
    if (this.end()) this.resolve();
  }

  cancel(reason: unknown): void {
    if (this.end()) this.reject(reason);
  }

  private end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.scheduler.unblock();
    this.onEnd();
    return true;
  }
}

/** A place where tasks wait for a condition, first come first served. */
export class WaitQueue {
  private waiters: Waiter[] = [];

  constructor(private readonly scheduler: Scheduler) {}

  /** Sleeps until `wakeAll`/`wakeOne`; the caller re-checks its condition. */
  wait(): Waiter {
    const waiter = new Waiter(this.scheduler);
    waiter.onEnd = () => {
      const at = this.waiters.indexOf(waiter);
      if (at >= 0) this.waiters.splice(at, 1);
    };
    this.waiters.push(waiter);
    return waiter;
  }

  wakeOne(): void {
    this.waiters[0]?.wake();
  }

  wakeAll(): void {
    for (const waiter of [...this.waiters]) waiter.wake();
  }
}
