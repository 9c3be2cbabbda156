import { useState } from 'react';
import styles from './TextTwin.module.css';

/** The same view as text: for screen readers, and for anyone who prefers a list (opened by its button). */
export function TextTwin(props: {
  readonly label: string;
  readonly lines: readonly { readonly depth: number; readonly text: string; readonly onPick?: () => void }[];
}) {
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.twin} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{props.label}</summary>
      {open ? (
        <ul>
          {props.lines.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
            <li key={n} style={{ paddingInlineStart: line.depth * 14 }}>
              {line.onPick ? (
                <button type="button" className={styles.pick} onClick={line.onPick}>
                  {line.text}
                </button>
              ) : (
                line.text
              )}
            </li>
          ))}
        </ul>
      ) : null}
    </details>
  );
}
