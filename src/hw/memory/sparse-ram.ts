/** A memory object: bytes of the physical machine, allocated in 64 KiB pages on first write. Ours; every change is a row of the log. */
import type { Width } from '../../base/addr.ts';
import { assert } from '../../base/assert.ts';
import type { CellId, EventLog } from '../../log/index.ts';
import { Row } from '../../log/index.ts';
import { load_across, store_across } from '../bus/across.ts';
import type { RamObject } from '../bus/cpu-bus.ts';

export const RAM_PAGE = 65_536;
/** Pages per table of the second level. */
const TABLE = 1024;
const TABLE_BYTES = TABLE * RAM_PAGE;
/** From this many bytes of one page on, exchanging the page is cheaper than logging before and after. */
const EXCHANGE_FROM = 24 * 1024;
/** Exchanged pages whose old bytes the log keeps (16 MiB); older ones are reused and their bytes are lost to history. */
const HISTORY_PAGES = 256;
/** Stands in the log for a page whose old bytes were given up. */
export const LOST_PAGE = new Uint8Array(0);

interface Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Index in `log.pages` of the exchange that put it in place, or -1. */
  readonly entry: number;
}

export class SparseRam implements RamObject {
  hi = 0;
  readonly cell: CellId;
  private readonly tables: (Page | undefined)[][];
  /** Pages that log rows hold as "before", oldest first from `retiredFrom` on; reused when the log or the budget drops them. */
  private readonly retired: { readonly row: number; readonly entry: number; readonly cameBy: number }[] = [];
  private retiredFrom = 0;
  private lastIndex = -1;
  private lastPage: Page | undefined;

  constructor(
    private readonly log: EventLog,
    readonly id: string,
    readonly size: number,
  ) {
    assert(size % RAM_PAGE === 0, `ram ${id}: size must be a multiple of 64 KiB`);
    this.cell = log.objectCell(`ram/${id}`);
    log.publish(`ram/${id}`, { size });
    this.tables = Array.from({ length: Math.ceil(size / RAM_PAGE / TABLE) }, () => []);
  }

  /** Visits every allocated page in address order. */
  forEachPage(visit: (index: number, bytes: Uint8Array) => void): void {
    this.tables.forEach((table, t) => {
      table.forEach((page, n) => {
        if (page) visit(t * TABLE + n, page.bytes);
      });
    });
  }

  load(offset: number, width: Width): number {
    const at = inPage(offset);
    if (at + width > RAM_PAGE) return load_across(this, offset, width);
    const table = this.tables[Math.floor(offset / TABLE_BYTES)];
    // No text built per access.
    assert(table, 'ram: access beyond its end');
    // `&` keeps the low 32 bits of an exact integer exactly.
    const page = table[(offset / RAM_PAGE) & (TABLE - 1)];
    this.hi = 0;
    if (page === undefined) return 0;
    if (width === 4) return page.view.getUint32(at, true);
    if (width === 8) {
      this.hi = page.view.getUint32(at + 4, true);
      return page.view.getUint32(at, true);
    }
    return width === 1 ? (page.bytes[at] as number) : page.view.getUint16(at, true);
  }

  store(offset: number, width: Width, lo: number, hi = 0): void {
    const at = inPage(offset);
    if (at + width > RAM_PAGE) {
      store_across(this, offset, width, lo, hi);
      return;
    }
    const page = this.touch((offset - at) / RAM_PAGE);
    const { view } = page;
    if (width === 4) {
      const before = view.getUint32(at, true);
      const after = lo >>> 0;
      if (before === after) return;
      view.setUint32(at, after, true);
      this.log.ramWord(this.cell, offset, 4, before, 0, after, 0);
    } else if (width === 8) {
      const before = view.getUint32(at, true);
      const beforeHi = view.getUint32(at + 4, true);
      if (before === lo >>> 0 && beforeHi === hi >>> 0) return;
      view.setUint32(at, lo, true);
      view.setUint32(at + 4, hi, true);
      this.log.ramWord(this.cell, offset, 8, before, beforeHi, lo >>> 0, hi >>> 0);
    } else if (width === 2) {
      const before = view.getUint16(at, true);
      const after = lo & 0xffff;
      if (before === after) return;
      view.setUint16(at, after, true);
      this.log.ramWord(this.cell, offset, 2, before, 0, after, 0);
    } else {
      const before = page.bytes[at] as number;
      const after = lo & 0xff;
      if (before === after) return;
      page.bytes[at] = after;
      this.log.ramWord(this.cell, offset, 1, before, 0, after, 0);
    }
  }

  read(offset: number, into: Uint8Array): void {
    assert(offset >= 0 && offset + into.length <= this.size, `ram ${this.id}: read beyond its end`);
    let done = 0;
    while (done < into.length) {
      const at = inPage(offset + done);
      const count = Math.min(into.length - done, RAM_PAGE - at);
      const page = this.page((offset + done - at) / RAM_PAGE);
      if (page === undefined) into.fill(0, done, done + count);
      else if (at === 0 && count === RAM_PAGE) into.set(page.bytes, done);
      else into.set(page.bytes.subarray(at, at + count), done);
      done += count;
    }
  }

  write(offset: number, from: Uint8Array): void {
    assert(offset >= 0 && offset + from.length <= this.size, `ram ${this.id}: write beyond its end`);
    let done = 0;
    while (done < from.length) {
      const at = inPage(offset + done);
      const count = Math.min(from.length - done, RAM_PAGE - at);
      const index = (offset + done - at) / RAM_PAGE;
      if (count === RAM_PAGE) this.exchange(index, this.copyOf(from, done));
      else if (count >= EXCHANGE_FROM) {
        const old = this.page(index);
        const bytes = old ? this.copyOf(old.bytes, 0) : new Uint8Array(RAM_PAGE);
        bytes.set(from.subarray(done, done + count), at);
        this.exchange(index, bytes);
      } else {
        const before = this.touch(index).bytes.subarray(at, at + count);
        const after = from.subarray(done, done + count);
        if (!equal(before, after)) {
          this.log.ram(this.cell, offset + done, before, after);
          before.set(after);
        }
      }
      done += count;
    }
  }

  private page(index: number): Page | undefined {
    if (index === this.lastIndex) return this.lastPage;
    const inTable = index & (TABLE - 1);
    const table = this.tables[(index - inTable) / TABLE];
    // No text built per access.
    assert(table, 'ram: access beyond its end');
    this.lastIndex = index;
    this.lastPage = table[inTable];
    return this.lastPage;
  }

  /** The page, allocated if it is new. No row: a fresh page reads as the zeros it read before. */
  private touch(index: number): Page {
    return this.page(index) ?? this.put(index, new Uint8Array(RAM_PAGE), -1);
  }

  private put(index: number, bytes: Uint8Array, entry: number): Page {
    const page = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, RAM_PAGE), entry };
    const inTable = index & (TABLE - 1);
    const table = this.tables[(index - inTable) / TABLE];
    // No text built per access.
    assert(table, 'ram: access beyond its end');
    table[inTable] = page;
    this.lastIndex = index;
    this.lastPage = page;
    return page;
  }

  private exchange(index: number, bytes: Uint8Array): void {
    const old = this.page(index);
    const entry = this.log.pages.length;
    this.put(index, bytes, entry);
    if (old) this.retired.push({ row: this.log.length, entry, cameBy: old.entry });
    this.log.page(this.cell, index, old?.bytes ?? null, bytes);
  }

  /** One page's worth of `from`, in a recycled array when one is to be had (fresh memory costs several times the copy). */
  private copyOf(from: Uint8Array, at: number): Uint8Array {
    const oldest = this.retired[this.retiredFrom];
    if (oldest && (oldest.row < this.log.start || this.retired.length - this.retiredFrom > HISTORY_PAGES)) {
      this.retiredFrom++;
      if (this.retiredFrom > 4096) {
        this.retired.splice(0, this.retiredFrom);
        this.retiredFrom = 0;
      }
      const { pages } = this.log;
      const left = pages[oldest.entry];
      const came = pages[oldest.cameBy];
      const bytes = left?.before;
      if (left && bytes) {
        left.before = LOST_PAGE;
        if (came) came.after = LOST_PAGE;
        bytes.set(at === 0 && from.length === RAM_PAGE ? from : from.subarray(at, at + RAM_PAGE));
        return bytes;
      }
    }
    return from.slice(at, at + RAM_PAGE);
  }
}

/** `offset % RAM_PAGE` without a floating-point division: `&` keeps the low 32 bits of an exact integer exactly. */
function inPage(offset: number): number {
  return offset & (RAM_PAGE - 1);
}

/** memcmp for short pieces; long ones count as different. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length > 4096) return false;
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return false;
  return true;
}

/**
 * Bytes of memory object `ram` as they were before row `cursor`, from the log alone: rows from the cursor on that touch a
 * byte know what it was; a byte nobody touched later still is what the last earlier row made it. Bytes whose rows the log
 * has dropped come from `live` (the object itself) where there is one, else 0. Null when a page's history was given up.
 */
export function ramAt(
  log: EventLog,
  ram: CellId,
  offset: number,
  length: number,
  cursor: number,
  live?: RamObject,
): Uint8Array | null {
  const out = new Uint8Array(length);
  const known = new Uint8Array(length);
  let missing = length;
  let lost = false;
  const take = (at: number, bytes: Uint8Array | null, count: number): void => {
    const first = Math.max(offset, at);
    const end = Math.min(offset + length, at + count);
    for (let n = first; n < end; n++) {
      if (known[n - offset]) continue;
      known[n - offset] = 1;
      missing--;
      if (bytes === LOST_PAGE) lost = true;
      out[n - offset] = bytes ? (bytes[n - at] as number) : 0;
    }
  };
  for (let row = cursor; row < log.length && missing > 0; row++) {
    const kind = log.kind(row);
    if (kind === Row.RAM && log.a(row) === ram) {
      const at = log.c(row);
      take(log.b(row), log.arena.before(at), log.arena.length(at));
    } else if (kind === Row.PAGE && log.a(row) === ram)
      take(log.b(row) * RAM_PAGE, log.pages[log.c(row)]?.before ?? null, RAM_PAGE);
  }
  if (live && missing > 0) {
    const now = new Uint8Array(length);
    live.read(offset, now);
    take(offset, now, length);
  }
  for (let row = cursor - 1; row >= log.start && missing > 0; row--) {
    const kind = log.kind(row);
    if (kind === Row.RAM && log.a(row) === ram) {
      const at = log.c(row);
      take(log.b(row), log.arena.after(at), log.arena.length(at));
    } else if (kind === Row.PAGE && log.a(row) === ram)
      take(log.b(row) * RAM_PAGE, log.pages[log.c(row)]?.after ?? null, RAM_PAGE);
  }
  return lost ? null : out;
}
