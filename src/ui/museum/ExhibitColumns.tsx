import type { ExhibitStep } from '../../mirror/side-client.ts';
import styles from './Museum.module.css';

const TITLES = { posted: 'as posted', intended: 'as intended' } as const;

/** The two runs side by side; what one prints and the other does not is marked. */
export function ExhibitColumns(props: { readonly steps: readonly ExhibitStep[] }) {
  const { steps } = props;
  const of = (setting: ExhibitStep['setting']) => steps.filter((step) => step.setting === setting);
  const runs = { posted: of('posted'), intended: of('intended') };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={styles.columns} aria-label="Both runs" tabIndex={0}>
      {(['posted', 'intended'] as const).map((setting) => {
        const others = runs[setting === 'posted' ? 'intended' : 'posted'];
        return (
          <div key={setting} className={styles.run}>
            <h4>{TITLES[setting]}</h4>
            {runs[setting].map((step, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: typed in this order, never reordered
              <Typed key={n} step={step} other={others[n]?.output ?? null} />
            ))}
          </div>
        );
      })}
    </section>
  );
}

/** One typed line with its output; lines of the way there are folded unless they differ. */
function Typed(props: { readonly step: ExhibitStep; readonly other: string | null }) {
  const { step, other } = props;
  const mine = linesOf(step.output);
  const theirs = new Set(other === null ? mine : linesOf(other));
  const different = mine.some((line) => !theirs.has(line));
  const head = (
    <span className={styles.typed} title={step.line}>
      <span className={styles.console}>{step.console}#</span> {step.line}
    </span>
  );
  if (!step.own && !different) return <div className={styles.way}>{head}</div>;
  return (
    <div className={styles.step} data-own={step.own}>
      {head}
      {mine.length === 0 ? null : (
        <pre className={styles.output}>
          {mine.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of one output, in order
            <span key={n} data-differs={!theirs.has(line)}>
              {line}
            </span>
          ))}
        </pre>
      )}
    </div>
  );
}

/** Output without time stamps and build ids, which differ by nature. */
function linesOf(output: string): readonly string[] {
  return output
    .split('\n')
    .map((line) =>
      line
        .replace(/^\[ *\d+\.\d{6}\] /, '')
        .replace(/-g[0-9a-f]{12}/g, '')
        .trimEnd(),
    )
    .filter((line) => line !== '');
}
