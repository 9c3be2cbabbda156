/** kernel/trace/ring_buffer.c: the last records, oldest overwritten first. One buffer, since one processor executes. */
export interface TraceRecord {
  readonly kind: 'function' | 'enter' | 'leave' | 'event' | 'mark';
  /** ns since boot. */
  readonly ns: number;
  readonly pid: number;
  readonly comm: string;
  /** Function name, or `event: fields`. */
  readonly text: string;
  /** The function it was called from; '' where the model has no name for it. */
  readonly parent: string;
  /** Nesting of enter and leave. */
  readonly depth: number;
  /** Of leave: ns since the matching enter. */
  readonly spent: number;
}

/** Bytes a record takes in the real buffer: header, entry, time stamp. */
const RECORD_BYTES = 32;

export class RingBuffer {
  private records: TraceRecord[] = [];
  private start = 0;
  written = 0;

  constructor(public kib = 1408) {}

  get capacity(): number {
    return Math.max(1, Math.floor((this.kib * 1024) / RECORD_BYTES));
  }
  get length(): number {
    return this.records.length - this.start;
  }
  push(record: TraceRecord): void {
    this.records.push(record);
    this.written++;
    if (this.length > this.capacity) this.start++;
    if (this.start > 4096 && this.start * 2 > this.records.length) {
      this.records = this.records.slice(this.start);
      this.start = 0;
    }
  }
  /** The oldest record, taken out. */
  shift(): TraceRecord | null {
    const record = this.records[this.start];
    if (!record) return null;
    this.start++;
    return record;
  }
  all(): readonly TraceRecord[] {
    return this.records.slice(this.start);
  }
  clear(): void {
    this.records = [];
    this.start = 0;
    this.written = 0;
  }
}
