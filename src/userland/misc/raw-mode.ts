import { ECHO, ICANON, ISIG, TCGETS, TCSETS } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** Terminal without line mode and echo while `run` works; put back whatever happens. */
export async function rawMode<T>(sys: Sys, fd: number, run: () => Promise<T>): Promise<T> {
  const saved = new Uint8Array(36);
  const ok = (await sys.ioctl(fd, TCGETS, saved)) === 0;
  if (ok) {
    const raw = saved.slice();
    const view = new DataView(raw.buffer);
    view.setUint32(12, (view.getUint32(12, true) & ~(ICANON | ECHO | ISIG)) >>> 0, true);
    await sys.ioctl(fd, TCSETS, raw);
  }
  try {
    return await run();
  } finally {
    if (ok) await sys.ioctl(fd, TCSETS, saved);
  }
}
