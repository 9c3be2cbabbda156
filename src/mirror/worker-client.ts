import { type Remote, transfer, wrap } from 'comlink';
import type { MachineId } from '../log/index.ts';
import type { BytesSpace, ConsoleId, LabClient, LogBatch, SessionRecord } from '../protocol/client.ts';
import type { WorkerApi, WorkerMessage } from '../worker/worker.ts';

export interface WorkerClientEvents {
  /** The worker died or reported a broken invariant. */
  onDeath(message: string): void;
  /** The session changed: store it. */
  onRecord(record: SessionRecord): void;
  /** A new engine begins at row 0: the mirror starts over. */
  onRestart(): void;
}

/** The lab in a Web Worker. Calls go through comlink, log rows through a port of their own with transferred columns. */
export class WorkerClient implements LabClient {
  private worker: Worker | null = null;
  private api: Remote<WorkerApi> | null = null;
  private readonly listeners = new Set<(batch: LogBatch) => void>();
  private lastRecord: SessionRecord;
  private savePending = false;

  constructor(
    session: SessionRecord,
    private readonly events: WorkerClientEvents,
  ) {
    this.lastRecord = session;
  }

  /** Starts (or starts again) with the inputs of `session`. */
  async start(session: SessionRecord = this.lastRecord): Promise<void> {
    this.worker?.terminate();
    this.lastRecord = session;
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
    this.worker = worker;
    worker.onerror = (event) => this.events.onDeath(event.message || 'the worker stopped');
    this.api = wrap<WorkerApi>(worker);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event: MessageEvent<WorkerMessage>) => {
      if ('crash' in event.data) {
        this.events.onDeath(event.data.crash);
        return;
      }
      for (const listener of this.listeners) listener(event.data);
    };
    this.events.onRestart();
    await this.api.start(session, transferPort(port2));
  }

  subscribe(onBatch: (batch: LogBatch) => void): () => void {
    this.listeners.add(onBatch);
    return () => this.listeners.delete(onBatch);
  }

  async input(console: ConsoleId, text: string): Promise<void> {
    await this.remote().input(console, text);
    this.save();
  }
  async resize(console: ConsoleId, columns: number, rows: number): Promise<void> {
    await this.remote().resize(console, columns, rows);
  }
  async run(console: ConsoleId, line: string): Promise<void> {
    await this.remote().run(console, line);
    this.save();
  }
  async bootToL2(): Promise<void> {
    await this.remote().bootToL2();
    this.save();
  }
  async openConsole(machine: MachineId): Promise<ConsoleId | null> {
    return this.remote().openConsole(machine);
  }
  async bytes(space: BytesSpace, offset: number, length: number, cursor: number): Promise<Uint8Array | null> {
    return this.remote().bytes(space, offset, length, cursor);
  }
  async branch(cursor: number): Promise<void> {
    const record = await this.remote().record(cursor);
    await this.start(record);
    this.events.onRecord(record);
  }
  async reset(): Promise<void> {
    const empty: SessionRecord = { ...this.lastRecord, inputs: [] };
    await this.start(empty);
    this.events.onRecord(empty);
  }
  async control(change: { readonly speed?: number }): Promise<void> {
    await this.remote().control(change);
  }
  async exportSession(): Promise<string> {
    return JSON.stringify(await this.remote().record(), null, 1);
  }
  /** State hash once everything has come to rest. */
  async hash(): Promise<string> {
    return this.remote().hash();
  }

  private remote(): Remote<WorkerApi> {
    if (!this.api) throw new Error('the lab has not been started');
    return this.api;
  }

  /** Stores the session soon after the last input. */
  private save(): void {
    if (this.savePending) return;
    this.savePending = true;
    setTimeout(() => {
      this.savePending = false;
      void this.remote()
        .record()
        .then((record) => {
          this.lastRecord = record;
          this.events.onRecord(record);
        });
    }, 150);
  }
}

function transferPort(port: MessagePort): MessagePort {
  return transfer(port, [port]);
}
