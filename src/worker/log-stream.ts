import type { Lab } from '../lab/lab.ts';
import type { LogBatch } from '../protocol/client.ts';
import { batchOf, type Sent } from './batch.ts';

/** Rows in one message at most; the rest follows with the next. */
const MAX_ROWS = 200_000;

/** The end of a channel: what of a MessagePort a stream needs. */
export interface RowPort {
  postMessage(batch: LogBatch, transfer: Transferable[]): void;
}

/** A lab's log on its way to a reader: each flush sends what is new since the last. */
export class LogStream {
  private sent: Sent = { rows: 0, strings: 0, values: 0, sites: 0 };

  constructor(
    private readonly lab: Lab,
    private readonly port: RowPort,
  ) {}

  /** Sends new rows; gives whether there are still more. */
  flush(): boolean {
    const { log, consoles } = this.lab;
    const made = batchOf(log, this.sent, MAX_ROWS, consoles.list());
    if (!made) return false;
    this.sent = made.sent;
    const { batch } = made;
    this.port.postMessage(batch, [
      batch.kind.buffer,
      batch.a.buffer,
      batch.b.buffer,
      batch.c.buffer,
      batch.cause.buffer,
    ]);
    return this.sent.rows < log.length;
  }
}
