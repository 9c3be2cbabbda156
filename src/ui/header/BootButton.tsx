import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';

/** Types the whole walkthrough, visibly. */
export function BootButton() {
  const mirror = useMirror();
  const booting = usePageState((state) => state.booting);
  const live = usePageState((state) => state.live);
  const boot = async () => {
    mirror.update({ booting: true, busyMessage: null });
    try {
      await mirror.client.bootToL2();
    } catch (error) {
      mirror.update({ busyMessage: error instanceof Error ? error.message : String(error) });
    } finally {
      mirror.update({ booting: false });
    }
  };
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
