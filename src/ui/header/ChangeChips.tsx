import { commandAt } from '../../views/chips.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import { BuildChips } from './BuildChips.tsx';
import styles from './ChangeChips.module.css';

const SHOWN = 8;

/** What the last command changed, as one line. Also the page's polite announcement. */
export function ChangeChips() {
  const mirror = useMirror();
  const cursor = usePageState((state) => state.cursor);
  usePageState((state) => state.epoch);
  const change = commandAt(mirror.log, cursor);
  if (!change)
    return (
      <div className={styles.row}>
        <span className={styles.hint}>What each command changes appears here.</span>
        <BuildChips />
      </div>
    );
  const shown = change.chips.slice(0, SHOWN);
  const rest = change.chips.length - shown.length;
  return (
    <section className={styles.row} aria-label="What the last command changed">
      <span className={styles.command}>
        <b data-machine={change.console}>{change.console}</b>
        <code>{change.label}</code>
      </span>
      <div role="status" className={styles.status}>
        <ul>
          {shown.map((chip) => (
            <li key={chip.id}>
              <button
                type="button"
                className={styles.chip}
                data-machine={chip.machine}
                data-failed={chip.sign === '✕'}
                onClick={() => {
                  if (chip.selection) mirror.select(chip.selection);
                }}
              >
                <b>{chip.sign}</b> <span className={styles.machine}>{chip.machine.toUpperCase()}</span> {chip.text}
              </button>
            </li>
          ))}
          {rest > 0 ? <li className={styles.more}>+{rest} more</li> : null}
          {change.registers > 0 ? <li className={styles.more}>{change.registers} register dwords</li> : null}
          {change.exits > 0 ? <li className={styles.more}>{change.exits} exits</li> : null}
          {change.chips.length === 0 && change.registers === 0 ? (
            <li className={styles.more}>changed nothing</li>
          ) : null}
        </ul>
      </div>
      <BuildChips />
    </section>
  );
}
