import { memo, useState } from 'react';
import type { MatrixRow, SideClient } from '../../mirror/side-client.ts';
import type { BuildChoice } from '../../protocol/build-choice.ts';
import { choiceFromText } from '../../protocol/choice-text.ts';
import { MATRIX_KINDS, type MatrixKind, RUNG_LABELS, RUNGS } from '../../protocol/ladder.ts';
import controls from '../parts/controls.module.css';
import { matrixMarkdown } from './matrix-text.ts';
import styles from './Patches.module.css';

const KIND_NAMES: Readonly<Record<MatrixKind, string>> = {
  none: 'The whole series',
  patch: 'One patch out',
  part: 'A part around the series gone',
  variant: 'A part of another make',
  option: 'An option of L1’s kernel',
  later: 'The series of June 2026',
  defect: 'One defect turned round',
};

/** Every switch alone, each booted in a lab of its own in the second worker. */
export function MatrixTable(props: { readonly side: SideClient; readonly onPick: (choice: BuildChoice) => void }) {
  const { side, onPick } = props;
  const [rows, setRows] = useState<readonly MatrixRow[]>([]);
  const [stopped, setStopped] = useState(false);
  const [copied, setCopied] = useState(false);
  const [progress, setProgress] = useState<{
    readonly index: number;
    readonly count: number;
    readonly line: string;
  } | null>(null);
  const run = async () => {
    setRows([]);
    setCopied(false);
    setStopped(false);
    setProgress({ index: 0, count: 1, line: 'starting' });
    try {
      const all = await side.matrix((news) => {
        if (news.kind === 'row') setRows((known) => [...known, news.row]);
        else setProgress({ index: news.index, count: news.count, line: `${news.step.console}# ${news.step.line}` });
      });
      if (all) setRows(all);
      else setStopped(true);
    } finally {
      setProgress(null);
    }
  };
  return (
    <section className={styles.matrix} aria-label="One switch at a time">
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
        {progress === null && rows.length > 0 ? (
          <button
            type="button"
            className={controls.button}
            onClick={() => void navigator.clipboard?.writeText(matrixMarkdown(rows)).then(() => setCopied(true))}
          >
            {copied ? 'Copied' : 'Copy as Markdown'}
          </button>
        ) : null}
        {stopped ? <span>Cancelled after {rows.length} builds.</span> : null}
        {rows.length === 0 && progress === null && !stopped ? (
          <span>
            Builds each kernel and QEMU with one thing changed and boots it towards L2’s first store. Some seconds.
          </span>
        ) : null}
      </div>
      {rows.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th scope="col" className={styles.id}>
                changed
              </th>
              <th scope="col">what</th>
              {RUNGS.map((rung) => (
                <th key={rung} scope="col" className={styles.rung}>
                  {RUNG_LABELS[rung]}
                </th>
              ))}
              <th scope="col">first to say so</th>
            </tr>
          </thead>
          {MATRIX_KINDS.map((kind) => {
            const own = rows.filter((row) => row.kind === kind);
            return own.length === 0 ? null : (
              <tbody key={kind}>
                <tr className={styles.kind}>
                  <th scope="rowgroup" colSpan={RUNGS.length + 3}>
                    {KIND_NAMES[kind]}
                  </th>
                </tr>
                {own.map((row) => (
                  <Row key={row.id} row={row} onPick={onPick} />
                ))}
              </tbody>
            );
          })}
        </table>
      )}
    </section>
  );
}

/** Drawn once: news of the rows after it does not concern it. */
const Row = memo(function Row(props: { readonly row: MatrixRow; readonly onPick: (choice: BuildChoice) => void }) {
  const { row, onPick } = props;
  const pick = (text: string) => {
    const choice = choiceFromText(text);
    if (typeof choice !== 'string') onPick(choice);
  };
  return (
    <tr>
      <th scope="row" className={styles.id}>
        <button type="button" className={styles.pick} onClick={() => pick(row.choice)}>
          {row.id}
        </button>
      </th>
      <td className={styles.title}>{row.title}</td>
      {RUNGS.map((rung) => {
        const state = row.reached.includes(rung) ? 'reached' : row.failure?.rung === rung ? 'failed' : 'open';
        return (
          <td key={rung} data-state={state} className={styles.cell} title={row.found[rung]}>
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
            <button type="button" className={styles.pick} onClick={() => pick(row.linked?.choice ?? '')}>
              made to link
            </button>
            :{' '}
            {row.linked.failure
              ? `${RUNG_LABELS[row.linked.failure.rung]}, ${row.linked.failure.message}`
              : 'reaches the memory'}
          </span>
        ) : null}
      </td>
    </tr>
  );
});
