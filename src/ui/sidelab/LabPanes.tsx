import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef } from 'react';
import { useStore } from 'zustand';
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
  /** Whose panes these are, for readers who do not see where they stand. */
  readonly label: string;
  /** An inspector opens when something is selected. */
  readonly inspects?: boolean;
  /** Above the panes: what is known of this lab besides its log. */
  readonly children?: ReactNode;
}) {
  const { mirror, label, inspects = false, children } = props;
  const { layoutOf } = usePage();
  const page = useMemo(() => ({ mirror, layoutOf, label }), [mirror, layoutOf, label]);
  const selection = useStore(mirror.store, (state) => state.selection);
  const opened = inspects && selection !== null && !props.panes.includes('inspector');
  const panes = opened ? [...props.panes, 'inspector' as const] : props.panes;
  const told = panes.includes('inspector');
  const inspector = useRef<HTMLDivElement>(null);
  // What was selected is told below: show it.
  useEffect(() => {
    if (selection && told) inspector.current?.scrollIntoView({ block: 'nearest' });
  }, [selection, told]);
  // Keys that move the session's cursor from anywhere move this lab's while the focus is in it.
  const keys = (event: KeyboardEvent) => {
    if (!event.ctrlKey || !event.altKey || !timeKey(mirror, event.code)) return;
    event.preventDefault();
    event.nativeEvent.stopPropagation();
  };
  return (
    <section className={styles.lab} aria-label={`Panes, ${label}`} onKeyDown={keys}>
      <PageProvider page={page}>
        <Playback />
        {children}
        {panes.map((pane) => {
          const Shown = PANES[pane];
          return (
            <div key={pane} ref={pane === 'inspector' ? inspector : null} className={styles.pane} data-shows={pane}>
              <Shown />
            </div>
          );
        })}
        <div className={styles.time}>
          <TimeStrip compact />
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
