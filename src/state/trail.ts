/**
 * What was tried and what came of it, picked out of the log's rows: functions that failed, lines kernels and VMMs complained with,
 * drivers that probed, VMMs that ran, devices they realized, regions that were created, commands that were typed. Built once
 * as rows arrive; a reader asks for what happened before a cursor. Knows the names of a few functions, never an outcome.
 */
import { type Json, LAYERS, type MachineId, Row, type Site } from '../log/index.ts';
import type { RowReader } from './exits.ts';
import { publishedAs } from './functions.ts';
import type { CommandRecord, MachineState, PciFunctionState, ProcessState, VfioDeviceState } from './schema.ts';

/** A line of a kernel (warning or worse) or of a VMM. */
export interface Tell {
  readonly row: number;
  readonly layer: number;
  readonly text: string;
  /** Of a kernel's line. */
  readonly level: number;
  /** Of a VMM's line. */
  readonly pid: number;
}

/** A function that was entered; `end` is Infinity while it has not returned. */
export interface Call {
  readonly begin: number;
  end: number;
  result: number;
  readonly layer: number;
  readonly name: string;
}
/** A driver that was offered a device. */
export interface Probe extends Call {
  readonly device: string;
  readonly driver: string;
}
/** A VMM that took a device of the machine it runs on: `vfio_realize`. */
export interface Realize extends Call {
  readonly device: string;
  readonly pid: number;
}
/** A program that ran on a machine, from its start (or its exec) to its end. */
export interface Run {
  readonly machine: MachineId;
  readonly pid: number;
  readonly comm: string;
  readonly argv: readonly string[];
  readonly start: number;
  end: number;
  /** Null while it runs, and when the machine lost its power below it. */
  exit: { readonly status: number; readonly signal: number } | null;
  /** Devices of its machine that its command line passes on. */
  readonly takes: readonly string[];
  /** Row since which it sleeps for good. */
  blocked: number;
}
export interface Typed {
  readonly row: number;
  readonly console: string;
  readonly line: string;
}
interface Change<T> {
  readonly row: number;
  readonly value: T | null;
}

const SPANS = ['really_probe', 'vfio_realize', 'cxl_create_region'] as const;
const TELLS = ['printk', 'error_report'] as const;
const ERRNO_END = 134;

/** Of a list in order of rows: the last one before `cursor` that is meant. */
export function lastBefore<T>(
  list: readonly T[],
  at: (one: T) => number,
  cursor: number,
  meant: (one: T) => boolean,
): T | null {
  for (let n = list.length - 1; n >= 0; n--) {
    const one = list[n] as T;
    if (at(one) < cursor && meant(one)) return one;
  }
  return null;
}

export class Trail {
  readonly tells: Tell[] = [];
  /** Functions of kernels and VMMs that gave a negative result, in the order they returned: inner ones first. */
  readonly fails: Call[] = [];
  readonly probes: Probe[] = [];
  readonly realizes: Realize[] = [];
  readonly regions: Call[] = [];
  readonly runs: Run[] = [];
  /** Those of L1 that pass a device on. */
  readonly takers: Run[] = [];
  readonly typed: Typed[] = [];
  private readonly machines = new Map<string, Change<MachineState>[]>();
  private readonly vfio = new Map<string, Change<VfioDeviceState>[]>();
  private readonly guests: Change<PciFunctionState>[] = [];
  private readonly complaints: { readonly row: number; readonly console: string; readonly text: number }[] = [];
  private readonly open = new Map<number, Call>();
  private readonly running = new Map<string, Run>();
  private readonly siteKinds: (string | null)[] = [];
  private readonly cells = new Map<number, ((row: number, value: Json) => void) | null>();
  private at: number;

  constructor(private readonly rows: RowReader) {
    this.at = rows.start;
  }

  /** Takes in the rows before `cursor`. */
  upTo(cursor: number): this {
    this.at = Math.max(this.at, this.rows.start);
    for (; this.at < cursor; this.at++) this.take(this.at);
    return this;
  }

  machine(id: MachineId, cursor: number): readonly Change<MachineState>[] {
    return before(this.machines.get(`machine/${id}`), cursor);
  }
  /** Row at which a machine was switched on last, or reset. */
  bootOf(id: MachineId, cursor: number): number {
    return this.machine(id, cursor).findLast(({ value }) => value?.state === 'firmware')?.row ?? 0;
  }
  /** What a device of L1 was to user space. */
  device(bdf: string, cursor: number): readonly Change<VfioDeviceState>[] {
    return before(this.vfio.get(`vfio/l1/${bdf}`), cursor);
  }
  /** How L2 last saw a device of L1, though it may be gone. */
  guestOf(bdf: string, cursor: number): PciFunctionState | null {
    return (
      lastBefore(
        this.guests,
        (one) => one.row,
        cursor,
        ({ value }) => value?.host === bdf,
      )?.value ?? null
    );
  }
  /** Name, end and result of the function a row lies in, innermost first. */
  around(row: number): readonly Pick<Call, 'begin' | 'name' | 'layer'>[] {
    const out: Pick<Call, 'begin' | 'name' | 'layer'>[] = [];
    for (
      let cause = this.rows.cause(row);
      cause > this.rows.start && out.length < 64;
      cause = this.rows.cause(cause - 1)
    ) {
      const site = this.rows.site(this.rows.a(cause - 1));
      if (site) out.push({ begin: cause - 1, name: site.name, layer: site.layer });
    }
    return out;
  }
  /** What a command wrote to standard error before `cursor`. */
  saidBy(typed: Typed, cursor: number): string {
    const next = this.typed.find((one) => one.row > typed.row && one.console === typed.console)?.row ?? cursor;
    return this.complaints
      .filter(({ row, console }) => console === typed.console && row > typed.row && row < Math.min(next, cursor))
      .map(({ text }) => this.rows.string(text))
      .join('')
      .replaceAll('\r', '');
  }

  private take(row: number): void {
    const { rows } = this;
    switch (rows.kind(row)) {
      case Row.BEGIN:
        this.begin(row);
        return;
      case Row.END:
        this.end(row);
        return;
      case Row.NOTE:
        this.note(row);
        return;
      case Row.OBJ:
        this.handler(rows.a(row))?.(row, rows.value(rows.c(row)));
        return;
      case Row.MARK: {
        const record = publishedAs<CommandRecord>(rows.value(rows.c(row)));
        if (record) this.typed.push({ row, ...record });
        return;
      }
      case Row.OUT: {
        // `console:1`: what programs wrote to their standard error.
        const key = rows.string(rows.a(row));
        if (key.endsWith(':1')) this.complaints.push({ row, console: key.slice(0, -2), text: rows.c(row) });
      }
    }
  }

  /** What a site's rows are to the trail: one of SPANS or TELLS, `kernel` or `qemu` for others that may fail, null for the rest. */
  private kindOf(index: number): string | null {
    const known = this.siteKinds[index];
    if (known !== undefined) return known;
    const site = this.rows.site(index);
    const kind = site === undefined ? null : siteKind(site);
    this.siteKinds[index] = kind;
    return kind;
  }

  private begin(row: number): void {
    const { rows } = this;
    const kind = this.kindOf(rows.a(row));
    if (kind === null) return;
    const site = rows.site(rows.a(row)) as Site;
    const call = { begin: row, end: Number.POSITIVE_INFINITY, result: 0, layer: site.layer, name: site.name };
    if (kind === 'really_probe') {
      const { device, driver } = publishedAs<{ device: string; driver: string }>(rows.value(rows.c(row))) ?? NOBODY;
      const probe = { ...call, device, driver };
      this.probes.push(probe);
      this.open.set(row, probe);
    } else if (kind === 'vfio_realize') {
      const realize = { ...call, pid: rows.b(row), device: publishedAs<string>(rows.value(rows.c(row))) ?? '' };
      this.realizes.push(realize);
      this.open.set(row, realize);
    } else if (kind === 'cxl_create_region') {
      this.regions.push(call);
      this.open.set(row, call);
    }
  }

  private end(row: number): void {
    const { rows } = this;
    const begin = rows.a(row) - 1;
    if (begin < rows.start) return;
    const result = rows.b(row);
    const failed = result < 0 && result > -ERRNO_END && Number.isInteger(result);
    const known = this.open.get(begin);
    if (known) {
      known.end = row;
      known.result = result;
      this.open.delete(begin);
      if (failed) this.fails.push(known);
    } else if (failed && this.kindOf(rows.a(begin)) !== null) {
      const { layer, name } = rows.site(rows.a(begin)) as Site;
      this.fails.push({ begin, end: row, result, layer, name });
    }
  }

  private note(row: number): void {
    const { rows } = this;
    const kind = this.kindOf(rows.a(row));
    if (kind !== 'printk' && kind !== 'error_report') return;
    const { layer } = rows.site(rows.a(row)) as Site;
    const text = publishedAs<string>(rows.value(rows.c(row))) ?? '';
    const b = rows.b(row);
    this.tells.push({ row, layer, text, level: kind === 'printk' ? b : 3, pid: kind === 'printk' ? 0 : b });
  }

  /** What a change of an object cell means; null for objects that are of no concern. */
  private handler(cell: number): ((row: number, value: Json) => void) | null {
    const known = this.cells.get(cell);
    if (known !== undefined) return known;
    const made = this.handlerOf(this.rows.pathOf(cell) ?? '');
    this.cells.set(cell, made);
    return made;
  }
  private handlerOf(path: string): ((row: number, value: Json) => void) | null {
    if (path.startsWith('machine/')) return changes<MachineState>(this.machines, path);
    if (path.startsWith('vfio/l1/')) return changes<VfioDeviceState>(this.vfio, path);
    if (path.startsWith('hw/l2/pci/'))
      return (row, value) => {
        const fn = publishedAs<PciFunctionState>(value);
        if (fn?.host !== undefined) this.guests.push({ row, value: fn });
      };
    const machine = /^proc\/(host|l1)\//.exec(path)?.[1];
    if (machine === 'host' || machine === 'l1')
      return (row, value) => this.process(path, machine, row, publishedAs<ProcessState>(value));
    return null;
  }

  private process(path: string, machine: MachineId, row: number, state: ProcessState | null): void {
    const before = this.running.get(path);
    const { pid, comm, argv } = state ?? { pid: 0, comm: '', argv: [] };
    if (before && state && argv.join('\0') === before.argv.join('\0')) {
      if (state.exit) this.ended(path, before, row, state.exit);
      else if (state.state === 'blocked') before.blocked = row;
      return;
    }
    if (before) this.ended(path, before, row, null);
    if (!state || state.exit) return;
    const never = Number.POSITIVE_INFINITY;
    const takes = machine === 'l1' ? argv.flatMap((word, n) => (argv[n - 1] === '-device' ? hostOf(word) : [])) : [];
    const run: Run = { machine, pid, comm, argv, takes, start: row, end: never, exit: null, blocked: never };
    this.runs.push(run);
    if (takes.length > 0) this.takers.push(run);
    this.running.set(path, run);
  }
  private ended(path: string, run: Run, row: number, exit: Run['exit']): void {
    run.end = row;
    run.exit = exit;
    this.running.delete(path);
  }
}

/** The device that a `-device vfio-pci,…` names. */
function hostOf(option: string): readonly string[] {
  if (!/^vfio-pci[\w-]*,/.test(option)) return [];
  const named = /,(?:host|sysfsdev)=([^,]+)/.exec(option)?.[1]?.split('/').at(-1);
  return named === undefined ? [] : [/^[0-9a-f]{1,2}:/i.test(named) && named.length < 8 ? `0000:${named}` : named];
}

const NOBODY = { device: '', driver: '' };

function siteKind({ name, layer }: Site): string | null {
  const own = [...SPANS, ...TELLS].find((one) => one === name);
  if (own !== undefined) return own;
  return /\.(kernel|qemu)$/.exec(LAYERS[layer]?.id ?? '')?.[1] ?? null;
}

function changes<T>(into: Map<string, Change<T>[]>, path: string): (row: number, value: Json) => void {
  const list: Change<T>[] = [];
  into.set(path, list);
  return (row, value) => void list.push({ row, value: publishedAs<T>(value) });
}
function before<T>(list: readonly Change<T>[] | undefined, cursor: number): readonly Change<T>[] {
  if (!list) return [];
  const end = list.findIndex((one) => one.row >= cursor);
  return end < 0 ? list : list.slice(0, end);
}

const trails = new WeakMap<RowReader, Trail>();
/** The trail of a log, up to its reader's length. */
export function trailOf(rows: RowReader): Trail {
  let trail = trails.get(rows);
  if (!trail) {
    trail = new Trail(rows);
    trails.set(rows, trail);
  }
  return trail.upTo(rows.length);
}
