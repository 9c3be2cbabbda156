import { type KeyboardEvent, type ReactNode, useMemo } from 'react';
import type { Mirror } from '../../mirror/index.ts';
import { AddressPane } from '../addresses/AddressPane.tsx';
import { PageProvider, useMirror, usePage, usePageState } from '../context.tsx';
import { InspectorPane } from '../inspector/InspectorPane.tsx';
import { StagePane } from '../stage/StagePane.tsx';
import { TimeStrip } from '../time/TimeStrip.tsx';
import { usePlayback } from '../time/use-playback.ts';
import { timeKey } from '../use-page-keys.ts';
import styles from './LabPanes.module.css';

const PANES = { stage: StagePane, addresses: AddressPane, inspector: InspectorPane } as const;
export type LabPane = keyof typeof PANES;

/**
 * A lab beside the session in the page's own panes, one above the other, with a time strip of its own below. Everything inside
 * reads and moves that lab's mirror; the session's is not touched.
 */
export function LabPanes(props: {
  readonly mirror: Mirror;
  readonly panes: readonly LabPane[];
  /** Of the whole, for readers who do not see where it stands. */
  readonly label: string;
  /** Above the panes: what is known of this lab besides its log. */
  readonly children?: ReactNode;
}) {
  const { mirror, panes, label, children } = props;
  const { layoutOf } = usePage();
  const page = useMemo(() => ({ mirror, layoutOf }), [mirror, layoutOf]);
  // Keys that move the session's cursor from anywhere move this lab's while the focus is in it.
  const keys = (event: KeyboardEvent) => {
    if (!event.ctrlKey || !event.altKey || !timeKey(mirror, event.code)) return;
    event.preventDefault();
    event.nativeEvent.stopPropagation();
  };
  return (
    <section className={styles.lab} aria-label={label} onKeyDown={keys}>
      <PageProvider page={page}>
        <Playback />
        {children}
        {panes.map((pane) => {
          const Shown = PANES[pane];
          return (
            <div key={pane} className={styles.pane} data-shows={pane}>
              <Shown />
            </div>
          );
        })}
        <div className={styles.time}>
          <TimeStrip />
        </div>
      </PageProvider>
    </section>
  );
}

function Playback() {
  const mirror = useMirror();
  const playing = usePageState((state) => state.playing);
  usePlayback(mirror, playing);
  return null;
}
