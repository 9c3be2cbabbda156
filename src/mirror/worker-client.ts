import { type Remote, transfer, wrap } from 'comlink';
import type { MachineId } from '../log/index.ts';
import type { Boot, SessionMoment, SharedSession } from '../protocol/client.ts';
import type { WorkerApi, WorkerMessage } from '../worker/worker.ts';
import type { BytesSpace, ConsoleId, DecodedIoctl, LabClient, LogBatch, SessionRecord } from './lab-client.ts';
import type { SessionStore } from './session-store.ts';

const NEW_SESSION: SessionRecord = { version: 1, seed: 1, inputs: [] };
const SAVE_MS = 400;
/** A worker that takes no input for this long has gone: it breathes every few milliseconds even in an endless loop. */
const SILENCE_MS = 5000;
/** An engine that is alive answers between two tasks; one that says nothing for so long is stuck. */
const ASK_MS = 2000;
const PATIENCE_MS = 10_000;

/** The engine in a worker: commands by comlink, rows by a port of their own. Stores the session as it grows. */
export class WorkerClient implements LabClient {
  private worker: Worker | null = null;
  private api: Remote<WorkerApi> | null = null;
  private port: MessagePort | null = null;
  private readonly listeners = new Set<(batch: LogBatch) => void>();
  private early: LogBatch[] = [];
  private saving: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly store: SessionStore,
    private readonly onDeath: (message: string) => void,
  ) {}

  /** Starts with the stored session, or a new one. */
  async open(): Promise<void> {
    await this.restart((await this.store.load()) ?? NEW_SESSION);
    addEventListener('pagehide', () => void this.save());
    setInterval(() => this.watch(), ASK_MS);
  }

  private unanswered = 0;

  /** A worker that was ended from outside, or loops, reports nothing by itself. */
  private watch(): void {
    const { api } = this;
    // Timers of hidden pages are slowed down; so are their workers.
    if (!api || document.visibilityState === 'hidden') {
      this.unanswered = 0;
      return;
    }
    if (this.unanswered * ASK_MS >= PATIENCE_MS) {
      this.died(`It has not answered for ${PATIENCE_MS / 1000} seconds.`);
      return;
    }
    this.unanswered++;
    void api.control({}).then(() => {
      this.unanswered = 0;
    });
  }

  private async restart(session: SessionRecord, moment: SessionMoment | null = null): Promise<void> {
    this.worker?.terminate();
    this.port?.close();
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
    worker.onerror = (event) => this.died(event.message || 'The worker could not be started.');
    worker.onmessageerror = () => this.died('A message of the worker could not be read.');
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event: MessageEvent<WorkerMessage>) => {
      if ('crash' in event.data) this.died(event.data.crash);
      else this.receive(event.data);
    };
    this.worker = worker;
    this.unanswered = 0;
    this.port = port1;
    this.api = wrap<WorkerApi>(worker);
    const { api } = this;
    await api.start(session, transfer(port2, [port2]), moment);
  }

  private receive(batch: LogBatch): void {
    if (this.listeners.size === 0) this.early.push(batch);
    for (const listener of this.listeners) listener(batch);
    this.saving ??= setTimeout(() => void this.save(), SAVE_MS);
  }

  private died(message: string): void {
    this.worker?.terminate();
    this.api = null;
    this.onDeath(message);
  }

  /** Waits for an answer, but not for ever: a dead worker says nothing. */
  private async answered<T>(call: Promise<T>): Promise<T> {
    const { api } = this;
    const silence = setTimeout(() => {
      if (this.api === api) this.died('The worker does not answer any more.');
    }, SILENCE_MS);
    try {
      return await call;
    } finally {
      clearTimeout(silence);
    }
  }

  private async save(): Promise<void> {
    this.saving = null;
    if (!this.api) return;
    await this.store.save(await this.api.record());
  }

  private running(): Remote<WorkerApi> {
    if (!this.api) throw new Error('The engine has stopped; restore it first.');
    return this.api;
  }

  subscribe(onBatch: (batch: LogBatch) => void): () => void {
    this.listeners.add(onBatch);
    const early = this.early;
    this.early = [];
    for (const batch of early) onBatch(batch);
    return () => this.listeners.delete(onBatch);
  }

  async input(console: ConsoleId, text: string): Promise<void> {
    if (this.api) await this.answered(this.api.input(console, text));
  }
  async resize(console: ConsoleId, columns: number, rows: number): Promise<void> {
    await this.api?.resize(console, columns, rows);
  }
  async run(console: ConsoleId, line: string): Promise<void> {
    await this.answered(this.running().run(console, line));
  }
  async bootToL2(): Promise<Boot> {
    return this.running().bootToL2();
  }
  async playScenario(id: string): Promise<void> {
    await this.running().playScenario(id);
  }
  async playTranscript(text: string): Promise<void> {
    await this.running().playTranscript(text);
  }
  async openConsole(machine: MachineId): Promise<ConsoleId | null> {
    return this.running().openConsole(machine);
  }
  async bytes(space: BytesSpace, offset: number, length: number, cursor: number): Promise<Uint8Array | null> {
    return this.running().bytes(space, offset, length, cursor);
  }
  async record(cursor: number): Promise<SessionRecord> {
    return this.running().record(cursor);
  }
  async decodeIoctl(...asked: Parameters<WorkerApi['decodeIoctl']>): Promise<DecodedIoctl | null> {
    return this.running().decodeIoctl(...asked);
  }
  async control(change: { readonly speed?: number }): Promise<void> {
    await this.api?.control(change);
  }

  async branch(cursor: number): Promise<void> {
    const api = this.running();
    await this.store.keep(await api.record(), `before branching at event ${cursor}`);
    const session = await api.record(cursor);
    await this.store.save(session);
    await this.restart(session);
  }

  async reset(): Promise<void> {
    await this.keepPresent('before starting over');
    await this.store.clear();
    await this.restart(NEW_SESSION);
  }

  keptSessions(): ReturnType<SessionStore['kept']> {
    return this.store.kept();
  }

  async openSession(record: SessionRecord, moment: SessionMoment | null = null): Promise<boolean> {
    const kept = await this.keepPresent('before opening another session');
    await this.store.save(record);
    await this.restart(record, moment);
    return kept;
  }
  async sharedSession(): Promise<SharedSession> {
    return this.running().shared();
  }
  async restored(): Promise<string | null> {
    return this.running().restored();
  }

  /** A session in which nothing was typed is no loss. */
  private async keepPresent(why: string): Promise<boolean> {
    if (!this.api) return false;
    const record = await this.api.record();
    if (typedLines(record).length === 0) return false;
    await this.store.keep(record, why);
    return true;
  }

  async dropLastLine(): Promise<void> {
    const session = await this.store.load();
    if (!session) return;
    await this.store.keep(session, 'before leaving out the last line');
    const { inputs } = session;
    await this.store.save({ ...session, inputs: inputs.slice(0, lastLineStart(inputs)) });
  }

  /** State hash once everything has come to rest. */
  async hash(): Promise<string> {
    return this.running().hash();
  }

  async exportSession(): Promise<string> {
    return JSON.stringify(this.api ? await this.api.record() : await this.store.load(), null, 2);
  }
}

/** Where the keys of the last line that was given begin. */
export function lastLineStart(inputs: SessionRecord['inputs']): number {
  const typed = (one: SessionRecord['inputs'][number]): boolean => !one.console.includes(':');
  const end = inputs.findLastIndex((one) => typed(one) && one.text.includes('\r'));
  if (end < 0) return 0;
  const console = inputs[end]?.console;
  const before = inputs.findLastIndex((one, n) => n < end && one.console === console && /[\r\x03]/.test(one.text));
  const first = inputs.findIndex((one, n) => n > before && one.console === console);
  return first < 0 ? end : first;
}

/** What a person typed in a session, roughly: its inputs are keys and whole lines. */
export function typedLines(record: SessionRecord): readonly string[] {
  return record.inputs
    .filter((one) => !one.console.includes(':'))
    .map((one) => one.text)
    .join('')
    .split('\r')
    .map((line) => line.replace(/[\x00-\x1f]/g, '').trim())
    .filter((line) => line !== '');
}
