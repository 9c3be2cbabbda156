import type { MirrorLog } from '../../mirror/index.ts';
import type { TimeLane } from '../../views/time.view.ts';
import type { TimeScale } from '../../views/time-scale.ts';

/** What the canvas shows: units [from, to) of the time scale over its width. */
export interface TimeView {
  readonly scale: TimeScale;
  readonly from: number;
  readonly to: number;
}
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly panel: string;
  readonly sunken: string;
  readonly accent: string;
  readonly past: string;
  readonly layers: (layerId: string) => string;
}
export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly ruler: number;
  readonly laneHeight: number;
  /** Size of its words. */
  readonly text: number;
}

export const rowToX = (row: number, view: TimeView, geometry: Geometry): number =>
  geometry.gutter +
  ((view.scale.toUnits(row) - view.from) / Math.max(1, view.to - view.from)) * (geometry.width - geometry.gutter);
export const xToRow = (x: number, view: TimeView, geometry: Geometry): number =>
  view.scale.toRow(
    view.from + ((x - geometry.gutter) / Math.max(1, geometry.width - geometry.gutter)) * (view.to - view.from),
  );

/** First index in an ascending list whose value is ≥ `value`. */
export function lowerBound(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function drawLanes(
  ctx: CanvasRenderingContext2D,
  log: MirrorLog,
  lanes: readonly TimeLane[],
  view: TimeView,
  geometry: Geometry,
  palette: Palette,
  state: { readonly selected: number | null; readonly font: string },
): void {
  const { width, height, gutter, ruler, laneHeight } = geometry;
  ctx.clearRect(0, 0, width, height);
  ctx.font = `${geometry.text}px ${state.font}`;
  ctx.textBaseline = 'middle';
  lanes.forEach((lane, n) => {
    const y = ruler + n * laneHeight;
    if (n % 2 === 0) {
      ctx.fillStyle = palette.sunken;
      ctx.fillRect(gutter, y, width - gutter, laneHeight);
    }
    ctx.save();
    ctx.beginPath();
    ctx.rect(gutter, y, width - gutter, laneHeight);
    ctx.clip();
    drawLane(ctx, log, lane, view, geometry, y, palette, state.selected);
    ctx.restore();
    ctx.fillStyle = palette.muted;
    const fits = ctx.measureText(lane.label).width <= geometry.gutter - 14;
    ctx.fillText(fits ? lane.label : lane.label.replace(/ \(.*\)$/, ''), 10, y + laneHeight / 2 + 0.5);
  });
  drawMarks(ctx, log, view, geometry, palette);
}

function drawLane(
  ctx: CanvasRenderingContext2D,
  log: MirrorLog,
  lane: TimeLane,
  view: TimeView,
  geometry: Geometry,
  y: number,
  palette: Palette,
  selected: number | null,
): void {
  const colour = palette.layers(lane.id);
  const { laneHeight } = geometry;
  const firstRow = view.scale.toRow(view.from);
  const lastRow = view.scale.toRow(view.to);
  const labels: { text: string; x0: number; x1: number }[] = [];
  const spans = log.time.spans.get(lane.layer);
  if (spans) {
    ctx.fillStyle = colour;
    // One pixel is drawn once per depth: a boot of 100,000 rows costs what the width allows.
    const painted = [-1, -1, -1, -1];
    // Spans that began before the view may still cover it: outer ones are few, so look back a little.
    const first = Math.max(0, lowerBound(spans.start, firstRow) - 64);
    for (let n = first; n < spans.start.length; n++) {
      const start = spans.start[n] as number;
      if (start >= lastRow) break;
      const end = Math.min(spans.end[n] as number, log.head);
      if (end < firstRow) continue;
      const depth = Math.min(3, spans.depth[n] as number);
      const x0 = rowToX(start, view, geometry);
      const x1 = Math.max(x0 + 1.2, rowToX(end, view, geometry));
      if (x1 <= (painted[depth] as number)) continue;
      painted[depth] = Math.floor(x1);
      const inset = depth * 3;
      ctx.globalAlpha = start === selected ? 1 : 0.3 + 0.12 * depth;
      ctx.fillRect(x0, y + 2 + inset, x1 - x0 - (x1 - x0 > 3 ? 0.8 : 0), laneHeight - 4 - inset);
      if (x1 - x0 > 56 && depth === 0) labels.push({ text: log.site(spans.site[n] as number)?.name ?? '', x0, x1 });
    }
    ctx.globalAlpha = 1;
  }
  const notes = log.time.notes.get(lane.layer);
  if (notes) drawNotes(ctx, notes.row, view, geometry, y, colour, firstRow, lastRow);
  if (laneHeight >= 12) drawLabels(ctx, labels, y, geometry, palette);
}

function drawNotes(
  ctx: CanvasRenderingContext2D,
  rows: readonly number[],
  view: TimeView,
  geometry: Geometry,
  y: number,
  colour: string,
  firstRow: number,
  lastRow: number,
): void {
  const { laneHeight } = geometry;
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.85;
  let last = -10;
  for (let n = lowerBound(rows, firstRow); n < rows.length; n++) {
    const row = rows[n] as number;
    if (row >= lastRow) break;
    const x = rowToX(row, view, geometry);
    if (x - last < 2) continue;
    last = x;
    ctx.fillRect(x - 0.5, y + 3, 1, laneHeight - 6);
  }
  ctx.globalAlpha = 1;
}

function drawLabels(
  ctx: CanvasRenderingContext2D,
  labels: readonly { readonly text: string; readonly x0: number; readonly x1: number }[],
  y: number,
  geometry: Geometry,
  palette: Palette,
): void {
  for (const { text, x0, x1 } of labels) {
    const left = Math.max(x0, geometry.gutter);
    const shown = shortened(ctx, text, x1 - left - 6);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, y, x1 - left - 2, geometry.laneHeight);
    ctx.clip();
    ctx.strokeStyle = palette.panel;
    ctx.lineWidth = 3;
    ctx.lineJoin = 'round';
    ctx.strokeText(shown, left + 4, y + geometry.laneHeight / 2 + 0.5);
    ctx.fillStyle = palette.text;
    ctx.fillText(shown, left + 4, y + geometry.laneHeight / 2 + 0.5);
    ctx.restore();
  }
}

function drawMarks(
  ctx: CanvasRenderingContext2D,
  log: MirrorLog,
  view: TimeView,
  geometry: Geometry,
  palette: Palette,
): void {
  const { ruler, gutter, width, height } = geometry;
  const marks = log.time.marks;
  ctx.save();
  ctx.beginPath();
  ctx.rect(gutter, 0, width - gutter, height);
  ctx.clip();
  for (let n = 0; n < marks.length; n++) {
    const row = marks[n] as number;
    const x = rowToX(row, view, geometry);
    if (x > width) break;
    const next = Math.min(width, rowToX(marks[n + 1] ?? log.head, view, geometry));
    if (next < gutter) continue;
    ctx.fillStyle = palette.line;
    ctx.fillRect(x, 0, 1, height);
    if (next - Math.max(x, gutter) > 34) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(x, 0, next - x - 4, ruler);
      ctx.clip();
      ctx.fillStyle = palette.text;
      const left = Math.max(x, gutter) + 5;
      ctx.fillText(
        shortened(ctx, log.strings[log.columns.a[row] as number] ?? '', next - 6 - left),
        left,
        ruler / 2 + 0.5,
      );
      ctx.restore();
    }
  }
  ctx.restore();
  ctx.fillStyle = palette.line;
  ctx.fillRect(0, ruler - 1, width, 1);
}

function shortened(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  const width = ctx.measureText(text).width;
  if (width <= room) return text;
  let letters = Math.floor((text.length * room) / width);
  while (letters > 1 && ctx.measureText(`${text.slice(0, letters)}…`).width > room) letters--;
  return letters > 1 ? `${text.slice(0, letters)}…` : '';
}

/** Where the page is in time; on a canvas of its own, as it moves every frame of a playback. */
export function drawCursor(
  ctx: CanvasRenderingContext2D,
  view: TimeView,
  geometry: Geometry,
  palette: Palette,
  state: { readonly cursor: number; readonly live: boolean },
): void {
  const { height, width, gutter } = geometry;
  ctx.clearRect(0, 0, width, height);
  const x = rowToX(state.cursor, view, geometry);
  if (!state.live && x < width) {
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = palette.past;
    ctx.fillRect(Math.max(gutter, x), 0, width - x, height);
    ctx.globalAlpha = 1;
  }
  if (x < gutter || x > width + 1) return;
  ctx.fillStyle = state.live ? palette.accent : palette.past;
  ctx.fillRect(Math.min(x, width - 2) - 1, 0, 2, height);
}
