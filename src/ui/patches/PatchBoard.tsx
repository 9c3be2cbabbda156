import { useCallback, useEffect, useState } from 'react';
import type { Climb } from '../../mirror/side-client.ts';
import { type BuildChoice, POSTED_SERIES, SERIES, tidyChoice, wholeSeries } from '../../protocol/build-choice.ts';
import { choiceFromText, choiceToText } from '../../protocol/choice-text.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh } from '../header/play.ts';
import { linkTo } from '../links.ts';
import controls from '../parts/controls.module.css';
import { LabPanes } from '../sidelab/LabPanes.tsx';
import { useSideLab } from '../sidelab/use-side-lab.ts';
import { changedDefects, DefectChooser } from './DefectChooser.tsx';
import { LadderView } from './LadderView.tsx';
import { MatrixTable } from './MatrixTable.tsx';
import { MovedTable } from './MovedTable.tsx';
import { OptionSwitches } from './OptionSwitches.tsx';
import { PartSwitches } from './PartSwitches.tsx';
import styles from './Patches.module.css';
import { PatchList } from './PatchList.tsx';
import { useSide } from './use-side.ts';
import { V3List } from './V3List.tsx';

const VIEWS = [
  ['board', 'One build'],
  ['matrix', 'All single switches'],
  ['moved', 'RFC and 2026'],
] as const;
type View = (typeof VIEWS)[number][0];
type LeftTab = 'patches' | 'machines';

const SERIES_NAMES: Readonly<Record<BuildChoice['series'], string>> = {
  'rfc-v1': 'RFC, September 2024',
  v3: 'v3, June 2026',
};

/** The series as switches: choose a build, see how far it comes, boot it, or compute all single switches. */
export default function PatchBoard() {
  const mirror = useMirror();
  const about = usePageState((state) => state.dialogAbout);
  const side = useSide();
  const lab = useSideLab();
  const asked = choiceFromText(about);
  const [choice, setChoice] = useState<BuildChoice>(typeof asked === 'string' ? POSTED_SERIES : asked);
  // A link may be followed while the board is open.
  useEffect(() => {
    const read = choiceFromText(about);
    if (about !== '' && typeof read !== 'string') setChoice(read);
  }, [about]);
  const [view, setView] = useState<View>('board');
  const [climbs, setClimbs] = useState<ReadonlyMap<string, Climb>>(new Map());
  const [step, setStep] = useState<string | null>(null);
  const [left, setLeft] = useState<LeftTab>('patches');
  /** The build whose machines stand beside the ladder. */
  const [tried, setTried] = useState<string | null>(null);
  const key = choiceToText(choice);
  const whole = wholeSeries(choice.series);
  const pick = useCallback((picked: BuildChoice) => {
    setChoice(picked);
    setView('board');
  }, []);
  const change = (next: BuildChoice) => setChoice(tidyChoice(next));

  const attempt = async () => {
    setStep('starting');
    setTried(key);
    setLeft('machines');
    try {
      const climb = await side.climb(choice, ({ console, line }) => setStep(`${console}# ${line}`), lab);
      if (climb) setClimbs((known) => new Map(known).set(key, climb));
    } finally {
      setStep(null);
    }
  };
  const boot = async () => {
    const text = await side.transcript(choice);
    mirror.update({ dialog: null, dialogAbout: '' });
    await playFresh(mirror, () => mirror.client.playTranscript(text));
  };
  return (
    <div className={styles.board}>
      <div className={styles.bar}>
        <Tabs label="View" tabs={VIEWS} value={view} onChange={setView} />
        {typeof asked === 'string' ? <span role="alert">{asked}</span> : null}
        {key === choiceToText(whole) ? (
          <span className={styles.summary}>the whole series</span>
        ) : (
          <button type="button" className={controls.quiet} onClick={() => setChoice(whole)}>
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
        <MatrixTable side={side} onPick={pick} />
      ) : (
        <div className={styles.columns}>
          <div className={styles.left}>
            <div className={styles.series}>
              <Tabs
                label="Beside the ladder"
                tabs={[
                  ['patches', 'Patches'],
                  ['machines', 'Machines'],
                ]}
                value={left}
                onChange={setLeft}
              />
              <div className={controls.group} role="radiogroup" aria-label="Series">
                {SERIES.map((name) => (
                  // biome-ignore lint/a11y/useSemanticElements: a segmented control; radio inputs cannot carry it
                  <button
                    key={name}
                    type="button"
                    role="radio"
                    aria-checked={choice.series === name}
                    className={controls.button}
                    onClick={() => setChoice(wholeSeries(name))}
                  >
                    {SERIES_NAMES[name]}
                  </button>
                ))}
              </div>
            </div>
            {left === 'machines' ? (
              tried === null ? (
                <p className={styles.note}>
                  The machines of a build stand here while it is tried, and where they stopped afterwards.
                </p>
              ) : (
                <div className={styles.machines}>
                  {tried === key ? null : (
                    <p className={styles.note}>These are the machines of the build tried before, not of this one.</p>
                  )}
                  <LabPanes mirror={lab.mirror} panes={['stage', 'addresses']} label="of the tried build" inspects />
                </div>
              )
            ) : choice.series === 'v3' ? (
              <V3List />
            ) : (
              <PatchList choice={choice} onChange={change} />
            )}
          </div>
          <div className={styles.right}>
            <Around choice={choice} onChange={change} />
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

type AroundTab = 'parts' | 'options' | 'defects';

/** What is chosen besides patches, in three tabs. */
function Around(props: { readonly choice: BuildChoice; readonly onChange: (choice: BuildChoice) => void }) {
  const { choice } = props;
  const [tab, setTab] = useState<AroundTab>('parts');
  const options = choice.config.length + choice.configL2.length;
  const defects = changedDefects(choice);
  const counted = (label: string, count: number) => (count === 0 ? label : `${label} · ${count}`);
  return (
    <section className={styles.around} aria-label="Other switches">
      <Tabs
        label="Other switches"
        tabs={[
          ['parts', 'Parts'],
          ['options', counted('Options', options)],
          ['defects', counted('Defects', defects)],
        ]}
        value={tab}
        onChange={setTab}
      />
      <div className={styles.chosen}>
        {tab === 'parts' ? (
          <PartSwitches {...props} />
        ) : tab === 'options' ? (
          <OptionSwitches {...props} />
        ) : (
          <DefectChooser {...props} />
        )}
      </div>
    </section>
  );
}

function Tabs<T extends string>(props: {
  readonly label: string;
  readonly tabs: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}) {
  return (
    <div className={controls.group} role="tablist" aria-label={props.label}>
      {props.tabs.map(([name, label]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={props.value === name}
          className={controls.button}
          onClick={() => props.onChange(name)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
