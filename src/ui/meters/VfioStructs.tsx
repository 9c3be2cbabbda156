import { useEffect, useState } from 'react';
import { hex } from '../../base/addr.ts';
import type { VfioAnswer } from '../../mirror/side-client.ts';
import { HexDump } from '../parts/HexDump.tsx';
import { useSide } from '../patches/use-side.ts';
import styles from './Meters.module.css';

/** What VFIO answers about the device: the bytes, and which field each belongs to. */
export default function VfioStructs() {
  const side = useSide();
  const [answers, setAnswers] = useState<readonly VfioAnswer[]>([]);
  const [chosen, setChosen] = useState(0);
  const [lit, setLit] = useState<string | null>(null);
  useEffect(() => {
    void side.vfioAnswers().then(setAnswers);
  }, [side]);
  const answer = answers[chosen];
  if (!answer)
    return (
      <p className={styles.bar} role="status">
        A lab beside this one boots L2 and asks VFIO.
      </p>
    );
  const owner = (at: number) =>
    answer.fields.find(({ offset, size }) => at >= offset && at < offset + size)?.name ?? null;
  return (
    <div className={`${styles.meter} ${styles.structs}`}>
      <nav aria-label="Calls">
        <ol>
          {answers.map(({ call, errno }, n) => (
            <li key={call}>
              <button type="button" aria-current={n === chosen} onClick={() => setChosen(n)}>
                {call.replace('VFIO_DEVICE_', '')}
                {errno === null ? null : <span className={styles.errno}>{errno}</span>}
              </button>
            </li>
          ))}
        </ol>
      </nav>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={styles.scroll} aria-label={answer.call} tabIndex={0}>
        <p className={styles.bar}>
          <code>{answer.call}</code>{' '}
          {answer.errno === null ? `${answer.bytes.length} bytes` : `fails with ${answer.errno}`}
        </p>
        <div className={styles.bytes}>
          <HexDump
            bytes={answer.bytes}
            perLine={16}
            label={`The ${answer.bytes.length} bytes of the answer; the table below has them by field`}
            fieldAt={owner}
            lit={lit}
            onPoint={setLit}
          />
        </div>
        <table>
          <thead>
            <tr>
              <th scope="col" className={styles.number}>
                offset
              </th>
              <th scope="col" className={styles.number}>
                bytes
              </th>
              <th scope="col">field</th>
              <th scope="col" className={styles.number}>
                value
              </th>
            </tr>
          </thead>
          <tbody>
            {answer.fields.map(({ name, offset, size, value }) => (
              <tr key={`${name}-${offset}`} data-lit={name === lit} onPointerEnter={() => setLit(name)}>
                <td className={styles.number}>{offset}</td>
                <td className={styles.number}>{size}</td>
                <th scope="row" className={styles.mono}>
                  {name}
                </th>
                <td className={styles.number}>0x{hex(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
