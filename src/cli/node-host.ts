import type { LabHost } from '../lab/lab.ts';

/** Node as the lab's host: lets the event loop breathe, never waits for virtual time. */
export function nodeHost(): LabHost {
  return {
    yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
    pace: () => Promise.resolve(),
  };
}
