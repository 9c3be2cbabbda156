import { useCallback, useEffect, useState } from 'react';
import type { SideLab } from '../../mirror/index.ts';
import type { Climb, SideClient } from '../../mirror/side-client.ts';
import { type BuildChoice, POSTED_SERIES, SERIES, tidyChoice, wholeSeries } from '../../protocol/build-choice.ts';
import { choiceFromText, choiceToText } from '../../protocol/choice-text.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh } from '../header/play.ts';
import { linkTo } from '../links.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import { useMedia } from '../parts/use-media.ts';
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

const SERIES_NAMES: Readonly<Record<BuildChoice['series'], string>> = {
  'rfc-v1': 'RFC, September 2024',
  v3: 'v3, June 2026',
};

const ONE_COLUMN = '(max-width: 899px)';
const TWO_COLUMNS = '(max-width: 1399px)';

/** The series as switches: choose a build, see how far it comes, boot it, or compute all single switches. */
export default function PatchBoard() {
  const about = usePageState((state) => state.dialogAbout);
  const side = useSide();
  const asked = choiceFromText(about);
  const [choice, setChoice] = useState<BuildChoice>(typeof asked === 'string' ? POSTED_SERIES : asked);
  // A link may be followed while the board is open.
  useEffect(() => {
    const read = choiceFromText(about);
    if (about !== '' && typeof read !== 'string') setChoice(read);
  }, [about]);
  const [view, setView] = useState<View>('board');
  const [compared, setCompared] = useState(false);
  useEffect(() => {
    if (view === 'matrix') setCompared(true);
  }, [view]);
  const key = choiceToText(choice);
  const whole = wholeSeries(choice.series);
  const pick = useCallback((picked: BuildChoice) => {
    setChoice(picked);
    setView('board');
  }, []);
  return (
    <div className={styles.board}>
      <div className={styles.bar}>
        <Tabs label="View" tabs={VIEWS} value={view} onChange={setView} />
        {view === 'board' ? (
          <>
            {key === choiceToText(whole) ? (
              <span className={styles.summary}>the whole series</span>
            ) : (
              <button type="button" className={controls.quiet} onClick={() => setChoice(whole)}>
                Back to the whole series
              </button>
            )}
            <CopyButton label="Copy link" text={() => linkTo({ patches: key })} />
          </>
        ) : null}
        {typeof asked === 'string' ? (
          <span role="alert" className={styles.alert}>
            {asked}
          </span>
        ) : null}
      </div>
      {view === 'moved' ? <MovedTable /> : null}
      {/* Both go on while another view is looked at. */}
      <div className={styles.view} hidden={view !== 'matrix'}>
        {compared ? <MatrixTable side={side} onPick={pick} /> : null}
      </div>
      <div className={styles.view} hidden={view !== 'board'}>
        <OneBuild side={side} choice={choice} onChoose={setChoice} />
      </div>
    </div>
  );
}

type ChosenTab = 'patches' | 'parts' | 'options' | 'defects' | 'machines';

/** A build's switches, how far it comes, and the machines of the lab in which it was tried. */
function OneBuild(props: {
  readonly side: SideClient;
  readonly choice: BuildChoice;
  readonly onChoose: (choice: BuildChoice) => void;
}) {
  const { side, choice, onChoose } = props;
  const mirror = useMirror();
  const lab = useSideLab();
  const [climbs, setClimbs] = useState<ReadonlyMap<string, Climb>>(new Map());
  const [step, setStep] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  /** The build whose machines are shown. */
  const [tried, setTried] = useState<string | null>(null);
  const [one, two] = [useMedia(ONE_COLUMN), useMedia(TWO_COLUMNS)];
  const columns = one ? 1 : two ? 2 : 3;
  const [tab, setTab] = useState<ChosenTab>('patches');
  const key = choiceToText(choice);
  const change = (next: BuildChoice) => onChoose(tidyChoice(next));

  const attempt = async () => {
    setStep('starting');
    setProblem(null);
    setTried(key);
    if (columns === 1) setTab('machines');
    try {
      const climb = await side.climb(choice, ({ console, line }) => setStep(`${console}# ${line}`), lab);
      if (climb) setClimbs((known) => new Map(known).set(key, climb));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setStep(null);
    }
  };
  const boot = async () => {
    const text = await side.transcript(choice);
    mirror.update({ dialog: null, dialogAbout: '' });
    await playFresh(mirror, () => mirror.client.playTranscript(text));
  };
  const options = choice.config.length + choice.configL2.length;
  const defects = changedDefects(choice);
  const counted = (label: string, count: number) => (count === 0 ? label : `${label} · ${count}`);
  const patches = choice.series === 'v3' ? <V3List /> : <PatchList choice={choice} onChange={change} />;
  const series = (
    <div className={controls.group} role="radiogroup" aria-label="Series">
      {SERIES.map((name) => (
        // biome-ignore lint/a11y/useSemanticElements: a segmented control; radio inputs cannot carry it
        <button
          key={name}
          type="button"
          role="radio"
          aria-checked={choice.series === name}
          className={controls.button}
          onClick={() => onChoose(wholeSeries(name))}
        >
          {SERIES_NAMES[name]}
        </button>
      ))}
    </div>
  );
  const others: readonly (readonly [ChosenTab, string])[] = [
    ['parts', 'Parts'],
    ['options', counted('Options', options)],
    ['defects', counted('Defects', defects)],
  ];
  const tabs: readonly (readonly [ChosenTab, string])[] = [
    ['patches', 'Patches'],
    ...others,
    ...(columns === 1 ? [['machines', 'Machines'] as const] : []),
  ];
  const shown = tab === 'machines' && columns > 1 ? 'patches' : columns === 3 && tab === 'patches' ? 'parts' : tab;
  const machines = <Machines lab={lab} tried={tried} now={key} />;
  return (
    <div className={styles.one}>
      <div className={styles.top}>
        <LadderView climb={climbs.get(key) ?? null} step={step} problem={problem} />
        <div className={styles.actions}>
          {step === null ? (
            <button type="button" className={controls.button} onClick={() => void attempt()}>
              Try this build
            </button>
          ) : (
            <button type="button" className={controls.button} onClick={() => void side.cancel()}>
              Cancel
            </button>
          )}
          <button
            type="button"
            className={controls.primary}
            disabled={step !== null}
            title="Types the build and the boot in a fresh session; the one on the page is kept"
            onClick={() => void boot()}
          >
            Boot to L2 with it
          </button>
        </div>
      </div>
      <div className={styles.columns} data-columns={columns}>
        {columns === 3 ? (
          <section className={styles.column} aria-label="Patches" data-pane="patches">
            <div className={styles.columnHead}>{series}</div>
            <div className={styles.chosen}>{patches}</div>
          </section>
        ) : null}
        <section className={styles.column} aria-label="Other switches" data-pane="switches">
          <div className={styles.columnHead}>
            <Tabs label="Switches" tabs={columns === 3 ? others : tabs} value={shown} onChange={setTab} />
            {columns < 3 && shown === 'patches' ? series : null}
          </div>
          <div className={styles.chosen} data-shows={shown}>
            {shown === 'machines' ? (
              machines
            ) : shown === 'patches' ? (
              patches
            ) : shown === 'parts' ? (
              <PartSwitches choice={choice} onChange={change} />
            ) : shown === 'options' ? (
              <OptionSwitches choice={choice} onChange={change} />
            ) : (
              <DefectChooser choice={choice} onChange={change} />
            )}
          </div>
        </section>
        {columns === 1 ? null : <div className={styles.machines}>{machines}</div>}
      </div>
    </div>
  );
}

/** The lab in which a build was tried, while it runs and as it stopped. */
function Machines(props: { readonly lab: SideLab; readonly tried: string | null; readonly now: string }) {
  const { lab, tried, now } = props;
  if (tried === null)
    return (
      <div className={styles.nobody}>
        <p>
          <strong>Machines, addresses and time of the tried build</strong> stand here while it boots, and as it stopped
          afterwards: the rung it does not reach is the broken link.
        </p>
        <p>The lab is one of its own. The session on the page stays as it is.</p>
      </div>
    );
  return (
    <>
      {tried === now ? null : (
        <p className={styles.note}>These are the machines of the build tried before, not of this one.</p>
      )}
      <LabPanes mirror={lab.mirror} panes={['stage', 'addresses']} label="of the tried build" inspects />
    </>
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
