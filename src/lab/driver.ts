import type { Scheduler } from '../base/scheduler.ts';
import type { ConsoleId, RecordedInput, SessionMoment } from '../protocol/client.ts';

export interface DriverPort {
  /** Waits for `ns` of real time as the host sees fit; resolves early when an input comes. */
  pace(ns: number): Promise<void>;
  /** Puts text into a console. */
  deliver(console: ConsoleId, text: string): void;
  /**
   * Nothing can run and an input is about to come (or none is): publish what is counted but not logged one by one. Called at
   * the same points of a session and of its replay.
   */
  settled(): void;
}

/**
 * Moves the lab: delivers inputs at deterministic moments, lets tasks run, fires virtual timers when nothing can run.
 *
 * An input that arrives while nothing can run is tied to the number of timers fired before it; one that arrives while
 * tasks run is tied to the scheduler's position. Replaying the records gives the same bytes.
 */
export class Driver {
  private readonly queue: { console: ConsoleId; text: string }[] = [];
  private readonly recorded: RecordedInput[] = [];
  private replay: RecordedInput[] = [];
  private wake: () => void = () => {};
  private stopped = false;
  private restWaiters: (() => void)[] = [];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly port: DriverPort,
  ) {}

  /** The session's inputs: those given, and those that a replay has yet to give again. */
  get inputs(): readonly RecordedInput[] {
    return this.replay.length === 0 ? this.recorded : [...this.recorded, ...this.replay];
  }

  get isReplaying(): boolean {
    return this.replay.length > 0;
  }

  /** The moment it is now, for a session record; null while something runs or is yet to be given again. */
  get moment(): SessionMoment | null {
    if (!this.scheduler.isIdle || this.replay.length > 0 || this.until || this.queue.length > 0) return null;
    const { position, timersFired } = this.scheduler;
    return { position, timersFired };
  }

  /** Inputs to be given at their recorded moments before anything new is taken; `until`: the moment they led to. */
  setReplay(inputs: readonly RecordedInput[], until: SessionMoment | null = null): void {
    this.replay = [...inputs];
    this.until = until;
  }

  private until: SessionMoment | null = null;
  /** The moment of `setReplay` has come; false: what runs has gone past it. */
  onRestored: (there: boolean) => void = () => {};

  private restored(there: boolean): void {
    this.until = null;
    this.onRestored(there);
  }

  /** After the last recorded input: on to the moment the session was left at, before anything new. True: look again. */
  private approach(): boolean {
    const { until, scheduler } = this;
    if (!until || this.replay.length > 0) return false;
    if (scheduler.timersFired < until.timersFired && scheduler.untilNextTimer() !== null) {
      scheduler.fireNextTimer();
      return true;
    }
    if (scheduler.untilNextTimer() === null) this.port.settled();
    this.restored(scheduler.timersFired === until.timersFired && scheduler.position === until.position);
    return true;
  }

  /** A person (or a transcript) typed something. */
  input(console: ConsoleId, text: string): void {
    this.queue.push({ console, text });
    this.wake();
  }

  /** Called at every breath of the host while tasks run: inputs that arrived meanwhile take effect now. */
  breathe(): void {
    const next = this.replay[0];
    if (next) {
      if (!next.idle && this.scheduler.position >= next.position) this.give(this.replay.shift() as RecordedInput);
      return;
    }
    if (this.until && this.scheduler.position > this.until.position) this.restored(false);
    if (this.until) return;
    while (this.queue.length > 0) this.take(false);
    const { patience } = this;
    if (patience && this.scheduler.position >= patience.position) {
      this.patience = null;
      const { position, timersFired } = this.scheduler;
      this.give({ console: patience.console, text: '\x03', idle: false, position, timersFired });
    }
  }

  /** Headless: a console that gets Ctrl-C once tasks have run to this position without coming to rest. */
  patience: { readonly console: ConsoleId; readonly position: number } | null = null;

  /** Without pacing: virtual time (ns) after which timers no longer fire by themselves (an endless `watch` comes to rest). */
  deadline = Number.POSITIVE_INFINITY;

  /** Without pacing: says when timers no longer fire by themselves (a copy of a session has come to where that one stands). */
  enough: () => boolean = () => false;

  /** Runs for ever (until `stop`). `paced`: wait real time before timers; otherwise fire them at once. */
  async run(paced: () => boolean): Promise<void> {
    while (!this.stopped) {
      await this.scheduler.idle();
      if (this.stopped) return;
      if (this.nextReplay() || this.approach()) continue;
      if (this.replay.length === 0 && this.queue.length > 0) {
        this.take(true);
        continue;
      }
      const due = this.scheduler.untilNextTimer();
      if (due === null || (this.replay.length === 0 && (this.scheduler.now + due > this.deadline || this.enough()))) {
        this.rest();
        await new Promise<void>((resolve) => {
          this.wake = resolve;
          if (this.queue.length > 0 || this.restWaiters.length > 0 || this.stopped) resolve();
        });
        continue;
      }
      if (this.replay.length === 0 && paced()) {
        this.wakeSettled();
        const before = this.queue.length;
        await Promise.race([
          this.port.pace(due),
          new Promise<void>((resolve) => {
            this.wake = resolve;
          }),
        ]);
        if (this.queue.length > before) continue;
      }
      if (!this.stopped) this.scheduler.fireNextTimer();
    }
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  /** Resolves when nothing can run, no input waits and no timer is pending. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.restWaiters.push(resolve);
      this.wake();
    });
  }

  private nextReplay(): boolean {
    const next = this.replay[0];
    if (!next) return false;
    // An input recorded while tasks ran can only be late here if the engine changed: give it now rather than never.
    if (next.idle && this.scheduler.timersFired < next.timersFired && this.scheduler.untilNextTimer() !== null)
      return false;
    if (next.idle) this.port.settled();
    this.give(this.replay.shift() as RecordedInput);
    return true;
  }

  private take(idle: boolean): void {
    if (idle) this.port.settled();
    const { console, text } = this.queue.shift() as { console: ConsoleId; text: string };
    this.give({ console, text, idle, position: this.scheduler.position, timersFired: this.scheduler.timersFired });
  }

  private give(input: RecordedInput): void {
    this.recorded.push(input);
    this.port.deliver(input.console, input.text);
  }

  private rest(): void {
    this.port.settled();
    this.wakeSettled();
  }

  private wakeSettled(): void {
    const waiters = this.restWaiters;
    this.restWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
