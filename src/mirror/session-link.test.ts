import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { host } from '../lab/testing/host.ts';
import type { SharedSession } from '../protocol/client.ts';
import { type LinkedSession, type LinkedView, sessionFromText, sessionToText } from './session-link.ts';

const VIEW: LinkedView = {
  cursor: 12,
  layout: 'trace',
  console: 'host',
  selection: { kind: 'function', machine: 'l1', id: 'cxl-accel0', register: { space: 'bar0', offset: 0x1148 } },
  address: { space: 'l1-hpa', address: 0x4_9000_0040 },
};
const shared = (session: Partial<SharedSession> = {}): SharedSession => ({
  record: { version: 1, seed: 1, inputs: [] },
  moment: null,
  hash: null,
  ...session,
});

const input = fc.record({
  console: fc.constantFrom('host', 'l1', 'l2', 'l1/pts/1', 'host-monitor'),
  text: fc.string({ unit: 'binary' }),
  idle: fc.boolean(),
  position: fc.nat(),
  timersFired: fc.nat(),
});

test('any session and view come back from the text', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(input),
      fc.option(fc.record({ position: fc.nat(), timersFired: fc.nat() })),
      async (inputs, moment) => {
        const linked: LinkedSession = {
          session: shared({ record: { version: 1, seed: 7, inputs }, moment, hash: 'f00d' }),
          view: VIEW,
        };
        expect(await sessionFromText(await sessionToText(linked))).toEqual(linked);
      },
    ),
    { numRuns: 50 },
  );
});

test('a text that was cut, changed or made otherwise is one sentence', async () => {
  const inputs = Array.from({ length: 40 }, (_, n) => ({
    console: 'host',
    text: `echo ${n * 7919}\r`,
    idle: true,
    position: n * 31,
    timersFired: n,
  }));
  const text = await sessionToText({ session: shared({ record: { version: 1, seed: 1, inputs } }), view: VIEW });
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: text.length - 1 }), async (length) => {
      expect(await sessionFromText(text.slice(0, length))).toMatch(/^This link .*\.$/);
    }),
    { numRuns: 60 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: text.length - 1 }),
      fc.constantFrom(...'Az09-_ %'),
      async (at, letter) => {
        fc.pre(text[at] !== letter);
        const read = await sessionFromText(text.slice(0, at) + letter + text.slice(at + 1));
        // The last letter holds two or four bits of no byte.
        if (typeof read !== 'string') expect(at).toBe(text.length - 1);
        else expect(read).toMatch(/^This link .*\.$/);
      },
    ),
    { numRuns: 120 },
  );
  expect(await sessionFromText('')).toMatch(/carries none/);
  expect(await sessionFromText('2.abc')).toMatch(/form 2.*reads form 1/);
  const foreign = await sessionToText({
    session: shared({
      record: {
        version: 1,
        seed: 1,
        inputs: [{ console: 'resize:host', text: 'NaNxNaN', idle: true, position: 0, timersFired: 0 }],
      },
    }),
    view: VIEW,
  });
  expect(await sessionFromText(foreign)).toMatch(/holds no session of this lab: inputs/);
});

test('a session opened from its link has the same state at the same moment, also between two timers', async () => {
  // The clock stands still once the host is up: a timer is left waiting.
  let still = false;
  const pace = () => (still ? new Promise<void>(() => {}) : Promise.resolve());
  const first = await Lab.start({ seed: 3, host: { ...host, pace }, paced: true });
  const quiet = () => new Promise<void>((resolve) => setTimeout(resolve, 30));
  await first.settled();
  still = true;
  first.input('host', 'echo made > /tmp/here; ls /tmp; (sleep 5; echo late) &\r');
  for (let n = 0; n < 100 && first.shared().moment === null; n++) await quiet();
  first.stop();
  const session = first.shared();
  expect(session.hash).not.toBeNull();
  const linked = await sessionFromText(await sessionToText({ session, view: VIEW }));
  if (typeof linked === 'string') throw new Error(linked);
  const { record, moment } = linked.session;
  const again = await Lab.start({ seed: record.seed, host, inputs: record.inputs, moment, paced: true });
  again.resize('host', 99, 33);
  expect(await again.restored).toBe(session.hash);
  again.stop();
});
