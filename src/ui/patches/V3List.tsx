import { V3_PATCHES } from '../../content/series/v3.ts';
import { two } from './dependencies.ts';
import styles from './Patches.module.css';

/** The patches of the series of 2026. It is built whole: what its parts need of each other is not known well enough. */
export function V3List() {
  return (
    <div className={styles.patches}>
      <p className={styles.note}>
        Eleven patches, built whole: kbuild does not take them apart, because how they link with each other is not known
        here.
      </p>
      <ul aria-label="Patches of the v3 series">
        {V3_PATCHES.map(({ number, subject, purpose, files, built }) => (
          <li key={number} data-off={built === false}>
            <div className={styles.patch} data-fixed="true">
              <span className={styles.number}>{two(number)}</span>
              <span>
                <span className={styles.subject}>{subject}</span>
                <span className={styles.purpose}>
                  {purpose}
                  {built === false ? ' · nothing a kernel image here has' : ''}
                </span>
                <span className={styles.touched} title={files.join('\n')}>
                  {files.map((file) => file.split('/').slice(-1)[0]).join(' ')}
                </span>
              </span>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
