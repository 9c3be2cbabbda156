import { expect, test } from 'vitest';
import { type MatrixRow, matrix, SWITCHES } from './matrix.ts';
import { host } from './testing/host.ts';

async function rows(only: readonly string[]): Promise<ReadonlyMap<string, MatrixRow>> {
  const out = new Map<string, MatrixRow>();
  for await (const progress of matrix(host, { only }))
    if (progress.kind === 'row') out.set(progress.row.id, progress.row);
  return out;
}

test('thirteen patches and three parts around them, each off once', () => {
  expect(SWITCHES.filter((one) => one.kind === 'patch')).toHaveLength(13);
  expect(SWITCHES.filter((one) => one.kind === 'part')).toHaveLength(3);
});

test('the first failing rung, who says so and the errno come out of the run', { timeout: 60_000 }, async () => {
  const got = await rows(['all', '01', '02', '05', '10', '12', 'qemu-posted']);
  const told = (id: string) => got.get(id)?.failure;
  expect(told('all')).toBeNull();
  expect(told('01')).toMatchObject({ rung: 'open', layer: 'l1 kernel', errno: 'ENODEV' });
  expect(told('02')).toMatchObject({ rung: 'build', layer: 'build' });
  expect(got.get('02')?.linked?.failure).toMatchObject({ rung: 'open', errno: 'ENODEV' });
  expect(told('05')).toMatchObject({ rung: 'regions', layer: 'l1 qemu', errno: 'EINVAL' });
  expect(told('10')).toMatchObject({ rung: 'probe', layer: 'l2 kernel', errno: 'ENXIO' });
  expect(told('12')).toMatchObject({ rung: 'bind', layer: 'l1 tools' });
  expect(told('qemu-posted')).toMatchObject({ rung: 'commit', layer: 'l1 qemu' });
  expect(told('qemu-posted')?.message).toContain('Assertion');
});

test('a consumer that stops listening ends the run', async () => {
  let steps = 0;
  for await (const progress of matrix(host, { only: ['all', '01'] })) {
    if (progress.kind === 'step' && ++steps === 3) break;
  }
  expect(steps).toBe(3);
});
