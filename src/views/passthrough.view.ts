import { LAYERS, type LayerId } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import type { Evidence } from '../state/evidence.ts';
import type { RowReader } from '../state/exits.ts';
import { publishedAs } from '../state/functions.ts';
import { missingGuest } from '../state/missing.ts';
import { type Chain, type LinkId, passthrough } from '../state/passthrough.ts';
import type { StateReader } from '../state/reader.ts';
import { type MachineState, paths } from '../state/schema.ts';
import { trailOf } from '../state/trail.ts';
import { rowsOf } from './rows.ts';

/**
 * Where passing a device on to L2 breaks at the cursor, in words for the stage and the lanes; nothing where nothing was tried. What
 * is broken, and who said so, is found by state/passthrough.ts.
 */
export interface Reason {
  readonly key: string;
  /** What failed, in two or three words. */
  readonly brief: string;
  /** Errno and layer. */
  readonly who: string;
  /** Both. */
  readonly short: string;
  readonly message: string;
  /** Everything in one sentence, for titles and text. */
  readonly full: string;
  /** The row that says it. */
  readonly row: number | null;
  /** The device in L1, if it is about one. */
  readonly device: string | null;
  /** The address of L2 that gets lost, if it is about one. */
  readonly address: number | null;
  readonly size: number | null;
}
export interface Break extends Reason {
  readonly link: LinkId;
  readonly bdf: string;
  readonly device: string;
  /** How far along the way from L1's device to L2's the failing layer is, 0 to 1. */
  readonly at: number;
}
/** A guest that is not there, and why. */
export interface Ghost {
  readonly guest: 'l1' | 'l2';
  readonly title: string;
  readonly reasons: readonly Reason[];
}
export interface Passing {
  readonly chains: readonly Chain[];
  readonly breaks: readonly Break[];
  readonly ghost: Ghost | null;
}
export const NOTHING_PASSED: Passing = { chains: [], breaks: [], ghost: null };

const FAILED: Readonly<Record<LinkId, string>> = {
  device: 'no device',
  bind: 'not bound',
  open: 'open failed',
  regions: 'no CXL region',
  realize: 'L2 not built',
  probe: 'L2 probe failed',
  commit: 'commit failed',
  memory: 'memory not reached',
};
const WHOLE: Readonly<Record<LinkId, string>> = {
  device: 'in L1',
  bind: 'bound to a vfio driver',
  open: 'opened by the VMM',
  regions: 'memory offered as a region',
  realize: 'realized in L2',
  probe: 'driven in L2',
  commit: 'decoder committed in L2',
  memory: 'memory reaches the device',
};

function passingView(reader: StateReader, rows: RowReader): Passing {
  const on = (machine: 'l1' | 'l2'): boolean =>
    (publishedAs<MachineState>(reader.object(paths.machine(machine)))?.state ?? 'off') !== 'off';
  if (!on('l1')) return { ...NOTHING_PASSED, ghost: ghostOf(reader, rows, 'l1', []) };
  const chains = passthrough(reader, rows);
  const breaks = chains.flatMap((chain) =>
    chain.broken ? [breakOf(chain, chain.broken.id, chain.broken.evidence)] : [],
  );
  return { chains, breaks, ghost: on('l2') ? null : ghostOf(reader, rows, 'l2', breaks) };
}

const last = new WeakMap<MirrorLog, { readonly version: number; readonly news: number; readonly passing: Passing }>();

/** The same of the page's log at its cursor; two panes ask. */
export function passingAt(log: MirrorLog): Passing {
  const { version } = log;
  const news = passingNews(log);
  const known = last.get(log);
  if (known?.version === version && known.news === news) return known.passing;
  const passing = passingView(log, rowsOf(log));
  last.set(log, { version, news, passing });
  return passing;
}

/** Changes whenever what `passingAt` reads besides the folded state may have changed: something failed or complained. */
export function passingNews(log: MirrorLog): number {
  const rows = rowsOf(log);
  const { tells, fails } = trailOf(rows);
  return count(tells, (one) => one.row, rows.length) + count(fails, (one) => one.end, rows.length);
}

/** Of a list in order of rows: how many lie before a row. */
function count<T>(list: readonly T[], at: (one: T) => number, row: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(list[middle] as T) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

const layerLabel = (layer: LayerId): string => LAYERS.find(({ id }) => id === layer)?.label ?? layer;

function reasonOf(key: string, brief: string, of: string, evidence: Evidence): Omit<Reason, 'device'> {
  const { layer, errno, fn, message, row, address, size } = evidence;
  const from = layer === 'host.qemu' ? 'host QEMU' : layerLabel(layer);
  const where = fn === null ? from : `${from}, ${fn}`;
  const who = errno === null ? from : `${errno} · ${from}`;
  return {
    key,
    brief,
    who,
    short: `${brief} · ${who}`,
    message,
    full: `${of}${brief}${errno === null ? '' : `, ${errno}`} (${where}): ${message}`,
    row,
    address: address ?? null,
    size: size ?? null,
  };
}

function breakOf(chain: Chain, link: LinkId, evidence: Evidence): Break {
  const { bdf, device } = chain;
  return {
    ...reasonOf(`break-${bdf}`, FAILED[link], `${bdf}: `, evidence),
    link,
    bdf,
    device,
    at: placeOf(evidence.layer),
  };
}

/** L1's kernel is at the device's end, its VMM in the middle, L2 at the other. */
function placeOf(layer: LayerId): number {
  if (layer.startsWith('l2.')) return 0.82;
  return layer === 'l1.qemu' ? 0.5 : 0.2;
}

function ghostOf(reader: StateReader, rows: RowReader, guest: 'l1' | 'l2', breaks: readonly Break[]): Ghost | null {
  const title = guest === 'l1' ? 'L1 guest' : 'L2 guest';
  if (breaks.length > 0) return { guest, title, reasons: breaks };
  const missing = missingGuest(reader, rows, guest);
  if (!missing) return null;
  const brief = `${missing.comm} ended`;
  const reason = reasonOf(`missing-${guest}`, brief, `${title}: `, missing.evidence);
  return { guest, title, reasons: [{ ...reason, device: null }] };
}

/** The chains in words, for readers who do not see the drawing. */
export function passingText(passing: Passing): readonly { readonly depth: number; readonly text: string }[] {
  const lines = passing.chains.flatMap((chain) => {
    const whole = chain.links.filter(({ state }) => state === 'whole').map(({ id }) => WHOLE[id]);
    const broken = passing.breaks.find(({ bdf }) => bdf === chain.bdf);
    return [
      { depth: 0, text: `Passing ${chain.bdf} on to L2: ${whole.join(', ')}` },
      ...(broken ? [{ depth: 1, text: `Broken here: ${broken.full}` }] : []),
    ];
  });
  const { ghost } = passing;
  if (!ghost) return lines;
  return [
    ...lines,
    { depth: 0, text: `${ghost.title} is not there` },
    ...ghost.reasons.map(({ full }) => ({ depth: 1, text: full })),
  ];
}
