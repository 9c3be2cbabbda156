import { scaleLinear } from 'd3';
import { MiB } from '../../base/addr.ts';
import { DEVICE_SPAN } from '../../views/dpa-lane.view.ts';
import type { Lane, LaneId, Lanes, Ribbon, Segment, Stop } from '../../views/lanes.view.ts';

/** One piecewise-linear axis: segment boundaries in addresses and in pixels. Holes are short, memory is long. */
export interface LaneScale {
  readonly lane: Lane;
  readonly x: number;
  readonly w: number;
  readonly marks: readonly SegmentMark[];
  readonly y: (address: number) => number | null;
  readonly address: (y: number) => number | null;
  /** Where an address of the lane's space is on its axis: a device's own addresses lie in its band. */
  readonly place: (address: number, device: string | undefined) => number | null;
  /** The other way: address and, where the lane has several devices, whose. */
  readonly query: (y: number) => { readonly address: number; readonly device?: string } | null;
}
export interface SegmentMark {
  readonly segment: Segment;
  readonly y: number;
  readonly h: number;
}
export interface RibbonMark {
  readonly ribbon: Ribbon;
  readonly path: string;
}
/** A ribbon that runs out: its outline, and where the cross stands. */
export interface StopMark {
  readonly stop: Stop;
  readonly path: string;
  readonly x: number;
  readonly y: number;
}
export interface LanesLayout {
  readonly width: number;
  readonly height: number;
  readonly scales: readonly LaneScale[];
  readonly ribbons: readonly RibbonMark[];
  readonly stops: readonly StopMark[];
}

const HEADER = 38;
const MIN_HEIGHT = 12;
const MIN_HOLE = 12;
const least = (segment: Segment): number => (segment.kind === 'hole' || segment.kind === 'io' ? MIN_HOLE : MIN_HEIGHT);
const leastOf = (lane: Lane): number => lane.segments.reduce((sum, one) => sum + least(one), 0);

/** How much of the axis a segment deserves: logarithmic, so 4 KiB and 4 GiB are both seen. */
function weight(segment: Segment): number {
  const size = segment.end - segment.start;
  if (segment.kind === 'hole') return 0.15;
  if (segment.kind === 'io') return 0.4;
  return 1.6 + 0.24 * Math.max(0, Math.log2(size / MiB));
}

export function layoutLanes(lanes: Lanes, width: number, wantedHeight: number): LanesLayout {
  const count = lanes.lanes.length;
  const gap = Math.max(18, Math.min(count < 4 ? 160 : 64, width * (count < 4 ? 0.16 : 0.055)));
  const w = Math.max(56, (width - 2 - gap * (count - 1)) / count);
  const height = Math.max(wantedHeight, HEADER + Math.max(...lanes.lanes.map(leastOf)) + 6);
  const scales = lanes.lanes.map((lane, n) => laneScale(lane, 1 + n * (w + gap), w, HEADER, height - 6));
  const byId = new Map(scales.map((scale) => [scale.lane.id, scale]));
  return {
    width,
    height,
    scales,
    stops: lanes.stops.flatMap((stop) => stopMark(stop, byId, width)),
    ribbons: lanes.ribbons.flatMap((ribbon) => {
      const path = ribbonPath(ribbon, byId);
      return path === null ? [] : [{ ribbon, path }];
    }),
  };
}

export function laneScale(lane: Lane, x: number, w: number, top: number, bottom: number): LaneScale {
  const room = bottom - top;
  const total = lane.segments.reduce((sum, one) => sum + weight(one), 0);
  const flexible = Math.max(0, room - leastOf(lane));
  const marks: SegmentMark[] = [];
  const domain: number[] = [];
  const range: number[] = [];
  let y = top;
  lane.segments.forEach((segment, n) => {
    const h = least(segment) + (flexible * weight(segment)) / total;
    marks.push({ segment, y, h });
    domain.push(segment.start);
    range.push(y);
    y += h;
    // Where the next segment does not follow in addresses (another device), the end is a boundary of its own.
    if (n + 1 < lane.segments.length && (lane.segments[n + 1] as Segment).start > segment.end) {
      domain.push(segment.end);
      range.push(y);
    }
  });
  const last = lane.segments.at(-1);
  if (last) {
    domain.push(last.end);
    range.push(y);
  }
  const scale = scaleLinear(domain, range).clamp(true);
  const first = domain[0] ?? 0;
  const end = domain.at(-1) ?? 0;
  const toY = (address: number): number | null => (last && address >= first && address <= end ? scale(address) : null);
  const toAddress = (at: number): number | null =>
    last && at >= top && at <= y ? Math.min(end - 1, Math.max(first, Math.floor(scale.invert(at)))) : null;
  return {
    lane,
    x,
    w,
    marks,
    y: toY,
    address: toAddress,
    place: (address, device) => {
      if (!lane.devices) return toY(address);
      const n = device === undefined ? 0 : lane.devices.indexOf(device);
      return n < 0 ? null : toY(n * DEVICE_SPAN + address);
    },
    query: (at) => {
      const address = toAddress(at);
      if (address === null || !lane.devices) return address === null ? null : { address };
      const n = Math.floor(address / DEVICE_SPAN);
      return { address: address - n * DEVICE_SPAN, device: lane.devices[n] ?? '' };
    },
  };
}

function ribbonPath(ribbon: Ribbon, scales: ReadonlyMap<LaneId, LaneScale>): string | null {
  const from = scales.get(ribbon.from.lane);
  const to = scales.get(ribbon.to.lane);
  if (!from || !to) return null;
  const a = from.y(ribbon.from.start);
  const b = from.y(ribbon.from.end);
  const c = to.y(ribbon.to.start);
  const d = to.y(ribbon.to.end);
  if (a === null || b === null || c === null || d === null) return null;
  const x0 = from.x + from.w;
  const x1 = to.x;
  const mid = (x0 + x1) / 2;
  return `M${x0} ${a} C${mid} ${a} ${mid} ${c} ${x1} ${c} V${d} C${mid} ${d} ${mid} ${b} ${x0} ${b} Z`;
}

/** A cross needs so much room; behind the last lane there is none, so it stands on the lane's edge. */
const CROSS = 6;
/** Where what leaves a lane comes to its end. */
export function endX(scale: LaneScale, width: number): number {
  return Math.min(scale.x + scale.w + 2 * CROSS, width - CROSS - 1);
}

function stopMark(stop: Stop, scales: ReadonlyMap<LaneId, LaneScale>, width: number): readonly StopMark[] {
  const scale = scales.get(stop.lane);
  const a = scale?.y(stop.start) ?? null;
  const b = scale?.y(stop.end) ?? null;
  if (!scale || a === null || b === null) return [];
  const x = endX(scale, width);
  const x0 = Math.min(x, scale.x + scale.w);
  const y = (a + b) / 2;
  const mid = (x0 + x) / 2;
  return [{ stop, x, y, path: `M${x0} ${a} C${mid} ${a} ${mid} ${y} ${x} ${y} C${mid} ${y} ${mid} ${b} ${x0} ${b} Z` }];
}
