import { V3_MOVED } from '../../content/series/v3.ts';
import { useMirror } from '../context.tsx';
import { playScenario } from '../links.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import { movedMarkdown } from './matrix-text.ts';
import styles from './Patches.module.css';

/** The RFC beside the series of 2026: which layer each concern sits in, and what moved. */
export function MovedTable() {
  const mirror = useMirror();
  return (
    <section className={styles.matrix} aria-label="What moved between the series">
      <div className={styles.actions}>
        <span>The same goal by another design: L2 stores into the accelerator in both.</span>
        <button
          type="button"
          className={controls.button}
          onClick={() => {
            mirror.update({ dialog: null, dialogAbout: '' });
            void playScenario(mirror, 'series-v3');
          }}
        >
          Play the series of 2026 here
        </button>
        <CopyButton label="Copy as Markdown" text={() => movedMarkdown(V3_MOVED)} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={styles.table} tabIndex={0} aria-label="Concerns">
        <table>
          <thead>
            <tr>
              <th scope="col">concern</th>
              <th scope="col">RFC, September 2024</th>
              <th scope="col">v3, June 2026</th>
            </tr>
          </thead>
          <tbody>
            {V3_MOVED.map(({ id, concern, rfc, v3 }) => (
              <tr key={id} className={styles.moved}>
                <th scope="row">
                  {concern}
                  {rfc.layer === v3.layer ? null : <span className={styles.linked}>moved</span>}
                </th>
                {[rfc, v3].map((side, n) => (
                  <td key={n === 0 ? 'rfc' : 'v3'} title={side.cite}>
                    <span className={styles.stops}>{n === 0 ? 'RFC: ' : 'v3: '}</span>
                    <b>{side.layer}</b> {side.how}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
