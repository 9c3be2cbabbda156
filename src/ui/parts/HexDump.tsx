import { hex } from '../../base/addr.ts';
import styles from './HexDump.module.css';

/** Bytes as xxd shows them: offset, pairs of bytes, characters. Bytes can be lit, and marked as changed or as nobody's. */
export function HexDump(props: {
  readonly bytes: readonly number[];
  readonly perLine: 8 | 16;
  readonly label: string;
  /** Name of the field a byte belongs to; null for padding. */
  readonly fieldAt: (offset: number) => string | null;
  readonly lit: string | null;
  readonly onPoint: (field: string | null) => void;
  readonly changed?: (offset: number) => boolean;
}) {
  const { bytes, perLine, label, fieldAt, lit, onPoint, changed } = props;
  const lines = Array.from({ length: Math.ceil(bytes.length / perLine) }, (_, n) => n * perLine);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className={styles.dump} role="img" aria-label={label} tabIndex={0}>
      {lines.map((start) => {
        const row = bytes.slice(start, start + perLine);
        return (
          <div key={start} className={styles.line}>
            <span>{`${hex(start, 8)}: `}</span>
            {Array.from({ length: perLine }, (_, n) => {
              const at = start + n;
              const byte = row[n];
              const gap = n % 2 === 1 ? ' ' : '';
              if (byte === undefined) return <span key={at}>{`  ${gap}`}</span>;
              const field = fieldAt(at);
              return (
                <span key={at} title={`+${at} ${field ?? 'padding'}`} onPointerEnter={() => onPoint(field)}>
                  <span
                    data-none={field === null}
                    data-lit={field !== null && field === lit}
                    data-changed={changed?.(at) === true}
                  >
                    {hex(byte, 2)}
                  </span>
                  {gap}
                </span>
              );
            })}
            <span className={styles.text}>
              {` ${row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}`}
            </span>
          </div>
        );
      })}
    </div>
  );
}
