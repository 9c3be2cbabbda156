import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Lab, type LabHost } from '../lab.ts';
import { checkFold, fuzz } from './fuzz.ts';

const WALKTHROUGH = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');
const host: LabHost = {
  yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};
async function makeLab(): Promise<Lab> {
  const lab = await Lab.start({ seed: 1, host });
  await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
  return lab;
}

test.each([1, 2, 3, 4])(
  '25,000 random accesses and VFIO calls keep every law, seed %i',
  { timeout: 60_000 },
  async (seed) => {
    const { steps, results } = await fuzz(makeLab, seed, 25_000);
    expect(steps).toBe(25_000);
    // The mix is one: some succeed, some are refused in several ways.
    expect(results.get('ok') ?? 0).toBeGreaterThan(10_000);
    expect(results.get('EINVAL') ?? 0).toBeGreaterThan(1000);
    expect([...results.keys()]).toEqual(expect.arrayContaining(['EFAULT', 'ENOTTY', 'ENODEV']));
  },
);

test('the same seed gives the same state', { timeout: 60_000 }, async () => {
  const first = await fuzz(makeLab, 9, 3000);
  expect((await fuzz(makeLab, 9, 3000)).hash).toBe(first.hash);
});

test('a cell changed behind the log is found out', { timeout: 60_000 }, async () => {
  const lab = await makeLab();
  checkFold(lab);
  const block = lab.log.find('hw/l1/cxl-accel0/component');
  lab.log.cells[block?.first ?? 0] = 0xdead;
  expect(() => checkFold(lab)).toThrow(/another value than the live one/);
  lab.stop();
});
