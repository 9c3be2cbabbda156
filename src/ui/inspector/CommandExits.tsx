import { useMemo } from 'react';
import { exitFigures, exitTotal } from '../../state/exits.ts';
import { exitMeter } from '../../views/exits.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { useThrottled } from '../parts/use-throttled.ts';
import styles from './EventDetail.module.css';

const NAMES = ['L1 exits', 'L2 exits', 'VMM calls'] as const;
const KINDS = [
  ['read', 'write', 'port'],
  ['read', 'write', 'port'],
  ['pread', 'pwrite', 'ioctl'],
] as const;

/** What the command around an event cost in exits and calls, as the exit meter counts it. */
export function CommandExits({ row }: { readonly row: number }) {
  const mirror = useMirror();
  // Reading the whole log: not with every row of a command that runs.
  const head = useThrottled(
    usePageState((state) => state.head),
    500,
  );
  const command = useMemo(
    () => exitMeter(mirror.log, head).findLast((one) => one.row <= row) ?? null,
    [mirror, head, row],
  );
  if (!command) return null;
  const figures = exitFigures(command);
  const groups = [figures.slice(0, 3), figures.slice(3, 6), figures.slice(7, 10)];
  const { l1, l2 } = command.guests;
  return (
    <section className={styles.exits} aria-label="Exits of its command">
      <h4>{command.line === '' ? 'Before the first command' : 'Its command'} cost</h4>
      <dl>
        {groups.map((counts, group) => (
          <div key={NAMES[group]}>
            <dt>{NAMES[group]}</dt>
            <dd>
              {counts.map((count, n) => (
                <span key={KINDS[group]?.[n]} data-none={count === 0}>
                  <b>{count.toLocaleString('en')}</b> {KINDS[group]?.[n]}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <p>
        {exitTotal(l1) + exitTotal(l2) === 0
          ? 'No exit: nothing it touched had to be emulated.'
          : `Each exit of L2 enters the host’s KVM twice: ${figures[6]?.toLocaleString('en')} times.`}
      </p>
      <button type="button" className={controls.button} onClick={() => mirror.update({ dialog: 'exits' })}>
        Exits of all commands
      </button>
    </section>
  );
}
