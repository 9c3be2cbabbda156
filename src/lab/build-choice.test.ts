import { expect, test } from 'vitest';
import { type BuildChoice, POSTED_SERIES, V3_SERIES } from '../protocol/build-choice.ts';
import { attemptOf, transcriptOf } from './build-choice.ts';
import { Lab } from './lab.ts';
import { host } from './testing/host.ts';

test('a choice is the command lines that make it', () => {
  const choice: BuildChoice = {
    ...POSTED_SERIES,
    without: [8],
    soft: [6, 7],
    config: ['PROVE_LOCKING=y'],
    quirks: {
      l1: { 'vfio-cxl-dword-only': 'intended' },
      l2: { 'hpa-freespace-off-by-two': 'posted' },
      qemu: { 'qemu-base-shift': 'intended' },
    },
    reset: true,
    qemu: 'posted',
    driver: '2025',
    bar: '128K@64K',
    failIoremap: true,
  };
  const { builds, choices } = attemptOf(choice);
  expect(builds).toEqual([
    'kbuild l1 --without 8 --soft 6,7 --config CONFIG_PROVE_LOCKING=y --quirk vfio-cxl-dword-only=intended -o k1',
    'qbuild --accel-reset -o q0',
    'qbuild --variant posted --quirk qemu-base-shift=intended -o q1',
    'kbuild l2 --driver 2025 --quirk hpa-freespace-off-by-two=posted -o k2',
  ]);
  expect(choices).toMatchObject({ accel: ',x-bar0-size=128K,x-component-offset=64K', l2Module: 'qemu-cxl-accel' });
  expect(attemptOf(POSTED_SERIES)).toEqual({ builds: [], choices: {} });
});

test.each([
  ['the RFC', POSTED_SERIES],
  ['the series of 2026', V3_SERIES],
] as const)('the transcript of %s, typed in a fresh session, ends with a byte in the device', async (_, choice) => {
  const lab = await Lab.start({ seed: 1, host });
  let said = '';
  lab.consoles.listen((console, bytes) => {
    if (console === 'l2') said += new TextDecoder().decode(bytes);
  });
  await lab.type(transcriptOf(choice));
  expect(said).toContain('\n0x1122334455667788');
  lab.stop();
});
