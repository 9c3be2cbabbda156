import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { eventLine } from '../../views/events.view.ts';
import { timeLanes } from '../../views/time.view.ts';
import { timeScale } from '../../views/time-scale.ts';
import { useMirror, usePageState } from '../context.tsx';
import { useScale } from '../parts/use-scale.ts';
import { useSize } from '../parts/use-size.ts';
import { useThrottled } from '../parts/use-throttled.ts';
import { drawCursor, drawLanes, type Geometry, lowerBound, type Palette, type TimeView, xToRow } from './draw-lanes.ts';
import styles from './TimeStrip.module.css';

const RULER_H = 22;
const LANES_MS = 120;

let palette: { readonly theme: string | undefined; readonly colours: Palette } | null = null;

/** Read once a theme: asking for styles in every frame would lay out the page in every frame. */
function paletteOfTheme(): Palette {
  const { theme } = document.documentElement.dataset;
  if (!palette || palette.theme !== theme) palette = { theme, colours: paletteFromTokens() };
  return palette.colours;
}

function paletteFromTokens(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const colours = { host: token('--host'), l1: token('--l1'), l2: token('--l2') };
  return {
    text: token('--text'),
    muted: token('--muted'),
    line: token('--line'),
    panel: token('--panel'),
    sunken: token('--sunken'),
    accent: token('--accent'),
    past: token('--warn'),
    layers: (id) => (id.startsWith('l2') ? colours.l2 : id.startsWith('l1') ? colours.l1 : colours.host),
  };
}

/** The canvas at the size it has and the screen's resolution; sized only when that changed, which would clear it. */
function prepared(element: HTMLCanvasElement | null, geometry: Geometry): CanvasRenderingContext2D | null {
  const ctx = element?.getContext('2d') ?? null;
  if (!element || !ctx || geometry.width === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(geometry.width * ratio), Math.round(geometry.height * ratio)];
  if (element.width !== width) element.width = width;
  if (element.height !== height) element.height = height;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

/** The log as lanes; the strip is the scrubber. W/S zoom, A/D pan, `,` and `.` step, F shows everything. */
export function TimeCanvas() {
  const mirror = useMirror();
  // While rows stream in, the lanes follow a few times a second; the cursor follows every frame.
  const head = useThrottled(
    usePageState((state) => state.head),
    LANES_MS,
  );
  const textScale = useScale();
  const cursor = usePageState((state) => state.cursor);
  const live = usePageState((state) => state.live);
  const selection = usePageState((state) => state.selection);
  const theme = usePageState((state) => state.settings.theme);
  const [ref, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [zoomed, setZoomed] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const scale = useMemo(() => timeScale(mirror.log.time.marks, head), [mirror.log, head]);
  const [hover, setHover] = useState<{ x: number; y: number; text: string } | null>(null);
  const view: TimeView = { scale, ...(zoomed ?? { from: 0, to: scale.length }) };
  const RULER = RULER_H * textScale;
  const lanes = timeLanes(mirror.log);
  const laneHeight = Math.max(
    12 * textScale,
    Math.min(26 * textScale, Math.floor((size.height - RULER) / Math.max(1, lanes.length))),
  );
  const geometry: Geometry = {
    width: size.width,
    height: Math.max(size.height, RULER + lanes.length * laneHeight),
    gutter: (size.width < 600 ? 96 : 148) * textScale,
    ruler: RULER,
    laneHeight,
    text: 11 * textScale,
  };
  const selected = selection?.kind === 'event' ? selection.row : null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` and `head` change what is drawn without being read here
  useEffect(() => {
    const ctx = prepared(canvas.current, geometry);
    if (!ctx) return;
    const font = getComputedStyle(ctx.canvas).fontFamily;
    drawLanes(ctx, mirror.log, lanes, view, geometry, paletteOfTheme(), { selected, font });
  }, [
    mirror.log,
    head,
    selected,
    theme,
    geometry.width,
    geometry.height,
    geometry.text,
    view.from,
    view.to,
    lanes.length,
    document.documentElement.dataset.theme,
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same
  useEffect(() => {
    const ctx = prepared(overlay.current, geometry);
    if (ctx) drawCursor(ctx, view, geometry, paletteOfTheme(), { cursor, live });
  }, [cursor, live, head, theme, geometry.width, geometry.height, view.from, view.to]);

  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const eventAt = (x: number, y: number): number | null => {
    const lane = lanes[Math.floor((y - RULER) / laneHeight)];
    if (!lane || x < geometry.gutter) return null;
    const row = xToRow(x, view, geometry);
    const slack = xToRow(x + 4, view, geometry) - row;
    const notes = mirror.log.time.notes.get(lane.layer);
    const note = notes?.row[lowerBound(notes.row, row - slack)];
    if (note !== undefined && Math.abs(note - row) <= slack) return note;
    const spans = mirror.log.time.spans.get(lane.layer);
    if (!spans) return null;
    for (let n = lowerBound(spans.start, row + slack) - 1, guard = 0; n >= 0 && guard < 500; n--, guard++)
      if ((spans.end[n] as number) + slack >= row) return spans.start[n] as number;
    return null;
  };
  const zoom = (factor: number) => {
    const middle = Math.min(Math.max(scale.toUnits(cursor), view.from), view.to);
    const from = Math.max(0, middle - (middle - view.from) * factor);
    const to = Math.min(scale.length, middle + (view.to - middle) * factor);
    setZoomed(to - from >= scale.length * 0.999 ? null : { from, to: Math.max(to, from + 0.5) });
  };
  const pan = (part: number) => {
    const width = view.to - view.from;
    const from = Math.max(0, Math.min(scale.length - width, view.from + width * part));
    if (zoomed) setZoomed({ from, to: from + width });
  };
  const keys = (event: KeyboardEvent) => {
    const run: Record<string, () => void> = {
      ',': () => mirror.seek(cursor - 1),
      '.': () => mirror.seek(cursor + 1),
      ArrowLeft: () => mirror.seek(cursor - (event.shiftKey ? 100 : 1)),
      ArrowRight: () => mirror.seek(cursor + (event.shiftKey ? 100 : 1)),
      Home: () => mirror.seek(0),
      End: () => mirror.goLive(),
      w: () => zoom(0.6),
      s: () => zoom(1 / 0.6),
      a: () => pan(-0.25),
      d: () => pan(0.25),
      f: () => setZoomed(null),
    };
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : run[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  };
  return (
    <div
      ref={ref}
      className={styles.canvas}
      role="slider"
      tabIndex={0}
      aria-label="Time: position in the event log"
      aria-valuemin={0}
      aria-valuemax={head}
      aria-valuenow={cursor}
      aria-valuetext={live ? `now, event ${cursor}` : `event ${cursor} of ${head}`}
      onKeyDown={keys}
      onPointerDown={(event) => {
        const { x, y } = place(event);
        const row = eventAt(x, y);
        if (row !== null) mirror.select({ kind: 'event', row });
        else if (x >= geometry.gutter) {
          event.currentTarget.setPointerCapture(event.pointerId);
          mirror.seek(xToRow(x, view, geometry));
        }
      }}
      onPointerMove={(event) => {
        const { x, y } = place(event);
        if (event.currentTarget.hasPointerCapture(event.pointerId)) mirror.seek(xToRow(x, view, geometry));
        const row = eventAt(x, y);
        const line = row === null ? null : eventLine(mirror.log, row);
        setHover(line ? { x, y, text: `${line.layer}: ${line.name} ${line.detail}` } : null);
      }}
      onPointerLeave={() => setHover(null)}
      onWheel={(event) => {
        if (event.ctrlKey || event.altKey) zoom(event.deltaY > 0 ? 1.25 : 0.8);
        else if (event.deltaX !== 0) pan(event.deltaX / 600);
      }}
    >
      <canvas ref={canvas} style={{ width: geometry.width, height: geometry.height }} />
      <canvas ref={overlay} className={styles.overlay} style={{ width: geometry.width, height: geometry.height }} />
      {hover ? (
        <div
          className={styles.tip}
          style={{ left: Math.min(hover.x + 10, geometry.width - 260), bottom: Math.max(4, size.height - hover.y + 8) }}
        >
          {hover.text}
        </div>
      ) : null}
    </div>
  );
}
