import { expect, test } from 'vitest';
import { labWithL2, labWithV3 } from '../testing/host.ts';
import { checkFold, fuzz } from './fuzz.ts';

test.each([1, 2, 3, 4])('25,000 random accesses and VFIO calls keep every law, seed %i', async (seed) => {
  const { steps, results } = await fuzz(labWithL2, seed, 25_000);
  expect(steps).toBe(25_000);
  // The mix is one: some succeed, some are refused in several ways.
  expect(results.get('ok') ?? 0).toBeGreaterThan(10_000);
  expect(results.get('EINVAL') ?? 0).toBeGreaterThan(1000);
  expect([...results.keys()]).toEqual(expect.arrayContaining(['EFAULT', 'ENOTTY', 'ENODEV']));
});

test('10,000 on the later series keep them too', async () => {
  const { steps, results } = await fuzz(labWithV3, 5, 10_000);
  expect(steps).toBe(10_000);
  expect(results.get('ok') ?? 0).toBeGreaterThan(3000);
});

test('the same seed gives the same state', async () => {
  const first = await fuzz(labWithL2, 9, 3000);
  expect((await fuzz(labWithL2, 9, 3000)).hash).toBe(first.hash);
});

test('a cell changed behind the log is found out', async () => {
  const lab = await labWithL2();
  checkFold(lab);
  const block = lab.log.find('hw/l1/cxl-accel0/component');
  lab.log.cells[block?.first ?? 0] = 0xdead;
  expect(() => checkFold(lab)).toThrow(/another value than the live one/);
  lab.stop();
});
