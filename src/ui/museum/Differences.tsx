import { useMemo } from 'react';
import { useStore } from 'zustand';
import type { Mirror } from '../../mirror/index.ts';
import { printedDifferences, type RunDifference, stateDifferences } from '../../views/run-differences.view.ts';
import { useThrottled } from '../parts/use-throttled.ts';
import styles from './Differences.module.css';
import { TITLES } from './RunPane.tsx';
import { lineAt } from './together.ts';
import type { ExhibitPlay } from './use-exhibit.ts';

const SETTLE_MS = 200;

/** In words, what the two runs do not share: what was printed, and the state where the two cursors stand. */
export function Differences(props: { readonly play: ExhibitPlay; readonly posted: Mirror; readonly intended: Mirror }) {
  const { play, posted, intended } = props;
  const printed = useMemo(() => printedDifferences(play.posted, play.intended), [play.posted, play.intended]);
  const [a, b] = [useSettled(posted), useSettled(intended)];
  // biome-ignore lint/correctness/useExhaustiveDependencies: the folded states change with what `useSettled` gives
  const states = useMemo(() => stateDifferences(posted.log, intended.log), [posted, intended, a.version, b.version]);
  const apart = lineAt(play.posted, a.cursor) !== lineAt(play.intended, b.cursor);
  const count = printed.length + states.length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={styles.box} aria-label="What differs" data-pane="differences" tabIndex={0}>
      <h4>
        What differs <span className={styles.count}>{play.state === 'running' ? 'playing' : count}</span>
      </h4>
      <dl>
        {printed.map((one, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: in the order of typing; a line may be typed twice
          <Printed key={n} one={one} />
        ))}
      </dl>
      {states.length > 0 ? (
        <>
          <h5>{apart ? 'Where the cursors stand (at different lines)' : 'Where the cursors stand'}</h5>
          <ul>
            {states.map((one) => (
              <State key={`${one.only}${one.text}${one.first}`} one={one} />
            ))}
          </ul>
        </>
      ) : play.state === 'running' ? null : (
        <p>{apart ? 'Machines, decoders and mappings are alike' : 'Machines, decoders and mappings are alike here'}.</p>
      )}
    </section>
  );
}

function Printed({ one }: { readonly one: RunDifference }) {
  return (
    <div>
      <dt>
        <code>{one.text}</code>
      </dt>
      <dd data-only="first">
        <b>{TITLES.posted}</b> <code>{one.first}</code>
      </dd>
      <dd data-only="second">
        <b>{TITLES.intended}</b> <code>{one.second}</code>
      </dd>
    </div>
  );
}

function State({ one }: { readonly one: RunDifference }) {
  if (one.only !== undefined)
    return (
      <li data-only={one.only}>
        <b>Only {one.only === 'first' ? 'as posted' : 'as intended'}</b> {one.text}
      </li>
    );
  return (
    <>
      <li data-only="first">
        <b>{TITLES.posted}</b> {one.first}
      </li>
      <li data-only="second">
        <b>{TITLES.intended}</b> {one.second}
      </li>
    </>
  );
}

/** Version and cursor of a mirror, a few times a second while they move. */
function useSettled(mirror: Mirror): { readonly version: number; readonly cursor: number } {
  const version = useStore(mirror.store, (state) => state.version);
  const cursor = useStore(mirror.store, (state) => state.cursor);
  return { version: useThrottled(version, SETTLE_MS), cursor: useThrottled(cursor, SETTLE_MS) };
}
