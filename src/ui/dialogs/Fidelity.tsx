import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { groupBy } from '../../views/group-by.ts';
import { type LedgerEntry, parseLedger, searchLedger } from '../../views/ledger.view.ts';
import { usePageState } from '../context.tsx';
import { linkTo } from '../links.ts';
import controls from '../parts/controls.module.css';
import styles from './Fidelity.module.css';
import { Scores } from './Scores.tsx';

const files = import.meta.glob<string>('../../content/fidelity.md', { query: '?raw', import: 'default' });

/** The ledger of known differences, as it stands in the source, and how the lab scores against captures of the real thing. */
export function Fidelity() {
  const about = usePageState((state) => state.dialogAbout);
  const [entries, setEntries] = useState<readonly LedgerEntry[] | null>(null);
  const [question, setQuestion] = useState('');
  useEffect(() => {
    const [load] = Object.values(files);
    if (load) void load().then((text) => setEntries(parseLedger(text)));
  }, []);
  const found = useMemo(() => searchLedger(entries ?? [], question), [entries, question]);
  const sections = [...groupBy(found, (entry) => entry.section)];
  if (entries === null) return null;
  const unknown = about !== '' && !entries.some((entry) => entry.id === about);
  return (
    <div className={styles.page}>
      <p className={styles.lead}>
        What is not listed here is meant to be as the real thing; if it is not, that is a fault. Entries have an id that
        comments, messages and links refer to.
      </p>
      <Scores />
      <div className={styles.search}>
        <input
          className={controls.field}
          type="search"
          aria-label="Search the ledger"
          placeholder="Search: vfio, mailbox, cxl list …"
          value={question}
          onChange={(event) => setQuestion(event.target.value)}
        />
        <span role="status">
          {found.length} of {entries.length} entries
        </span>
      </div>
      {unknown ? <p className={styles.unknown}>The ledger has no entry “{about}” (any more).</p> : null}
      {sections.map(([section, all]) => (
        <section key={section} aria-label={section}>
          <h3>{section}</h3>
          <dl>
            {all.map((entry) => (
              <Entry key={entry.id} entry={entry} asked={entry.id === about} />
            ))}
          </dl>
        </section>
      ))}
      {found.length === 0 ? <p className={styles.unknown}>No entry has all of these words.</p> : null}
    </div>
  );
}

function Entry({ entry, asked }: { readonly entry: LedgerEntry; readonly asked: boolean }) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (asked) row.current?.scrollIntoView({ block: 'center' });
  }, [asked]);
  return (
    <div ref={row} className={styles.entry} data-asked={asked} id={`fidelity-${entry.id}`}>
      <dt>
        <a href={linkTo({ fidelity: entry.id })}>{entry.id}</a>
      </dt>
      <dd>{inline(entry.text)}</dd>
    </div>
  );
}

/** Code and emphasis are all the ledger uses. */
function inline(text: string): readonly ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, n) => {
    const key = `${n}${part.slice(0, 8)}`;
    if (part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>;
    if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>;
    return part;
  });
}
