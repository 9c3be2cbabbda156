import { memo, useEffect, useRef } from 'react';
import type { ExhibitStep } from '../../mirror/side-client.ts';
import { unmatched } from '../../views/line-diff.ts';
import { comparable } from '../../views/run-differences.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import styles from './Transcript.module.css';
import { lineAt } from './together.ts';

/** What was typed in a run and what came of it, up to the cursor; what the other run did not print is marked. */
export function Transcript(props: { readonly steps: readonly ExhibitStep[]; readonly others: readonly ExhibitStep[] }) {
  const { steps, others } = props;
  const mirror = useMirror();
  const cursor = usePageState((state) => state.cursor);
  const live = usePageState((state) => state.live);
  const at = live ? steps.length - 1 : lineAt(steps, cursor);
  const box = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const list = box.current;
    const line = list?.children[Math.max(0, at)];
    if (!list || !(line instanceof HTMLElement)) return;
    // Only this list: the pane around it stays where the reader put it.
    const top = line.offsetTop - list.offsetTop;
    const last = line === list.lastElementChild;
    if (last) list.scrollTop = list.scrollHeight;
    else if (top < list.scrollTop || top + line.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = top - 24;
  }, [at]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <ol ref={box} className={styles.transcript} aria-label="Typed and printed" data-pane="transcript" tabIndex={0}>
      {steps.map((step, n) => (
        <Typed
          // biome-ignore lint/suspicious/noArrayIndexKey: typed in this order, never reordered
          key={n}
          step={step}
          other={others[n]?.output ?? null}
          when={n > at ? 'later' : n === at && !live && cursor < step.to ? 'running' : n === at ? 'now' : 'before'}
          onGo={mirror.seek}
        />
      ))}
    </ol>
  );
}

/** One typed line with its output; lines of the way there are short unless they differ. */
const Typed = memo(function Typed(props: {
  readonly step: ExhibitStep;
  readonly other: string | null;
  readonly when: 'before' | 'now' | 'running' | 'later';
  readonly onGo: (row: number) => void;
}) {
  const { step, other, when, onGo } = props;
  const mine = comparable(step.output);
  const alone = other === null ? [] : unmatched(mine, comparable(other));
  const brief = !step.own && !alone.includes(true);
  return (
    <li data-when={when} data-own={step.own}>
      <button
        type="button"
        className={styles.typed}
        title={`${step.line}\n\nGo to the end of this line`}
        aria-current={when === 'now' || when === 'running' ? 'step' : undefined}
        onClick={() => onGo(step.to)}
      >
        <span className={styles.console}>{step.console}#</span> {step.line}
      </button>
      {brief || mine.length === 0 ? null : (
        <pre className={styles.output}>
          {mine.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of one output, in order
            <span key={n} data-differs={alone[n] === true}>
              {alone[n] ? <span className="visually-hidden">only here: </span> : null}
              {line}
            </span>
          ))}
        </pre>
      )}
    </li>
  );
});
