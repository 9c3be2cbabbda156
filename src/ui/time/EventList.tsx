import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Row } from '../../log/index.ts';
import { filterRows } from '../../views/event-filter.view.ts';
import { eventLine } from '../../views/events.view.ts';
import { timeLanes } from '../../views/time.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { Pane } from '../parts/Pane.tsx';
import styles from './EventList.module.css';

const HEIGHT = 22;

/** Every row of the log as a line, filtered by layer and by words. */
export default function EventList() {
  const mirror = useMirror();
  const head = usePageState((state) => state.head);
  const cursor = usePageState((state) => state.cursor);
  const selection = usePageState((state) => state.selection);
  const [layer, setLayer] = useState('');
  const [text, setText] = useState('');
  const [spansOnly, setSpansOnly] = useState(false);
  const rows = useMemo(
    () => filterRows(mirror.log, head, { layer, text, kinds: spansOnly ? [Row.BEGIN, Row.NOTE, Row.MARK] : [] }),
    [mirror.log, head, layer, text, spansOnly],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT,
    overscan: 12,
  });
  // The list stands where the cursor is, until the reader scrolls away; moving the cursor brings it back.
  const live = usePageState((state) => state.live);
  const following = useRef(true);
  const at = useMemo(() => lowerBound(rows, cursor), [rows, cursor]);
  useEffect(() => {
    if (!live) following.current = true;
    if (following.current && rows.length > 0) virtual.scrollToIndex(Math.min(at, rows.length - 1), { align: 'end' });
  }, [at, live, rows.length, virtual]);
  useEffect(() => {
    const { current } = scroller;
    if (!current) return;
    const left = () => {
      following.current = current.scrollTop + current.clientHeight > current.scrollHeight - 2 * HEIGHT;
    };
    const ways = ['wheel', 'keyup', 'pointerup'] as const;
    for (const way of ways) current.addEventListener(way, left, { passive: true });
    return () => {
      for (const way of ways) current.removeEventListener(way, left);
    };
  }, []);
  return (
    <Pane
      id="events"
      title="Events"
      tools={
        <div className={styles.tools}>
          <select
            className={controls.field}
            aria-label="Layer"
            value={layer}
            onChange={(event) => setLayer(event.target.value)}
          >
            <option value="">all layers</option>
            {timeLanes(mirror.log).map((lane) => (
              <option key={lane.id} value={lane.id}>
                {lane.label}
              </option>
            ))}
          </select>
          <button
            type="button"
            className={controls.button}
            aria-pressed={spansOnly}
            onClick={() => setSpansOnly(!spansOnly)}
          >
            calls only
          </button>
          <input
            className={controls.field}
            type="search"
            aria-label="Filter events by words"
            placeholder="filter, e.g. hdm or 0x1148"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <span className={styles.count}>{rows.length.toLocaleString('en')}</span>
        </div>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section ref={scroller} className={styles.scroll} tabIndex={0} aria-label="Event rows">
        <ol style={{ height: virtual.getTotalSize() }} className={styles.list}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index] ?? 0;
            const line = eventLine(mirror.log, row);
            return (
              <li
                key={item.key}
                style={{ transform: `translateY(${item.start}px)`, height: HEIGHT }}
                data-future={row >= cursor}
              >
                <button
                  type="button"
                  aria-pressed={selection?.kind === 'event' && selection.row === row}
                  onClick={() => mirror.select({ kind: 'event', row })}
                >
                  <span className={styles.row}>{row}</span>
                  <span className={styles.layer} data-layer={line.layerId.split('.')[0]}>
                    {line.layer}
                  </span>
                  <span className={styles.name}>
                    {line.name} <code>{line.detail}</code>
                  </span>
                </button>
              </li>
            );
          })}
        </ol>
        {rows.length === 0 ? (
          <p className={controls.empty}>No event matches. Clear the filter to see all {head}.</p>
        ) : null}
      </section>
    </Pane>
  );
}

/** Index of the first row that is not before `row`. */
function lowerBound(rows: ArrayLike<number>, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] ?? 0) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
