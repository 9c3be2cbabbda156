import type { Break, Ghost, Reason } from '../../views/passthrough.view.ts';
import type { Stage, StageMachine, StageNode, StageThread, StageVmm } from '../../views/stage.view.ts';
import { wrap } from '../parts/measure.ts';
import { type Cut, cutCurve, cutLine } from './broken-line.ts';
import { endpointCount, placeTrees } from './tree-layout.ts';

/**
 * Places nested machines and their CXL trees. Pure: same stage and room, same marks. Text keeps its size; what changes with
 * the room is how much is told: every box in full, one line each, a cell each, or a cell for a row of alike siblings.
 */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
export type Detail = 'full' | 'line' | 'cell' | 'group';

export interface MachineMark extends Box {
  readonly machine: StageMachine;
}
export interface NodeMark extends Box {
  readonly key: string;
  readonly node: StageNode;
  /** `tag`: a port beside what is plugged into it. */
  readonly form: 'full' | 'line' | 'tag' | 'cell';
}
/** Alike siblings told as one. */
export interface GroupMark extends Box {
  readonly key: string;
  readonly nodes: readonly StageNode[];
  readonly text: string;
  readonly short: string;
}
export interface BandMark extends Box {
  readonly key: string;
  readonly kind: 'window' | 'region' | 'break' | 'others' | 'empty';
  readonly text: string;
  /** Instead, where there is no room. */
  readonly short: string;
  readonly path: string | null;
  readonly set: number | null;
  readonly broken?: Break;
}
/** A guest that is not there, with the reasons in lines. */
export interface GhostMark extends Box {
  readonly ghost: Ghost;
  readonly reasons: readonly (Box & {
    readonly reason: Reason;
    readonly lines: readonly string[];
    /** So many of them say it in short, the others are the message. */
    readonly heads: number;
  })[];
}
export interface VmmMark extends Box {
  readonly vmm: StageVmm;
  readonly machine: StageMachine;
}
export interface ThreadMark {
  readonly key: string;
  /** From the backend in the VMM below, to the device, to the guest's appearance of it. */
  readonly path: string;
  readonly solid: boolean;
  /** Where it breaks: `path` leads there, `cut.rest` would go on. */
  readonly cut: (Cut & { readonly broken: Break }) | null;
  readonly badge: (Box & { readonly text: string; readonly sub: string }) | null;
}
export interface StageLayout {
  readonly width: number;
  readonly height: number;
  readonly detail: Detail;
  readonly machines: readonly MachineMark[];
  readonly vmms: readonly VmmMark[];
  readonly nodes: readonly NodeMark[];
  readonly groups: readonly GroupMark[];
  readonly edges: readonly string[];
  readonly bands: readonly BandMark[];
  readonly ghosts: readonly GhostMark[];
  readonly threads: readonly ThreadMark[];
}

const PAD = 8;
const HEAD = 24;
const BAND = 18;
/** What is broken on one line, errno and layer on the next. */
const BREAK = 33;
const VMM = 20;
const GAP = 4;
/** Room between a machine's own tree and the guest beside it: the thread and its badge live there. */
const GUTTER = 60;
const SIDE_BY_SIDE: Readonly<Record<Detail, number>> = { full: 480, line: 480, cell: 420, group: 380 };
/** So few boxes are told in full if nothing else would nearly fit either: one scrolls. */
const FEW = 3;
const NEARLY = 1.3;
/** Letters a little smaller are better than telling less. */
const SLACK = 1.06;
/** Least width of windows and regions that share a row. */
const BANDS_ABREAST = { roomy: 300, tight: 160 };
/** Before less is told of the devices, what stands around them moves together. */
const ATTEMPTS: readonly (readonly [detail: Detail, tight: boolean])[] = [
  ['full', false],
  ['full', true],
  ['line', false],
  ['line', true],
  ['cell', true],
  ['group', true],
];

export interface Draft {
  readonly detail: Detail;
  /** Windows and regions share rows, and functions outside the CXL hierarchy have none. */
  readonly tight: boolean;
  readonly machines: MachineMark[];
  readonly vmms: VmmMark[];
  readonly nodes: NodeMark[];
  readonly groups: GroupMark[];
  readonly edges: string[];
  readonly bands: BandMark[];
  readonly ghosts: GhostMark[];
}

const newDraft = (detail: Detail, tight: boolean): Draft => ({
  detail,
  tight,
  machines: [],
  vmms: [],
  nodes: [],
  groups: [],
  edges: [],
  bands: [],
  ghosts: [],
});

/** The most telling layout that fits `width` × `height`; without a height everything is told. */
export function layoutStage(stage: Stage, width: number, height = Number.POSITIVE_INFINITY): StageLayout {
  let last: StageLayout | null = null;
  let first: StageLayout | null = null;
  for (const [detail, tight] of ATTEMPTS) {
    const draft = newDraft(detail, tight);
    const bottom = placeMachine(draft, stage.host, 1, 1, width - 2);
    last = { width, height: bottom + 2, ...draft, threads: threadMarks(stage, draft) };
    first ??= last;
    if (last.height <= height * SLACK) return last;
  }
  const nearly = (last?.height ?? 0) <= height * NEARLY;
  const chosen = devicesOf(stage.host) <= FEW && !nearly ? first : last;
  if (!chosen) throw new Error('there is always a detail');
  return chosen;
}

/** The layout for a pane, and by how much it is drawn smaller where a few lines too many would be cut. */
export function fitStage(
  stage: Stage,
  width: number,
  height: number,
): { readonly layout: StageLayout; readonly shrink: number } {
  const layout = layoutStage(stage, width, height);
  const over = layout.height / height;
  if (!(over > 1 && over <= SLACK)) return { layout, shrink: 1 };
  return { layout: layoutStage(stage, width * over, height * over), shrink: 1 / over };
}

function devicesOf(machine: StageMachine): number {
  return (
    machine.roots.reduce((sum, root) => sum + endpointCount(root), 0) + (machine.guest ? devicesOf(machine.guest) : 0)
  );
}

function placeMachine(draft: Draft, machine: StageMachine, x: number, y: number, w: number): number {
  const slot = draft.machines.length;
  const { guest, ghost } = machine;
  let top = y + HEAD;
  const inner = w - 2 * PAD;
  const beside = (guest !== null || ghost !== undefined) && machine.id !== 'host' && w >= SIDE_BY_SIDE[draft.detail];
  const own = beside ? Math.floor((inner - GUTTER) * 0.49) : inner;
  let bottom = placeOwn(draft, machine, x + PAD, top, own);
  const gx = beside ? x + PAD + own + GUTTER : x + PAD;
  const gw = beside ? inner - own - GUTTER : inner;
  if (machine.id === 'host' && !guest) {
    const h = inner < 440 ? 210 : 150;
    draft.bands.push({
      ...{ key: 'empty', kind: 'empty', text: '', short: '', path: null, set: null },
      ...{ x: x + PAD, y: top, w: inner, h },
    });
    bottom = Math.max(bottom, top + h);
  }
  if (!beside && bottom > top) top = bottom + GAP;
  if (ghost && !guest) bottom = Math.max(bottom, placeGhost(draft, ghost, gx, top, gw));
  if (guest) {
    let gy = top;
    if (machine.vmm) {
      draft.vmms.push({ x: gx, y: gy, w: gw, h: VMM, vmm: machine.vmm, machine });
      gy += VMM;
    }
    bottom = Math.max(bottom, placeMachine(draft, guest, gx, gy, gw));
  }
  const end = Math.max(bottom, y + HEAD + 4) + PAD;
  draft.machines.splice(slot, 0, { x, y, w, h: end - y, machine });
  return end;
}

function placeOwn(draft: Draft, machine: StageMachine, x: number, y: number, w: number): number {
  let at = y;
  const least = draft.tight ? BANDS_ABREAST.tight : BANDS_ABREAST.roomy;
  type Band = Omit<BandMark, keyof Box>;
  const bands = (all: readonly Band[]): void => {
    const abreast = Math.max(1, Math.min(all.length, Math.floor((w + GAP) / (least + GAP))));
    const each = (w - GAP * (abreast - 1)) / abreast;
    all.forEach((band, n) => {
      const row = Math.floor(n / abreast);
      draft.bands.push({ ...band, x: x + (n % abreast) * (each + GAP), y: at + row * (BAND + 3), w: each, h: BAND });
    });
    at += Math.ceil(all.length / abreast) * (BAND + 3);
  };
  const windows = machine.windows.map((window): Band => {
    return { key: window.path, kind: 'window', text: window.text, short: window.short, path: window.path, set: null };
  });
  const regions = machine.regions.map((region): Band => {
    const text = `${region.name} ${region.text}`;
    return { key: region.path, kind: 'region', text, short: region.short, path: region.path, set: region.set };
  });
  if (draft.tight) bands([...windows, ...regions]);
  else {
    bands(windows);
    bands(regions);
  }
  if (machine.roots.length > 0) at = placeTrees(draft, machine.roots, x, at + 1, w) + GAP;
  for (const broken of machine.breaks ?? []) {
    const [short, text] = [`✕ ${broken.brief}`, broken.full];
    draft.bands.push({
      ...{ key: broken.key, kind: 'break', text, short, path: null, set: null, broken },
      ...{ x, y: at, w, h: BREAK },
    });
    at += BREAK + 3;
  }
  if (machine.others.length > 0 && machine.id !== 'host' && !draft.tight) {
    const names = machine.others.map((one) => `${one.bdf} ${one.label}`);
    bands([
      {
        key: `${machine.id}-others`,
        kind: 'others',
        text: names.join('  ·  '),
        short: `${names.length} more functions`,
        path: null,
        set: null,
      },
    ]);
  }
  return at > y ? at - GAP : y;
}

/** So many lines of a message; its title has the rest. */
const MESSAGE_LINES = 4;
const LINE = 14;

/** The frame of a guest that is not there; gives its bottom. */
function placeGhost(draft: Draft, ghost: Ghost, x: number, y: number, w: number): number {
  let at = y + HEAD;
  const reasons = ghost.reasons.map((reason) => {
    const inner = w - 4 * PAD;
    const heads = wrap(`✕ ${reason.short}`, inner, 'title', 2);
    const lines = [...heads, ...wrap(reason.message, inner, 'small', MESSAGE_LINES)];
    const h = lines.length * LINE + 8;
    const box = { x: x + PAD, y: at, w: w - 2 * PAD, h, reason, lines, heads: heads.length };
    at += h + GAP;
    return box;
  });
  const h = at - GAP + PAD - y;
  draft.ghosts.push({ x, y, w, h, ghost, reasons });
  return y + h;
}

/** Height of a box at which a thread leaves or meets it. */
const knot = (box: Box): number => box.y + Math.min(box.h, 37) / 2;

function threadMarks(stage: Stage, draft: Draft): readonly ThreadMark[] {
  const byKey = new Map(draft.nodes.map((one) => [one.key, one]));
  return stage.threads.flatMap((thread): ThreadMark[] => {
    const device = byKey.get(`${thread.device.machine}/${thread.device.id}`);
    const guest = thread.guest ? byKey.get(`${thread.guest.machine}/${thread.guest.id}`) : undefined;
    // A guest that is not there is met at its frame.
    const ghost = thread.broken ? draft.ghosts.find((one) => one.ghost.guest === 'l2') : undefined;
    const end = guest ?? ghost;
    if (!device || !end) return [];
    return [threadMark(thread, device, end, draft)];
  });
}

/** Where the row of a box begins: at the tag of the port it is plugged into, if it has one. */
function rowStart(end: Box, { nodes }: Draft): number {
  const tag = nodes.find((one) => one.form === 'tag' && one.y === end.y && one.x < end.x && one.x + one.w + 12 > end.x);
  return tag?.x ?? end.x;
}

/** A cross with its circle. */
const CROSS = 10;
const STEPS = 40;
/** A cut as late as the break is, but not over the box the thread leads to. */
function cutBefore(cut: (where: number) => Cut, where: number, x: number): Cut {
  for (let n = STEPS; n > 0; n--) {
    const at = cut((where * n) / STEPS);
    if (at.x + CROSS <= x) return at;
  }
  return cut(where);
}

const BADGE = 28;
/** Above the thread, or below it where a machine's title is above. */
function badgeTop(draft: Draft, from: number, to: number): number {
  const above = Math.min(from, to) - BADGE - 6;
  const machine = draft.machines.find((one) => one.machine.id === 'l1');
  return machine && above < machine.y + HEAD ? Math.max(from, to) + 12 : above;
}

function threadMark(thread: StageThread, device: NodeMark, end: Box, draft: Draft): ThreadMark {
  const { key } = device;
  const { broken } = thread;
  const from = { x: device.x + device.w, y: knot(device) };
  const to = { x: end.x, y: knot(end) };
  const solid = thread.vfio?.opened === true;
  const drawn = (whole: string, at: (where: number) => Cut): Pick<ThreadMark, 'path' | 'cut'> => {
    if (!broken) return { path: whole, cut: null };
    const cut = at(broken.at);
    return { path: cut.path, cut: { ...cut, broken } };
  };
  if (end.x < from.x) {
    // Stacked: the thread runs down the left, outside both trees.
    const lane = Math.min(...draft.nodes.map((one) => one.x)) - 5;
    const points = [
      { x: device.x, y: from.y },
      { x: lane, y: from.y },
      { x: lane, y: to.y },
      { x: Math.max(lane, end.x), y: to.y },
    ];
    const whole = `M${device.x} ${from.y} H${lane} V${to.y} H${end.x}`;
    const start = Math.max(lane + CROSS, rowStart(end, draft));
    return {
      key,
      ...drawn(whole, (where) => cutBefore((at) => cutLine(points, at), where, start)),
      solid,
      badge: null,
    };
  }
  const mid = from.x + GUTTER / 2;
  const start = { x: rowStart(end, draft), y: to.y };
  const onward = start.x < to.x ? ` H${to.x}` : '';
  const whole = `M${from.x} ${from.y} C${mid + 12} ${from.y} ${mid - 12} ${to.y} ${start.x} ${to.y}${onward}`;
  const curve = [from, { x: mid + 12, y: from.y }, { x: mid - 12, y: to.y }, start] as const;
  const cutAt = (where: number): Cut => {
    const cut = cutCurve(curve, where);
    return { ...cut, rest: `${cut.rest}${onward}` };
  };
  const badge = thread.vfio
    ? {
        x: from.x + 4,
        y: badgeTop(draft, from.y, to.y),
        w: GUTTER - 12,
        h: BADGE,
        text: 'VFIO',
        sub: solid ? 'fd open' : 'closed',
      }
    : null;
  return { key, ...drawn(whole, (where) => cutBefore(cutAt, where, start.x)), solid, badge };
}
