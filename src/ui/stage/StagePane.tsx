import { useCallback, useMemo } from 'react';
import type { Selection } from '../../mirror/index.ts';
import { stageText, stageView } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import { BootButton } from '../header/BootButton.tsx';
import { Pane } from '../parts/Pane.tsx';
import { TextTwin } from '../parts/TextTwin.tsx';
import { useScale } from '../parts/use-scale.ts';
import { useSize } from '../parts/use-size.ts';
import { StageDrawing } from './StageDrawing.tsx';
import styles from './StagePane.module.css';
import { layoutStage } from './stage-layout.ts';

export function StagePane() {
  const mirror = useMirror();
  const stage = useFolded(stageView);
  const selection = usePageState((state) => state.selection);
  const [ref, size] = useSize<HTMLDivElement>();
  const scale = useScale();
  const layout = useMemo(() => layoutStage(stage, Math.max(300, size.width / scale)), [stage, size.width, scale]);
  const select = useCallback((one: Selection) => mirror.select(one), [mirror]);
  const empty = layout.bands.some((band) => band.kind === 'empty');
  return (
    <Pane id="stage" title="Machines" tools={<Legend />}>
      <div ref={ref} className={styles.scroll}>
        {size.width > 0 ? <StageDrawing layout={layout} scale={scale} selection={selection} onSelect={select} /> : null}
        {empty ? (
          <div className={styles.empty}>
            <p>
              <strong>The host is on; no guest runs yet.</strong> Boot to L2 types the whole walkthrough: host QEMU with
              a CXL accelerator, vfio-cxl in L1, L1’s QEMU, the driver in L2. Or type <code>qemu-system-x86_64 …</code>{' '}
              in the host console yourself.
            </p>
            <BootButton />
          </div>
        ) : null}
        <TextTwin label="Machines as a list" lines={stageText(stage)} />
      </div>
    </Pane>
  );
}

function Legend() {
  return (
    <p className={styles.legend} aria-hidden="true">
      <span data-line="host">L0</span>
      <span data-line="l1">L1</span>
      <span data-line="l2">L2</span>
      <span data-line="device">one device</span>
    </p>
  );
}
