/**
 * The exit meter: what each typed command cost in exits and in crossings from L1's VMM into L1's kernel, read from the log. Counters
 * (kvmStats) are published when a command ends, so exits that leave no rows of their own are in them.
 */
import { type Json, LAYERS, type LayerId, Row, type Site } from '../log/index.ts';
import { publishedAs } from './functions.ts';
import { type CommandRecord, type KvmStatsState, paths } from './schema.ts';

/** The rows of a log, whoever holds them. */
export interface RowReader {
  readonly start: number;
  readonly length: number;
  kind(row: number): number;
  a(row: number): number;
  b(row: number): number;
  c(row: number): number;
  value(index: number): Json;
  string(index: number): string;
  /** Row of the enclosing BEGIN + 1, or 0. */
  cause(row: number): number;
  /** Path of the object an object cell holds. */
  pathOf(cell: number): string | undefined;
  site(index: number): Site | undefined;
}

export interface ExitCount {
  readonly mmioRead: number;
  readonly mmioWrite: number;
  readonly io: number;
}

export interface CommandExits {
  /** Row of the command's mark; the log's first row for what came before the first. */
  readonly row: number;
  readonly console: string;
  readonly line: string;
  /** Exits of each guest, counted by the KVM of the machine below it. */
  readonly guests: Readonly<Record<'l1' | 'l2', ExitCount>>;
  /** Calls the VMM of L1 made into L1's kernel while it ran L2: preads and pwrites on VFIO files, ioctls. */
  readonly calls: Readonly<Record<'pread64' | 'pwrite64' | 'ioctl', number>>;
}

const NONE: ExitCount = { mmioRead: 0, mmioWrite: 0, io: 0 };
const CALLS = ['pread64', 'pwrite64', 'ioctl'] as const;
type Call = (typeof CALLS)[number];

/** Entries into the host's KVM for `count` exits of L2: on x86 each is reflected to L1 by L0, and L1's VMRESUME enters L0 again. */
export function nestedEntries(count: number): number {
  return 2 * count;
}

export function exitTotal(count: ExitCount): number {
  return count.mmioRead + count.mmioWrite + count.io;
}

/** A command's figures in the order tables show them: L1 read, write, port; L2 the same; host entered for L2; pread, pwrite, ioctl. */
export function exitFigures({ guests: { l1, l2 }, calls }: CommandExits): readonly number[] {
  const of = ({ mmioRead, mmioWrite, io }: ExitCount): readonly number[] => [mmioRead, mmioWrite, io];
  return [...of(l1), ...of(l2), nestedEntries(exitTotal(l2)), calls.pread64, calls.pwrite64, calls.ioctl];
}

/** Every command of the log with what it cost, in order. */
export function exitsByCommand(log: RowReader): readonly CommandExits[] {
  const out: CommandExits[] = [];
  const last: Record<'l1' | 'l2', ExitCount> = { l1: NONE, l2: NONE };
  const l1Kernel = LAYERS.findIndex((layer) => layer.id === ('l1.kernel' satisfies LayerId));
  const sites = new Map<number, Call | null>();
  let row = log.start;
  let record: CommandRecord = { console: '', line: '' };
  let guests = { l1: NONE, l2: NONE };
  let calls: Record<Call, number> = { pread64: 0, pwrite64: 0, ioctl: 0 };
  const close = (): void => {
    out.push({ row, ...record, guests, calls });
    guests = { l1: NONE, l2: NONE };
    calls = { pread64: 0, pwrite64: 0, ioctl: 0 };
  };
  for (let at = log.start; at < log.length; at++) {
    const kind = log.kind(at);
    if (kind === Row.BEGIN) {
      const site = log.a(at);
      let call = sites.get(site);
      if (call === undefined) {
        const { layer, name, cite } = log.site(site) ?? { layer: -1, name: '', cite: '' };
        call = (layer === l1Kernel && cite?.endsWith('(2)') && CALLS.find((known) => known === name)) || null;
        sites.set(site, call);
      }
      if (call !== null) calls[call]++;
    } else if (kind === Row.OBJ) {
      const guest = guestOf(log.pathOf(log.a(at)));
      if (guest === null) continue;
      const now = publishedAs<KvmStatsState>(log.value(log.c(at))) ?? NONE;
      // A new VM counts from 0 again.
      const before = exitTotal(now) < exitTotal(last[guest]) ? NONE : last[guest];
      guests = { ...guests, [guest]: plus(guests[guest], minus(now, before)) };
      last[guest] = now;
    } else if (kind === Row.MARK) {
      close();
      row = at;
      record = publishedAs<CommandRecord>(log.value(log.c(at))) ?? { console: '', line: '' };
    }
  }
  close();
  return out;
}

const STATS = new Map((['l1', 'l2'] as const).map((machine) => [paths.kvmStats(machine), machine]));
function guestOf(path: string | undefined): 'l1' | 'l2' | null {
  return (path !== undefined && STATS.get(path)) || null;
}
function plus(one: ExitCount, other: ExitCount): ExitCount {
  return {
    mmioRead: one.mmioRead + other.mmioRead,
    mmioWrite: one.mmioWrite + other.mmioWrite,
    io: one.io + other.io,
  };
}
function minus(one: ExitCount, other: ExitCount): ExitCount {
  return {
    mmioRead: one.mmioRead - other.mmioRead,
    mmioWrite: one.mmioWrite - other.mmioWrite,
    io: one.io - other.io,
  };
}
