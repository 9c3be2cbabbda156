import { RFC_V1_PATCHES } from '../../content/series/rfc-v1.ts';
import type { BuildChoice } from '../../protocol/build-choice.ts';
import { NEEDED_BY } from './dependencies.ts';
import styles from './Patches.module.css';

/** The thirteen patches, each a switch. */
export function PatchList(props: { readonly choice: BuildChoice; readonly onChange: (choice: BuildChoice) => void }) {
  const { choice, onChange } = props;
  const toggle = (number: number, on: boolean) => {
    const without = on
      ? choice.without.filter((one) => one !== number)
      : [...choice.without, number].sort((a, b) => a - b);
    onChange({ ...choice, without });
  };
  return (
    <ul className={styles.patches} aria-label="Patches of the series">
      {RFC_V1_PATCHES.map(({ number, subject, purpose, files }) => {
        const callers = NEEDED_BY.get(number) ?? [];
        const dangling = choice.without.includes(number) && callers.some((one) => !choice.without.includes(one));
        return (
          <li key={number} data-off={choice.without.includes(number)}>
            <label title={files.join('\n')}>
              <input
                type="checkbox"
                checked={!choice.without.includes(number)}
                onChange={(event) => toggle(number, event.target.checked)}
              />
              <span className={styles.number}>{String(number).padStart(2, '0')}</span>
              <span>
                <span className={styles.subject}>{subject}</span>
                <span className={styles.purpose}>
                  {purpose}
                  {callers.length === 0
                    ? ''
                    : `; ${callers.map((one) => String(one).padStart(2, '0')).join(', ')} call${callers.length === 1 ? 's' : ''} it`}
                </span>
                {dangling ? <span className={styles.dangling}>does not link while they are in</span> : null}
              </span>
            </label>
          </li>
        );
      })}
    </ul>
  );
}
