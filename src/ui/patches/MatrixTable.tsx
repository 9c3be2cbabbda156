import { useState } from 'react';
import type { MatrixRow, SideClient } from '../../mirror/side-client.ts';
import type { BuildChoice } from '../../protocol/build-choice.ts';
import { POSTED_SERIES } from '../../protocol/build-choice.ts';
import { RUNG_LABELS, RUNGS } from '../../protocol/ladder.ts';
import controls from '../parts/controls.module.css';
import styles from './Patches.module.css';

/** Every switch off alone, each booted in a lab of its own in the second worker. */
export function MatrixTable(props: { readonly side: SideClient; readonly onPick: (choice: BuildChoice) => void }) {
  const { side, onPick } = props;
  const [rows, setRows] = useState<readonly MatrixRow[]>([]);
  const [progress, setProgress] = useState<{
    readonly index: number;
    readonly count: number;
    readonly line: string;
  } | null>(null);
  const run = async () => {
    setRows([]);
    setProgress({ index: 0, count: 1, line: 'starting' });
    const all = await side.matrix((news) => {
      if (news.kind === 'row') setRows((known) => [...known, news.row]);
      else setProgress({ index: news.index, count: news.count, line: `${news.step.console}# ${news.step.line}` });
    });
    if (all) setRows(all);
    setProgress(null);
  };
  return (
    <section className={styles.matrix} aria-label="One switch off at a time">
      <div className={styles.actions}>
        {progress === null ? (
          <button type="button" className={controls.primary} onClick={() => void run()}>
            {rows.length === 0 ? 'Compute all' : 'Compute again'}
          </button>
        ) : (
          <>
            <progress max={progress.count} value={progress.index} aria-label="Builds tried" />
            <span className={styles.count}>
              {progress.index} of {progress.count}
            </span>
            <code className={styles.line}>{progress.line}</code>
            <button type="button" className={controls.button} onClick={() => void side.cancel()}>
              Cancel
            </button>
          </>
        )}
        {rows.length === 0 && progress === null ? (
          <span>
            Builds each kernel and QEMU with one switch off and boots it towards L2’s first store. Some seconds.
          </span>
        ) : null}
      </div>
      {rows.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th scope="col">off</th>
              <th scope="col">what</th>
              {RUNGS.map((rung) => (
                <th key={rung} scope="col" className={styles.rung}>
                  {RUNG_LABELS[rung]}
                </th>
              ))}
              <th scope="col">first to say so</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const choice = choiceOf(row.id);
              return (
                <tr key={row.id}>
                  <th scope="row">
                    {choice ? (
                      <button type="button" className={styles.pick} onClick={() => onPick(choice)}>
                        {row.id}
                      </button>
                    ) : (
                      row.id
                    )}
                  </th>
                  <td className={styles.title}>{row.title}</td>
                  {RUNGS.map((rung) => {
                    const state = row.reached.includes(rung)
                      ? 'reached'
                      : row.failure?.rung === rung
                        ? 'failed'
                        : 'open';
                    return (
                      <td key={rung} data-state={state} className={styles.cell}>
                        {state === 'reached' ? '✓' : state === 'failed' ? '✕' : ''}
                      </td>
                    );
                  })}
                  <td className={styles.reason}>
                    {row.failure ? (
                      <>
                        <b>
                          {row.failure.layer}
                          {row.failure.errno === null ? '' : `, ${row.failure.errno}`}
                        </b>{' '}
                        <code>{row.failure.message}</code>
                      </>
                    ) : (
                      'reaches the memory'
                    )}
                    {row.linked ? (
                      <span className={styles.linked}>
                        made to link:{' '}
                        {row.linked.failure
                          ? `${RUNG_LABELS[row.linked.failure.rung]}, ${row.linked.failure.message}`
                          : 'reaches the memory'}
                      </span>
                    ) : null}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The board's choice for a row of the matrix. */
function choiceOf(id: string): BuildChoice | null {
  const patch = Number(id);
  if (Number.isInteger(patch)) return { ...POSTED_SERIES, without: [patch] };
  switch (id) {
    case 'all':
      return POSTED_SERIES;
    case 'device':
      return { ...POSTED_SERIES, device: 'none' };
    case 'device-A':
      return { ...POSTED_SERIES, device: 'A' };
    case 'qemu':
      return { ...POSTED_SERIES, qemu: 'upstream' };
    case 'qemu-posted':
      return { ...POSTED_SERIES, qemu: 'posted' };
    case 'qemu-branch':
      return { ...POSTED_SERIES, qemu: 'branch' };
    case 'driver-2025':
      return { ...POSTED_SERIES, driver: '2025' };
    default:
      return null;
  }
}
