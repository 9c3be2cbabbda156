import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { xlat } from '../../state/xlat.ts';
import { fewGranules, type Stretch, wholeSet, zoomed } from '../../views/granules.view.ts';
import { type InterleaveSet, interleaveSets } from '../../views/interleave.view.ts';
import { lanesView } from '../../views/lanes.view.ts';
import { waysText } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { SetSwatch } from '../parts/SetPatterns.tsx';
import { useScale } from '../parts/use-scale.ts';
import { useSize } from '../parts/use-size.ts';
import styles from './AddressPane.module.css';
import { ChainTable } from './ChainTable.tsx';
import { SpaceDrawing } from './SpaceDrawing.tsx';

const STEP = 0.5;
const LEAST = 256;

/** L1's physical addresses on one axis, from the whole space down to a single granule and the device it lies in. */
export default function SpaceView() {
  const mirror = useMirror();
  const lanes = useFolded(lanesView);
  const sets = useFolded((log) => interleaveSets(log, 'l1'));
  const kept = usePageState((state) => state.address);
  const segments = useMemo(() => lanes.lanes.find((lane) => lane.id === 'l1-hpa')?.segments ?? [], [lanes]);
  const limits: Stretch = { from: 0, to: segments.at(-1)?.end ?? 0 };
  const [wanted, setView] = useState<Stretch | null>(null);
  const [first] = sets;
  const view = wanted ?? (first ? fewGranules(first) : limits);
  const address = kept?.space === 'l1-hpa' ? kept.address : null;
  const chain = useFolded((log) => (address === null ? null : xlat(log, 'l1-hpa', address)), address);
  const [ref, size] = useSize<HTMLDivElement>();
  const scale = useScale();
  const drag = useRef<number | null>(null);
  if (segments.length === 0)
    return (
      <p className={controls.empty}>
        <strong>L1 is off.</strong> Its address space appears here when a guest boots; a region shows its granules.
      </p>
    );
  const middle = (view.from + view.to) / 2;
  const zoom = (factor: number, about = middle) => setView(zoomed(view, factor, about, limits, LEAST));
  const pan = (part: number) => {
    const by = Math.round((view.to - view.from) * part);
    const from = Math.max(limits.from, Math.min(limits.to - (view.to - view.from), view.from + by));
    setView({ from, to: from + (view.to - view.from) });
  };
  const keys = (event: KeyboardEvent) => {
    const run: Record<string, () => void> = {
      '+': () => zoom(STEP),
      '=': () => zoom(STEP),
      '-': () => zoom(1 / STEP),
      ArrowLeft: () => pan(-0.2),
      ArrowRight: () => pan(0.2),
      '0': () => setView(limits),
    };
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : run[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  };
  return (
    <div className={styles.view}>
      <div className={styles.presets} role="toolbar" aria-label="What is shown">
        <button type="button" className={controls.button} onClick={() => setView(limits)}>
          Whole space
        </button>
        {sets.map((set) => (
          <SetButtons key={set.base} set={set} address={address} onView={setView} />
        ))}
        <div className={controls.group} style={{ marginLeft: 'auto' }}>
          <button type="button" className={controls.button} aria-label="Zoom out" onClick={() => zoom(1 / STEP)}>
            −
          </button>
          <button type="button" className={controls.button} aria-label="Zoom in" onClick={() => zoom(STEP)}>
            +
          </button>
        </div>
      </div>
      <div
        ref={ref}
        className={styles.space}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
        tabIndex={0}
        aria-label="L1 physical addresses: + and − zoom, arrows move, 0 shows everything"
        onKeyDown={keys}
        onWheel={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = view.from + ((event.clientX - box.left) / box.width) * (view.to - view.from);
          if (event.deltaY !== 0) zoom(Math.exp(event.deltaY / 400), at);
        }}
        onPointerDown={(event) => {
          drag.current = event.clientX;
        }}
        onPointerMove={(event) => {
          if (drag.current === null || event.buttons === 0) return;
          const moved = event.clientX - drag.current;
          if (Math.abs(moved) < 4) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = event.clientX;
          pan(-moved / Math.max(1, size.width));
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
      >
        {size.width > 0 ? (
          <SpaceDrawing
            width={size.width / scale}
            height={size.height / scale}
            scale={scale}
            segments={segments}
            sets={sets}
            view={view}
            limits={limits}
            address={address}
            onPick={(one) => mirror.update({ address: { space: 'l1-hpa', address: one } })}
            onView={setView}
          />
        ) : null}
      </div>
      <div className={styles.foot} data-short="true" aria-live="polite">
        {chain ? (
          <ChainTable chain={chain} />
        ) : (
          <p className={styles.hint}>Click a granule to follow its first byte. The wheel zooms, dragging moves.</p>
        )}
      </div>
    </div>
  );
}

function SetButtons(props: {
  readonly set: InterleaveSet;
  readonly address: number | null;
  readonly onView: (view: Stretch) => void;
}) {
  const { set, address, onView } = props;
  return (
    <div className={controls.group}>
      <button type="button" className={controls.button} onClick={() => onView(wholeSet(set))}>
        <SetSwatch index={set.index} />
        {set.name}
      </button>
      <button
        type="button"
        className={controls.button}
        title={`${set.name}${waysText(set.ways, set.granularity)}`}
        onClick={() => onView(fewGranules(set, address ?? undefined))}
      >
        granules
      </button>
    </div>
  );
}
