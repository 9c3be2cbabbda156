import { hex0x } from '../../base/addr.ts';
import type { Json } from '../../log/index.ts';
import { useFolded } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './ObjectDetail.module.css';

/** A published object as it is: its path and every member. */
export function ObjectDetail({ path }: { readonly path: string }) {
  const value = useFolded((log) => log.object(path), path);
  if (value === null)
    return (
      <p className={controls.empty}>
        <strong>{path} does not exist at this moment.</strong>
      </p>
    );
  return (
    <div className={styles.detail}>
      <h3>{path.split('/').slice(2).join('/') || path}</h3>
      <code className={styles.path}>{path}</code>
      <Value value={value} name="" />
    </div>
  );
}

const ADDRESSES = /^(start|base|hva|gpa|phys|addr|hpa|end|size|ramSize|ramBytes|pmemSize|offset|classCode)$/;

function Value({ value, name }: { readonly value: Json | undefined; readonly name: string }) {
  if (value === null || value === undefined) return <span className={styles.none}>none</span>;
  if (typeof value === 'number') return <code>{ADDRESSES.test(name) ? hex0x(value) : value}</code>;
  if (typeof value !== 'object') return <code>{String(value)}</code>;
  const entries: [string, Json | undefined][] = isList(value)
    ? value.map((one, n): [string, Json] => [String(n), one])
    : Object.entries(value);
  if (entries.length === 0) return <span className={styles.none}>none</span>;
  return (
    <dl className={styles.list}>
      {entries.map(([key, one]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>
            <Value value={one} name={isList(value) ? name : key} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
