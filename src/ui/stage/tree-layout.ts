import { groupBy } from '../../views/group-by.ts';
import type { StageNode } from '../../views/stage.view.ts';
import type { Detail, Draft, NodeMark } from './stage-layout.ts';

/** Places the CXL trees of one machine below each other and, where there is room, abreast. */
const GAP = 4;
/** Between two rows of siblings: the rail that joins them runs there. */
const ROW_GAP = 8;
const INDENT = 14;
const KNEE = 7;
/** A bridge or port is one line; a device two, and a third for its decoders. */
const LINE = 24;
const NODE = 37;
const SLOTS = 18;
const TAG = 64;
/** A switch beside its alike devices. */
const SWITCH = 112;
const CELL_W = 46;
const CELL_H = 22;
const CELL_GAP = 3;
const GROUP_H = 20;

/** Least width of a bridge's whole tree, and of one child, before they stand abreast. */
const LEAST: Readonly<Record<Detail, { readonly tree: number; readonly child: number }>> = {
  full: { tree: 270, child: 250 },
  line: { tree: 270, child: 230 },
  cell: { tree: 225, child: 210 },
  group: { tree: 190, child: 190 },
};

export const isOneLine = (node: StageNode): boolean => node.kind === 'host-bridge' || node.kind === 'port';

export function endpointCount(node: StageNode): number {
  if (node.children.length === 0) return isOneLine(node) ? 0 : 1;
  return node.children.reduce((sum, child) => sum + endpointCount(child), 0);
}

/** Trees abreast, row by row; gives the bottom. */
export function placeTrees(draft: Draft, roots: readonly StageNode[], x: number, y: number, w: number): number {
  return placeRows(roots, x, y, w, LEAST[draft.detail].tree, (node, at) => place(draft, node, at.x, at.y, at.w));
}

/** Places things row by row in columns of at least `least`; gives the bottom. */
function placeRows<T>(
  things: readonly T[],
  x: number,
  y: number,
  w: number,
  least: number,
  put: (thing: T, at: { readonly x: number; readonly y: number; readonly w: number }) => number,
): number {
  const most = Math.max(1, Math.min(things.length, Math.floor((w + ROW_GAP) / (least + ROW_GAP))));
  // As many to a row in the last row as in the first, as near as may be.
  const columns = Math.ceil(things.length / Math.ceil(things.length / most));
  const each = (w - ROW_GAP * (columns - 1)) / columns;
  let top = y;
  let bottom = y;
  things.forEach((thing, n) => {
    const column = n % columns;
    if (column === 0 && n > 0) top = bottom + (columns > 1 ? ROW_GAP : GAP);
    bottom = Math.max(bottom, put(thing, { x: x + column * (each + ROW_GAP), y: top, w: each }));
  });
  return bottom;
}

function mark(draft: Draft, node: StageNode, form: NodeMark['form'], x: number, y: number, w: number, h: number): void {
  draft.nodes.push({ key: `${node.machine}/${node.id}`, node, form, x, y, w, h });
}

/** One node with everything below it; gives its bottom. */
function place(draft: Draft, node: StageNode, x: number, y: number, w: number): number {
  const only = node.children.length === 1 ? node.children[0] : undefined;
  // A port and what is plugged into it share a line, except where everything is told.
  if (node.kind === 'port' && only && draft.detail !== 'full' && isTag(node)) {
    if (draft.detail === 'group' && only.children.length > 1) return place(draft, only, x, y, w);
    mark(draft, node, 'tag', x, y, TAG, LINE);
    draft.edges.push(`M${x + TAG} ${y + LINE / 2} h${GAP + 2}`);
    return place(draft, only, x + TAG + GAP + 2, y, w - TAG - GAP - 2);
  }
  const h = boxHeight(node, draft.detail);
  const alike = draft.detail === 'group' && node.kind === 'port' ? alikeLeaves(node) : null;
  if (alike) {
    const own = Math.min(SWITCH, w * 0.5);
    mark(draft, node, 'line', x, y, own, h);
    group(draft, alike, x + own + GAP, y + 2, w - own - GAP);
    return y + h;
  }
  mark(draft, node, draft.detail === 'full' && !isOneLine(node) ? 'full' : 'line', x, y, w, h);
  if (node.children.length === 0) return y + h;
  return placeChildren(draft, node, x, y + h, w);
}

/** Ports that only hand on: a root port or a downstream port. */
const isTag = (node: StageNode): boolean => node.type !== 'cxl-upstream';

function boxHeight(node: StageNode, detail: Detail): number {
  if (detail !== 'full' || isOneLine(node)) return LINE;
  return NODE + (node.slots.length > 0 ? SLOTS : 0);
}

function placeChildren(draft: Draft, node: StageNode, x: number, y: number, w: number): number {
  const { detail } = draft;
  const left = x + INDENT;
  const room = w - INDENT;
  const top = y + (node.children.length > 1 && detail !== 'full' ? GAP + 1 : GAP);
  const leaves = node.children.map(leafOf);
  if ((detail === 'cell' || detail === 'group') && leaves.every((leaf) => leaf !== null) && leaves.length > 1)
    return placeLeaves(draft, leaves, x, y, left, top, room);
  const rows = new Map<number, number[]>();
  const bottom = placeRows(node.children, left, top, room, LEAST[detail].child, (child, at) => {
    const known = rows.get(at.y);
    if (known) known.push(at.x);
    else rows.set(at.y, [at.x]);
    return place(draft, child, at.x, at.y, at.w);
  });
  for (const [rowTop, starts] of rows) rail(draft, x, y, rowTop, starts);
  return bottom;
}

/** Trunk down the left, along above the row, and down into each child. */
function rail(draft: Draft, x: number, from: number, top: number, starts: readonly number[]): void {
  if (starts.length === 1) {
    draft.edges.push(`M${x + KNEE} ${from} V${top + 12} H${starts[0]}`);
    return;
  }
  const y = top - 2.5;
  const last = (starts.at(-1) as number) + KNEE;
  draft.edges.push(
    `M${x + KNEE} ${from} V${y} H${last} ${starts.map((start) => `M${start + KNEE} ${y} V${top}`).join(' ')}`,
  );
}

/** The endpoint that a port or the node itself stands for, if nothing else hangs there. */
function leafOf(node: StageNode): StageNode | null {
  if (node.children.length === 0) return node;
  const only = node.children.length === 1 ? node.children[0] : undefined;
  return node.kind === 'port' && isTag(node) && only?.children.length === 0 ? only : null;
}

function placeLeaves(
  draft: Draft,
  leaves: readonly StageNode[],
  x: number,
  y: number,
  left: number,
  top: number,
  room: number,
): number {
  draft.edges.push(`M${x + KNEE} ${y} V${top + 10} H${left}`);
  if (draft.detail === 'group') {
    let at = top;
    for (const nodes of kinds(leaves)) {
      group(draft, nodes, left, at, room);
      at += GROUP_H + CELL_GAP;
    }
    return at - CELL_GAP;
  }
  const columns = Math.max(1, Math.min(leaves.length, Math.floor((room + CELL_GAP) / (CELL_W + CELL_GAP))));
  const w = Math.min(96, (room + CELL_GAP) / columns - CELL_GAP);
  leaves.forEach((leaf, n) => {
    const cx = left + (n % columns) * (w + CELL_GAP);
    const cy = top + Math.floor(n / columns) * (CELL_H + CELL_GAP);
    mark(draft, leaf, 'cell', cx, cy, w, CELL_H);
  });
  return top + Math.ceil(leaves.length / columns) * (CELL_H + CELL_GAP) - CELL_GAP;
}

const sizeOf = (node: StageNode): string => node.note.replace(/^[^·]*· /, '');

function kinds(leaves: readonly StageNode[]): readonly (readonly StageNode[])[] {
  return [...groupBy(leaves, (leaf) => `${leaf.label}|${sizeOf(leaf)}`).values()];
}

/** What hangs below a port, if it is several devices of one kind. */
function alikeLeaves(node: StageNode): readonly StageNode[] | null {
  const leaves = node.children.map(leafOf).filter((leaf) => leaf !== null);
  return leaves.length > 1 && leaves.length === node.children.length && kinds(leaves).length === 1 ? leaves : null;
}

function group(draft: Draft, nodes: readonly StageNode[], x: number, y: number, w: number): void {
  const [first] = nodes;
  if (!first) return;
  const size = sizeOf(first);
  draft.groups.push({
    key: `${first.machine}/${first.id}+${nodes.length}`,
    nodes,
    text: [`${nodes.length} × ${first.label}`, size].join(' '),
    short: [`${nodes.length} ×`, size].join(' '),
    ...{ x, y, w, h: GROUP_H },
  });
}
