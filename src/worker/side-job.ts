import { Lab, type LabHost, type LabOptions } from '../lab/lab.ts';
import { LogStream, type RowPort } from './log-stream.ts';

/** Who watches a lab: where its rows go, and by which number its memory is asked for afterwards. */
export interface Watch {
  readonly key: number;
  readonly port: MessagePort;
}

/** Labs that are watched, also after their job is over. */
export const watched = new Map<number, Lab>();

/** How often the rows of a running lab are sent: each message is drawn on the page. */
const FLUSH_MS = 120;

let flushedAt = 0;
let current: Job | null = null;

const breath = new MessageChannel();
const waiting: (() => void)[] = [];
breath.port1.onmessage = () => waiting.shift()?.();

export const host: LabHost = {
  yieldToHost: () =>
    new Promise((resolve) => {
      if (performance.now() - flushedAt >= FLUSH_MS) current?.flush();
      waiting.push(resolve);
      breath.port2.postMessage(0);
    }),
  pace: () => Promise.resolve(),
};

/** What the worker does at a time: its labs, and whether it was ended. */
export class Job {
  over = false;
  private readonly labs: Lab[] = [];
  private readonly streams: LogStream[] = [];
  private readonly ended: Promise<null>;
  private tell: () => void = () => {};
  private fail: (error: Error) => void = () => {};

  constructor() {
    this.ended = new Promise((resolve, reject) => {
      this.tell = () => resolve(null);
      this.fail = reject;
    });
    // Told to whoever waits in `unless`; nobody need wait.
    this.ended.catch(() => {});
  }

  async lab(watch: Watch | null, options?: Omit<LabOptions, 'host'>): Promise<Lab> {
    const lab = await Lab.start({ seed: 1, ...options, host });
    lab.onCrash = (message) => this.fail(new Error(`The engine stopped: ${message}`));
    this.labs.push(lab);
    if (watch) {
      watched.set(watch.key, lab);
      const port: RowPort = watch.port;
      this.streams.push(new LogStream(lab, port));
    }
    if (this.over) lab.stop();
    current = this;
    return lab;
  }

  flush(): void {
    flushedAt = performance.now();
    for (const stream of this.streams) while (stream.flush());
  }

  /** What `work` gives, or null as soon as the job is ended: a line that never ends must not hold up the next job. */
  unless<T>(work: Promise<T>): Promise<T | null> {
    return Promise.race([this.ended, work]);
  }

  /** The job is done, or another one takes its place: its labs stand still as they are. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.flush();
    for (const lab of this.labs) lab.stop();
    if (current === this) current = null;
    this.tell();
  }
}
