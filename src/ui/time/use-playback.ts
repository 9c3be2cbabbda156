import { useEffect } from 'react';
import type { Mirror } from '../../mirror/index.ts';
import { timeScale } from '../../views/time-scale.ts';

/** Units of the time scale a second at 1×: an ordinary command takes about half a second, a boot two. */
const PACE = 60;

/** Moves the cursor while playing and shows the console that is being typed on; stops at the head, which is "now". */
export function usePlayback(mirror: Mirror, playing: boolean): void {
  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    let last = performance.now();
    let at: number | null = null;
    const tick = (now: number) => {
      const { speed, head, cursor, booting } = mirror.store.getState();
      const scale = timeScale(mirror.log.time.marks, head);
      at = (at ?? scale.toUnits(cursor)) + ((now - last) / 1000) * PACE * speed;
      last = now;
      if (at >= scale.length && !booting) {
        mirror.goLive();
        return;
      }
      // While the engine still works the head moves on: wait just behind it.
      at = Math.min(at, scale.length);
      mirror.seek(Math.min(scale.toRow(at), booting ? head - 1 : head));
      mirror.followConsole();
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [mirror, playing]);
}
