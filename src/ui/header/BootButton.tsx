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
    // The engine is faster than the eye: the page follows at reading pace, unless the reader wants no motion.
    const plays = document.documentElement.dataset.motion !== 'none';
    mirror.update({ booting: true, busyMessage: null, ...(plays ? { live: false, playing: true } : {}) });
    try {
      await mirror.client.bootToL2();
      await quiet(mirror);
      whenLive(mirror, () => showDevice(mirror));
    } catch (error) {
      mirror.goLive();
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

/** Runs at once, or when the playback has come to its end. */
function whenLive(mirror: Mirror, run: () => void): void {
  if (mirror.store.getState().live) {
    run();
    return;
  }
  const stop = mirror.store.subscribe((state) => {
    if (!state.live || state.playing) return;
    stop();
    run();
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
