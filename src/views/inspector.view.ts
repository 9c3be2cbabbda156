import { hex, hex0x, shiftRight } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import type { RegisterRef } from '../mirror/store.ts';
import type { BlockSpec, Cite, FieldSpec, Layout, Placement, RegisterSpec } from '../spec/dsl/types.ts';
import { functionOf, publishedAs, readDword, routeOf } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import {
  type CxlObjectState,
  type DeviceState,
  type PciFunctionState,
  paths,
  type VfioDeviceState,
} from '../state/schema.ts';
import { threadsOf, vfioDevicesOf } from './stage.view.ts';

export type LayoutOf = (id: string) => Layout | undefined;
export type ColumnId = 'device' | 'l1-kernel' | 'vfio-shadow' | 'l2';
export const COLUMN_LABELS: Readonly<Record<ColumnId, string>> = {
  device: 'device',
  'l1-kernel': 'L1 kernel',
  'vfio-shadow': 'vfio shadow',
  l2: 'L2',
};

const COLUMNS: readonly ColumnId[] = ['device', 'l1-kernel', 'vfio-shadow', 'l2'];

export interface CellView {
  readonly text: string;
  readonly value: number | null;
  /** Differs from the device's own value. */
  readonly differs: boolean;
}
export interface RegisterRow {
  readonly key: string;
  readonly name: string;
  readonly space: string;
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly cite: Cite;
  readonly cells: Readonly<Record<ColumnId, CellView>>;
  readonly differs: boolean;
  readonly spec: RegisterSpec;
}
export interface BlockView {
  readonly key: string;
  readonly title: string;
  readonly at: number;
  readonly cite: Cite;
  /** Columns in which some register of this block has a value. */
  readonly columns: readonly ColumnId[];
  readonly rows: readonly RegisterRow[];
}
export interface Inspector {
  readonly machine: MachineId;
  readonly fn: PciFunctionState;
  readonly driver: string | null;
  readonly columns: readonly ColumnId[];
  readonly spaces: readonly string[];
  readonly space: string;
  readonly blocks: readonly BlockView[];
  /** Register blocks of this space whose layout is not known: said, not hidden. */
  readonly unexplained: readonly string[];
}

/** The same device at every level: where to read each column. */
interface Views {
  readonly device: PciFunctionState;
  readonly guest: PciFunctionState | null;
  readonly vfio: VfioDeviceState | null;
}

export function inspectorView(
  log: MirrorLog,
  layoutOf: LayoutOf,
  machine: MachineId,
  id: string,
  wantedSpace?: string,
): Inspector | null {
  const fn = functionOf(log, machine, id);
  if (!fn) return null;
  const views = viewsOf(log, machine, fn);
  const spaces = [...new Set(fn.routes.map((route) => route.space))];
  const space = wantedSpace && spaces.includes(wantedSpace) ? wantedSpace : (spaces[0] ?? 'config');
  const unexplained: string[] = [];
  const blocks = blocksOf(log, layoutOf, views, space, unexplained);
  const device = findDevice(log, machine, fn);
  return {
    machine,
    fn,
    driver: device?.driver ?? null,
    columns: COLUMNS.filter((column) => column === 'device' || blocks.some((block) => block.columns.includes(column))),
    spaces,
    space,
    blocks,
    unexplained,
  };
}

function findDevice(reader: StateReader, machine: MachineId, fn: PciFunctionState): DeviceState | null {
  for (const path of reader.objectPaths(`dev/${machine}/`)) {
    if (!path.endsWith(`/0000:${fn.bdf}`)) continue;
    const device = publishedAs<DeviceState>(reader.object(path));
    if (device?.subsystem === 'pci') return device;
  }
  return null;
}

function viewsOf(reader: StateReader, machine: MachineId, fn: PciFunctionState): Views {
  const thread = threadsOf(reader).find(
    (one) =>
      (one.device.machine === machine && one.device.id === fn.id) ||
      (one.guest?.machine === machine && one.guest.id === fn.id),
  );
  if (!thread) return { device: fn, guest: null, vfio: null };
  const device = functionOf(reader, thread.device.machine, thread.device.id) ?? fn;
  return {
    device,
    guest: thread.guest ? functionOf(reader, thread.guest.machine, thread.guest.id) : null,
    vfio: vfioDevicesOf(reader, 'l1').find((one) => one.bdf === `0000:${device.bdf}`) ?? null,
  };
}

function blocksOf(
  log: MirrorLog,
  layoutOf: LayoutOf,
  views: Views,
  space: string,
  unexplained: string[],
): readonly BlockView[] {
  const kernel = kernelDecoders(log, views.device);
  const blocks: BlockView[] = [];
  // The device's own declaration explains the space; a guest-only function (no device below) explains itself.
  for (const route of views.device.routes) {
    if (route.space !== space) continue;
    const entry = log.find(route.block);
    const layout = entry?.block.layout === undefined ? undefined : layoutOf(entry.block.layout);
    if (!layout) {
      if (entry) unexplained.push(`${route.block} (${entry.block.layout ?? 'no layout'})`);
      continue;
    }
    for (const placement of layout.placements) {
      const at = route.offset + placement.at - route.blockOffset;
      if (at < route.offset || at >= route.offset + route.size) continue;
      const rows = rowsOf(log, views, placement, space, at, kernel);
      blocks.push({
        key: `${route.block}+${placement.at}`,
        title: placement.title ?? placement.block.title,
        at,
        cite: placement.block.cite,
        columns: COLUMNS.filter(
          (column) => column === 'device' || rows.some((row) => row.cells[column].value !== null),
        ),
        rows,
      });
    }
  }
  return blocks;
}

interface Unrolled {
  readonly name: string;
  readonly offset: number;
  readonly spec: RegisterSpec;
}

/** Registers of a block with repeats written out, in address order. */
export function unroll(block: BlockSpec): readonly Unrolled[] {
  const out: Unrolled[] = [];
  for (const [name, spec] of Object.entries(block.registers)) {
    const count = spec.repeat?.count ?? 1;
    for (let n = 0; n < count; n++)
      out.push({
        name: name.replace('{n}', String(n)),
        offset: spec.offset + n * (spec.repeat?.stride ?? 0),
        spec,
      });
  }
  return out.toSorted((one, other) => one.offset - other.offset);
}

function rowsOf(
  reader: MirrorLog,
  views: Views,
  placement: Placement,
  space: string,
  at: number,
  kernel: ReadonlyMap<string, number>,
): readonly RegisterRow[] {
  return unroll(placement.block)
    .filter((one) => one.offset < placement.block.size)
    .map(({ name, offset, spec }) => {
      const byte = at + offset;
      const device = read(reader, views.device, space, byte, spec.width);
      const shadow = readShadow(reader, views, space, byte, spec.width);
      const guest = views.guest ? read(reader, views.guest, space, byte, spec.width) : null;
      const cells: Record<ColumnId, CellView> = {
        device: cell(device, device, spec.width),
        'l1-kernel': cell(kernel.get(name) ?? null, device, spec.width),
        'vfio-shadow': cell(shadow, device, spec.width),
        l2: cell(guest, device, spec.width),
      };
      return {
        key: `${space}+${byte}+${name}`,
        name,
        space,
        offset: byte,
        width: spec.width,
        cite: spec.cite,
        cells,
        differs: Object.values(cells).some((one) => one.differs),
        spec,
      };
    });
}

function cell(value: number | null, device: number | null, width: number): CellView {
  if (value === null) return { text: '–', value: null, differs: false };
  return { text: hex(value, width * 2), value, differs: device !== null && value !== device };
}

export function extract(dword: number, offset: number, width: number): number {
  return shiftRight(dword, (offset % 4) * 8) % 2 ** (width * 8);
}

function read(reader: StateReader, fn: PciFunctionState, space: string, offset: number, width: number): number | null {
  const at = offset - (offset % 4);
  const dword = readDword(reader, fn, space, at);
  return dword ? extract(dword.value, offset, width) : null;
}

const CACHEMEM = 0x1000;

/** What vfio keeps in place of the device: its configuration space copy, and the HDM registers of vfio-cxl. */
function readShadow(log: MirrorLog, views: Views, space: string, offset: number, width: number): number | null {
  const { vfio } = views;
  if (!vfio) return null;
  const aligned = offset - (offset % 4);
  let dword: number | null = null;
  if (space === 'config' && vfio.vconfig) dword = log.register(vfio.vconfig, aligned);
  else if (vfio.hdm && vfio.hdmShadow && space === `bar${vfio.hdm.bar}`) {
    const within = aligned - vfio.hdm.offset;
    // The shadow block may hold the decoders alone or the whole CXL.cachemem range around them.
    const alone = (log.find(vfio.hdmShadow)?.count ?? 0) * 4 <= vfio.hdm.size;
    if (within >= 0 && within < vfio.hdm.size)
      dword = log.register(vfio.hdmShadow, alone ? within : aligned - CACHEMEM);
  }
  return dword === null ? null : extract(dword, offset, width);
}

/**
 * What the kernel's own decoder objects believe, for the registers they stand for. Only HDM decoder registers have
 * such a twin; other registers are read from the device each time, so the column stays empty there.
 */
function kernelDecoders(reader: StateReader, device: PciFunctionState): ReadonlyMap<string, number> {
  const beliefs = new Map<string, number>();
  const objects = reader
    .objectPaths('cxl/l1/')
    .map((path) => publishedAs<CxlObjectState>(reader.object(path)))
    .filter((one) => one !== null);
  const memdev = objects.find((one) => one.kind === 'memdev' && one.host === `0000:${device.bdf}`);
  const endpoint = memdev?.kind === 'memdev' ? memdev.endpoint : null;
  for (const object of objects) {
    if (object.kind !== 'endpoint-decoder' || object.port !== endpoint) continue;
    const n = object.name.split('.')[1];
    const size = object.enabled ? object.size : 0;
    const start = object.enabled ? object.start : 0;
    beliefs.set(`BASE_LO${n}`, start % 0x1_0000_0000);
    beliefs.set(`BASE_HI${n}`, shiftRight(start, 32));
    beliefs.set(`SIZE_LO${n}`, size % 0x1_0000_0000);
    beliefs.set(`SIZE_HI${n}`, shiftRight(size, 32));
  }
  return beliefs;
}

// --- one register -------------------------------------------------------------------------------------------------

export interface FieldView {
  readonly name: string;
  readonly bits: string;
  readonly hi: number;
  readonly lo: number;
  readonly access: string;
  readonly meaning: string;
  readonly lock: string;
  readonly inert: boolean;
  readonly values: Readonly<Record<ColumnId, string>>;
  readonly now: number | null;
  /** What the device's value means, where the declaration names it. */
  readonly word: string;
  readonly differs: boolean;
}

export function fieldsOf(row: RegisterRow): readonly FieldView[] {
  return Object.entries(row.spec.fields)
    .map(([name, field]): FieldView => {
      const [hi, lo] = field.bits;
      const of = (column: ColumnId): number | null => {
        const value = row.cells[column].value;
        return value === null ? null : fieldValue(value, field);
      };
      const device = of('device');
      const say = (column: ColumnId): string => {
        const value = of(column);
        return value === null ? '–' : sayValue(value, field);
      };
      return {
        name,
        bits: hi === lo ? String(hi) : `${hi}:${lo}`,
        hi,
        lo,
        access: field.access,
        meaning: field.meaning.replace(/\.$/, ''),
        lock: field.lockedBy?.replaceAll('{n}', /(\d+)$/.exec(row.name)?.[1] ?? 'n') ?? '',
        inert: field.inert === true,
        values: {
          device: say('device'),
          'l1-kernel': say('l1-kernel'),
          'vfio-shadow': say('vfio-shadow'),
          l2: say('l2'),
        },
        now: device,
        word: device === null ? '' : (field.values?.[device] ?? ''),
        differs: (['l1-kernel', 'vfio-shadow', 'l2'] as const).some((column) => {
          const value = of(column);
          return value !== null && device !== null && value !== device;
        }),
      };
    })
    .toSorted((one, other) => other.hi - one.hi);
}

export function fieldValue(register: number, field: FieldSpec): number {
  const [hi, lo] = field.bits;
  return shiftRight(register, lo) % 2 ** (hi - lo + 1);
}

function sayValue(value: number, field: FieldSpec): string {
  return field.bits[0] - field.bits[1] < 4 ? String(value) : hex0x(value);
}

export function withField(register: number, field: FieldView, value: number): number {
  const weight = 2 ** field.lo;
  const span = 2 ** (field.hi - field.lo + 1);
  const old = shiftRight(register, field.lo) % span;
  return register + (value - old) * weight;
}

/** The command a reader would type to write a register of a function, and where. */
export function writeCommand(
  fn: PciFunctionState,
  machine: MachineId,
  register: RegisterRef,
  width: 1 | 2 | 4,
  value: number,
): { readonly console: string; readonly line: string } | { readonly refused: string } {
  if (register.space === 'config') {
    const suffix = { 1: 'B', 2: 'W', 4: 'L' }[width];
    return {
      console: machine,
      line: `setpci -s ${fn.bdf} ${hex(register.offset, 3)}.${suffix}=${hex(value, width * 2)}`,
    };
  }
  const bar = fn.bars.find((one) => `bar${one.index}` === register.space);
  if (bar && bar.addr !== null)
    return {
      console: machine,
      line: `devmem ${hex0x(bar.addr + register.offset)} ${width * 8} ${hex0x(value, width * 2)}`,
    };
  return { refused: `${register.space} of ${fn.id} has no address yet: nothing can write it.` };
}

/** Block path and cell of a register of a function, for "who wrote this". */
export function cellOf(log: MirrorLog, fn: PciFunctionState, register: RegisterRef): number | null {
  const aligned = register.offset - (register.offset % 4);
  const route = routeOf(fn, register.space, aligned);
  const entry = route ? log.find(route.block) : undefined;
  if (!route || !entry) return null;
  return entry.first + Math.floor((route.blockOffset + aligned - route.offset) / 4);
}

/** Path of the function's object cell. */
export const functionPath = (machine: MachineId, id: string): string => paths.pciFunction(machine, id);
