import type { ReactNode } from 'react';
import { SPACE_LABELS, type Xlat } from '../../state/xlat.ts';
import { grouped } from '../../views/stage.view.ts';
import { widthOf } from '../parts/measure.ts';
import { useScale } from '../parts/use-scale.ts';
import { useSize } from '../parts/use-size.ts';
import styles from './ChainTable.module.css';
import { MemoryBytes } from './MemoryBytes.tsx';

type Hop = Xlat['hops'][number];

/** What is added and taken away: both ends of the sum stand in the rows already. */
function middle(arithmetic: string): string {
  return /^0x[0-9a-f]+ (.*) = (?:DPA )?0x[0-9a-f]+$/.exec(arithmetic)?.[1] ?? arithmetic;
}

/** The most that fits of a hop's mechanism and sum; the title keeps all. */
function howText({ mechanism, arithmetic }: Hop, room: number): { readonly by: string; readonly sum: string } {
  const sum = middle(arithmetic);
  const brief = mechanism.replace(/, .*$/, '').replace(/ → .* → /, ' → … → ');
  const fits = (by: string, rest: string): boolean => widthOf(by, 'chain') + widthOf(` ${rest}`, 'sum') <= room;
  if (fits(mechanism, sum)) return { by: mechanism, sum };
  if (fits(brief, sum)) return { by: brief, sum };
  return { by: fits(mechanism, '') ? mechanism : brief, sum: '' };
}

/** Around a row, and between its columns. */
const EDGES = 41;
/** Of the space and of the address, in letters' sizes (ChainTable.module.css). */
const COLUMNS_EM = 17.4;
const TEXT = 12;

/**
 * Every hop of one address with its mechanism and arithmetic, or the reason it ends. `astray`: why the end of a whole chain is
 * not where L2 thinks it is. `note`: said in the row of the address asked for, which no mechanism leads to.
 */
export function ChainTable(props: {
  readonly chain: Xlat;
  readonly astray?: string | null;
  readonly note?: ReactNode;
}) {
  const { chain, astray = null, note } = props;
  const [ref, size] = useSize<HTMLDivElement>();
  const room = size.width / useScale() - EDGES - COLUMNS_EM * TEXT;
  return (
    <div className={styles.chain} ref={ref}>
      <ol>
        {chain.hops.map((hop, n) => (
          <li key={hop.space} data-asked={n === chain.at}>
            <span className={styles.space}>{SPACE_LABELS[hop.space]}</span>
            <code className={styles.address}>{grouped(hop.address)}</code>
            {hop.mechanism === 'asked' || hop.mechanism === 'start' ? (
              <span className={styles.how}>{n === chain.at ? note : null}</span>
            ) : (
              <How hop={hop} room={room} />
            )}
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

function How({ hop, room }: { readonly hop: Hop; readonly room: number }) {
  const { by, sum } = howText(hop, room);
  return (
    <span className={styles.how} title={`${hop.mechanism}: ${hop.arithmetic}`}>
      {by} <code>{sum}</code>
    </span>
  );
}
