import { useState } from 'react';
import { hex, hex0x } from '../../base/addr.ts';
import { registerKey } from '../../mirror/ownership-meter.ts';
import type { OwnershipRow } from '../../mirror/side-client.ts';
import { eventLine } from '../../views/events.view.ts';
import {
  COLUMN_LABELS,
  cellOf,
  type FieldView,
  fieldsOf,
  type Inspector,
  type RegisterRow,
  withField,
  writeCommand,
} from '../../views/inspector.view.ts';
import { fieldOwner, ownerWord } from '../../views/ownership.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { BitBar } from './BitBar.tsx';
import { OwnerSection } from './OwnerSection.tsx';
import styles from './RegisterDetail.module.css';
import { type Ownership, useMeasured } from './use-ownership.ts';

/** What is told of a register below its bits. */
const TABS = [
  ['fields', 'Fields'],
  ['owner', 'Who owns it'],
] as const;

/** One register: its bits, then either its fields, who wrote it last and an edit that types its command, or who owns it. */
export function RegisterDetail(props: {
  readonly view: Inspector;
  readonly row: RegisterRow;
  readonly ownership: Ownership | null;
}) {
  const { view, row, ownership } = props;
  const mirror = useMirror();
  const chosen = usePageState((state) => state.registerTab);
  const tab = ownership ? chosen : 'fields';
  const measured = ownership?.measured?.rows.get(registerKey(row.space, row.offset));
  useMeasured(ownership, row);
  return (
    <div className={styles.detail}>
      <div className={styles.head}>
        <h4>
          {row.name} <code>{hex0x(row.offset, 3)}</code>
        </h4>
        {ownership ? (
          <div className={controls.group} role="toolbar" aria-label="Of this register">
            {TABS.map(([registerTab, label]) => (
              <button
                key={registerTab}
                type="button"
                className={controls.button}
                aria-pressed={tab === registerTab}
                onClick={() => mirror.update({ registerTab })}
              >
                {label}
              </button>
            ))}
          </div>
        ) : null}
      </div>
      <p className={styles.cite}>
        {row.cite.doc} {row.cite.section ?? ''} · {row.cite.title}
      </p>
      {measured && tab === 'fields' ? (
        <button type="button" className={styles.owned} onClick={() => mirror.update({ registerTab: 'owner' })}>
          {ownerWord(measured).title}.
        </button>
      ) : null}
      <BitBar fields={fieldsOf(row)} width={row.width * 8} value={row.cells.device.value} />
      {tab === 'owner' && ownership ? (
        <OwnerSection view={view} row={row} ownership={ownership} />
      ) : (
        <Fields view={view} row={row} measured={measured} />
      )}
    </div>
  );
}

function Fields(props: {
  readonly view: Inspector;
  readonly row: RegisterRow;
  readonly measured: OwnershipRow | undefined;
}) {
  const { view, row, measured } = props;
  const fields = fieldsOf(row);
  const told = fields.filter(
    (field) => !(field.inert || field.access.startsWith('rsvd')) || (field.now ?? 0) !== 0 || field.differs,
  );
  const columns = view.columns.filter((column) => row.cells[column].value !== null);
  return (
    <>
      <table className={styles.fields}>
        <thead>
          <tr>
            <th scope="col">bits</th>
            <th scope="col">field</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {COLUMN_LABELS[column]}
              </th>
            ))}
          </tr>
        </thead>
        {told.map((field) => (
          <tbody key={field.name} data-differs={field.differs}>
            <tr>
              <td>{field.bits}</td>
              <th scope="row">
                {field.name} <abbr title={ACCESS_WORDS[field.access] ?? field.access}>{field.access}</abbr>
              </th>
              {columns.map((column) => (
                <td key={column} className={styles.now}>
                  {field.values[column]}
                </td>
              ))}
            </tr>
            <tr>
              <td />
              <td className={styles.meaning} colSpan={columns.length + 1}>
                {field.meaning}.
                {field.word ? (
                  <>
                    {' '}
                    Now <strong>{field.word}</strong>.
                  </>
                ) : null}
                {field.lock ? ` Locked by ${field.lock}.` : ''}
                {field.inert ? ' Stored, without effect here.' : ''}
                <FieldOwner says={fieldOwner(measured, field.hi, field.lo)} />
              </td>
            </tr>
          </tbody>
        ))}
      </table>
      {fields.length > told.length ? (
        <p className={styles.last}>Reserved and inert bits, all 0, are not listed.</p>
      ) : null}
      <LastWrite view={view} row={row} />
      <Edit key={row.key} view={view} row={row} fields={fields} />
    </>
  );
}

function FieldOwner({ says }: { readonly says: string }) {
  return says === '' ? null : <span className={styles.owner}>{says}</span>;
}

const ACCESS_WORDS: Readonly<Record<string, string>> = {
  ro: 'read-only',
  hwinit: 'set by hardware before software runs',
  rw: 'read and write',
  rws: 'read and write, sticky over reset',
  rwl: 'read and write until locked',
  rwo: 'write once',
  rw1c: 'write 1 to clear',
  rw1cs: 'write 1 to clear, sticky over reset',
  rsvdp: 'reserved, preserve',
  rsvdz: 'reserved, zero',
};

function LastWrite({ view, row }: { readonly view: Inspector; readonly row: RegisterRow }) {
  const mirror = useMirror();
  const cell = cellOf(mirror.log, view.fn, { space: row.space, offset: row.offset });
  const last = cell === null ? -1 : mirror.log.lastChange(cell);
  if (last < 0) return <p className={styles.last}>Holds its reset value: nothing has written it.</p>;
  const cause = mirror.log.causes(last)[0];
  const line = eventLine(mirror.log, cause ?? last);
  return (
    <p className={styles.last}>
      Last written at event {last} by{' '}
      <button type="button" className={styles.link} onClick={() => mirror.select({ kind: 'event', row: last })}>
        {line.layer}: {line.name}
      </button>
    </p>
  );
}

function Edit(props: { readonly view: Inspector; readonly row: RegisterRow; readonly fields: readonly FieldView[] }) {
  const { view, row, fields } = props;
  const mirror = useMirror();
  const live = usePageState((state) => state.live);
  const writable = fields.filter((field) => !/^(ro|hwinit|rsvd)/.test(field.access));
  const [name, setName] = useState(writable[0]?.name ?? '');
  const [text, setText] = useState('');
  const field = writable.find((one) => one.name === name);
  const seen = view.machine === 'l2' ? (row.cells.l2.value ?? row.cells.device.value) : row.cells.device.value;
  if (!field || seen === null || mirror.client.readOnly) return null;
  const value = text.trim() === '' ? null : Number(text.trim());
  const fits = value !== null && Number.isInteger(value) && value >= 0 && value < 2 ** (field.hi - field.lo + 1);
  const next = fits ? withField(seen, field, value) : null;
  const command =
    next === null
      ? null
      : writeCommand(view.fn, view.machine, { space: row.space, offset: row.offset }, row.width, next);
  return (
    <form
      className={styles.edit}
      onSubmit={(event) => {
        event.preventDefault();
        if (!command || 'refused' in command || !live) return;
        mirror.update({ activeConsole: command.console });
        void mirror.client.run(command.console, command.line);
        setText('');
      }}
    >
      <label>
        Set{' '}
        <select className={controls.field} value={field.name} onChange={(event) => setName(event.target.value)}>
          {writable.map((one) => (
            <option key={one.name}>{one.name}</option>
          ))}
        </select>
      </label>
      <input
        className={controls.field}
        aria-label={`New value of ${field.name}`}
        placeholder={`0 … ${hex0x(2 ** (field.hi - field.lo + 1) - 1)}`}
        value={text}
        onChange={(event) => setText(event.target.value)}
        size={12}
      />
      <button type="submit" className={controls.button} disabled={!command || 'refused' in command || !live}>
        Type it
      </button>
      <output className={styles.preview}>
        {!live
          ? 'The past is read-only.'
          : command && 'line' in command
            ? `${command.console}# ${command.line}`
            : command
              ? command.refused
              : value !== null && !fits
                ? `${field.name} holds ${field.hi - field.lo + 1} bit${field.hi === field.lo ? '' : 's'}.`
                : `now ${hex(seen, row.width * 2)}`}
      </output>
    </form>
  );
}
