/** kernel/printk: the log buffer, consoles, levels. Left out: structured properties, rate limits, log_buf_len. */
import { concat, utf8 } from '../../base/bytes.ts';
import { type Scheduler, WaitQueue } from '../../base/scheduler.ts';

export interface PrintkRecord {
  readonly seq: number;
  readonly level: number;
  readonly ns: number;
  readonly text: string;
}

/** struct console. */
export interface Console {
  readonly name: string;
  write(text: string): void;
}

export class Printk {
  readonly records: PrintkRecord[] = [];
  /** Records before this one are hidden from SYSLOG_ACTION_READ_ALL (dmesg -C). */
  clearSeq = 0;
  /** Next record SYSLOG_ACTION_READ gives. */
  private readSeq = 0;
  console_loglevel = 7;
  /** Level to return to at `console-on`. */
  private savedLevel = -1;
  readonly consoles: Console[] = [];
  readonly changed: WaitQueue;

  constructor(
    scheduler: Scheduler,
    private readonly now: () => number,
    private readonly charge: (ns: number) => void,
  ) {
    this.changed = new WaitQueue(scheduler);
  }

  printk(level: number, text: string): void {
    for (const line of text.split('\n')) {
      const record = { seq: this.records.length, level, ns: this.now(), text: line };
      this.records.push(record);
      // About what formatting and storing a record costs, once sched_clock runs; each character of a console is an exit.
      this.charge(20_000);
      if (level < this.console_loglevel) {
        this.emit(record);
        if (this.consoles.length > 0) this.charge(line.length * 2500);
      }
    }
    this.changed.wakeAll();
  }
  private emit(record: PrintkRecord): void {
    for (const console of this.consoles) console.write(`${stamp(record.ns)}${record.text}\n`);
  }

  /** register_console: a boot-time console gets what was printed before it came. */
  register_console(console: Console): void {
    for (const record of this.records)
      if (record.level < this.console_loglevel) console.write(`${stamp(record.ns)}${record.text}\n`);
    this.consoles.push(console);
  }

  /** SYSLOG_ACTION_READ_ALL: `<6>[    0.000000] text` lines. */
  readAll(): Uint8Array {
    return concat(this.records.slice(this.clearSeq).map((record) => utf8(syslogLine(record))));
  }
  clear(): void {
    this.clearSeq = this.records.length;
  }
  get unread(): boolean {
    return this.readSeq < this.records.length;
  }
  /** SYSLOG_ACTION_READ: whole records while they fit. */
  readNew(into: Uint8Array): number {
    let at = 0;
    for (let record = this.records[this.readSeq]; record; record = this.records[this.readSeq]) {
      const line = utf8(syslogLine(record));
      if (at + line.length > into.length) break;
      into.set(line, at);
      at += line.length;
      this.readSeq++;
    }
    return at;
  }
  consoleOff(): void {
    if (this.savedLevel < 0) this.savedLevel = this.console_loglevel;
    this.console_loglevel = 1;
  }
  consoleOn(): void {
    if (this.savedLevel >= 0) this.console_loglevel = this.savedLevel;
    this.savedLevel = -1;
  }
}

/** print_time */
export function stamp(ns: number): string {
  const us = Math.floor(ns / 1000);
  return `[${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}] `;
}
function syslogLine(record: PrintkRecord): string {
  return `<${record.level}>${stamp(record.ns)}${record.text}\n`;
}
/** One record as /dev/kmsg gives it (facility 0). */
export function kmsgLine(record: PrintkRecord): string {
  return `${record.level},${record.seq},${Math.floor(record.ns / 1000)},-;${record.text}\n`;
}
