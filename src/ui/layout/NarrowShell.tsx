import { useState } from 'react';
import { AddressPane } from '../addresses/AddressPane.tsx';
import { ConsolesPane } from '../consoles/ConsolesPane.tsx';
import { InspectorPane } from '../inspector/InspectorPane.tsx';
import { StagePane } from '../stage/StagePane.tsx';
import { TimeStrip } from '../time/TimeStrip.tsx';
import type { PaneId } from './layouts.ts';
import styles from './NarrowShell.module.css';

const PANES: readonly { readonly id: PaneId; readonly label: string }[] = [
  { id: 'stage', label: 'Machines' },
  { id: 'consoles', label: 'Consoles' },
  { id: 'addresses', label: 'Addresses' },
  { id: 'inspector', label: 'Inspector' },
  { id: 'time', label: 'Time' },
];

/** Below 1024 px: one pane at a time; consoles stay mounted so that nothing typed is lost. */
export function NarrowShell() {
  const [pane, setPane] = useState<PaneId>('stage');
  return (
    <>
      <div className={styles.pane}>
        <div className={styles.kept} data-shown={pane === 'consoles'} inert={pane !== 'consoles'}>
          <ConsolesPane />
        </div>
        {pane === 'stage' ? <StagePane /> : null}
        {pane === 'addresses' ? <AddressPane /> : null}
        {pane === 'inspector' ? <InspectorPane /> : null}
        {pane === 'time' ? <TimeStrip /> : null}
      </div>
      <nav className={styles.nav} aria-label="Panes">
        {PANES.map((one) => (
          <button
            key={one.id}
            type="button"
            aria-current={pane === one.id ? 'page' : undefined}
            onClick={() => setPane(one.id)}
          >
            {one.label}
          </button>
        ))}
      </nav>
    </>
  );
}
