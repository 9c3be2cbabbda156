import { memo, useEffect, useState } from 'react';
import type { MatrixRow, SideClient } from '../../mirror/side-client.ts';
import type { BuildChoice } from '../../protocol/build-choice.ts';
import { choiceFromText } from '../../protocol/choice-text.ts';
import { MATRIX_KINDS, type MatrixKind, type MatrixSwitch, RUNG_LABELS, RUNGS } from '../../protocol/ladder.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import { layerName } from './layer-name.ts';
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

interface Progress {
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly line: string;
}

/** Every switch alone, each booted in a lab of its own in the second worker: a group of them at a time, or all. */
export function MatrixTable(props: { readonly side: SideClient; readonly onPick: (choice: BuildChoice) => void }) {
  const { side, onPick } = props;
  const [switches, setSwitches] = useState<readonly MatrixSwitch[]>([]);
  const [rows, setRows] = useState<ReadonlyMap<string, MatrixRow>>(new Map());
  const [ended, setEnded] = useState('');
  const [progress, setProgress] = useState<Progress | null>(null);
  useEffect(() => {
    void side.switches().then(setSwitches);
  }, [side]);
  const run = async (kinds: readonly MatrixKind[]) => {
    const asked = switches.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
    let done = 0;
    setRows((known) => new Map([...known].filter(([id]) => !asked.includes(id))));
    setEnded('');
    setProgress({ id: '', index: 0, count: asked.length, line: 'starting' });
    const take = (news: readonly MatrixRow[]) =>
      setRows((known) => new Map([...known, ...news.map((row) => [row.id, row] as const)]));
    try {
      const all = await side.matrix(asked, (news) => {
        if (news.kind === 'row') {
          done++;
          take([news.row]);
        } else {
          const { id, index, count, step } = news;
          setProgress({ id, index, count, line: `${step.console}# ${step.line}` });
        }
      });
      if (all) take(all);
      else setEnded(`Cancelled after ${done} of ${asked.length} builds.`);
    } catch (error) {
      setEnded(`Ended after ${done} of ${asked.length} builds: ${error instanceof Error ? error.message : error}`);
    } finally {
      setProgress(null);
    }
  };
  const computed = switches.flatMap(({ id }) => rows.get(id) ?? []);
  const patches = switches.filter(({ kind }) => FIRST.includes(kind));
  return (
    <section className={styles.matrix} aria-label="One switch at a time">
      <div className={styles.actions}>
        {progress === null ? (
          <>
            <button type="button" className={controls.primary} onClick={() => void run(FIRST)}>
              Compute the patches
            </button>
            <button type="button" className={controls.button} onClick={() => void run(MATRIX_KINDS)}>
              Compute all {switches.length}
            </button>
          </>
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
        {progress === null && computed.length > 0 ? (
          <CopyButton label="Copy as Markdown" text={() => matrixMarkdown(computed)} />
        ) : null}
        {progress === null ? (
          <span role="status" className={styles.summary}>
            {ended !== ''
              ? ended
              : computed.length > 0
                ? told(computed)
                : `Each build has one thing changed and is booted towards L2’s first store. The ${patches.length} of the series take seconds, all of them half a minute.`}
          </span>
        ) : null}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={styles.table} tabIndex={0} aria-label="Outcomes">
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
            const own = switches.filter((one) => one.kind === kind);
            return own.length === 0 ? null : (
              <tbody key={kind}>
                <tr className={styles.kind}>
                  <th scope="rowgroup" colSpan={RUNGS.length + 3}>
                    {KIND_NAMES[kind]} {own.length > 1 ? <span className={styles.count}>· {own.length}</span> : null}
                    {progress === null && own.length > 1 ? (
                      <button
                        type="button"
                        className={controls.quiet}
                        aria-label={`Compute: ${KIND_NAMES[kind]}`}
                        onClick={() => void run([kind])}
                      >
                        Compute these
                      </button>
                    ) : null}
                  </th>
                </tr>
                {own.map((one) => {
                  const row = rows.get(one.id);
                  return row ? (
                    <Row key={one.id} row={row} onPick={onPick} />
                  ) : (
                    <Untried key={one.id} one={one} running={progress?.id === one.id} />
                  );
                })}
              </tbody>
            );
          })}
        </table>
      </section>
    </section>
  );
}

/** What a reviewer asks first. */
const FIRST: readonly MatrixKind[] = ['none', 'patch'];

function told(rows: readonly MatrixRow[]): string {
  const whole = rows.filter(({ failure }) => failure === null).length;
  return `${rows.length} builds tried: ${whole} reach the memory, ${rows.length - whole} stop on the way.`;
}

const Untried = memo(function Untried(props: { readonly one: MatrixSwitch; readonly running: boolean }) {
  const { one, running } = props;
  return (
    <tr className={styles.untried} data-running={running}>
      <th scope="row" className={styles.id}>
        {one.id}
      </th>
      <td className={styles.title}>{one.title}</td>
      <td colSpan={RUNGS.length + 1}>{running ? 'running' : ''}</td>
    </tr>
  );
});

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
            <span className={styles.stops}>stops at {RUNG_LABELS[row.failure.rung]}: </span>
            <b>
              {layerName(row.failure.layer)}
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
