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

/** The same with the series of June 2026 in L1 and a device whose firmware committed the decoder. */
export async function labWithV3(seed = 1): Promise<Lab> {
  const file = new URL('../../content/scenarios/series-v3.transcript', import.meta.url);
  const lines = readFileSync(file, 'utf8').split('\n');
  const last = (start: string) => lines.findLast((line) => line.startsWith(start)) ?? '';
  const steps = [
    lines.find((line) => line.startsWith('host# kbuild')) ?? '',
    last('host# qemu-system-x86_64'),
    lines.find((line) => line.startsWith('l1# modprobe vfio-pci')) ?? '',
    lines.find((line) => line.startsWith('l1# qemu-v3')) ?? '',
    'l2# modprobe cxl-accel-v28',
  ];
  const lab = await Lab.start({ seed, host });
  await lab.type(`${steps.join('\n')}\n`);
  return lab;
}
