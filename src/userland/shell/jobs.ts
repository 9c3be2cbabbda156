/** The shell's table of background jobs. */
import { deathText } from './control.ts';

export interface Job {
  readonly number: number;
  readonly pids: readonly number[];
  readonly pgid: number;
  readonly text: string;
  readonly statuses: Map<number, number>;
  signal: number;
  /** Stopped by a signal (Ctrl-Z). */
  stopped: boolean;
  notified: boolean;
}

export class Jobs {
  readonly list: Job[] = [];
  /** Statuses of finished background processes for `wait`. */
  readonly finished = new Map<number, number>();

  add(pids: readonly number[], pgid: number, text: string): Job {
    const number = Math.max(0, ...this.list.map((j) => j.number)) + 1;
    const job: Job = { number, pids, pgid, text, statuses: new Map(), signal: 0, stopped: false, notified: false };
    this.list.push(job);
    return job;
  }
  done(job: Job): boolean {
    return job.statuses.size === job.pids.length;
  }
  status(job: Job): number {
    return job.statuses.get(job.pids.at(-1) ?? 0) ?? 0;
  }
  record(pid: number, status: number, signal: number): void {
    this.finished.set(pid, status);
    for (const job of this.list)
      if (job.pids.includes(pid)) {
        job.statuses.set(pid, status);
        if (signal && pid === job.pids.at(-1)) job.signal = signal;
      }
  }
  remove(job: Job): void {
    const at = this.list.indexOf(job);
    if (at >= 0) this.list.splice(at, 1);
  }
  /** `%1`, `%%`, `%+`, `%-`, `%text`, `%?text`. */
  find(spec: string): Job | undefined {
    const body = spec.replace(/^%/, '');
    if (body === '' || body === '%' || body === '+') return this.list.at(-1);
    if (body === '-') return this.list.at(-2) ?? this.list.at(-1);
    if (/^\d+$/.test(body)) return this.list.find((j) => j.number === Number(body));
    if (body.startsWith('?')) return this.list.find((j) => j.text.includes(body.slice(1)));
    return this.list.find((j) => j.text.startsWith(body));
  }
  mark(job: Job): string {
    if (job === this.list.at(-1)) return '+';
    return job === this.list.at(-2) ? '-' : ' ';
  }
  /** A line of `jobs`. */
  line(job: Job, long = false): string {
    const status = this.status(job);
    const state = job.stopped
      ? 'Stopped'
      : !this.done(job)
        ? 'Running'
        : status === 0
          ? 'Done'
          : job.signal
            ? job.signal === 2
              ? 'Interrupt'
              : (deathText(job.signal) ?? `Signal ${job.signal}`)
            : `Exit ${status}`;
    const pid = long ? `${job.pids[0]} ` : '';
    return `[${job.number}]${this.mark(job)}  ${pid}${state.padEnd(24)}${job.text}${this.done(job) || job.stopped ? '' : ' &'}`;
  }
}
