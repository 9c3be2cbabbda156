import { hex0x } from '../base/addr.ts';
import { sizeText } from '../state/decode.ts';
import { functionsOf, hdmOf } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import type { PciFunctionState } from '../state/schema.ts';
import type { InterleaveSet } from './interleave.view.ts';
import type { Lane, Ribbon, Segment } from './lanes.view.ts';

/**
 * Device-physical addresses of all memory devices in one lane, a band each: every DPA starts at 0, so the lane's axis puts
 * device n at n × DEVICE_SPAN.
 */
export const DEVICE_SPAN = 2 ** 44;
/** An address of a lane as its own space has it. */
export function ownAddress(lane: Lane, address: number): number {
  return lane.devices ? address % DEVICE_SPAN : address;
}

/** More bands than this would be lines: those that take part in a set come first. */
const SHOWN = 16;

export function dpaLane(
  reader: StateReader,
  sets: readonly InterleaveSet[],
): { readonly lane: Lane; readonly ribbons: readonly Ribbon[] } {
  const all = functionsOf(reader, 'l1').filter((fn) => fn.backend !== undefined);
  const inSets = new Set(sets.flatMap((set) => set.members.map((member) => member.id)));
  const position = new Map(
    sets.toReversed().flatMap((set) => set.members.map((one) => [one.id, one.position] as const)),
  );
  const rank = (fn: PciFunctionState): number => (inSets.has(fn.id) ? (position.get(fn.id) ?? 0) : 1000);
  const devices = all.toSorted((one, other) => rank(one) - rank(other)).slice(0, SHOWN);
  const [only] = devices;
  const hidden = all.length - devices.length;
  const subtitle =
    devices.length === 0
      ? 'device-physical'
      : devices.length === 1
        ? `${only?.id} · backend ${only?.backend?.id}`
        : `${devices.length} devices${hidden > 0 ? `, ${hidden} more not shown` : ''}`;
  return {
    lane: {
      id: 'dpa',
      title: 'DPA',
      subtitle,
      ...(devices.length === 0
        ? {}
        : { shortSubtitle: devices.length === 1 ? (only?.id ?? '') : `${all.length} devices` }),
      segments: devices.flatMap((fn, n) => segmentsOf(reader, fn, sets, n * DEVICE_SPAN, devices.length > 1)),
      empty: 'No device with memory yet.',
      devices: devices.map((fn) => fn.id),
    },
    ribbons: devices.flatMap((fn, n) => ribbonsOf(reader, fn, sets, n * DEVICE_SPAN)),
  };
}

interface DpaRange {
  readonly start: number;
  readonly end: number;
  readonly decoder: number;
  readonly hpa: number;
  readonly size: number;
}

export function dpaRanges(reader: StateReader, fn: PciFunctionState): readonly DpaRange[] {
  const ranges: DpaRange[] = [];
  let at = 0;
  for (const decoder of hdmOf(reader, fn)?.decoders ?? []) {
    if (!decoder.committed) continue;
    const start = at + decoder.skip;
    const share = Math.floor(decoder.size / decoder.ways);
    ranges.push({ start, end: start + share, decoder: decoder.index, hpa: decoder.base, size: decoder.size });
    at = start + share;
  }
  return ranges;
}

const setAt = (sets: readonly InterleaveSet[], range: DpaRange): InterleaveSet | undefined =>
  sets.find((set) => set.base === range.hpa && set.size === range.size);

function segmentsOf(
  reader: StateReader,
  fn: PciFunctionState,
  sets: readonly InterleaveSet[],
  offset: number,
  several: boolean,
): readonly Segment[] {
  const size = fn.backend?.size ?? 0;
  const out: Segment[] = [];
  const free = (start: number, end: number) =>
    out.push({
      start: offset + start,
      end: offset + end,
      kind: 'free',
      name: several ? `${fn.id} not decoded` : 'not decoded',
      short: several ? fn.id : 'free',
    });
  let at = 0;
  for (const range of dpaRanges(reader, fn)) {
    if (range.start > at) free(at, range.start);
    const set = setAt(sets, range);
    const place =
      set && set.ways > 1 ? ` ${set.members.find((one) => one.id === fn.id)?.position ?? '?'}/${set.ways}` : '';
    out.push({
      start: offset + range.start,
      end: offset + Math.min(range.end, size),
      kind: 'region',
      name: several ? `${fn.id}${place}` : `HDM decoder ${range.decoder}`,
      ...(several ? {} : { short: `decoder ${range.decoder}` }),
      ...(set ? { set: set.index } : {}),
    });
    at = range.end;
  }
  if (at < size) free(at, size);
  return out;
}

function ribbonsOf(
  reader: StateReader,
  fn: PciFunctionState,
  sets: readonly InterleaveSet[],
  offset: number,
): readonly Ribbon[] {
  return dpaRanges(reader, fn).map((range) => {
    const set = setAt(sets, range);
    return {
      id: `hdm-${fn.id}-${range.decoder}`,
      from: { lane: 'l1-hpa', start: range.hpa, end: range.hpa + range.size },
      to: { lane: 'dpa', start: offset + range.start, end: offset + range.end },
      kind: 'device',
      text: `HDM decoder ${range.decoder} of ${fn.id}: HPA ${hex0x(range.hpa)} → DPA ${hex0x(range.start)}, ${sizeText(range.size)}${set && set.ways > 1 ? `, every ${set.ways}th granule of ${sizeText(set.granularity)}` : ''}`,
      ...(set ? { set: set.index } : {}),
    };
  });
}
