import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SCENARIO_GROUPS, SCENARIOS } from './scenarios.ts';

test('every scenario of the gallery has a transcript and every transcript is in the gallery', () => {
  const files = readdirSync(new URL('./scenarios/', import.meta.url)).map((name) => name.replace('.transcript', ''));
  // The walkthrough stands beside the folder: the headless runner and the boot button use it too.
  expect(SCENARIOS.map((one) => one.id).sort()).toEqual([...files, 'passthrough'].sort());
});

test('every group has a scenario', () => {
  for (const group of SCENARIO_GROUPS) expect(SCENARIOS.some((one) => one.group === group)).toBe(true);
});
