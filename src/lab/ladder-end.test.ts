import { expect, test } from 'vitest';
import { POSTED_SERIES } from '../protocol/build-choice.ts';
import type { Climb } from '../protocol/ladder.ts';
import { attemptOf } from './build-choice.ts';
import { Lab } from './lab.ts';
import { climb, type LadderStep } from './ladder.ts';
import { runStep } from './run-step.ts';
import { host } from './testing/host.ts';

/** Climbs with the whole series; `meddle` runs before the first line that matches. */
async function climbed(at: RegExp, meddle: (lab: Lab) => Promise<void>): Promise<Climb> {
  const lab = await Lab.start({ seed: 1, host });
  const run = climb(lab, attemptOf(POSTED_SERIES));
  let met = false;
  let next: IteratorResult<LadderStep, Climb> = await run.next();
  while (!next.done) {
    if (!met && at.test(`${next.value.console}# ${next.value.line}`)) {
      met = true;
      await meddle(lab);
    }
    next = await run.next();
  }
  lab.stop();
  expect(met).toBe(true);
  return next.value;
}

test('an engine that stops ends the climb at its rung, and says so', { timeout: 30_000 }, async () => {
  const { reached, failure } = await climbed(/^l1# qemu/, async (lab) => {
    lab.scheduler.spawn(() => Promise.reject(new Error('an invariant broke')));
  });
  expect(reached).toEqual(['build', 'bind']);
  expect(failure).toMatchObject({
    rung: 'open',
    layer: 'lab engine',
    message: expect.stringContaining('invariant broke'),
  });
});

test('a machine that is gone when its line comes ends the climb there', { timeout: 30_000 }, async () => {
  const { reached, failure } = await climbed(/^l1# qemu/, async (lab) => {
    await runStep(lab, { console: 'l1', line: 'poweroff -f', expected: [], at: 0 }, 'test');
  });
  expect(reached).toEqual(['build', 'bind']);
  expect(failure).toMatchObject({ rung: 'open', message: expect.stringContaining('l1 is not running') });
});
