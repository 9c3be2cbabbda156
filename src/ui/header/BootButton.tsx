import type { Mirror } from '../../mirror/index.ts';
import { functionOf, hdmOf, publishedAs } from '../../state/functions.ts';
import type { MachineState } from '../../state/schema.ts';
import { threadsOf } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { playThrough, whenLive } from './play.ts';

/** Types the whole walkthrough, visibly. */
export function BootButton() {
  const mirror = useMirror();
  const booting = usePageState((state) => state.booting);
  const live = usePageState((state) => state.live);
  const playing = usePageState((state) => state.playing);
  const done = useFolded((log) => publishedAs<MachineState>(log.object('machine/l1'))?.state === 'running');
  if (playing)
    return (
      <button type="button" className={controls.primary} onClick={() => mirror.goLive()}>
        Skip to the end
      </button>
    );
  // In the past the button would only be in the way: "back to now" stands in the time strip and below the consoles.
  if ((done || !live) && !booting) return null;
  return (
    <button
      type="button"
      className={controls.primary}
      disabled={booting}
      title="Types the walkthrough: host QEMU, L1 vfio-cxl, L1 QEMU, L2 driver"
      onClick={() => void boot(mirror)}
    >
      {booting ? 'Booting…' : 'Boot to L2'}
    </button>
  );
}

export async function boot(mirror: Mirror): Promise<void> {
  await playThrough(mirror, () => mirror.client.bootToL2());
  whenLive(mirror, () => showDevice(mirror));
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
