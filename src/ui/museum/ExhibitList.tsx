import { type KeyboardEvent, useEffect, useRef } from 'react';
import { type Exhibit, MUSEUM } from '../../content/museum.ts';
import controls from '../parts/controls.module.css';
import styles from './ExhibitList.module.css';

const WHERE: Readonly<Record<string, string>> = {
  stub: 'L1’s QEMU',
  driver: 'L2’s driver',
  'type-2': 'type-2 series',
};

/** Whose code an exhibit is about. */
export function whereOf(exhibit: Exhibit): string {
  return typeof exhibit.patch === 'number'
    ? `patch ${String(exhibit.patch).padStart(2, '0')}`
    : (WHERE[exhibit.patch] ?? exhibit.patch);
}

interface Props {
  readonly id: string;
  readonly onChoose: (id: string) => void;
}

/** All exhibits; arrow keys go through them. */
export function ExhibitList({ id, onChoose }: Props) {
  const list = useRef<HTMLOListElement>(null);
  // The list is where a visit begins: arrow keys work at once.
  useEffect(() => list.current?.querySelector<HTMLElement>('[aria-current=true]')?.focus(), []);
  const walk = (event: KeyboardEvent<HTMLElement>) => {
    const at = MUSEUM.findIndex((one) => one.id === id);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: MUSEUM.length - 1 }[event.key];
    const next = to === undefined ? undefined : MUSEUM[to];
    if (!next) return;
    event.preventDefault();
    list.current?.querySelector<HTMLElement>(`[data-exhibit="${next.id}"]`)?.focus();
    onChoose(next.id);
  };
  return (
    <nav className={styles.list} aria-label="Exhibits" data-pane="exhibits">
      <ol ref={list} onKeyDown={walk}>
        {MUSEUM.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              data-exhibit={one.id}
              tabIndex={one.id === id ? 0 : -1}
              aria-current={one.id === id}
              ref={one.id === id ? intoView : null}
              onClick={() => onChoose(one.id)}
            >
              <span className={styles.where}>{whereOf(one)}</span>
              {one.title}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** The same in one line, for when the list is put away. */
export function ExhibitSelect({ id, onChoose }: Props) {
  const at = MUSEUM.findIndex((one) => one.id === id);
  const step = (by: 1 | -1) => MUSEUM[at + by];
  return (
    <div className={styles.select}>
      <button
        type="button"
        className={controls.button}
        aria-label="Previous exhibit"
        disabled={!step(-1)}
        onClick={() => onChoose(step(-1)?.id ?? id)}
      >
        ‹
      </button>
      <select
        className={controls.field}
        aria-label="Exhibit"
        value={id}
        onChange={(event) => onChoose(event.target.value)}
      >
        {MUSEUM.map((one) => (
          <option key={one.id} value={one.id}>
            {whereOf(one)}: {one.title}
          </option>
        ))}
      </select>
      <button
        type="button"
        className={controls.button}
        aria-label="Next exhibit"
        disabled={!step(1)}
        onClick={() => onChoose(step(1)?.id ?? id)}
      >
        ›
      </button>
    </div>
  );
}

/** The chosen exhibit may be far down the list when a link chose it. */
function intoView(button: HTMLButtonElement | null): void {
  button?.scrollIntoView({ block: 'nearest' });
}
