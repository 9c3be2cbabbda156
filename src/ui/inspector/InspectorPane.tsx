import type { Selection } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { Pane } from '../parts/Pane.tsx';
import { EventDetail } from './EventDetail.tsx';
import { FunctionDetail } from './FunctionDetail.tsx';
import { ObjectDetail } from './ObjectDetail.tsx';

export function InspectorPane() {
  const mirror = useMirror();
  const selection = usePageState((state) => state.selection);
  return (
    <Pane
      id="inspector"
      title="Inspector"
      tools={
        selection ? (
          <button
            type="button"
            className={controls.quiet}
            style={{ marginLeft: 'auto' }}
            onClick={() => mirror.back()}
            title="Backspace"
          >
            previous
          </button>
        ) : null
      }
    >
      {selection ? <Detail selection={selection} /> : <Empty />}
    </Pane>
  );
}

function Detail({ selection }: { readonly selection: Selection }) {
  switch (selection.kind) {
    case 'function':
      return <FunctionDetail selection={selection} />;
    case 'object':
      return <ObjectDetail path={selection.path} />;
    case 'event':
      return <EventDetail row={selection.row} />;
  }
}

function Empty() {
  return (
    <div className={controls.empty}>
      <strong>Nothing selected.</strong>
      <p>
        Select a device on the stage to read its registers as bytes, fields, meaning and citation: as the device holds
        them, as L1’s kernel believes, as vfio shadows them, and as L2 sees them.
      </p>
      <p>Select a span in the time strip to see what caused it.</p>
    </div>
  );
}
