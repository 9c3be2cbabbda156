import { type FormEvent, useEffect, useState } from 'react';
import { hex } from '../../base/addr.ts';
import { sizeText } from '../../state/decode.ts';
import { backendOf, hostPhysOf, hpaOf } from '../../views/backend.view.ts';
import { grouped } from '../../views/stage.view.ts';
import { parseAddress } from '../addresses/parse-address.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './MemoryDump.module.css';

const ROW = 16;
const ROWS = 16;
const PAGE = ROW * ROWS;

/** The bytes of a device's memory as they were at the cursor, read where the host keeps them. Looking touches nothing. */
export function MemoryDump({ id }: { readonly id: string }) {
  const mirror = useMirror();
  const cursor = usePageState((state) => state.cursor);
  const backend = useFolded((log) => backendOf(log, id), id);
  const [start, setStart] = useState(0);
  const [bytes, setBytes] = useState<Uint8Array | null>(null);
  const phys = backend ? hostPhysOf(backend, start, PAGE) : null;
  const hpa = useFolded((log) => hpaOf(log, id, start), id, start);
  useEffect(() => {
    let stale = false;
    if (phys === null) setBytes(null);
    else
      void mirror.client.bytes({ machine: 'host', space: 'phys' }, phys, PAGE, cursor).then((read) => {
        if (!stale) setBytes(read);
      });
    return () => {
      stale = true;
    };
  }, [mirror, phys, cursor]);
  if (!backend) return null;
  const offsets = Array.from({ length: ROWS }, (_, n) => start + n * ROW);
  const go = (offset: number) => setStart(Math.max(0, Math.min(backend.size - PAGE, offset - (offset % ROW))));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = parseAddress(String(new FormData(event.currentTarget).get('offset') ?? ''));
    if (asked !== null) go(asked);
  };
  return (
    <div className={styles.dump}>
      <form className={styles.bar} onSubmit={submit}>
        <span>
          <b>{backend.id}</b> {sizeText(backend.size)}
        </span>
        <input
          className={controls.field}
          name="offset"
          aria-label="Offset in the backend"
          placeholder="offset ⏎"
          size={11}
        />
        <div className={controls.group}>
          <button type="button" className={controls.button} onClick={() => go(start - PAGE)} aria-label="Earlier bytes">
            ▲
          </button>
          <button type="button" className={controls.button} onClick={() => go(start + PAGE)} aria-label="Later bytes">
            ▼
          </button>
        </div>
      </form>
      {bytes ? (
        <pre className={styles.bytes}>
          {offsets.map((offset) => (
            <Line key={offset} offset={offset} bytes={bytes.subarray(offset - start, offset - start + ROW)} />
          ))}
        </pre>
      ) : (
        <p className={styles.note}>The host’s QEMU has no memory behind this backend at this moment.</p>
      )}
      <p className={styles.note}>
        {hpa === null ? (
          'No committed decoder leads L1 to these bytes.'
        ) : (
          <>
            The first of them is L1 HPA{' '}
            <button type="button" onClick={() => mirror.update({ address: { space: 'l1-hpa', address: hpa } })}>
              {grouped(hpa)}
            </button>
          </>
        )}
      </p>
    </div>
  );
}

function Line({ offset, bytes }: { readonly offset: number; readonly bytes: Uint8Array }) {
  const text = [...bytes].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
  return (
    <div data-zero={bytes.every((byte) => byte === 0)}>
      <span className={styles.offset}>{hex(offset).padStart(8, '0')}</span>{' '}
      {[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}{' '}
      <span className={styles.offset}>{text}</span>
    </div>
  );
}
