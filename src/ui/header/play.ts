import { type Mirror, typedLines } from '../../mirror/index.ts';

/**
 * Lets `type` give lines to the engine while the page follows at reading pace: the engine is faster than the eye. A reader
 * who wants no motion follows live. Resolves when the engine has come to rest; at once when `type` gave nothing (`false`):
 * what runs there may never rest.
 */
export async function playThrough(mirror: Mirror, type: () => Promise<unknown>): Promise<void> {
  const plays = document.documentElement.dataset.motion !== 'none';
  mirror.update({ booting: true, busyMessage: null, ...(plays ? { live: false, playing: true } : {}) });
  try {
    if ((await type()) !== false) await quiet(mirror);
  } catch (error) {
    mirror.goLive();
    mirror.update({ busyMessage: error instanceof Error ? error.message : String(error) });
  } finally {
    mirror.update({ booting: false });
  }
}

/**
 * A fresh session (what was before is kept among the branches), then `type` in it. `opening`: the page has just been opened for
 * this; then a session without a command is fresh enough.
 */
export async function playFresh(mirror: Mirror, type: () => Promise<unknown>, opening = false): Promise<void> {
  mirror.update({ dialog: null, selection: null, address: null, hoverAddress: null });
  mirror.goLive();
  mirror.update({ booting: true });
  // A page that has just been opened by a link may have no row yet, and a stored session on its way.
  await until(mirror, () => mirror.log.head > 0);
  const session = opening ? await mirror.client.sharedSession?.() : undefined;
  if (session && typedLines(session.record).length === 0) await quiet(mirror);
  else {
    const before = mirror.store.getState().epoch;
    await mirror.client.reset();
    await until(mirror, () => mirror.store.getState().epoch !== before);
    await quiet(mirror);
  }
  await playThrough(mirror, type);
}

const QUIET_MS = 80;

/** Rows come on their own channel: resolves when none has come for a moment. */
export function quiet(mirror: Mirror): Promise<void> {
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

export function until(mirror: Mirror, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (holds()) {
      resolve();
      return;
    }
    const stop = mirror.store.subscribe(() => {
      if (!holds()) return;
      stop();
      resolve();
    });
  });
}

/** Runs at once, or when the playback has come to its end. */
export function whenLive(mirror: Mirror, run: () => void): void {
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
