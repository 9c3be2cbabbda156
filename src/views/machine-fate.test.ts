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

test('a guest that went down with its VMM says so; one that was shut down, only that', () => {
  const down = (log: EventLog) => log.publish('machine/l2', { id: 'l2', state: 'off' });
  expect(texts(folded(down))).toEqual(['L1 running', '! L2 is off']);
  const dead = folded((log) => {
    log.publish('proc/l1/7', null);
    log.publish('machine/l2', { ...running, state: 'off' });
    down(log);
  });
  expect(texts(dead)).toEqual(['L1 running', '! L2 is off: its VMM, qemu-system-x86 (pid 7) in L1, has ended']);
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
