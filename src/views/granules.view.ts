import type { InterleaveMember, InterleaveSet } from './interleave.view.ts';

/** One granule of an interleave set: where it is, whose it is, and where it lies in that device. */
export interface Granule {
  readonly start: number;
  readonly end: number;
  /** Place in the set's rotation. */
  readonly position: number;
  readonly member: InterleaveMember | null;
  readonly dpa: number;
}

/** The granules of a set that touch [from, to), or null when there are more than `most`: too many to tell one by one. */
export function granulesIn(set: InterleaveSet, from: number, to: number, most: number): readonly Granule[] | null {
  const { base, size, granularity, ways } = set;
  const first = Math.max(0, Math.floor((from - base) / granularity));
  const last = Math.min(size / granularity, Math.ceil((to - base) / granularity));
  if (last - first > most) return null;
  const granules: Granule[] = [];
  for (let n = first; n < last; n++) granules.push(granuleAt(set, n, ways));
  return granules;
}

function granuleAt(set: InterleaveSet, n: number, ways: number): Granule {
  const { base, granularity } = set;
  const position = n % ways;
  const member = set.members.find((one) => one.position === position) ?? null;
  return {
    start: base + n * granularity,
    end: base + (n + 1) * granularity,
    position,
    member,
    dpa: (member?.dpa ?? 0) + Math.floor(n / ways) * granularity,
  };
}

/** A stretch of addresses to look at. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export const wholeSet = (set: InterleaveSet): Stretch => ({ from: set.base, to: set.base + set.size });

/** Two turns of the rotation, so that one sees it come round; never less than four granules. */
export function fewGranules(set: InterleaveSet, around?: number): Stretch {
  const span = set.granularity * Math.max(4, Math.min(set.ways * 2, 24));
  const turn = set.granularity * set.ways;
  const inside = around !== undefined && around >= set.base && around < set.base + set.size;
  const from = inside ? set.base + Math.floor((around - set.base) / turn) * turn : set.base;
  return { from, to: from + Math.min(span, set.size) };
}

/** Zooms about a place; stays within `limits` and shows at least `least` bytes. */
export function zoomed(now: Stretch, factor: number, about: number, limits: Stretch, least: number): Stretch {
  const whole = limits.to - limits.from;
  const span = Math.min(whole, Math.max(least, (now.to - now.from) * factor));
  const part = (about - now.from) / Math.max(1, now.to - now.from);
  const from = Math.min(limits.to - span, Math.max(limits.from, about - part * span));
  return { from: Math.floor(from), to: Math.floor(from) + Math.ceil(span) };
}
