import { SPACE_LABELS, type Xlat } from '../../state/xlat.ts';
import { grouped } from '../../views/stage.view.ts';
import styles from './ChainTable.module.css';
import { MemoryBytes } from './MemoryBytes.tsx';

/** What is added and taken away: both ends of the sum stand in the rows already. */
function middle(arithmetic: string): string {
  return /^0x[0-9a-f]+ (.*) = (?:DPA )?0x[0-9a-f]+$/.exec(arithmetic)?.[1] ?? arithmetic;
}

/** Every hop of one address with its mechanism and arithmetic, or the reason it ends. */
/** `astray`: why the end of a whole chain is not where L2 thinks it is. */
export function ChainTable({ chain, astray = null }: { readonly chain: Xlat; readonly astray?: string | null }) {
  return (
    <div className={styles.chain}>
      <ol>
        {chain.hops.map((hop, n) => (
          <li key={hop.space} data-asked={n === chain.at}>
            <span className={styles.space}>{SPACE_LABELS[hop.space]}</span>
            <code className={styles.address}>{grouped(hop.address)}</code>
            <span className={styles.how} title={`${hop.mechanism}: ${hop.arithmetic}`}>
              {hop.mechanism === 'asked' || hop.mechanism === 'start' ? null : (
                <>
                  {hop.mechanism} <code>{middle(hop.arithmetic)}</code>
                </>
              )}
            </span>
          </li>
        ))}
      </ol>
      <MemoryBytes chain={chain} />
      {chain.end ? (
        <p className={styles.end}>
          <strong>✕ Ends here.</strong> {chain.end}
        </p>
      ) : astray !== null ? (
        <p className={styles.end}>
          <strong>✕ Not the device.</strong> {astray}
        </p>
      ) : null}
      {chain.top && chain.at === 0 && chain.query.space !== 'l2-gpa' ? (
        <p className={styles.top}>Upwards: {chain.top}</p>
      ) : null}
    </div>
  );
}
