import { hex0x, KiB, MiB } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import { wrongEnd } from '../state/claims.ts';
import { decodeHpa, sizeText, windowsOf } from '../state/decode.ts';
import { functionOf, functionsOf, publishedAs } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import {
  type CxlObjectState,
  type KvmSlotsState,
  type MachineState,
  type MemoryMapState,
  paths,
  type VmasState,
} from '../state/schema.ts';
import { promisedPhys, type Xlat, type XlatSpace, xlat } from '../state/xlat.ts';
import { dpaLane } from './dpa-lane.view.ts';
import { type InterleaveSet, interleaveSets } from './interleave.view.ts';
import { type Break, NOTHING_PASSED, type Passing } from './passthrough.view.ts';

export type SegmentKind = 'ram' | 'io' | 'window' | 'region' | 'device' | 'file' | 'hole' | 'free';
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly kind: SegmentKind;
  readonly name: string;
  /** Instead, in a narrow lane. */
  readonly short?: string;
  /** Colour and pattern of the interleave set it belongs to. */
  readonly set?: number;
}
export type LaneId = Exclude<XlatSpace, 'backend'>;
export interface Lane {
  readonly id: LaneId;
  readonly title: string;
  readonly subtitle: string;
  /** Instead, over a narrow lane. */
  readonly shortSubtitle?: string;
  readonly segments: readonly Segment[];
  /** What to do to fill it, when it is empty. */
  readonly empty: string;
  /** Of a lane with several devices' own addresses: their ids, in the order of their bands (dpa-lane.view.ts). */
  readonly devices?: readonly string[];
}
export interface Ribbon {
  readonly id: string;
  readonly from: { readonly lane: LaneId; readonly start: number; readonly end: number };
  readonly to: { readonly lane: LaneId; readonly start: number; readonly end: number };
  readonly kind: 'ram' | 'device';
  /** Will be there at the first touch. */
  readonly promised?: boolean;
  readonly set?: number;
  readonly text: string;
}
/** A range that should map on to the next lane and does not. */
export interface Stop {
  readonly lane: LaneId;
  readonly start: number;
  readonly end: number;
  readonly broken: Break;
}
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly ribbons: readonly Ribbon[];
  readonly stops: readonly Stop[];
}

interface Feature extends Segment {
  readonly priority: number;
}

/** `passing`: what is known of devices on their way to L2, where somebody looks at that too. */
export function lanesView(reader: StateReader, passing: Passing = NOTHING_PASSED): Lanes {
  const guest = publishedAs<MachineState>(reader.object(paths.machine('l2')));
  const vmm = guest?.vmm;
  const vmas = vmm ? (publishedAs<VmasState>(reader.object(paths.vmas(vmm.machine, vmm.pid)))?.vmas ?? []) : [];
  const slots = publishedAs<KvmSlotsState>(reader.object(paths.kvmSlots('l2')))?.slots ?? [];
  const sets = interleaveSets(reader, 'l1');
  const dpa = dpaLane(reader, sets);
  const missing = (guest: 'l1' | 'l2'): string | null => {
    const [reason] = passing.ghost?.guest === guest ? passing.ghost.reasons : [];
    return reason ? `✕ ${guest.toUpperCase()} is not there: ${reason.short}.` : null;
  };
  const nested = nests(reader, guest);
  const upper: readonly Lane[] = [
    {
      id: 'l2-gpa',
      title: 'L2 GPA',
      subtitle: 'as L2 sees it',
      segments: physicalSegments(reader, 'l2', []),
      empty: missing('l2') ?? 'L2 is off. Start it with qemu-system-x86_64 on L1.',
    },
    {
      id: 'l1-hva',
      title: 'L1 HVA',
      subtitle: vmm ? `QEMU, pid ${vmm.pid}` : 'QEMU on L1',
      segments: withHoles(vmas.map(vmaSegment).toSorted((one, other) => one.start - other.start)),
      empty: 'No QEMU runs on L1 yet.',
    },
  ];
  return {
    lanes: [
      ...(nested ? upper : []),
      {
        id: 'l1-hpa',
        title: 'L1 HPA',
        subtitle: 'as L1 sees it',
        segments: physicalSegments(reader, 'l1', sets),
        empty: missing('l1') ?? 'L1 is off. Start it with qemu-system-x86_64 on the host.',
      },
      dpa.lane,
    ],
    ribbons: [...slotRibbons(slots, vmas), ...vmaRibbons(reader, vmas), ...dpa.ribbons],
    stops: nested && !passing.ghost ? passing.breaks.flatMap((broken) => stopOf(reader, broken)) : [],
  };
}

/** Where the mapping that a broken link was to make comes to its end: at the last space its address reaches, or at L2's window. */
function stopOf(reader: StateReader, broken: Break): readonly Stop[] {
  if (broken.address === null) {
    const [window] = windowsOf(reader, 'l2').map((one) => one.window);
    return window ? [{ lane: 'l2-gpa', start: window.base, end: window.base + window.size, broken }] : [];
  }
  const { hops } = xlat(reader, 'l2-gpa', broken.address);
  const last = hops.findLast((hop) => hop.space !== 'host-hva' && hop.space !== 'backend');
  if (!last || last.space === 'host-hva' || last.space === 'backend') return [];
  return [{ lane: last.space, start: last.address, end: last.address + (broken.size ?? 1), broken }];
}

/** Where an address of L2 ends that its decoder gives to a device, if that is not the device. */
export function astrayAt(
  reader: StateReader,
  query: { readonly space: XlatSpace; readonly address: number },
): string | null {
  if (query.space !== 'l2-gpa') return null;
  const meant = decodeHpa(reader, 'l2', query.address).target?.fn.host;
  const device = functionsOf(reader, 'l1').find((fn) => `0000:${fn.bdf}` === meant);
  return device ? (wrongEnd(reader, device, query.address)?.message ?? null) : null;
}

/** The chain of what the reader points at. */
export function xlatOf(
  reader: StateReader,
  query: { readonly space: XlatSpace; readonly address: number; readonly device?: string },
): Xlat {
  const on = query.device === undefined ? null : functionOf(reader, 'l1', query.device);
  return xlat(reader, query.space, query.address, on ?? undefined);
}

/** Where a chain is worth showing before anybody has asked: the first byte of the first region, from as far up as it goes. */
export function exampleQuery(lanes: Lanes): { readonly space: XlatSpace; readonly address: number } | null {
  for (const lane of lanes.lanes) {
    if (lane.id !== 'l2-gpa' && lane.id !== 'l1-hpa') continue;
    const region = lane.segments.find((one) => one.kind === 'region');
    if (region) return { space: lane.id, address: region.start };
  }
  return null;
}

/** Is there an L2, or could this machine pass something on to one? Memory expanders alone stay where they are. */
function nests(reader: StateReader, guest: MachineState | null): boolean {
  if (guest && guest.state !== 'off') return true;
  const functions = functionsOf(reader, 'l1').filter((fn) => fn.backend !== undefined);
  return functions.length === 0 || functions.some((fn) => fn.type === 'cxl-accel');
}

// --- segments -----------------------------------------------------------------------------------------------------

function physicalSegments(reader: StateReader, machine: MachineId, sets: readonly InterleaveSet[]): readonly Segment[] {
  const map = publishedAs<MemoryMapState>(reader.object(paths.memoryMap(machine)));
  if (!map) return [];
  const features: Feature[] = [];
  for (const range of map.ranges) {
    const end = range.start + range.size;
    // The first MiB is a mosaic of RAM and ROM since 1981; it is told as RAM.
    if (end <= MiB || range.start < MiB) {
      if (range.kind === 'ram')
        features.push({ start: 0, end: Math.max(end, MiB), kind: 'ram', name: 'RAM', priority: 2 });
      continue;
    }
    if (range.kind === 'ram') features.push({ start: range.start, end, kind: 'ram', name: 'RAM', priority: 2 });
    else if (range.kind === 'ram-device')
      features.push({ start: range.start, end, kind: 'device', name: range.name, priority: 5 });
    else features.push({ start: range.start, end, kind: 'io', name: range.name, priority: 1 });
  }
  for (const { n, window } of windowsOf(reader, machine))
    features.push({
      start: window.base,
      end: window.base + window.size,
      kind: 'window',
      name: `CXL window ${n}`,
      short: `window ${n}`,
      priority: 3,
    });
  for (const path of reader.objectPaths(`cxl/${machine}/`)) {
    const object = publishedAs<CxlObjectState>(reader.object(path));
    if (object?.kind === 'region' && object.size > 0) {
      const set = sets.find((one) => one.path === path);
      features.push({
        start: object.start,
        end: object.start + object.size,
        kind: 'region',
        name: `${object.name} (${object.state})`,
        short: object.name,
        priority: 6,
        ...(set ? { set: set.index } : {}),
      });
    }
  }
  for (const set of sets)
    if (set.path === null)
      features.push({
        start: set.base,
        end: set.base + set.size,
        kind: 'region',
        name: 'decoders, no region',
        short: 'decoders',
        priority: 5,
        set: set.index,
      });
  return coalesceSmall(withHoles(paint(features)));
}

/** Elementary intervals, each with the feature that wins there; equal neighbours joined. */
export function paint(features: readonly Feature[]): readonly Segment[] {
  const cuts = [...new Set(features.flatMap((one) => [one.start, one.end]))].sort((one, other) => one - other);
  const out: Segment[] = [];
  for (let n = 0; n + 1 < cuts.length; n++) {
    const start = cuts[n] as number;
    const end = cuts[n + 1] as number;
    let best: Feature | null = null;
    for (const one of features)
      if (one.start <= start && one.end >= end && (!best || one.priority > best.priority)) best = one;
    if (!best) continue;
    const last = out.at(-1);
    if (last && last.end === start && last.kind === best.kind && last.name === best.name)
      out[out.length - 1] = { ...last, end };
    else out.push(painted(best, start, end));
  }
  return out;
}

function painted({ kind, name, short, set }: Feature, start: number, end: number): Segment {
  return { start, end, kind, name, ...(short === undefined ? {} : { short }), ...(set === undefined ? {} : { set }) };
}

export function withHoles(segments: readonly Segment[]): readonly Segment[] {
  const out: Segment[] = [];
  for (const segment of segments) {
    const last = out.at(-1);
    if (last && segment.start > last.end)
      out.push({
        start: last.end,
        end: segment.start,
        kind: 'hole',
        name: `hole ${sizeText(segment.start - last.end)}`,
      });
    out.push(segment);
  }
  return out;
}

/** Runs of devices and the small holes between them become one band; its name counts them. */
export function coalesceSmall(segments: readonly Segment[]): readonly Segment[] {
  const out: Segment[] = [];
  let run: Segment[] = [];
  const flush = () => {
    const names = [...new Set(run.filter((one) => one.kind === 'io').map((one) => one.name))];
    const first = run[0];
    const last = run.at(-1);
    if (names.length > 0 && first && last) {
      const [only = ''] = names;
      const words =
        names.length === 1 ? { name: only } : { name: `MMIO, ${names.length} ranges`, short: `MMIO × ${names.length}` };
      out.push({ start: first.start, end: last.end, kind: 'io', ...words });
    } else out.push(...run);
    run = [];
  };
  for (const segment of segments) {
    const small = segment.kind === 'io' || (segment.kind === 'hole' && segment.end - segment.start < 2048 * MiB);
    if (small) run.push(segment);
    else {
      flush();
      out.push(segment);
    }
  }
  flush();
  return out;
}

function vmaSegment(vma: VmasState['vmas'][number]): Segment {
  const kind: SegmentKind = vma.kind === 'vfio' ? 'device' : vma.kind === 'anon' ? 'ram' : 'file';
  const name = vma.name || (vma.kind === 'anon' ? 'guest RAM' : vma.kind);
  // Whose region it is, its lane's ribbons tell.
  const short = name.replace(/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /, '');
  return { start: vma.start, end: vma.start + vma.size, kind, name, ...(short === name ? {} : { short }) };
}

// --- ribbons ------------------------------------------------------------------------------------------------------

const MIN_RIBBON = 64 * KiB;

function slotRibbons(slots: KvmSlotsState['slots'], vmas: VmasState['vmas']): readonly Ribbon[] {
  return slots
    .filter((slot) => slot.size >= MIN_RIBBON && slot.gpa + slot.size > MiB)
    .map((slot) => {
      const device = vmas.some(
        (vma) => vma.kind === 'vfio' && slot.hva >= vma.start && slot.hva < vma.start + vma.size,
      );
      return {
        id: `slot-${slot.slot}`,
        from: { lane: 'l2-gpa', start: slot.gpa, end: slot.gpa + slot.size },
        to: { lane: 'l1-hva', start: slot.hva, end: slot.hva + slot.size },
        kind: device ? 'device' : 'ram',
        text: `KVM slot ${slot.slot}: GPA ${hex0x(slot.gpa)} → HVA ${hex0x(slot.hva)}, ${sizeText(slot.size)}`,
      };
    });
}

function vmaRibbons(reader: StateReader, vmas: VmasState['vmas']): readonly Ribbon[] {
  const ribbons: Ribbon[] = [];
  for (const vma of vmas) {
    let at = vma.start;
    for (const [n, extent] of vma.extents.entries()) {
      if (extent.size >= MIN_RIBBON)
        ribbons.push({
          id: `vma-${vma.start}-${n}`,
          from: { lane: 'l1-hva', start: at, end: at + extent.size },
          to: { lane: 'l1-hpa', start: extent.phys, end: extent.phys + extent.size },
          kind: vma.kind === 'vfio' ? 'device' : 'ram',
          text: `page tables: HVA ${hex0x(at)} → HPA ${hex0x(extent.phys)}, ${sizeText(extent.size)}`,
        });
      at += extent.size;
    }
    const promised = promisedPhys(reader, vma);
    if (promised !== null && at < vma.start + vma.size) {
      ribbons.push({
        id: `vma-${vma.start}-promised`,
        from: { lane: 'l1-hva', start: vma.start, end: vma.start + vma.size },
        to: { lane: 'l1-hpa', start: promised, end: promised + vma.size },
        kind: 'device',
        promised: true,
        text: `VFIO mmap, pages inserted at the first touch: HVA ${hex0x(vma.start)} → HPA ${hex0x(promised)}, ${sizeText(vma.size)}`,
      });
    }
  }
  return ribbons;
}
