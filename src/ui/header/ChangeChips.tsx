import { useLayoutEffect, useState } from 'react';
import { type CommandChange, commandAt } from '../../views/chips.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { useSize } from '../parts/use-size.ts';
import { BuildChips } from './BuildChips.tsx';
import styles from './ChangeChips.module.css';

/** No line holds more: 3840 px of chips of 60 px. A command that boots a large machine changes a thousand things. */
const IN_LINE = 64;

/**
 * What the last command changed, as one line: chips that do not fit wrap out of sight, and a button shows them all. Also the
 * page's polite announcement.
 */
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
  return <Changes change={change} />;
}

function Changes({ change }: { readonly change: CommandChange }) {
  const mirror = useMirror();
  const { chips } = change;
  const [open, setOpen] = useState(false);
  const [list, { width }] = useSize<HTMLUListElement>();
  const [cut, setCut] = useState(false);
  const shown = open ? chips : chips.slice(0, IN_LINE);
  const said = shown.map((chip) => chip.id).join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: what fits depends on the width and on the chips
  useLayoutEffect(() => {
    const { current } = list;
    setCut(shown.length < chips.length || (current !== null && current.scrollHeight > current.clientHeight + 4));
  }, [width, said, open]);
  return (
    <section className={styles.row} data-open={open} aria-label="What the last command changed">
      <span className={styles.command}>
        <b data-machine={change.console}>{change.console}</b>
        <code>{change.label}</code>
      </span>
      <div role="status" className={styles.status}>
        <ul ref={list}>
          {shown.map((chip) => (
            <li key={chip.id}>
              <button
                type="button"
                className={styles.chip}
                data-machine={chip.machine}
                data-failed={chip.sign === '✕'}
                onFocus={(event) => {
                  if (event.currentTarget.offsetTop > 0) setOpen(true);
                }}
                onClick={() => {
                  if (chip.selection) mirror.select(chip.selection);
                }}
              >
                <b>{chip.sign}</b> <span className={styles.machine}>{chip.machine.toUpperCase()}</span> {chip.text}
              </button>
            </li>
          ))}
          {change.registers > 0 ? <li className={styles.more}>{change.registers} register dwords</li> : null}
          {change.exits > 0 ? <li className={styles.more}>{change.exits} exits</li> : null}
          {change.chips.length === 0 && change.registers === 0 ? (
            <li className={styles.more}>changed nothing</li>
          ) : null}
        </ul>
      </div>
      {cut || open ? (
        <button type="button" className={controls.quiet} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'One line' : `All ${chips.length} changes`}
        </button>
      ) : null}
      <BuildChips />
    </section>
  );
}
