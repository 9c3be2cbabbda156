import { whyChain } from '../../views/events.view.ts';
import { ioctlAt } from '../../views/ioctl.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { CommandExits } from './CommandExits.tsx';
import styles from './EventDetail.module.css';
import { IoctlDetail } from './IoctlDetail.tsx';

/** One event and why: the spans around it outwards, to the command that started it. */
export function EventDetail({ row }: { readonly row: number }) {
  const mirror = useMirror();
  const head = usePageState((state) => state.head);
  const lines = useFolded((log) => (row < log.head ? whyChain(log, row) : []), row, head);
  const ioctl = useFolded((log) => (row < log.head ? ioctlAt(log, row) : null), row, head);
  return (
    <div className={styles.detail}>
      <h3>Event {row}</h3>
      <p className={styles.actions}>
        <button type="button" className={controls.button} onClick={() => mirror.seek(row)}>
          Before it
        </button>
        <button type="button" className={controls.button} onClick={() => mirror.seek(row + 1)}>
          After it
        </button>
      </p>
      {ioctl ? <IoctlDetail ioctl={ioctl} /> : null}
      <ol className={styles.chain}>
        {lines.map((line, n) => (
          <li key={line.row} data-layer={line.layerId}>
            <span className={styles.layer}>{n === 0 ? line.layer : `because of ${line.layer}`}</span>
            <button type="button" onClick={() => mirror.select({ kind: 'event', row: line.row })}>
              {line.name}
            </button>
            {line.detail ? <code>{line.detail}</code> : null}
            {line.cite ? <cite>{line.cite}</cite> : null}
          </li>
        ))}
      </ol>
      <CommandExits row={row} />
    </div>
  );
}
