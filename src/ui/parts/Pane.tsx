import { type ReactNode, useId } from 'react';
import { usePage } from '../context.tsx';
import styles from './Pane.module.css';

/** A pane: one heading, its tools, its content. */
export function Pane(props: {
  readonly id: string;
  readonly title: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
  readonly hideTitle?: boolean;
}) {
  // The same pane may be on the page more than once: of the session, and of labs beside it.
  const title = useId();
  const { label } = usePage();
  const name = label === undefined ? { 'aria-labelledby': title } : { 'aria-label': `${props.title}, ${label}` };
  return (
    <section className={styles.pane} {...name} data-pane={props.id}>
      <header className={styles.head}>
        <h2 id={title} className={props.hideTitle ? 'visually-hidden' : styles.title}>
          {props.title}
        </h2>
        {props.tools}
      </header>
      <div className={styles.body}>{props.children}</div>
    </section>
  );
}
