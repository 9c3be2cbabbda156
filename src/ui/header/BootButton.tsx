import type { Mirror } from '../../mirror/index.ts';
import type { Boot } from '../../protocol/client.ts';
import { functionOf, hdmOf, publishedAs } from '../../state/functions.ts';
import type { MachineState } from '../../state/schema.ts';
import { threadsOf } from '../../views/stage.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { playFresh, playThrough, whenLive } from './play.ts';

/** Types the whole walkthrough, visibly. */
export function BootButton() {
  const mirror = useMirror();
  const booting = usePageState((state) => state.booting);
  const live = usePageState((state) => state.live);
  const playing = usePageState((state) => state.playing);
  const done = useFolded((log) => publishedAs<MachineState>(log.object('machine/l1'))?.state === 'running');
  const past = !live && !booting;
  if (playing)
    return (
      <button type="button" className={controls.primary} onClick={() => mirror.goLive()}>
        Skip to the end
      </button>
    );
  const again = (done || past) && !booting;
  return (
    <button
      type="button"
      className={again ? controls.quiet : controls.primary}
      disabled={booting}
      title={
        again
          ? 'Types the walkthrough in a fresh session; this one is kept'
          : 'Types the walkthrough: host QEMU, L1 vfio-cxl, L1 QEMU, L2 driver'
      }
      onClick={() => void boot(mirror)}
    >
      {booting ? 'Booting…' : again ? 'Boot again' : 'Boot to L2'}
    </button>
  );
}

/** Types the walkthrough: in this session where its host is free, else in a fresh one, and this one is kept. */
export async function boot(mirror: Mirror): Promise<void> {
  if (mirror.store.getState().booting) return;
  mirror.goLive();
  await bootHere(mirror);
}

/** The same for one who has seen to the session already. */
export async function bootHere(mirror: Mirror): Promise<void> {
  const outcomes: Boot[] = [];
  const type = async () => {
    const outcome = await mirror.client.bootToL2();
    outcomes.push(outcome);
    return outcome !== 'elsewhere';
  };
  await playThrough(mirror, type);
  if (outcomes.at(-1) === 'elsewhere') {
    await playFresh(mirror, type);
    mirror.update({ announcement: 'This is a fresh session. What was before is kept: Commands, Earlier session.' });
  }
  const stopped = outcomes.at(-1) === 'stopped';
  whenLive(mirror, () => {
    if (!stopped) showDevice(mirror);
    else
      mirror.update({
        busyMessage:
          'The boot came to an end before L2 was up: something in this session stands in its way, the consoles say what. “Start over” gives a fresh one; this one is kept.',
      });
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
