import { type Measured, registerKey } from '../../mirror/ownership-meter.ts';
import type { OwnershipRow } from '../../mirror/side-client.ts';
import type { Inspector, RegisterRow } from '../../views/inspector.view.ts';
import { answersText, effectText, READERS, type Reader, readText, WRITERS } from '../../views/ownership.view.ts';
import { useMirror } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './OwnerSection.module.css';
import { isStale, type Ownership } from './use-ownership.ts';

/** Who owns the register at each layer, and what a write from each does: measured on a copy of this session. */
export function OwnerSection(props: {
  readonly view: Inspector;
  readonly row: RegisterRow;
  readonly ownership: Ownership;
}) {
  const { view, row, ownership } = props;
  const { measured, subject } = ownership;
  const mirror = useMirror();
  const measure = () => ownership.measure({ space: row.space, offset: row.offset });
  const found = measured?.rows.get(registerKey(row.space, row.offset));
  return (
    <section className={styles.section} aria-label="Who owns it">
      <p role="status" className={styles.state}>
        <State measured={measured} found={found !== undefined} stale={measured !== null && isStale(view, measured)} />
        {measured === null && !subject.passed
          ? ' Neither L2 nor a process of L1 has this device: only L1’s kernel reaches it.'
          : null}
      </p>
      {found ? <Matrix row={found} /> : null}
      <p className={styles.tools}>
        {measured?.state === 'running' ? null : (
          <button type="button" className={controls.button} onClick={measure}>
            {measured ? 'Measure again' : 'Measure'}
          </button>
        )}
        <button
          type="button"
          className={controls.button}
          onClick={() => mirror.update({ dialog: 'ownership', dialogAbout: row.name })}
        >
          All registers
        </button>
      </p>
    </section>
  );
}

function State(props: { readonly measured: Measured | null; readonly found: boolean; readonly stale: boolean }) {
  const { measured, found, stale } = props;
  if (measured === null) return <>Found out by writing it from every layer, on a copy of this session.</>;
  if (measured.message !== null) return <>{measured.message}</>;
  if (measured.state === 'running')
    return (
      <>
        Writing from every layer, on a copy of this session: {measured.rows.size}
        {measured.of > 0 ? ` of ${measured.of}` : ''} registers.
      </>
    );
  if (!found)
    return (
      <>
        {measured.state === 'stopped'
          ? 'Stopped before this register came.'
          : 'Measured are the CXL DVSECs and the component block; this register is in neither.'}
      </>
    );
  return (
    <>
      Measured on a copy of this session at event {measured.at}.
      {stale ? ' Registers of the device have changed since.' : ''}
    </>
  );
}

/** A row a layer: what it reads now and after each layer’s write, and whose copy it is that answers it. */
function Matrix({ row }: { readonly row: OwnershipRow }) {
  const { before, writes, width } = row;
  const writers = WRITERS.filter((writer) => writes[writer] !== null);
  const absent = WRITERS.filter((writer) => writes[writer] === null);
  return (
    <>
      <table className={styles.matrix}>
        <thead>
          <tr>
            <td />
            <td />
            <th scope="colgroup" colSpan={writers.length}>
              after all bits were inverted by
            </th>
          </tr>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">reads</th>
            {writers.map((writer) => (
              <th key={writer} scope="col">
                {SHORT[writer]}
              </th>
            ))}
          </tr>
        </thead>
        {READERS.filter((reader) => before[reader] !== null).map((reader) => (
          <tbody key={reader}>
            <tr>
              <th scope="row">{reader === 'device' ? 'device' : SHORT[reader]}</th>
              <td>{readText(before[reader], width)}</td>
              {writers.map((writer) => {
                const now = writes[writer]?.reads[reader] ?? null;
                return (
                  <td key={writer} data-changed={now !== before[reader]}>
                    <span>{readText(now, width)}</span>
                    {now !== before[reader] ? <span className="visually-hidden"> changed</span> : null}
                  </td>
                );
              })}
            </tr>
            {reader === 'device' ? null : (
              <tr>
                <td className={styles.answers} colSpan={2 + writers.length}>
                  answered by {answersText(row.answers[reader], width)}
                </td>
              </tr>
            )}
          </tbody>
        ))}
      </table>
      <ul className={styles.effects}>
        {writers.map((writer) => {
          const effect = writes[writer];
          if (!effect) return null;
          return (
            <li key={writer}>
              <strong>{SAYS[writer]}</strong> {effectText(writer, effect, width)}.
              {effect.path.length > 0 ? (
                <details>
                  <summary>
                    its way, {effect.path.length} {effect.path.length === 1 ? 'step' : 'steps'}
                  </summary>
                  <ol>
                    {effect.path.map((step, n) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: steps in order
                      <li key={n}>
                        <span className={styles.step}>{step.layer}</span> {step.name}
                      </li>
                    ))}
                  </ol>
                </details>
              ) : null}
            </li>
          );
        })}
        {absent.map((writer) => (
          <li key={writer}>{ABSENT[writer]}</li>
        ))}
      </ul>
    </>
  );
}

const SHORT: Readonly<Record<Exclude<Reader, 'device'>, string>> = {
  l2: 'L2',
  'l1.user': 'L1 user',
  'l1.kernel': 'L1 kernel',
};
const SAYS: Readonly<Record<Exclude<Reader, 'device'>, string>> = {
  l2: 'A write from L2',
  'l1.user': 'From L1’s user space (pwrite on VFIO’s file)',
  'l1.kernel': 'From L1’s kernel',
};
const ABSENT: Readonly<Record<Exclude<Reader, 'device'>, string>> = {
  l2: 'L2 does not have the device.',
  'l1.user': 'No process of L1 has it open through VFIO.',
  'l1.kernel': 'L1’s kernel has no way to it.',
};
