import type { Stage, StageMachine, StageNode, StageVmm } from '../../views/stage.view.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
export interface MachineMark extends Box {
  readonly machine: StageMachine;
}
export interface NodeMark extends Box {
  readonly key: string;
  readonly node: StageNode;
}
export interface BandMark extends Box {
  readonly key: string;
  readonly kind: 'window' | 'region' | 'others' | 'empty';
  readonly text: string;
  /** Instead, where there is no room. */
  readonly short: string;
  readonly path: string | null;
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
  readonly badge: (Box & { readonly text: string; readonly sub: string }) | null;
}
export interface StageLayout {
  readonly width: number;
  readonly height: number;
  readonly machines: readonly MachineMark[];
  readonly vmms: readonly VmmMark[];
  readonly nodes: readonly NodeMark[];
  readonly edges: readonly string[];
  readonly bands: readonly BandMark[];
  readonly threads: readonly ThreadMark[];
}

const PAD = 8;
const HEAD = 24;
const BAND = 18;
const VMM = 20;
const GAP = 4;
const INDENT = 14;
/** A bridge or port is one line; a device two, and a third for its decoders. */
const LINE = 24;
const NODE = 37;
const SLOTS = 18;
/** Room between a machine's own tree and the guest beside it: the thread and its badge live there. */
const GUTTER = 60;
const SIDE_BY_SIDE = 480;

interface Draft {
  machines: MachineMark[];
  vmms: VmmMark[];
  nodes: NodeMark[];
  edges: string[];
  bands: BandMark[];
}

/** Places nested machines in `width`; the height follows. Pure: same stage and width, same marks. */
export function layoutStage(stage: Stage, width: number): StageLayout {
  const draft: Draft = { machines: [], vmms: [], nodes: [], edges: [], bands: [] };
  const bottom = placeMachine(draft, stage.host, 1, 1, width - 2);
  return { width, height: bottom + 2, ...draft, threads: threadMarks(stage, draft) };
}

function placeMachine(draft: Draft, machine: StageMachine, x: number, y: number, w: number): number {
  const slot = draft.machines.length;
  const guest = machine.guest;
  let top = y + HEAD;
  const inner = w - 2 * PAD;
  const beside = guest !== null && machine.id !== 'host' && w >= SIDE_BY_SIDE;
  const own = beside ? Math.floor((inner - GUTTER) * 0.49) : inner;
  let bottom = placeOwn(draft, machine, x + PAD, top, own);
  if (guest) {
    const gx = beside ? x + PAD + own + GUTTER : x + PAD;
    const gw = beside ? inner - own - GUTTER : inner;
    if (!beside && bottom > top) top = bottom + GAP;
    let gy = top;
    if (machine.vmm) {
      draft.vmms.push({ x: gx, y: gy, w: gw, h: VMM, vmm: machine.vmm, machine });
      gy += VMM;
    }
    bottom = Math.max(bottom, placeMachine(draft, guest, gx, gy, gw));
  }
  if (machine.id === 'host' && !guest) {
    draft.bands.push({
      key: 'empty',
      kind: 'empty',
      text: '',
      short: '',
      path: null,
      x: x + PAD,
      y: top,
      w: inner,
      h: 132,
    });
    bottom = Math.max(bottom, top + 132);
  }
  const end = Math.max(bottom, y + HEAD + 4) + PAD;
  draft.machines.splice(slot, 0, { x, y, w, h: end - y, machine });
  return end;
}

function placeOwn(draft: Draft, machine: StageMachine, x: number, y: number, w: number): number {
  let at = y;
  const band = (kind: BandMark['kind'], key: string, text: string, short: string, path: string | null): void => {
    draft.bands.push({ key: `${machine.id}-${key}`, kind, text, short, path, x, y: at, w, h: BAND });
    at += BAND + 3;
  };
  for (const window of machine.windows) band('window', window.path, window.text, window.short, window.path);
  for (const region of machine.regions) {
    band('region', region.path, `${region.name} ${region.text}`, region.short, region.path);
  }
  for (const root of machine.roots) at = placeNode(draft, root, x, at, w, 0) + GAP;
  if (machine.others.length > 0 && machine.id !== 'host') {
    const names = machine.others.map((one) => `${one.bdf} ${one.label}`);
    band('others', 'others', names.join('  ·  '), `${names.length} more functions`, null);
  }
  return at > y ? at - GAP : y;
}

const KNEE = 7;

export const isOneLine = (node: StageNode): boolean => node.kind === 'host-bridge' || node.kind === 'port';

function nodeHeight(node: StageNode): number {
  return (isOneLine(node) ? LINE : NODE) + (node.slots.length > 0 ? SLOTS : 0);
}

function placeNode(draft: Draft, node: StageNode, x: number, y: number, w: number, depth: number): number {
  const h = nodeHeight(node);
  const left = x + depth * INDENT;
  draft.nodes.push({ key: `${node.machine}/${node.id}`, node, x: left, y, w: w - depth * INDENT, h });
  let at = y + h + GAP;
  for (const child of node.children) {
    draft.edges.push(`M${left + KNEE} ${y + h} V${at + 12} H${left + INDENT}`);
    at = placeNode(draft, child, x, at, w, depth + 1) + GAP;
  }
  return at - GAP;
}

function threadMarks(stage: Stage, draft: Draft): readonly ThreadMark[] {
  return stage.threads.flatMap((thread): ThreadMark[] => {
    const device = draft.nodes.find((one) => one.key === `${thread.device.machine}/${thread.device.id}`);
    if (!device) return [];
    const key = device.key;
    const guestRef = thread.guest;
    const guest = guestRef ? draft.nodes.find((one) => one.key === `${guestRef.machine}/${guestRef.id}`) : undefined;
    const from = { x: device.x + device.w, y: device.y + NODE / 2 };
    if (!guest) return [];
    const solid = thread.vfio?.opened === true;
    if (guest.x < from.x) {
      // Stacked: the thread runs down the left, outside both trees.
      const lane = Math.min(...draft.nodes.map((one) => one.x)) - 5;
      return [{ key, path: `M${device.x} ${from.y} H${lane} V${guest.y + NODE / 2} H${guest.x}`, solid, badge: null }];
    }
    const to = { x: guest.x, y: guest.y + NODE / 2 };
    const mid = from.x + GUTTER / 2;
    const path = `M${from.x} ${from.y} C${mid + 12} ${from.y} ${mid - 12} ${to.y} ${to.x} ${to.y}`;
    const badge = thread.vfio
      ? {
          x: from.x + 4,
          y: Math.min(from.y, to.y) - 34,
          w: GUTTER - 12,
          h: 28,
          text: 'VFIO',
          sub: solid ? 'fd open' : 'closed',
        }
      : null;
    return [{ key, path, solid, badge }];
  });
}
