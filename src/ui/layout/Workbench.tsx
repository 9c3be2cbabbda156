import { Fragment, lazy, type ReactNode, Suspense } from 'react';
import { Group, Panel, Separator } from 'react-resizable-panels';
import { AddressPane } from '../addresses/AddressPane.tsx';
import { ConsolesPane } from '../consoles/ConsolesPane.tsx';
import { usePageState } from '../context.tsx';
import { InspectorPane } from '../inspector/InspectorPane.tsx';
import { StagePane } from '../stage/StagePane.tsx';
import { TimeStrip } from '../time/TimeStrip.tsx';
import { LAYOUTS } from './layouts.ts';
import styles from './Workbench.module.css';

const EventList = lazy(() => import('../time/EventList.tsx'));

/** The panes side by side, as the chosen layout says. */
export function Workbench() {
  const id = usePageState((state) => state.settings.layout);
  const layout = LAYOUTS[id];
  const centre = (
    <Split
      key={`${id}-centre`}
      id={`${id}-centre`}
      orientation="vertical"
      parts={[
        { id: 'stage', size: layout.centre.stage, min: '120px', content: <StagePane /> },
        { id: 'addresses', size: layout.centre.addresses, min: '160px', content: <AddressPane /> },
      ]}
    />
  );
  const columns = (
    <Split
      key={`${id}-columns`}
      id={`${id}-columns`}
      orientation="horizontal"
      parts={[
        { id: 'consoles', size: layout.columns.consoles, min: '240px', content: <ConsolesPane /> },
        { id: 'centre', size: layout.columns.centre, min: '320px', content: centre },
        {
          id: 'events',
          size: layout.columns.events,
          min: '280px',
          content: (
            <Suspense fallback={null}>
              <EventList />
            </Suspense>
          ),
        },
        { id: 'inspector', size: layout.columns.inspector, min: '240px', content: <InspectorPane /> },
      ]}
    />
  );
  return (
    <div className={styles.bench}>
      <Split
        key={`${id}-rows`}
        id={`${id}-rows`}
        orientation="vertical"
        parts={[
          { id: 'work', size: 100 - layout.time, min: '240px', content: columns },
          { id: 'time', size: layout.time, min: '80px', content: <TimeStrip /> },
        ]}
      />
    </div>
  );
}

interface Part {
  readonly id: string;
  readonly size: number | undefined;
  readonly min: string;
  readonly content: ReactNode;
}

function Split(props: {
  readonly id: string;
  readonly orientation: 'horizontal' | 'vertical';
  readonly parts: readonly Part[];
}) {
  const parts = props.parts.filter((part) => part.size !== undefined);
  return (
    <Group id={props.id} orientation={props.orientation}>
      {parts.map((part, n) => (
        <Fragment key={part.id}>
          {n > 0 ? (
            <Separator
              id={`${props.id}-${n}`}
              className={styles.separator}
              aria-label={`Resize ${parts[n - 1]?.id} and ${part.id}`}
            />
          ) : null}
          <Panel
            id={`${props.id}-${part.id}`}
            defaultSize={`${part.size ?? 0}%`}
            minSize={part.min}
            className={styles.panel}
          >
            {part.content}
          </Panel>
        </Fragment>
      ))}
    </Group>
  );
}
