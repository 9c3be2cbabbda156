import { CHUNK_ROWS, type EventLog } from '../log/index.ts';
import type { ConsoleInfo, LogBatch } from '../protocol/client.ts';

/** How far a reader of the log has got. */
export interface Sent {
  readonly rows: number;
  readonly strings: number;
  readonly values: number;
  readonly sites: number;
}

/** The rows after `sent`, at most `limit`, copied into arrays that can be transferred; null if there is nothing new. */
export function batchOf(
  log: EventLog,
  sent: Sent,
  limit: number,
  consoles: readonly ConsoleInfo[],
): { batch: LogBatch; sent: Sent } | null {
  const first = Math.max(sent.rows, log.start);
  const end = Math.min(log.length, first + limit);
  if (end === first) return null;
  const rows = end - first;
  const batch = {
    firstRow: first,
    kind: new Uint8Array(rows),
    a: new Uint32Array(rows),
    b: new Float64Array(rows),
    c: new Float64Array(rows),
    cause: new Uint32Array(rows),
    newStrings: log.strings.slice(sent.strings),
    newValues: log.values.slice(sent.values),
    newSites: log.sites.slice(sent.sites),
    consoles,
    start: log.start,
  };
  for (let row = first; row < end; ) {
    const chunk = log.chunkOf(row);
    const from = row % CHUNK_ROWS;
    const count = Math.min(CHUNK_ROWS - from, end - row);
    const at = row - first;
    batch.kind.set(chunk.kind.subarray(from, from + count), at);
    batch.a.set(chunk.a.subarray(from, from + count), at);
    batch.b.set(chunk.b.subarray(from, from + count), at);
    batch.c.set(chunk.c.subarray(from, from + count), at);
    batch.cause.set(chunk.cause.subarray(from, from + count), at);
    row += count;
  }
  return {
    batch,
    sent: { rows: end, strings: log.strings.length, values: log.values.length, sites: log.sites.length },
  };
}
