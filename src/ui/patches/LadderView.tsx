import { type Climb, RUNG_LABELS, RUNGS } from '../../protocol/ladder.ts';
import { layerName } from './layer-name.ts';
import styles from './Patches.module.css';

/** The rungs from build to load/store: reached and what was found there, failed with its message, or never tried. */
export function LadderView(props: {
  readonly climb: Climb | null;
  readonly step: string | null;
  /** Why it could not be tried at all. */
  readonly problem: string | null;
}) {
  const { climb, step, problem } = props;
  const failed = climb?.failure ?? null;
  return (
    <section className={styles.climb} aria-label="How far this build comes">
      <ol className={styles.ladder}>
        {RUNGS.map((rung) => {
          const state = climb?.reached.includes(rung) ? 'reached' : failed?.rung === rung ? 'failed' : 'open';
          const found = climb?.found[rung];
          return (
            <li key={rung} data-state={state} title={found}>
              <span aria-hidden="true" className={styles.mark}>
                {state === 'reached' ? '✓' : state === 'failed' ? '✕' : '·'}
              </span>
              {RUNG_LABELS[rung]}
              <span className="visually-hidden">
                {state === 'reached' ? ' reached' : state === 'failed' ? ' failed' : ' not reached'}
              </span>
              {found === undefined ? null : <span className={styles.found}>{found}</span>}
            </li>
          );
        })}
      </ol>
      <div className={styles.said} role="status">
        {step !== null ? (
          <>
            <b>Running</b> <code>{step}</code>
          </>
        ) : failed ? (
          <>
            <b>
              Stops at {RUNG_LABELS[failed.rung]}: {layerName(failed.layer)}
              {failed.errno === null ? '' : `, ${failed.errno}`}
            </b>
            <code>{failed.message}</code>
          </>
        ) : problem !== null ? (
          <>
            <b>Could not be tried to its end</b>
            <code>{problem}</code>
          </>
        ) : climb ? (
          <b>A store of L2 reaches the accelerator’s memory and is read back.</b>
        ) : (
          <span>Not tried yet. Trying boots a lab of its own beside this session; nothing here changes.</span>
        )}
      </div>
    </section>
  );
}
