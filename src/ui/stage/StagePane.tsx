import { useCallback, useMemo } from 'react';
import type { Selection } from '../../mirror/index.ts';
import { passingText } from '../../views/passthrough.view.ts';
import { stageText, stageView } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import { BootButton } from '../header/BootButton.tsx';
import controls from '../parts/controls.module.css';
import { Pane } from '../parts/Pane.tsx';
import { TextTwin } from '../parts/TextTwin.tsx';
import { usePassing } from '../parts/use-passing.ts';
import { useReason } from '../parts/use-reason.ts';
import { useScale } from '../parts/use-scale.ts';
import { StageDrawing } from './StageDrawing.tsx';
import styles from './StagePane.module.css';
import { fitStage } from './stage-layout.ts';
import { useAccessPath } from './use-access-path.ts';
import { useStageZoom } from './use-stage-zoom.ts';

export function StagePane() {
  const mirror = useMirror();
  const passing = usePassing();
  const stage = useFolded((log) => stageView(log, passing), passing);
  const selection = usePageState((state) => state.selection);
  const scale = useScale();
  const path = useAccessPath();
  const speed = usePageState((state) => state.speed);
  const view = useStageZoom();
  const { size, zoom } = view;
  // Zooming gives the layout more room, and with it more to tell; text keeps its size.
  const { layout, shrink } = useMemo(
    () => fitStage(stage, Math.max(300, (size.width * zoom) / scale), (size.height * zoom) / scale),
    [stage, size.width, size.height, zoom, scale],
  );
  const select = useCallback((one: Selection) => mirror.select(one), [mirror]);
  const why = useReason();
  const empty = layout.bands.some((band) => band.kind === 'empty');
  return (
    <Pane
      id="stage"
      title="Machines"
      tools={
        <>
          <Legend />
          {empty ? null : (
            <div className={controls.group} role="toolbar" aria-label="Zoom of the machines">
              <button
                type="button"
                className={controls.button}
                onClick={view.out}
                disabled={zoom <= 1}
                aria-label="Zoom out"
                title="Zoom out  −"
              >
                −
              </button>
              <button type="button" className={controls.button} onClick={view.fit} disabled={zoom === 1} title="Fit  0">
                Fit
              </button>
              <button
                type="button"
                className={controls.button}
                onClick={view.in}
                aria-label="Zoom in"
                title="Zoom in  +"
              >
                +
              </button>
            </div>
          )}
        </>
      }
    >
      <div className={styles.scroll} {...view.handlers}>
        {size.width > 0 ? (
          <StageDrawing
            layout={layout}
            scale={scale * shrink}
            selection={selection}
            onSelect={select}
            onOpen={view.open}
            onReason={why}
            path={path}
            speed={speed}
          />
        ) : null}
        {empty && !mirror.client.readOnly ? (
          <div className={styles.empty}>
            <p>
              <strong>The host is on; no guest runs yet.</strong> Boot to L2 types the whole walkthrough: host QEMU with
              a CXL accelerator, vfio-cxl in L1, L1’s QEMU, the driver in L2. Or type <code>qemu-system-x86_64 …</code>{' '}
              in the host console yourself.
            </p>
            <div className={styles.choices}>
              <BootButton />
              <button type="button" className={controls.button} onClick={() => mirror.update({ dialog: 'gallery' })}>
                Scenarios
              </button>
              <button type="button" className={controls.button} onClick={() => mirror.update({ dialog: 'topology' })}>
                Paste a command line
              </button>
            </div>
          </div>
        ) : null}
        <TextTwin label="Machines as a list" lines={[...stageText(stage), ...passingText(passing)]} />
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
