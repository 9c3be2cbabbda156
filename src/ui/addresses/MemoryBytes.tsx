import { useEffect, useState } from 'react';
import type { Xlat } from '../../state/xlat.ts';
import { grouped } from '../../views/stage.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import styles from './ChainTable.module.css';

const LENGTH = 16;

/**
 * The bytes at a chain's end: read in the host's memory, where the backend really is, as they were at the cursor. Looking
 * has no side effects. Shown only where the address reaches memory.
 */
export function MemoryBytes({ chain }: { readonly chain: Xlat }) {
  const mirror = useMirror();
  const cursor = usePageState((state) => state.cursor);
  const backend = chain.hops.find((hop) => hop.space === 'backend');
  const hpa = chain.hops.find((hop) => hop.space === 'l1-hpa')?.address;
  const start = hpa === undefined || !backend ? null : hpa - (hpa % LENGTH);
  const [bytes, setBytes] = useState<Uint8Array | null>(null);
  useEffect(() => {
    if (start === null) {
      setBytes(null);
      return;
    }
    let stale = false;
    void mirror.client.bytes({ machine: 'l1', space: 'phys' }, start, LENGTH, cursor).then((read) => {
      if (!stale) setBytes(read);
    });
    return () => {
      stale = true;
    };
  }, [mirror, start, cursor]);
  if (start === null || !backend || hpa === undefined) return null;
  const at = hpa - start;
  const offset = backend.address - at;
  return (
    <p className={styles.bytes}>
      <span className={styles.space}>bytes</span>
      <code className={styles.address}>{grouped(offset)}</code>
      {bytes ? (
        <code>
          {[...bytes].map((byte, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the position is the identity of a byte
            <span key={n} data-asked={n === at}>
              {byte.toString(16).padStart(2, '0')}
            </span>
          ))}
          <span className={styles.text}>{printable(bytes)}</span>
        </code>
      ) : (
        <span className={styles.how}>nothing answers here without being touched</span>
      )}
    </p>
  );
}

function printable(bytes: Uint8Array): string {
  return String.fromCharCode(...[...bytes].map((byte) => (byte >= 32 && byte < 127 ? byte : 46)));
}
