import { readFileSync } from 'node:fs';
import { Lab, type LabHost } from '../lab.ts';

/** Where a lab under test runs: it breathes between tasks and waits for nothing. */
export const host: LabHost = {
  yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};

export const WALKTHROUGH = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');

/** A lab in which L2's driver has created its region on the passed-through device. */
export async function labWithL2(seed = 1): Promise<Lab> {
  const lab = await Lab.start({ seed, host });
  await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
  return lab;
}
