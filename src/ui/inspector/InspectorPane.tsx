import type { Selection } from '../../mirror/index.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { Pane } from '../parts/Pane.tsx';
import { EventDetail } from './EventDetail.tsx';
import { FunctionDetail } from './FunctionDetail.tsx';
import styles from './InspectorPane.module.css';
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

/** Nothing selected: what can be, and, while nothing was booted yet, the ways in. */
function Empty() {
  const mirror = useMirror();
  const booted = useFolded((log) => log.object('machine/l1') !== null);
  return (
    <div className={controls.empty}>
      <strong>Nothing selected.</strong>
      <p>
        Select a device on the stage to read its registers: as bytes, fields, meaning and citation; as the device holds
        them, as L1’s kernel believes, as vfio shadows them, as L2 sees them; and who owns each.
      </p>
      <p>Select a span in the time strip to see what caused it, what it cost, and the structures it passed.</p>
      {booted || mirror.client.readOnly ? null : (
        <ul className={styles.ways}>
          {WAYS.map(({ dialog, label, says }) => (
            <li key={dialog}>
              <button type="button" onClick={() => mirror.update({ dialog })}>
                <b>{label}</b> {says}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const WAYS = [
  { dialog: 'gallery', label: 'Scenarios', says: 'play one from the gallery and stop anywhere' },
  { dialog: 'topology', label: 'Command line', says: 'see the machine a QEMU command line builds' },
  { dialog: 'patches', label: 'Patches', says: 'leave out any of the thirteen and see what breaks' },
  { dialog: 'museum', label: 'Museum', says: 'each defect as posted beside as intended' },
] as const;
