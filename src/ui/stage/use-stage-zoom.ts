import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useCallback,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useSize } from '../parts/use-size.ts';
import type { GroupMark } from './stage-layout.ts';

const STEP = 1.5;
const MOST = 12;
const DRAG = 4;

/** Zoom and place of the stage: more zoom is more room for the layout. What was under the pointer stays about there. */
export function useStageZoom() {
  const [ref, size] = useSize<HTMLDivElement>();
  const [zoom, setZoom] = useState(1);
  const keep = useRef<{ readonly fx: number; readonly fy: number; readonly px: number; readonly py: number } | null>(
    null,
  );
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const before = useRef({ width: 0, height: 0 });

  const to = useCallback(
    (factor: number, px?: number, py?: number) => {
      const box = ref.current;
      if (!box) return;
      const x = px ?? box.clientWidth / 2;
      const y = py ?? box.clientHeight / 2;
      const [width, height] = [Math.max(1, box.scrollWidth), Math.max(1, box.scrollHeight)];
      before.current = { width, height };
      keep.current = { fx: (box.scrollLeft + x) / width, fy: (box.scrollTop + y) / height, px: x, py: y };
      setZoom((old) => Math.min(MOST, Math.max(1, old * factor)));
    },
    [ref],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the zoom has taken effect
  useLayoutEffect(() => {
    const box = ref.current;
    const kept = keep.current;
    if (!box || !kept) return;
    box.scrollLeft = kept.fx * box.scrollWidth - kept.px;
    box.scrollTop = kept.fy * box.scrollHeight - kept.py;
    keep.current = null;
  }, [zoom]);

  useWheel(ref, to);

  const fit = useCallback(() => setZoom(1), []);
  const open = useCallback(
    (mark: GroupMark) => {
      const box = ref.current;
      if (box) to(STEP * 1.4, mark.x + mark.w / 2 - box.scrollLeft, mark.y - box.scrollTop);
    },
    [ref, to],
  );

  return {
    size,
    zoom,
    fit,
    open,
    in: () => to(STEP),
    out: () => to(1 / STEP),
    handlers: {
      ref,
      onKeyDown: (event: KeyboardEvent) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const act = { '+': () => to(STEP), '=': () => to(STEP), '-': () => to(1 / STEP), '0': fit }[event.key];
        if (!act) return;
        act();
        event.preventDefault();
      },
      onPointerDown: (event: PointerEvent) => {
        if (event.button === 0 && event.pointerType === 'mouse')
          drag.current = { x: event.clientX, y: event.clientY, moved: false };
      },
      onPointerMove: (event: PointerEvent) => {
        const from = drag.current;
        const box = ref.current;
        if (!from || !box) return;
        const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
        if (!from.moved && Math.abs(dx) + Math.abs(dy) < DRAG) return;
        if (!from.moved) box.setPointerCapture(event.pointerId);
        box.scrollLeft -= dx;
        box.scrollTop -= dy;
        drag.current = { x: event.clientX, y: event.clientY, moved: true };
      },
      onPointerUp: () => {
        drag.current = null;
      },
      onPointerCancel: () => {
        drag.current = null;
      },
    },
  };
}

/** The wheel with Ctrl zooms (a pinch arrives as that); React's own listener could not keep the page from zooming. */
function useWheel(ref: RefObject<HTMLDivElement | null>, to: (factor: number, x: number, y: number) => void): void {
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.altKey) return;
      event.preventDefault();
      const { left, top } = box.getBoundingClientRect();
      to(Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
    };
    box.addEventListener('wheel', wheel, { passive: false });
    return () => box.removeEventListener('wheel', wheel);
  }, [ref, to]);
}
