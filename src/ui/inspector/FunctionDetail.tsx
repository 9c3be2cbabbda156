import { useMemo, useState } from 'react';
import { hex0x } from '../../base/addr.ts';
import type { Selection } from '../../mirror/index.ts';
import { registerKey } from '../../mirror/ownership-meter.ts';
import type { OwnershipRow } from '../../mirror/side-client.ts';
import { sizeText } from '../../state/decode.ts';
import {
  type BlockView,
  COLUMN_LABELS,
  type Inspector,
  inspectorView,
  type RegisterRow,
} from '../../views/inspector.view.ts';
import { ownerWord } from '../../views/ownership.view.ts';
import { useFolded, useMirror, usePage } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './FunctionDetail.module.css';
import { MemoryDump } from './MemoryDump.tsx';
import { RegisterDetail } from './RegisterDetail.tsx';
import { useOwnership } from './use-ownership.ts';

const FILTERS = ['all', 'set', 'differs'] as const;
type Filter = (typeof FILTERS)[number];
type FunctionSelection = Extract<Selection, { kind: 'function' }>;

export function FunctionDetail({ selection }: { readonly selection: FunctionSelection }) {
  const mirror = useMirror();
  const { layoutOf } = usePage();
  const { machine, id, register } = selection;
  const [chosen, setSpace] = useState<string | undefined>(undefined);
  const [filter, setFilter] = useState<Filter>('set');
  const [memory, setMemory] = useState(false);
  const space = register?.space ?? chosen;
  const view = useFolded((log) => inspectorView(log, layoutOf, machine, id, space), machine, id, space);
  const ownership = useOwnership(machine, id);
  const blocks = useMemo(() => (view ? filtered(view.blocks, filter) : []), [view, filter]);
  const dump = memory && machine === 'l1' && view?.fn.backend !== undefined;
  if (!view) return <Gone machine={machine} id={id} />;
  const row = register
    ? view.blocks
        .flatMap((block) => block.rows)
        .find((one) => register.offset >= one.offset && register.offset < one.offset + one.width)
    : undefined;
  return (
    <div className={styles.detail}>
      <Facts view={view} />
      <div className={styles.bar}>
        <div className={controls.group} role="toolbar" aria-label="Register space">
          {view.spaces.map((one) => (
            <button
              key={one}
              type="button"
              className={controls.button}
              aria-pressed={one === view.space && !dump}
              onClick={() => {
                setSpace(one);
                setMemory(false);
                mirror.select({ kind: 'function', machine, id });
              }}
            >
              {one === 'config' ? 'config' : one === 'chbcr' ? 'CHBCR' : one.toUpperCase()}
            </button>
          ))}
          {view.fn.backend && machine === 'l1' ? (
            <button type="button" className={controls.button} aria-pressed={dump} onClick={() => setMemory(true)}>
              memory
            </button>
          ) : null}
        </div>
        {dump ? null : (
          <select
            className={controls.field}
            aria-label="Registers shown"
            value={filter}
            onChange={(event) => setFilter(FILTERS.find((one) => one === event.target.value) ?? 'set')}
          >
            {FILTERS.map((one) => (
              <option key={one} value={one}>
                {{ all: 'all registers', set: 'non-zero', differs: 'differing' }[one]}
              </option>
            ))}
          </select>
        )}
      </div>
      {row && !dump ? <RegisterDetail view={view} row={row} ownership={ownership} /> : null}
      <div className={styles.scroll}>
        {dump ? <MemoryDump id={id} /> : null}
        {(dump ? [] : blocks).map((block) => (
          <BlockTable
            key={block.key}
            block={block}
            measured={ownership?.measured?.rows ?? null}
            selected={row?.key ?? null}
            onSelect={(one) =>
              mirror.select({ kind: 'function', machine, id, register: { space: one.space, offset: one.offset } })
            }
          />
        ))}
        {blocks.length === 0 && !dump ? (
          <p className={controls.empty}>
            {filter === 'differs' ? 'No register differs between the columns.' : 'No registers to show in this space.'}
          </p>
        ) : null}
        {view.unexplained.length > 0 ? (
          <p className={styles.note}>Without a layout: {view.unexplained.join(', ')}</p>
        ) : null}
      </div>
    </div>
  );
}

function filtered(blocks: readonly BlockView[], filter: Filter): readonly BlockView[] {
  if (filter === 'all') return blocks;
  const keep = (row: RegisterRow): boolean =>
    filter === 'differs' ? row.differs : Object.values(row.cells).some((cell) => (cell.value ?? 0) !== 0);
  return blocks.map((block) => ({ ...block, rows: block.rows.filter(keep) })).filter((block) => block.rows.length > 0);
}

function Gone({ machine, id }: { readonly machine: string; readonly id: string }) {
  return (
    <div className={controls.empty}>
      <strong>
        {id} of {machine} does not exist at this moment.
      </strong>
      <p>It exists at another point of the log: move the cursor in the time strip.</p>
    </div>
  );
}

function Facts({ view }: { readonly view: Inspector }) {
  const { fn } = view;
  return (
    <div className={styles.facts}>
      <h3>
        {fn.label} <code>{fn.bdf}</code>
      </h3>
      <p>
        {view.machine.toUpperCase()} · <code>{fn.type}</code> id <code>{fn.id}</code> · <code>{fn.vendorDevice}</code>
        {view.driver ? (
          <>
            {' '}
            · driver <strong>{view.driver}</strong>
          </>
        ) : null}
      </p>
      {fn.bars.length > 0 ? (
        <p>
          {fn.bars.map((bar) => (
            <span key={bar.index}>
              BAR{bar.index} <code>{bar.addr === null ? 'unassigned' : hex0x(bar.addr)}</code> {sizeText(bar.size)}{' '}
              {bar.name}{' '}
            </span>
          ))}
        </p>
      ) : null}
    </div>
  );
}

function OwnerCell({ row }: { readonly row: OwnershipRow | undefined }) {
  if (!row) return <td />;
  const { word, sign, kept, title } = ownerWord(row);
  return (
    <td className={styles.owner} title={title}>
      <span className={styles.word}>
        {word}
        {kept ? '' : ' ro'}
      </span>
      <span className={styles.sign} data-kept={kept} aria-hidden="true">
        {sign}
      </span>
    </td>
  );
}

/** Brings a row into view, and lets no row end half below the headings. */
function align(row: HTMLTableRowElement): void {
  row.scrollIntoView({ block: 'nearest' });
  const table = row.closest('table');
  const head = table?.tHead?.querySelector('th')?.getBoundingClientRect().bottom ?? 0;
  for (const one of table?.tBodies[0]?.rows ?? []) {
    const { top, bottom } = one.getBoundingClientRect();
    if (top < head && bottom > head) table?.parentElement?.scrollBy(0, Math.ceil(bottom - head) + 1);
  }
}

/** Once, and again whenever the register's own detail above takes more or less room. */
function intoView(row: HTMLTableRowElement): () => void {
  const list = row.closest('table')?.parentElement;
  const resized = new ResizeObserver(() => align(row));
  if (list) resized.observe(list);
  return () => resized.disconnect();
}

function BlockTable(props: {
  readonly block: BlockView;
  readonly measured: ReadonlyMap<string, OwnershipRow> | null;
  readonly selected: string | null;
  readonly onSelect: (row: RegisterRow) => void;
}) {
  const { block, measured } = props;
  const ownerOf = (row: RegisterRow) => measured?.get(registerKey(row.space, row.offset));
  const owned = block.rows.some((row) => ownerOf(row) !== undefined);
  return (
    <table className={styles.table}>
      <caption title={`${block.title} ${hex0x(block.at)} · ${block.cite.doc} ${block.cite.section ?? ''}`}>
        {block.title} <span>{hex0x(block.at)}</span>
        <span className={styles.cite}>
          · {block.cite.doc} {block.cite.section ?? ''}
        </span>
      </caption>
      <thead>
        <tr>
          <th scope="col">offset</th>
          <th scope="col">register</th>
          {block.columns.map((column) => (
            <th key={column} scope="col" className={styles.value}>
              {COLUMN_LABELS[column]}
            </th>
          ))}
          {owned ? (
            <th scope="col" title="Whose copy answers L2; ro: its writes are kept nowhere">
              <span className={styles.word}>owner</span>
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {block.rows.map((row) => (
          <tr
            key={row.key}
            ref={row.key === props.selected ? intoView : null}
            data-selected={row.key === props.selected}
            onClick={() => props.onSelect(row)}
          >
            <td className={styles.offset}>{hex0x(row.offset, 3)}</td>
            <th scope="row">
              <button type="button" onClick={() => props.onSelect(row)} aria-pressed={row.key === props.selected}>
                {row.name}
              </button>
            </th>
            {block.columns.map((column) => {
              const cell = row.cells[column];
              return (
                <td
                  key={column}
                  className={styles.value}
                  data-differs={cell.differs}
                  data-zero={cell.value === 0 || cell.value === null}
                >
                  <span>{cell.text}</span>
                  {cell.differs ? <span className="visually-hidden"> differs from the device</span> : null}
                </td>
              );
            })}
            {owned ? <OwnerCell row={ownerOf(row)} /> : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
