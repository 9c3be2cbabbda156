import { expect, test } from 'vitest';
import { choiceFromText, choiceToText } from '../protocol/choice-text.ts';
import { KERNEL_QUIRKS } from '../spec/quirks/kernel.ts';
import { QEMU_QUIRKS } from '../spec/quirks/qemu.ts';
import { type MatrixRow, matrix } from './matrix.ts';
import { SWITCHES } from './switches.ts';
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

test('every row is a choice that can be built, and its text brings it back', () => {
  const texts = SWITCHES.flatMap(({ choices }) => choices).map(choiceToText);
  expect(texts.map(choiceFromText)).toEqual(SWITCHES.flatMap(({ choices }) => choices));
  expect(new Set(SWITCHES.map(({ id }) => id)).size).toBe(SWITCHES.length);
  expect(SWITCHES.map(({ id }) => id)).toEqual(
    expect.arrayContaining([...Object.keys(KERNEL_QUIRKS), ...Object.keys(QEMU_QUIRKS)]),
  );
});

test('the series of 2026 climbs by its own driver, region and L2 driver, and stops where a part is missing', async () => {
  const got = await rows(['v3', 'v3-uncommitted', 'v3-four', 'v3-qemu-rfc', 'v3-driver-rfc', 'v3-released']);
  expect(got.get('v3')?.failure).toBeNull();
  expect(got.get('v3')?.found).toMatchObject({
    bind: 'vfio-pci',
    regions: 'index 10: 256 MiB at 0x490000000',
    probe: 'cxl-accel-v28',
    commit: 'region0 at 0x110000000',
  });
  expect(got.get('v3-released')?.found.probe).toBe('cxl-accel');
  const told = (id: string) => got.get(id)?.failure;
  expect(told('v3-uncommitted')).toMatchObject({ rung: 'bind', layer: 'l1 kernel', errno: 'ENXIO' });
  expect(told('v3-four')).toMatchObject({ rung: 'bind', layer: 'l1 kernel', errno: 'EOPNOTSUPP' });
  expect(told('v3-qemu-rfc')).toMatchObject({ rung: 'probe', layer: 'l2 kernel', errno: 'ENXIO' });
  expect(told('v3-driver-rfc')).toMatchObject({ rung: 'probe', message: expect.stringContaining('request DPA') });
});

test('a defect set apart from its part decides by itself', async () => {
  const got = await rows([
    'qemu-map-swapped',
    'qemu-base-shift',
    'block-64K',
    'block-64K-mended',
    'bar-8K',
    'bar-8K-mended',
  ]);
  const told = (id: string) => got.get(id)?.failure;
  expect(told('qemu-map-swapped')).toMatchObject({ rung: 'commit', layer: 'l1 qemu' });
  expect(told('qemu-base-shift')).toMatchObject({ rung: 'commit', errno: 'EINVAL' });
  expect(told('block-64K')?.rung).toBe('probe');
  expect(told('block-64K-mended')).toBeNull();
  expect(told('bar-8K')?.rung).toBe('open');
  expect(told('bar-8K-mended')).toBeNull();
});

test('the first failing rung, who says so and the errno come out of the run', async () => {
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
