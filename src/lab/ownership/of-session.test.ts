import { expect, test } from 'vitest';
import { Row } from '../../log/index.ts';
import { POSTED_SERIES } from '../../protocol/build-choice.ts';
import { transcriptOf } from '../build-choice.ts';
import { Lab } from '../lab.ts';
import { host, labWithL2 } from '../testing/host.ts';
import { copiesOf, type SessionMoment } from './of-session.ts';
import { type OwnershipRow, ownership } from './ownership.ts';

const copies = (moment: SessionMoment) => copiesOf(moment, (options) => Lab.start({ ...options, host }));

/** The rows of some registers of a session, at the present or at an earlier row. */
async function rowsOf(lab: Lab, names: readonly string[], row = lab.log.length): Promise<readonly OwnershipRow[]> {
  const moment = { record: lab.record(row), row };
  const found = new Map<string, OwnershipRow>();
  for await (const one of ownership(copies(moment), { subject: { machine: 'l1', id: 'cxl-accel0' } })) {
    if (names.includes(one.name)) found.set(one.name, one);
    if (found.size === names.length) break;
  }
  lab.stop();
  return names.map((name) => {
    const one = found.get(name);
    if (!one) throw new Error(`no register ${name}`);
    return one;
  });
}

async function without(patch: number): Promise<Lab> {
  const lab = await Lab.start({ seed: 1, host });
  await lab.type(transcriptOf({ ...POSTED_SERIES, soft: [patch] }));
  return lab;
}

test('a copy stands where the session stands, also while a command of it never ends', async () => {
  // As on the page: timers wait for real time, and here time stands still after a while.
  let ticks = 0;
  let still = () => {};
  const stopped = new Promise<void>((resolve) => {
    still = resolve;
  });
  const pace = (): Promise<void> => {
    if (++ticks < 200) return Promise.resolve();
    still();
    return new Promise(() => {});
  };
  const lab = await Lab.start({ seed: 1, host: { ...host, pace }, paced: true });
  lab.input('host', 'watch -n 1 date\r');
  await stopped;
  const copy = await copies({ record: lab.record(), row: lab.log.length })();
  expect([copy.log.length, copy.hash()]).toEqual([lab.log.length, lab.hash()]);
  lab.stop();
  copy.stop();
});

test('without the patch that emulates the HDM block its registers are the device’s, for L2 too', async () => {
  const [base] = await rowsOf(await without(8), ['BASE_LO1']);
  expect(base?.owner).toBe('device');
  expect(base?.answers.l2).toEqual({ device: 0xffffffff });
  expect(base?.writes.l2?.reads.device).toBe(0xf0000000);
});

test('without the patch that keeps writes of the DVSEC in vfio’s copy they reach the device (vfio_raw_config_write)', async () => {
  const [control] = await rowsOf(await without(10), ['CXL_CTRL']);
  expect(control?.owner).toBe('device');
  expect(control?.writes.l2?.changed).toEqual(control?.writes['l1.kernel']?.changed);
});

test('before L1’s VMM runs only L1’s kernel reaches the device', async () => {
  const lab = await labWithL2();
  const { log } = lab;
  let row = log.length - 1;
  while (log.kind(row) !== Row.MARK || !log.strings[log.a(row)]?.includes('qemu-system')) row--;
  const [base] = await rowsOf(lab, ['BASE_LO0'], row);
  expect([base?.writes.l2, base?.before.l2]).toEqual([null, null]);
  expect(base?.writes['l1.kernel']?.changed).toEqual({ device: 0xf0000000 });
});
