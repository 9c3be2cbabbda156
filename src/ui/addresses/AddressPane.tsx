import { type FormEvent, lazy, Suspense, useCallback, useId, useMemo, useState } from 'react';
import type { AddressQuery } from '../../mirror/index.ts';
import { publishedAs } from '../../state/functions.ts';
import type { MachineState } from '../../state/schema.ts';
import { SPACE_LABELS, XLAT_SPACES, type XlatSpace } from '../../state/xlat.ts';
import { ownAddress } from '../../views/dpa-lane.view.ts';
import { astrayAt, exampleQuery, lanesView, xlatOf } from '../../views/lanes.view.ts';
import { type Passing, passingText } from '../../views/passthrough.view.ts';
import { grouped } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { Pane } from '../parts/Pane.tsx';
import { TextTwin } from '../parts/TextTwin.tsx';
import { usePassing } from '../parts/use-passing.ts';
import { useReason } from '../parts/use-reason.ts';
import { useScale } from '../parts/use-scale.ts';
import { useSize } from '../parts/use-size.ts';
import styles from './AddressPane.module.css';
import { ChainTable } from './ChainTable.tsx';
import { LanesDrawing } from './LanesDrawing.tsx';
import { layoutLanes } from './lane-geometry.ts';
import { parseAddress } from './parse-address.ts';

const SpaceView = lazy(() => import('./SpaceView.tsx'));
const DecoderChainView = lazy(() => import('./DecoderChainView.tsx'));

export function AddressPane() {
  const [mode, setMode] = useState<'lanes' | 'space' | 'decoders'>('lanes');
  return (
    <Pane
      id="addresses"
      title="Addresses"
      tools={
        <>
          <div className={controls.group} role="toolbar" aria-label="View">
            <button
              type="button"
              className={controls.button}
              aria-pressed={mode === 'lanes'}
              onClick={() => setMode('lanes')}
            >
              Lanes
            </button>
            <button
              type="button"
              className={controls.button}
              aria-pressed={mode === 'space'}
              onClick={() => setMode('space')}
            >
              Granules
            </button>
            <button
              type="button"
              className={controls.button}
              aria-pressed={mode === 'decoders'}
              onClick={() => setMode('decoders')}
            >
              Decoders
            </button>
          </div>
          <AddressForm />
        </>
      }
    >
      {mode === 'lanes' ? (
        <LanesView />
      ) : (
        <Suspense fallback={<p className={controls.empty}>Loading…</p>}>
          {mode === 'space' ? <SpaceView /> : <DecoderChainView />}
        </Suspense>
      )}
    </Pane>
  );
}

export function AddressForm() {
  const mirror = useMirror();
  const query = usePageState((state) => state.address);
  const nested = useFolded((log) => publishedAs<MachineState>(log.object('machine/l2'))?.state === 'running');
  const [chosen, setSpace] = useState<XlatSpace | null>(null);
  const space = chosen ?? (nested ? 'l2-gpa' : 'l1-hpa');
  const [problem, setProblem] = useState('');
  const problemId = useId();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get('address') ?? '');
    const address = parseAddress(text);
    setProblem(address === null ? 'An address is hexadecimal, below 2^52, like 0x110000000 or 4g+0x1000.' : '');
    if (address !== null) mirror.update({ address: { space, address } });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <select
        className={controls.field}
        aria-label="Address space"
        value={space}
        onChange={(event) => setSpace(XLAT_SPACES.find((one) => one === event.target.value) ?? 'l2-gpa')}
      >
        {XLAT_SPACES.map((one) => (
          <option key={one} value={one}>
            {SPACE_LABELS[one]}
          </option>
        ))}
      </select>
      <input
        className={controls.field}
        name="address"
        aria-label="Address to follow"
        title="Or point at a byte in any lane"
        aria-invalid={problem !== ''}
        aria-describedby={problem ? problemId : undefined}
        placeholder="0x110001000"
        autoComplete="off"
        spellCheck={false}
      />
      {query ? (
        <button type="button" className={controls.quiet} onClick={() => mirror.update({ address: null })}>
          clear
        </button>
      ) : null}
      {problem ? (
        <p id={problemId} role="alert" className={styles.problem}>
          {problem}
        </p>
      ) : null}
    </form>
  );
}

/** The address that gets lost on its way to a device is worth showing before the first that arrives. */
function lostQuery({ breaks }: Passing): AddressQuery | null {
  const address = breaks.find((one) => one.address !== null)?.address ?? null;
  return address === null ? null : { space: 'l2-gpa', address };
}

function LanesView() {
  const mirror = useMirror();
  const passing = usePassing();
  const why = useReason();
  const lanes = useFolded((log) => lanesView(log, passing), passing);
  const kept = usePageState((state) => state.address);
  const hovered = usePageState((state) => state.hoverAddress);
  const query = hovered ?? kept;
  const [ref, size] = useSize<HTMLDivElement>();
  const scale = useScale();
  const width = size.width / scale;
  const height = size.height / scale - 4;
  const layout = useMemo(() => layoutLanes(lanes, width, height), [lanes, width, height]);
  const chain = useFolded((log) => (query ? xlatOf(log, query) : null), query);
  const shown = query ?? lostQuery(passing) ?? exampleQuery(lanes);
  const astray = useFolded((log) => (shown ? astrayAt(log, shown) : null), shown?.space, shown?.address);
  const example = useFolded(
    (log) => {
      const one = query ? null : (lostQuery(passing) ?? exampleQuery(lanes));
      return one ? xlatOf(log, one) : null;
    },
    query === null,
    lanes,
  );
  const hover = useCallback((one: AddressQuery | null) => mirror.update({ hoverAddress: one }), [mirror]);
  const pick = useCallback((one: AddressQuery) => mirror.update({ address: one }), [mirror]);
  const lines = [
    ...lanes.lanes.flatMap((lane) => [
      { depth: 0, text: lane.title },
      ...lane.segments.map((one) => ({
        depth: 1,
        text: `${grouped(ownAddress(lane, one.start))} to ${grouped(ownAddress(lane, one.end - 1))}: ${one.name}`,
      })),
    ]),
    { depth: 0, text: 'Mappings' },
    ...lanes.ribbons.map((ribbon) => ({ depth: 1, text: ribbon.text })),
    ...passingText(passing),
  ];
  return (
    <div className={styles.view}>
      <div
        ref={ref}
        className={styles.drawing}
        // Where the lanes need more room than there is: what scrolls must be reachable by keyboard.
        tabIndex={layout.height > height + 1 ? 0 : undefined}
      >
        {size.width > 0 ? (
          <LanesDrawing
            layout={layout}
            width={width}
            scale={scale}
            chain={chain}
            lost={chain?.end ?? astray}
            onHover={hover}
            onPick={pick}
          />
        ) : null}
      </div>
      <div className={styles.foot} aria-live="polite">
        {hovered ? null : (
          <ul className={styles.breaks}>
            {passing.breaks.map((broken) => (
              <li key={broken.key}>
                <button type="button" onClick={() => why(broken)} title={broken.full}>
                  <strong>{`✕ ${broken.bdf}: ${broken.short}`}</strong> {broken.message}
                </button>
              </li>
            ))}
          </ul>
        )}
        {chain ? (
          <ChainTable chain={chain} astray={astray} />
        ) : example ? (
          <ChainTable
            chain={example}
            astray={astray}
            note={lostQuery(passing) ? 'the first byte that does not arrive' : 'the first byte of the mapping'}
          />
        ) : (
          <p className={styles.hint}>Point at a byte in any lane, or type an address.</p>
        )}
        {chain ? null : <TextTwin label="Address spaces as a list" lines={lines} />}
      </div>
    </div>
  );
}
