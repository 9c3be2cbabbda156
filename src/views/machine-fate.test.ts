import { expect, test } from 'vitest';
import { EventLog } from '../log/index.ts';
import { MirrorLog } from '../mirror/mirror-log.ts';
import { BatchCutter } from '../mirror/testing/batches.ts';
import { machineFates } from './machine-fate.view.ts';
import { stateDifferences } from './run-differences.view.ts';

const vmm = { machine: 'l1', pid: 7 } as const;
const running = { id: 'l2', state: 'running', vmm } as const;
const qemu = { pid: 7, ppid: 1, comm: 'qemu-system-x86', argv: ['qemu-system-x86_64'], state: 'running' } as const;

function folded(write: (log: EventLog) => void): MirrorLog {
  const log = new EventLog();
  log.publish('machine/l1', { id: 'l1', state: 'running' });
  log.publish('machine/l2', running);
  log.publish('proc/l1/7', qemu);
  write(log);
  const mirror = new MirrorLog();
  mirror.append(new BatchCutter(log).cut([]));
  mirror.seek(mirror.head);
  return mirror;
}

const texts = (log: MirrorLog) => machineFates(log).map(({ text, well }) => (well ? text : `! ${text}`));

test('guests that run are well, and before they ran there is nothing to say', () => {
  const log = folded(() => {});
  expect(texts(log)).toEqual(['L1 running', 'L2 running']);
  log.seek(0);
  expect(texts(log)).toEqual([]);
});

test('a guest that went down with its VMM says how; one that was shut down is well', () => {
  const down = (log: EventLog) => log.publish('machine/l2', { id: 'l2', state: 'off' });
  expect(texts(folded(down))).toEqual(['L1 running', 'L2 is off']);
  const ended = (exit: { readonly status: number; readonly signal: number }) =>
    folded((log) => {
      log.publish('proc/l1/7', { ...qemu, state: 'zombie', exit });
      log.publish('machine/l2', { ...running, state: 'off' });
      down(log);
      log.publish('proc/l1/7', null);
    });
  const who = 'L2 is off: its VMM, qemu-system-x86 (pid 7) in L1,';
  expect(texts(ended({ status: 0, signal: 6 }))[1]).toBe(`! ${who} was killed by SIGABRT`);
  expect(texts(ended({ status: 1, signal: 0 }))[1]).toBe(`! ${who} ended with status 1`);
  expect(texts(ended({ status: 0, signal: 0 }))[1]).toBe(`${who} ended with status 0`);
});

test('a process that sleeps in the kernel for good is no good sign', () => {
  const log = folded((into) => into.publish('proc/l2/3', { ...qemu, pid: 3, comm: 'modprobe', state: 'blocked' }));
  expect(texts(log)[1]).toBe('! L2 running, modprobe (pid 3) asleep in its kernel');
});

test('a panic and an oops are told apart', () => {
  const panic = folded((log) => log.publish('machine/l2', { ...running, state: 'crashed', reason: 'no init' }));
  expect(texts(panic)[1]).toBe('! L2 crashed: no init');
  const oops = folded((log) => log.publish('machine/l2', { ...running, oops: 'BUG: bad page' }));
  expect(texts(oops)[1]).toBe('! L2 running after an oops: BUG: bad page');
});

test('of what one state lacks whole only the whole is said, and what stands differently is said from both sides', () => {
  const gone = folded((log) => {
    log.publish('proc/l1/7', null);
    log.publish('machine/l2', { id: 'l2', state: 'off' });
  });
  expect(
    stateDifferences(
      gone,
      folded(() => {}),
    ),
  ).toEqual([
    { only: 'second', text: 'L1 guest: qemu-system-x86 runs l2' },
    { only: 'second', text: 'L2 guest: running' },
  ]);
  const oops = folded((log) => log.publish('machine/l2', { ...running, oops: 'BUG: bad page' }));
  expect(
    stateDifferences(
      oops,
      folded(() => {}),
    ),
  ).toEqual([{ text: '', first: 'L2 guest: running (BUG: bad page)', second: 'L2 guest: running' }]);
  expect(stateDifferences(oops, oops)).toEqual([]);
});
