import type { Mirror } from '../../mirror/index.ts';
import { functionOf, hdmOf, publishedAs } from '../../state/functions.ts';
import type { MachineState } from '../../state/schema.ts';
import { threadsOf } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';

/** Types the whole walkthrough, visibly. */
export function BootButton() {
  const mirror = useMirror();
  const booting = usePageState((state) => state.booting);
  const live = usePageState((state) => state.live);
  const playing = usePageState((state) => state.playing);
  const done = useFolded((log) => publishedAs<MachineState>(log.object('machine/l2'))?.state === 'running');
  const boot = async () => {
    mirror.update({ booting: true, busyMessage: null });
    try {
      const from = mirror.log.head;
      await mirror.client.bootToL2();
      await quiet(mirror);
      showDevice(mirror);
      // The engine is done before the eye is: play what happened, unless the reader wants no motion.
      if (document.documentElement.dataset.motion !== 'none') {
        mirror.seek(from);
        mirror.update({ playing: true });
      }
    } catch (error) {
      mirror.update({ busyMessage: error instanceof Error ? error.message : String(error) });
    } finally {
      mirror.update({ booting: false });
    }
  };
  if (playing)
    return (
      <button type="button" className={controls.primary} onClick={() => mirror.goLive()}>
        Skip to the end
      </button>
    );
  if (done && !booting) return null;
  return (
    <button
      type="button"
      className={controls.primary}
      disabled={booting || !live}
      title={live ? 'Types the walkthrough: host QEMU, L1 vfio-cxl, L1 QEMU, L2 driver' : 'Return to now first'}
      onClick={() => void boot()}
    >
      {booting ? 'Booting…' : 'Boot to L2'}
    </button>
  );
}

const QUIET_MS = 80;

/** Rows come on their own channel: resolves when none has come for a moment. */
function quiet(mirror: Mirror): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(done, QUIET_MS);
    const stop = mirror.store.subscribe((state, before) => {
      if (state.head === before.head) return;
      clearTimeout(timer);
      timer = setTimeout(done, QUIET_MS);
    });
    function done(): void {
      stop();
      resolve();
    }
  });
}

/** After the walkthrough an empty inspector would hide the point: show the first decoder of the device. */
function showDevice(mirror: Mirror): void {
  if (mirror.store.getState().selection) return;
  const device = threadsOf(mirror.log)[0]?.device;
  const fn = device ? functionOf(mirror.log, device.machine, device.id) : null;
  if (!device || !fn) return;
  const hdm = hdmOf(mirror.log, fn);
  const offset = hdm?.decoders[0] ? hdm.decoders[0].offset + 0x10 : undefined;
  mirror.select({
    kind: 'function',
    ...device,
    ...(hdm && offset !== undefined ? { register: { space: hdm.space, offset } } : {}),
  });
}
