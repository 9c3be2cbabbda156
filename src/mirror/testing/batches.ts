import type { EventLog } from '../../log/index.ts';
import type { ConsoleInfo, LogBatch } from '../lab-client.ts';

/** Cuts what an in-page log gained since the last call into a batch. */
export class BatchCutter {
  private row = 0;
  private strings = 0;
  private values = 0;
  private sites = 0;

  constructor(private readonly log: EventLog) {}

  cut(consoles: readonly ConsoleInfo[]): LogBatch {
    const { log } = this;
    const count = log.length - this.row;
    const batch = {
      firstRow: this.row,
      kind: new Uint8Array(count),
      a: new Uint32Array(count),
      b: new Float64Array(count),
      c: new Float64Array(count),
      cause: new Uint32Array(count),
      newStrings: log.strings.slice(this.strings),
      newValues: log.values.slice(this.values),
      newSites: log.sites.slice(this.sites),
      consoles,
      start: log.start,
    };
    for (let n = 0; n < count; n++) {
      const row = this.row + n;
      batch.kind[n] = log.kind(row);
      batch.a[n] = log.a(row);
      batch.b[n] = log.b(row);
      batch.c[n] = log.c(row);
      batch.cause[n] = log.causeOf(row);
    }
    this.row = log.length;
    this.strings = log.strings.length;
    this.values = log.values.length;
    this.sites = log.sites.length;
    return batch;
  }
}
