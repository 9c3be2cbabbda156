import { useMemo } from 'react';
import { eventLine } from '../../views/events.view.ts';
import { commandMarks, neighbourMark } from '../../views/time.view.ts';
import { usePage, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { Icon } from '../parts/Icon.tsx';
import { TextTwin } from '../parts/TextTwin.tsx';
import { copyStateLink } from '../state-link.ts';
import { TimeCanvas } from './TimeCanvas.tsx';
import styles from './TimeStrip.module.css';

const COUNT = new Intl.NumberFormat('en');
const SPEEDS = [0.25, 0.5, 1, 2, 8];
/** `compact`: beside others, with less room; the event under the cursor is then not named, nor how many there are. */
export function TimeStrip({ compact = false }: { readonly compact?: boolean }) {
  const { mirror, label } = usePage();
  const cursor = usePageState((state) => state.cursor);
  const head = usePageState((state) => state.head);
  const live = usePageState((state) => state.live);
  const playing = usePageState((state) => state.playing);
  const speed = usePageState((state) => state.speed);
  const stepTo = (direction: 1 | -1) => mirror.seek(neighbourMark(mirror.log, cursor, direction));
  const known = mirror.log.time.marks.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: commands are only ever added; a new log is another object
  const commands = useMemo(
    () =>
      commandMarks(mirror.log).map((mark) => ({
        depth: 0,
        text: `${mark.row}: ${mark.label}`,
        onPick: () => mirror.seek(mark.row),
      })),
    [mirror, mirror.log, known],
  );
  const line = head > 0 ? eventLine(mirror.log, Math.max(0, cursor - 1)) : null;
  return (
    <section
      className={styles.strip}
      aria-label={label === undefined ? 'Time' : `Time, ${label}`}
      data-pane="time"
      data-live={live || playing}
      data-compact={compact}
    >
      <div className={styles.bar}>
        <div className={controls.group} role="toolbar" aria-label="Move in time">
          <button
            type="button"
            className={controls.button}
            onClick={() => stepTo(-1)}
            aria-label="Previous command"
            title="Previous command"
          >
            <Icon name="previous-command" />
          </button>
          <button
            type="button"
            className={controls.button}
            onClick={() => mirror.seek(cursor - 1)}
            aria-label="Step back"
            title="Step back  ,"
          >
            <Icon name="step-back" />
          </button>
          <button
            type="button"
            className={controls.button}
            onClick={() => (playing ? mirror.update({ playing: false }) : play())}
            aria-label={playing ? 'Pause' : 'Play'}
            title="Play or pause  Ctrl+Alt+Space"
          >
            <Icon name={playing ? 'pause' : 'play'} />
          </button>
          <button
            type="button"
            className={controls.button}
            onClick={() => mirror.seek(cursor + 1)}
            aria-label="Step forward"
            title="Step forward  ."
          >
            <Icon name="step-forward" />
          </button>
          <button
            type="button"
            className={controls.button}
            onClick={() => stepTo(1)}
            aria-label="Next command"
            title="Next command"
          >
            <Icon name="next-command" />
          </button>
        </div>
        <label className={styles.speed}>
          <span className="visually-hidden">Speed</span>
          <select
            className={controls.field}
            value={speed}
            onChange={(event) => mirror.update({ speed: Number(event.target.value) })}
          >
            {SPEEDS.map((one) => (
              <option key={one} value={one}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <p className={styles.where}>
          {playing ? (
            <span className={styles.live}>playing</span>
          ) : live ? (
            <span className={styles.live}>now</span>
          ) : (
            <button type="button" className={styles.past} onClick={() => mirror.goLive()}>
              past · back to now
            </button>
          )}
          <span className={styles.count}>
            {compact ? '' : 'event '}
            {COUNT.format(cursor)}
            {compact ? '' : ` / ${COUNT.format(head)}`}
          </span>
          {line && !compact ? (
            <span className={styles.line}>
              {line.layer}: {line.name} {line.detail}
            </span>
          ) : null}
        </p>
        {mirror.client.sharedSession ? (
          <button
            type="button"
            className={`${controls.quiet} ${styles.share}`}
            title="Copy a link to this state  Ctrl+Alt+L"
            onClick={() => void copyStateLink(mirror)}
          >
            Copy link
          </button>
        ) : null}
        <div className={styles.twin}>
          <TextTwin label="Commands as a list" lines={commands} />
        </div>
      </div>
      <TimeCanvas />
    </section>
  );

  function play(): void {
    if (cursor >= head) mirror.seek(0);
    mirror.update({ playing: true });
  }
}
