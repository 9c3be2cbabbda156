import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { hex } from '../../base/addr.ts';
import type { MachineId } from '../../log/index.ts';
import type { MirrorLog } from '../../mirror/index.ts';
import type { Measured } from '../../mirror/ownership-meter.ts';
import type { OwnershipRow } from '../../mirror/side-client.ts';
import {
  answersText,
  effectText,
  effectWord,
  holdersText,
  READER_LABELS,
  READERS,
  readText,
  WRITERS,
} from '../../views/ownership.view.ts';
import { threadsOf } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import { meterOf, useOwnership } from '../inspector/use-ownership.ts';
import controls from '../parts/controls.module.css';
import styles from './Meters.module.css';

const WALKTHROUGH = 'walkthrough';

/** The whole table: every register written from every layer, on copies of this session; rows come as they are found. */
export default function OwnershipTable() {
  const mirror = useMirror();
  const meter = meterOf(mirror);
  const about = usePageState((state) => state.dialogAbout);
  const selection = usePageState((state) => state.selection);
  const chosen = selection?.kind === 'function' ? selection : null;
  const device = useFolded((log) => chosen ?? passedDevice(log), chosen);
  const own = useOwnership(device?.machine ?? 'l1', device?.id ?? '');
  const [wanted, setWanted] = useState(about);
  const walked = useStore(meter.store, (state) => state.measured.get(WALKTHROUGH) ?? null);
  // A session in which nothing is passed through yet has nothing to show: the walkthrough's table stands in, and says so.
  const ownership = own?.subject.passed || own?.measured ? own : null;
  const measured = ownership ? ownership.measured : walked;
  const missing = measured === null;
  const measure = ownership?.measure;
  useEffect(() => {
    if (!missing) return;
    if (measure) measure();
    else void meter.measure(WALKTHROUGH, null, {});
  }, [missing, measure, meter]);
  const show = (row: OwnershipRow) => {
    if (ownership) {
      const register = { space: row.space, offset: row.offset };
      mirror.select({ kind: 'function', machine: 'l1', id: ownership.subject.id, register });
    }
    mirror.update({ dialog: null, registerTab: 'owner' });
  };
  const rows = useMemo(() => [...(measured?.rows.values() ?? [])].toSorted(byPlace), [measured]);
  const filter = wanted.trim().toUpperCase();
  const matching = rows.filter(
    ({ name, block, owner }) =>
      filter === '' ||
      name.includes(filter) ||
      block.toUpperCase().includes(filter) ||
      owner.toUpperCase().includes(filter),
  );
  return (
    <div className={styles.meter}>
      <div className={styles.bar}>
        <label>
          Filter{' '}
          <input value={wanted} onChange={(event) => setWanted(event.target.value)} placeholder="CTRL, hdm, vconfig" />
        </label>
        <span role="status">{stateText(measured)}</span>
        <span>
          {ownership
            ? `Of ${ownership.subject.id} in this session${measured?.at == null ? '' : `, at event ${measured.at}`}.`
            : 'Nothing is passed through in this session: this is the walkthrough’s table.'}
        </span>
        {ownership && measured?.state !== 'running' ? (
          <button type="button" className={controls.button} onClick={() => ownership.measure()}>
            Measure again
          </button>
        ) : null}
      </div>
      <div className={styles.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                register
              </th>
              <th scope="col" rowSpan={2}>
                where
              </th>
              <th scope="col" rowSpan={2}>
                answers L2
              </th>
              <th scope="colgroup" colSpan={READERS.length}>
                is read by
              </th>
              <th scope="colgroup" colSpan={WRITERS.length}>
                a write of all bits inverted ends in, from
              </th>
            </tr>
            <tr>
              {READERS.map((reader) => (
                <th key={reader} scope="col" className={styles.number}>
                  {READER_LABELS[reader]}
                </th>
              ))}
              {WRITERS.map((writer) => (
                <th key={writer} scope="col">
                  {READER_LABELS[writer]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matching.map((row) => (
              <tr key={`${row.space}-${row.offset}`} data-differs={row.before.l2 !== row.before['l1.kernel']}>
                <th scope="row">
                  <button type="button" className={styles.command} onClick={() => show(row)}>
                    {row.name}
                  </button>
                </th>
                <td className={styles.mono}>
                  {row.space}+{hex(row.offset, 4)}
                </td>
                <td title={answersText(row.answers.l2, row.width)}>
                  {holdersText(row.answers.l2, row.width, 'constant')}
                </td>
                {READERS.map((reader) => (
                  <td key={reader} className={styles.number}>
                    {readText(row.before[reader], row.width)}
                  </td>
                ))}
                {WRITERS.map((writer) => {
                  const effect = row.writes[writer];
                  return (
                    <td key={writer} title={effect ? `It ${effectText(writer, effect, row.width)}` : ''}>
                      {effectWord(effect, row.width)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function byPlace(one: OwnershipRow, other: OwnershipRow): number {
  return one.space === other.space ? one.offset - other.offset : one.space < other.space ? 1 : -1;
}

function stateText(measured: Measured | null): string {
  if (measured === null) return 'A copy of the session starts.';
  const { rows, of, state, message } = measured;
  if (message !== null) return message;
  if (state === 'running')
    return `${rows.size}${of > 0 ? ` of ${of}` : ''} registers so far: each is written from every layer`;
  return state === 'done' ? `${rows.size} registers` : `Stopped after ${rows.size} registers.`;
}

/** The device L2 has, or else one that VFIO has open. */
function passedDevice(log: MirrorLog): { readonly machine: MachineId; readonly id: string } | null {
  const threads = threadsOf(log);
  return (
    (threads.find(({ guest }) => guest !== null) ?? threads.find(({ vfio }) => vfio?.opened === true))?.device ?? null
  );
}
