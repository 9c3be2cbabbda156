import { hex, hex0x } from '../base/addr.ts';
import { MACHINES, type MachineId } from '../log/index.ts';
import { sizeText, windowsOf } from '../state/decode.ts';
import { functionsOf, hdmOf, publishedAs } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import {
  type CxlObjectState,
  type CxlRegionState,
  type DeviceState,
  type MachineState,
  type PciFunctionState,
  type ProcessState,
  paths,
  type VfioDeviceState,
} from '../state/schema.ts';
import { coreTree } from './core-tree.view.ts';
import { groupBy } from './group-by.ts';
import { type InterleaveSet, interleaveSets, membership } from './interleave.view.ts';
import { type Break, type Ghost, NOTHING_PASSED, type Passing } from './passthrough.view.ts';

export type SlotState = 'idle' | 'programmed' | 'committed' | 'refused';
export interface DecoderSlot {
  readonly index: number;
  readonly state: SlotState;
  /** Who answers reads of it: a shadow looks different on the stage. */
  readonly answeredBy: 'device' | 'vfio-shadow' | 'vmm';
  readonly text: string;
}

export interface StageNode {
  readonly machine: MachineId;
  readonly id: string;
  /** Of a thing that is no PCI function: its object in the log. */
  readonly path?: string;
  readonly kind: 'host-bridge' | 'port' | 'accelerator' | 'passthrough' | 'memory' | 'other';
  readonly label: string;
  /** For a small box. */
  readonly short: string;
  readonly type: string;
  readonly bdf: string;
  readonly vendorDevice: string;
  readonly driver: string | null;
  /** Objects of this machine's CXL core that stand for it: `port1`, `endpoint2`, `mem0`. */
  readonly cxl: readonly string[];
  readonly slots: readonly DecoderSlot[];
  /** Interleave sets it takes part in: which colour and pattern, and at which position. */
  readonly sets: readonly { readonly index: number; readonly position: number; readonly ways: number }[];
  readonly note: string;
  readonly children: readonly StageNode[];
}

export interface StageVmm {
  readonly pid: number;
  readonly comm: string;
  readonly guest: MachineId;
  readonly argv: readonly string[];
  /** Memory it lends its guest's devices. */
  readonly backends: string;
}

export interface StageMachine {
  readonly id: MachineId;
  readonly title: string;
  readonly state: MachineState['state'];
  /** What an oops or a panic said. */
  readonly trouble?: string;
  readonly facts: string;
  readonly roots: readonly StageNode[];
  /** Functions outside the CXL hierarchy, in one line. */
  readonly others: readonly StageNode[];
  readonly vmm: StageVmm | null;
  readonly windows: readonly { readonly path: string; readonly text: string; readonly short: string }[];
  readonly regions: readonly {
    readonly path: string;
    readonly name: string;
    readonly text: string;
    readonly short: string;
    readonly live: boolean;
    /** Colour and pattern of its interleave set, once decoders are committed. */
    readonly set: number | null;
  }[];
  readonly guest: StageMachine | null;
  /** Where a guest should be and is not. */
  readonly ghost?: Ghost;
  /** Devices of it that do not get through to the guest. */
  readonly breaks?: readonly Break[];
}

export interface StageThread {
  /** The device where it is real. */
  readonly device: { readonly machine: MachineId; readonly id: string };
  readonly vfio: { readonly bdf: string; readonly driver: string; readonly opened: boolean } | null;
  /** Where the guest sees it. */
  readonly guest: { readonly machine: MachineId; readonly id: string } | null;
  /** Where it ends on the way. */
  readonly broken?: Break;
}

export interface Stage {
  readonly host: StageMachine;
  readonly threads: readonly StageThread[];
}

const HOST_OF: Readonly<Record<Ghost['guest'], MachineId>> = { l1: 'host', l2: 'l1' };
const TITLES: Readonly<Record<MachineId, string>> = { host: 'Host · L0', l1: 'L1 guest', l2: 'L2 guest' };

/** `passing`: what is known of devices on their way to L2, where somebody looks at that too. */
export function stageView(reader: StateReader, passing: Passing = NOTHING_PASSED): Stage {
  const machines = new Map<MachineId, StageMachine>();
  for (const id of MACHINES.toReversed()) {
    const child = id === 'host' ? 'l1' : id === 'l1' ? 'l2' : null;
    machines.set(id, machineView(reader, id, child ? (machines.get(child) ?? null) : null, passing));
  }
  const host = machines.get('host');
  if (!host) throw new Error('the host is always a machine');
  const threads = threadsOf(reader).map((thread): StageThread => {
    const broken = passing.breaks.find(({ device }) => device === thread.device.id);
    return broken ? { ...thread, broken } : thread;
  });
  return { host, threads };
}

function machineView(
  reader: StateReader,
  id: MachineId,
  guest: StageMachine | null,
  { ghost, breaks }: Passing,
): StageMachine {
  const state = publishedAs<MachineState>(reader.object(paths.machine(id)));
  const functions = functionsOf(reader, id);
  const drivers = driversOf(reader, id);
  const cxl = cxlNames(reader, id);
  const sets = id === 'host' ? [] : interleaveSets(reader, id);
  const core = id === 'host' ? null : coreTree(reader, id, sets);
  const members = membership(sets);
  const children = groupBy(functions, (fn) => fn.parent);
  const build = (fn: PciFunctionState): StageNode => ({
    ...nodeView(reader, id, fn, drivers, cxl),
    sets: (members.get(fn.id) ?? []).map(({ set, position }) => ({ index: set.index, position, ways: set.ways })),
    children: (children.get(fn.id) ?? []).map(build),
  });
  const tops = (children.get(null) ?? []).map(build);
  const isCxl = (node: StageNode): boolean => node.kind !== 'other' || node.children.some(isCxl);
  return {
    id,
    title: TITLES[id],
    state: state?.state ?? (id === 'host' ? 'running' : 'off'),
    ...troubleOf(state),
    facts: factsOf(state),
    roots: [...tops.filter(isCxl), ...(core?.roots ?? [])],
    others: tops.filter((node) => !isCxl(node)),
    vmm: vmmOf(reader, id),
    windows: [
      ...windowsOf(reader, id).map(({ n, window }) => ({
        path: paths.fixedWindow(id, n),
        text: `CXL window ${n} · ${hex0x(window.base)} · ${sizeText(window.size)}${waysText(window.targets.length, window.granularity)}`,
        short: `window ${n} ${hex0x(window.base)}`,
      })),
      ...(core?.windows ?? []),
    ],
    regions: regionsOf(reader, id, sets),
    guest: guest && guest.state !== 'off' ? guest : null,
    ...(ghost && HOST_OF[ghost.guest] === id ? { ghost } : {}),
    // A guest that is missing says itself why.
    ...(id === 'l1' && !ghost && breaks.length > 0 ? { breaks } : {}),
  };
}

function troubleOf(state: MachineState | null): { readonly trouble?: string } {
  const trouble = state?.state === 'off' ? undefined : (state?.reason ?? state?.oops);
  return trouble === undefined ? {} : { trouble };
}

function factsOf(state: MachineState | null): string {
  if (!state) return '';
  const parts = [state.release, state.ramBytes ? sizeText(state.ramBytes) : '', state.cpus ? `${state.cpus} vCPU` : ''];
  return parts.filter((part) => part).join(' · ');
}

function nodeView(
  reader: StateReader,
  machine: MachineId,
  fn: PciFunctionState,
  drivers: ReadonlyMap<string, string | null>,
  cxl: ReadonlyMap<string, readonly string[]>,
): Omit<StageNode, 'children' | 'sets'> {
  const bdf = `0000:${fn.bdf}`;
  const bridge = fn.type === 'pxb-cxl';
  return {
    machine,
    id: fn.id,
    kind: kindOf(fn),
    label: fn.label,
    short: SHORT[kindOf(fn)] ?? fn.label,
    type: fn.type,
    bdf: fn.bdf,
    vendorDevice: fn.vendorDevice,
    driver: drivers.get(bdf) ?? null,
    cxl: [...(cxl.get(bdf) ?? []), ...(bridge ? (cxl.get(`bridge:${fn.id}`) ?? []) : [])],
    slots: slotsOf(reader, fn),
    note: fn.backend ? `${fn.backend.id} · ${sizeText(fn.backend.size)}` : fn.host ? `host=${fn.host}` : '',
  };
}

const SHORT: Readonly<Partial<Record<StageNode['kind'], string>>> = {
  'host-bridge': 'bridge',
  port: 'port',
  accelerator: 'accelerator',
  passthrough: 'accelerator',
};

function kindOf(fn: PciFunctionState): StageNode['kind'] {
  if (fn.type === 'pxb-cxl') return 'host-bridge';
  if (/^cxl-(rp|upstream|downstream)$/.test(fn.type)) return 'port';
  if (fn.type === 'cxl-accel') return 'accelerator';
  if (fn.type.startsWith('vfio-pci')) return 'passthrough';
  if (fn.type === 'cxl-type3') return 'memory';
  return 'other';
}

function slotsOf(reader: StateReader, fn: PciFunctionState): readonly DecoderSlot[] {
  const hdm = hdmOf(reader, fn);
  if (!hdm) return [];
  return hdm.decoders.map((decoder) => {
    const state: SlotState = decoder.error
      ? 'refused'
      : decoder.committed
        ? 'committed'
        : decoder.size > 0
          ? 'programmed'
          : 'idle';
    const range = decoder.size > 0 ? ` ${hex0x(decoder.base)} + ${sizeText(decoder.size)}` : '';
    return {
      index: decoder.index,
      state,
      answeredBy: decoder.answeredBy,
      text: `HDM decoder ${decoder.index}: ${state}${range}, CTRL ${hex0x(decoder.ctrl, 8)}`,
    };
  });
}

/** `0000:0d:00.0` → bound driver. */
function driversOf(reader: StateReader, machine: MachineId): ReadonlyMap<string, string | null> {
  const drivers = new Map<string, string | null>();
  for (const path of reader.objectPaths(`dev/${machine}/`)) {
    const device = publishedAs<DeviceState>(reader.object(path));
    if (device?.subsystem === 'pci') drivers.set(device.name, device.driver);
  }
  return drivers;
}

/** Names of CXL core objects by the PCI function they stand for; host bridge ports under `bridge:<id>`. */
function cxlNames(reader: StateReader, machine: MachineId): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  const add = (key: string, name: string) => names.set(key, [...(names.get(key) ?? []), name]);
  const objects = reader
    .objectPaths(`cxl/${machine}/`)
    .map((path) => publishedAs<CxlObjectState>(reader.object(path)))
    .filter((one) => one !== null);
  const functions = functionsOf(reader, machine);
  const bridges = functions.filter((fn) => fn.type === 'pxb-cxl');
  // A host bridge's own bus number is that of the ports on it.
  const byBus = (bus: string | undefined): string | undefined =>
    bridges.find((fn) => functions.some((one) => one.parent === fn.id && one.bdf.startsWith(`${bus}:`)))?.id;
  let bridge = 0;
  for (const object of objects) {
    if (object.kind === 'memdev') {
      add(object.host, object.name);
      if (object.endpoint) add(object.host, object.endpoint);
    } else if (object.kind === 'port') {
      const bus = /pci0000:([0-9a-f]{2})/.exec(object.uport)?.[1];
      const bdf = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(object.uport);
      if (bdf) add(object.uport, object.name);
      else add(`bridge:${byBus(bus) ?? bridges[bridge++]?.id ?? ''}`, object.name);
    }
  }
  return names;
}

function vmmOf(reader: StateReader, machine: MachineId): StageVmm | null {
  const guest: MachineId | null = machine === 'host' ? 'l1' : machine === 'l1' ? 'l2' : null;
  if (!guest) return null;
  const vmm = publishedAs<MachineState>(reader.object(paths.machine(guest)))?.vmm;
  if (!vmm || vmm.machine !== machine) return null;
  const process = publishedAs<ProcessState>(reader.object(paths.process(machine, vmm.pid)));
  if (!process) return null;
  return {
    pid: vmm.pid,
    comm: process.comm,
    guest,
    argv: process.argv,
    backends: backendsText(functionsOf(reader, guest)),
  };
}

function backendsText(functions: readonly PciFunctionState[]): string {
  const backends = functions.flatMap((fn) => (fn.backend ? [fn.backend] : []));
  if (backends.length <= 3) return backends.map((one) => `${one.id} ${sizeText(one.size)}`).join(', ');
  return `${backends.length} backends, ${sizeText(backends.reduce((sum, one) => sum + one.size, 0))}`;
}

/** The kernel's regions, and sets that decoders form without one. */
/** The kernel's regions, and sets that decoders form without one. */
function regionsOf(reader: StateReader, machine: MachineId, sets: readonly InterleaveSet[]): StageMachine['regions'] {
  const regions = reader
    .objectPaths(`cxl/${machine}/`)
    .map((path) => ({ path, object: publishedAs<CxlObjectState>(reader.object(path)) }))
    .filter((one): one is { path: string; object: CxlRegionState } => one.object?.kind === 'region')
    .map(({ path, object }) => ({
      path,
      name: object.name,
      text: `${object.state} ${hex0x(object.start)} + ${sizeText(object.size)}${waysText(object.ways, object.granularity)}`,
      short: `${object.name} ${hex0x(object.start)}`,
      live: object.state === 'commit',
      set: sets.find((set) => set.path === path)?.index ?? null,
    }));
  const bare = sets
    .filter((set) => set.path === null)
    .map((set) => ({
      path: `set/${machine}/${set.base}`,
      name: 'decoders',
      text: `${hex0x(set.base)} + ${sizeText(set.size)}${waysText(set.ways, set.granularity)}`,
      short: `decoders ${hex0x(set.base)}`,
      live: true,
      set: set.index,
    }));
  return [...regions, ...bare];
}

export function waysText(ways: number, granularity: number): string {
  return ways > 1 ? ` · ${ways} ways × ${sizeText(granularity)}` : '';
}

export function vfioDevicesOf(reader: StateReader, machine: MachineId): readonly VfioDeviceState[] {
  return reader
    .objectPaths(`vfio/${machine}/`)
    .map((path) => publishedAs<VfioDeviceState>(reader.object(path)))
    .filter((one) => one !== null);
}

export function threadsOf(reader: StateReader): readonly StageThread[] {
  const threads: StageThread[] = [];
  const guests = functionsOf(reader, 'l2');
  const vfio = vfioDevicesOf(reader, 'l1');
  for (const fn of functionsOf(reader, 'l1')) {
    const bdf = `0000:${fn.bdf}`;
    const bound = vfio.find((one) => one.bdf === bdf);
    const guest = guests.find((one) => one.host === bdf);
    if (fn.type !== 'cxl-accel' && !bound && !guest) continue;
    threads.push({
      device: { machine: 'l1', id: fn.id },
      vfio: bound ? { bdf, driver: bound.driver, opened: bound.opened } : null,
      guest: guest ? { machine: 'l2', id: guest.id } : null,
    });
  }
  return threads;
}

/** The stage as nested lines, for readers who do not see the drawing. */
export function stageText(stage: Stage): readonly { readonly depth: number; readonly text: string }[] {
  const lines: { depth: number; text: string }[] = [];
  const node = (one: StageNode, depth: number): void => {
    const slots = one.slots.filter((slot) => slot.state !== 'idle');
    lines.push({
      depth,
      text: [
        `${one.label} ${one.bdf} (${one.type})`,
        one.driver ? `driver ${one.driver}` : 'no driver',
        one.cxl.join(', '),
        one.slots.length ? `${slots.length} of ${one.slots.length} decoders in use` : '',
      ]
        .filter((part) => part)
        .join('; '),
    });
    for (const child of one.children) node(child, depth + 1);
  };
  const machine = (one: StageMachine, depth: number): void => {
    lines.push({
      depth,
      text: `${one.title}: ${one.state}${one.trouble === undefined ? '' : ` (${one.trouble})`}${one.facts ? `, ${one.facts}` : ''}`,
    });
    for (const window of one.windows) lines.push({ depth: depth + 1, text: window.text });
    for (const region of one.regions) lines.push({ depth: depth + 1, text: `${region.name} ${region.text}` });
    for (const root of one.roots) node(root, depth + 1);
    if (one.vmm) lines.push({ depth: depth + 1, text: `process ${one.vmm.pid} ${one.vmm.comm} runs ${one.vmm.guest}` });
    if (one.guest) machine(one.guest, depth + 1);
  };
  machine(stage.host, 0);
  return lines;
}

/** Address in groups of four digits for reading aloud and on projectors: `4_9000_0000`. */
export function grouped(address: number): string {
  const digits = hex(address);
  const head = digits.length % 4;
  const groups = head ? [digits.slice(0, head)] : [];
  for (let n = head; n < digits.length; n += 4) groups.push(digits.slice(n, n + 4));
  return `0x${groups.join('_')}`;
}
