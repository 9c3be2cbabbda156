import { hex0x } from '../base/addr.ts';
import { type Json, Row } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import type { Selection } from '../mirror/store.ts';
import { sizeText } from '../state/decode.ts';
import { publishedAs } from '../state/functions.ts';
import type {
  CommandRecord,
  CxlObjectState,
  DeviceState,
  KvmSlotsState,
  MachineState,
  ProcessState,
  ShellState,
} from '../state/schema.ts';

export interface Chip {
  readonly id: string;
  /** `+` came, `−` went, `→` changed, `✕` failed. */
  readonly sign: '+' | '−' | '→' | '✕';
  readonly text: string;
  readonly machine: string;
  readonly weight: number;
  readonly row: number;
  readonly selection: Selection | null;
}
export interface CommandChange {
  readonly label: string;
  readonly console: string;
  readonly from: number;
  readonly to: number;
  readonly chips: readonly Chip[];
  readonly registers: number;
  readonly exits: number;
}

/** The command around `cursor` and what it changed. */
export function commandAt(log: MirrorLog, cursor: number): CommandChange | null {
  const marks = log.time.marks;
  let n = marks.length - 1;
  while (n >= 0 && (marks[n] as number) >= cursor) n--;
  return n < 0 ? null : commandChange(log, n, cursor);
}

export function commandChange(log: MirrorLog, mark: number, upTo = log.head): CommandChange {
  const from = log.time.marks[mark] as number;
  const to = Math.min(log.time.marks[mark + 1] ?? log.head, upTo);
  const record = publishedAs<CommandRecord>(log.value(log.columns.c[from] as number));
  const rows = log.changesBetween(from, to);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const row of rows) {
    const cell = log.columns.a[row] as number;
    if (!first.has(cell)) first.set(cell, row);
    last.set(cell, row);
  }
  const chips: Chip[] = [];
  let registers = 0;
  for (const [cell, row] of last) {
    const before = log.columns.b[first.get(cell) ?? row] as number;
    const after = log.columns.c[row] as number;
    if (before === after) continue;
    const entry = log.blockOfCell(cell);
    if (!entry) continue;
    if (log.columns.kind[row] === Row.SET) registers++;
    else chips.push(...objectChips(entry.block.path, log.value(before), log.value(after), row));
  }
  return {
    label: record?.line || (log.strings[log.columns.a[from] as number] ?? ''),
    console: record?.console ?? '',
    from,
    to,
    chips: chips.toSorted((one, other) => other.weight - one.weight || one.row - other.row),
    registers,
    exits: countExits(log, from, to),
  };
}

function countExits(log: MirrorLog, from: number, to: number): number {
  let exits = 0;
  for (const [layer, notes] of log.time.notes) {
    if (!log.layerId(layer).endsWith('.kvm')) continue;
    for (const row of notes.row) if (row >= from && row < to) exits++;
  }
  return exits;
}

function objectChips(path: string, before: Json, after: Json, row: number): readonly Chip[] {
  const [kind, machine = ''] = path.split('/', 2);
  const chip = (
    sign: Chip['sign'],
    text: string,
    weight: number,
    selection: Selection | null = { kind: 'object', path },
  ): Chip => ({
    id: `${path}-${row}-${text}`,
    sign,
    text,
    machine,
    weight,
    row,
    selection,
  });
  if (kind === 'machine') {
    const now = publishedAs<MachineState>(after);
    const was = publishedAs<MachineState>(before);
    return now?.state === was?.state ? [] : [chip('→', `${machine.toUpperCase()} ${now?.state ?? 'off'}`, 10)];
  }
  if (kind === 'shell') {
    const status = publishedAs<ShellState>(after)?.status ?? 0;
    return status === 0 ? [] : [chip('✕', `status ${status}`, 20, null)];
  }
  if (kind === 'cxl') return cxlChips(before, after, chip);
  if (kind === 'kvm' && path.endsWith('/slots')) {
    const was = publishedAs<KvmSlotsState>(before)?.slots ?? [];
    const now = publishedAs<KvmSlotsState>(after)?.slots ?? [];
    const same = (one: (typeof now)[number]) => (other: (typeof now)[number]) =>
      one.gpa === other.gpa && one.hva === other.hva && one.size === other.size;
    const added = now.filter((slot) => !was.some(same(slot)));
    const gone = was.filter((slot) => !now.some(same(slot)));
    if (added.length > 3) return [chip('+', `${added.length} memory slots`, 6)];
    return [
      ...added.map((slot) => chip('+', `GPA ${hex0x(slot.gpa)} mapped, ${sizeText(slot.size)}`, 8)),
      ...gone.map((slot) => chip('−', `GPA ${hex0x(slot.gpa)} unmapped`, 8)),
    ];
  }
  if (kind === 'dev') {
    const was = publishedAs<DeviceState>(before);
    const now = publishedAs<DeviceState>(after);
    if (!was || !now || was.driver === now.driver) return [];
    return [chip('→', now.driver ? `${now.name} bound to ${now.driver}` : `${now.name} unbound from ${was.driver}`, 7)];
  }
  if (kind === 'mod' && (before === null || after === null))
    return [chip(after === null ? '−' : '+', `module ${path.split('/')[2]}`, 4)];
  if (kind === 'proc' && (before === null || after === null)) {
    const process = publishedAs<ProcessState>(after ?? before);
    return process?.comm.startsWith('qemu')
      ? [chip(after === null ? '−' : '+', `${process.comm} (${process.pid})`, 5)]
      : [];
  }
  return [];
}

type MakeChip = (sign: Chip['sign'], text: string, weight: number) => Chip;

function cxlChips(before: Json, after: Json, chip: MakeChip): readonly Chip[] {
  const was = publishedAs<CxlObjectState>(before);
  const now = publishedAs<CxlObjectState>(after);
  const name = (now ?? was)?.name ?? '';
  if (now?.kind === 'region' && (was?.kind !== 'region' || was.state !== now.state))
    return [chip(was ? '→' : '+', `${name} ${sizeText(now.size)} ${now.state}`, 9)];
  if (was?.kind === 'region' && !now) return [chip('−', `${name} gone`, 9)];
  const enabled = (object: CxlObjectState | null) => (object && 'enabled' in object ? object.enabled : false);
  const decoder = (now ?? was)?.kind.endsWith('-decoder') === true;
  if (decoder) {
    if ((now ?? was)?.kind === 'root-decoder') return was && now ? [] : [chip(now ? '+' : '−', name, 3)];
    return enabled(was) === enabled(now) ? [] : [chip('→', `${name} ${enabled(now) ? 'committed' : 'released'}`, 8)];
  }
  if (was && now) return [];
  return [chip(now ? '+' : '−', name, 4)];
}
