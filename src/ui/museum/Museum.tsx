import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { MUSEUM } from '../../content/museum.ts';
import type { Mirror } from '../../mirror/index.ts';
import { type ExhibitSetting, SETTINGS } from '../../protocol/museum.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh, until } from '../header/play.ts';
import { linkTo } from '../links.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import { useMedia } from '../parts/use-media.ts';
import { useSide } from '../patches/use-side.ts';
import type { LabPane } from '../sidelab/LabPanes.tsx';
import { useSideLab } from '../sidelab/use-side-lab.ts';
import { Differences } from './Differences.tsx';
import { ExhibitList, ExhibitSelect, whereOf } from './ExhibitList.tsx';
import styles from './Museum.module.css';
import { RunPane, TITLES } from './RunPane.tsx';
import { useTogether } from './together.ts';
import { type ExhibitPlay, useExhibit } from './use-exhibit.ts';
import { type Visit, visitFromText, visitToText } from './visit.ts';

const SHOWN = [
  ['terminal', 'Terminal'],
  ['stage', 'Machines'],
  ['addresses', 'Addresses'],
  ['inspector', 'Inspector'],
] as const;
type Shown = 'terminal' | LabPane;

const PUT_AWAY = '(max-width: 1179px)';
const ONE_AT_A_TIME = '(max-width: 899px)';
/** Machines and addresses do not both fit below the terminal: one of them is shown. */
const SHORT = '(max-height: 979px) and (min-width: 900px)';
const EITHER: readonly Shown[] = ['stage', 'addresses'];

/** Defects of the posted code, each played as posted and as intended in two labs beside the session. */
export default function Museum() {
  const mirror = useMirror();
  const about = usePageState((state) => state.dialogAbout);
  const side = useSide();
  const asked = useMemo(() => (about === '' ? null : visitFromText(about)), [about]);
  const visit = typeof asked === 'string' ? null : asked;
  const [id, setId] = useState(visit?.id ?? MUSEUM[0]?.id ?? '');
  const labs = { posted: useSideLab(), intended: useSideLab() };
  const mirrors = { posted: labs.posted.mirror, intended: labs.intended.mirror };
  const play = useExhibit(side, id, labs);
  const [together, setTogether] = useState(visit?.together ?? true);
  useTogether(together && play.state === 'done', mirrors, play);
  const [listed, setListed] = useState(true);
  const withList = !useMedia(PUT_AWAY) && listed;
  const single = useMedia(ONE_AT_A_TIME);
  const [front, setFront] = useState<ExhibitSetting>(visit?.front ?? 'posted');
  // A link may be followed while the museum is open; its moment is gone to once both runs are over.
  const [moment, setMoment] = useState(visit);
  useEffect(() => {
    if (!visit) return;
    setId(visit.id);
    setFront(visit.front);
    setTogether(visit.together);
    setMoment(visit);
  }, [visit]);
  const { posted, intended } = mirrors;
  useEffect(() => {
    if (play.state !== 'done' || moment === null || moment.id !== play.id) return;
    setMoment(null);
    const runs = [['posted', posted] as const, ['intended', intended] as const];
    // The last rows may come after the word that the run is over; and a run that waits for rows would lead the other on.
    const all = runs.map(([setting, run]) => until(run, () => run.log.head >= (play[setting].at(-1)?.to ?? 0)));
    void Promise.all(all).then(() => {
      for (const [setting, run] of runs) {
        const row = moment.at[setting];
        if (row !== null) run.seek(row);
      }
    });
  }, [play, moment, posted, intended]);
  const here = (): Visit => {
    const at = (one: Mirror) => (one.store.getState().live ? null : one.store.getState().cursor);
    return { id, front: single ? front : 'posted', at: { posted: at(posted), intended: at(intended) }, together };
  };
  const [shown, setShown] = useState<readonly Shown[]>(['terminal', 'stage', 'addresses']);
  const selected = [
    useStore(mirrors.posted.store, (state) => state.selection),
    useStore(mirrors.intended.store, (state) => state.selection),
  ].some((one) => one !== null);
  useEffect(() => {
    if (selected) setShown((known) => (known.includes('inspector') ? known : [...known, 'inspector']));
  }, [selected]);
  const exhibit = MUSEUM.find((one) => one.id === id);
  const short = useMedia(SHORT);
  const [rather, setRather] = useState<Shown>('stage');
  const isShown = (pane: Shown) =>
    shown.includes(pane) && !(short && EITHER.includes(pane) && pane !== rather && shown.includes(rather));
  const panes = (['stage', 'inspector', 'addresses'] as const).filter(isShown);
  const toggle = (pane: Shown) => {
    setShown(isShown(pane) ? shown.filter((one) => one !== pane) : [...shown.filter((one) => one !== pane), pane]);
    if (EITHER.includes(pane)) setRather(pane);
  };
  const playHere = async (setting: ExhibitSetting) => {
    const text = await side.exhibitTranscript(id, setting);
    mirror.update({ dialog: null, dialogAbout: '' });
    await playFresh(mirror, () => mirror.client.playTranscript(text));
  };
  if (!exhibit) return null;
  return (
    <div className={styles.museum} data-list={withList}>
      {withList ? <ExhibitList id={id} onChoose={setId} /> : null}
      <article className={styles.exhibit}>
        <div className={styles.top}>
          <header className={styles.head}>
            {typeof asked === 'string' ? <p role="alert">{asked}</p> : null}
            {withList ? null : <ExhibitSelect id={id} onChoose={setId} />}
            <h3>
              {exhibit.title}{' '}
              <small>
                {whereOf(exhibit)}, <code>{exhibit.function}</code>
              </small>
            </h3>
            <p className={styles.point}>{exhibit.point}</p>
            <div className={styles.actions}>
              <button type="button" className={controls.button} onClick={() => void playHere('posted')}>
                Play as posted here
              </button>
              <button type="button" className={controls.button} onClick={() => void playHere('intended')}>
                Play as intended here
              </button>
              <CopyButton label="Copy link" text={() => linkTo({ museum: visitToText(here()) })} />
              <span role="status" className={styles.state} data-state={play.state}>
                {stateText(play)}
              </span>
            </div>
          </header>
          <Differences play={play} posted={mirrors.posted} intended={mirrors.intended} />
        </div>
        <div className={styles.bar}>
          {single ? (
            <div className={controls.group} role="radiogroup" aria-label="Run">
              {SETTINGS.map((setting) => (
                // biome-ignore lint/a11y/useSemanticElements: one button of a group, styled as the page's other groups
                <button
                  key={setting}
                  type="button"
                  role="radio"
                  aria-checked={front === setting}
                  className={controls.button}
                  onClick={() => setFront(setting)}
                >
                  {TITLES[setting]}
                </button>
              ))}
            </div>
          ) : null}
          <div className={controls.group} role="toolbar" aria-label="Shown of both runs">
            {SHOWN.map(([pane, label]) => (
              <button
                key={pane}
                type="button"
                className={controls.button}
                aria-pressed={isShown(pane)}
                onClick={() => toggle(pane)}
              >
                {label}
              </button>
            ))}
          </div>
          <label className={styles.together}>
            <input type="checkbox" checked={together} onChange={(event) => setTogether(event.target.checked)} />
            Move both cursors together
          </label>
          <button type="button" className={controls.quiet} data-only-wide onClick={() => setListed(!listed)}>
            {withList ? 'Hide the list' : 'Show the list'}
          </button>
        </div>
        <div className={styles.runs} data-single={single}>
          {SETTINGS.filter((setting) => !single || setting === front).map((setting) => (
            <RunPane
              key={setting}
              setting={setting}
              lab={labs[setting]}
              steps={play[setting]}
              others={play[setting === 'posted' ? 'intended' : 'posted']}
              stopped={play.stopped[setting]}
              terminal={shown.includes('terminal')}
              panes={panes}
            />
          ))}
        </div>
      </article>
    </div>
  );
}

function stateText(play: ExhibitPlay): string {
  if (play.state === 'failed') return `could not be played: ${play.problem}`;
  if (play.state === 'running') return `playing, ${play.posted.length + play.intended.length} lines typed`;
  return play.stopped.posted === null && play.stopped.intended === null ? 'both played' : 'played, with an early end';
}
