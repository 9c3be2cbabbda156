import { useState } from 'react';
import type { Climb } from '../../mirror/side-client.ts';
import { type BuildChoice, choiceFromText, choiceToText, POSTED_SERIES } from '../../protocol/build-choice.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh } from '../header/play.ts';
import { linkTo } from '../links.ts';
import controls from '../parts/controls.module.css';
import { LadderView } from './LadderView.tsx';
import { MatrixTable } from './MatrixTable.tsx';
import { MovedTable } from './MovedTable.tsx';
import { OtherSwitches } from './OtherSwitches.tsx';
import styles from './Patches.module.css';
import { PatchList } from './PatchList.tsx';
import { useSide } from './use-side.ts';

const VIEWS = [
  ['board', 'One build'],
  ['matrix', 'All single switches'],
  ['moved', 'RFC and 2026'],
] as const;
type View = (typeof VIEWS)[number][0];

/** The series as switches: choose a build, see how far it comes, boot it, or compute all single switches. */
export default function PatchBoard() {
  const mirror = useMirror();
  const about = usePageState((state) => state.dialogAbout);
  const side = useSide();
  const asked = choiceFromText(about);
  const [choice, setChoice] = useState<BuildChoice>(typeof asked === 'string' ? POSTED_SERIES : asked);
  const [view, setView] = useState<View>('board');
  const [climbs, setClimbs] = useState<ReadonlyMap<string, Climb>>(new Map());
  const [step, setStep] = useState<string | null>(null);
  const key = choiceToText(choice);

  const attempt = async () => {
    setStep('starting');
    const climb = await side.climb(choice, ({ console, line }) => setStep(`${console}# ${line}`));
    setStep(null);
    if (climb) setClimbs((known) => new Map(known).set(key, climb));
  };
  const boot = async () => {
    const text = await side.transcript(choice);
    mirror.update({ dialog: null, dialogAbout: '' });
    await playFresh(mirror, () => mirror.client.playTranscript(text));
  };
  return (
    <div className={styles.board}>
      <div className={styles.bar}>
        <div className={controls.group} role="tablist" aria-label="View">
          {VIEWS.map(([name, label]) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={view === name}
              className={controls.button}
              onClick={() => setView(name)}
            >
              {label}
            </button>
          ))}
        </div>
        {typeof asked === 'string' ? <span role="alert">{asked}</span> : null}
        {key === '' ? (
          <span className={styles.summary}>the whole series</span>
        ) : (
          <button type="button" className={controls.quiet} onClick={() => setChoice(POSTED_SERIES)}>
            Back to the whole series
          </button>
        )}
        <button
          type="button"
          className={controls.quiet}
          onClick={() => void navigator.clipboard?.writeText(linkTo({ patches: key }))}
        >
          Copy link
        </button>
      </div>
      {view === 'moved' ? (
        <MovedTable />
      ) : view === 'matrix' ? (
        <MatrixTable
          side={side}
          onPick={(picked) => {
            setChoice(picked);
            setView('board');
          }}
        />
      ) : (
        <div className={styles.columns}>
          <PatchList choice={choice} onChange={setChoice} />
          <div className={styles.right}>
            <OtherSwitches choice={choice} onChange={setChoice} />
            <LadderView climb={climbs.get(key) ?? null} step={step} />
            <div className={styles.actions}>
              <button type="button" className={controls.button} disabled={step !== null} onClick={() => void attempt()}>
                Try this build
              </button>
              {step === null ? null : (
                <button type="button" className={controls.button} onClick={() => void side.cancel()}>
                  Cancel
                </button>
              )}
              <button type="button" className={controls.primary} disabled={step !== null} onClick={() => void boot()}>
                Boot to L2 with it
              </button>
            </div>
          </div>
        </div>
      )}
    </div>
  );
}
