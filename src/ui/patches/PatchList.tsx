import { useState } from 'react';
import { RFC_V1_PATCHES } from '../../content/series/rfc-v1.ts';
import { type BuildChoice, WHOLE_FILES } from '../../protocol/build-choice.ts';
import { PATCH_FACTS, type PatchFacts, two } from './dependencies.ts';
import styles from './Patches.module.css';

/** The thirteen patches, each a switch: in, out, or out with stand-ins for what it exports. */
export function PatchList(props: { readonly choice: BuildChoice; readonly onChange: (choice: BuildChoice) => void }) {
  const { choice, onChange } = props;
  const [near, setNear] = useState<number | null>(null);
  const facts = near === null ? undefined : PATCH_FACTS.get(near);
  const gone = new Set([...choice.without, ...choice.soft]);
  const set = (number: number, state: 'in' | 'out' | 'stand-in') => {
    const rest = (list: readonly number[]) => list.filter((one) => one !== number);
    const and = (list: readonly number[]) => [...rest(list), number].sort((a, b) => a - b);
    onChange({
      ...choice,
      without: state === 'out' ? and(choice.without) : rest(choice.without),
      soft: state === 'stand-in' ? and(choice.soft) : rest(choice.soft),
    });
  };
  return (
    <ul className={styles.patches} aria-label="Patches of the series">
      {RFC_V1_PATCHES.map(({ number, subject, purpose, files }) => {
        const own = PATCH_FACTS.get(number);
        const relation = relationTo(number, facts);
        return (
          <li
            key={number}
            data-off={gone.has(number)}
            data-relation={relation}
            onPointerEnter={() => setNear(number)}
            onPointerLeave={() => setNear(null)}
            onFocus={() => setNear(number)}
            onBlur={() => setNear(null)}
          >
            <label className={styles.patch}>
              <input
                type="checkbox"
                checked={!gone.has(number)}
                onChange={(event) => set(number, event.target.checked ? 'in' : 'out')}
              />
              <span className={styles.number}>{two(number)}</span>
              <span>
                <span className={styles.subject}>{subject}</span>
                <span className={styles.purpose}>{purpose}</span>
                {own ? <Links facts={own} /> : null}
                <span className={styles.touched} title={files.join('\n')}>
                  {files.map((file) => file.split('/').slice(-1)[0]).join(' ')}
                  {own && own.functions.length > 0 ? ` · ${own.functions.join(', ')}` : ''}
                </span>
              </span>
            </label>
            <Remarks
              number={number}
              choice={choice}
              onStandIn={(on) => set(number, on ? 'stand-in' : 'out')}
              callers={(own?.neededBy ?? []).filter((one) => !gone.has(one))}
              home={own?.within ?? null}
            />
          </li>
        );
      })}
    </ul>
  );
}

/** How a row stands to the one under the pointer: drawn at its left edge. */
function relationTo(number: number, facts: PatchFacts | undefined): 'needed' | 'needs' | undefined {
  if (facts?.needs.includes(number) || facts?.within === number) return 'needed';
  return facts?.neededBy.includes(number) ? 'needs' : undefined;
}

function Links({ facts }: { readonly facts: PatchFacts }) {
  const { needs, neededBy, within } = facts;
  const parts = [
    needs.length > 0 ? `calls ${needs.map(two).join(', ')}` : '',
    neededBy.length > 0 ? `called by ${neededBy.map(two).join(', ')}` : '',
    within === null ? '' : `lies in a file of ${two(within)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : <span className={styles.links}>{parts.join(' · ')}</span>;
}

function Remarks(props: {
  readonly number: number;
  readonly choice: BuildChoice;
  readonly callers: readonly number[];
  readonly home: number | null;
  readonly onStandIn: (on: boolean) => void;
}) {
  const { number, choice, callers, home, onStandIn } = props;
  const soft = choice.soft.includes(number);
  const out = choice.without.includes(number);
  if (!soft && !out)
    return home !== null && choice.without.includes(home) ? (
      <p className={styles.remark}>its hunks are nowhere while {two(home)} is out</p>
    ) : null;
  const file = WHOLE_FILES.includes(number);
  const dangling = out && callers.length > 0;
  return (
    <p className={styles.remark} data-bad={dangling}>
      {dangling ? <span>does not link while {callers.map(two).join(', ')} call it</span> : null}
      {file ? null : (
        <label>
          <input type="checkbox" checked={soft} onChange={(event) => onStandIn(event.target.checked)} />
          link stand-ins for it (--soft)
        </label>
      )}
    </p>
  );
}
