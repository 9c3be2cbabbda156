import { beforeAll, expect, test } from 'vitest';
import { type CommandExits, exitsByCommand, exitTotal } from '../state/exits.ts';
import { publishedAs } from '../state/functions.ts';
import { type KvmStatsState, paths } from '../state/schema.ts';
import { Lab } from './lab.ts';
import { liveRows } from './live-state.ts';
import { host, WALKTHROUGH } from './testing/host.ts';

let commands: readonly CommandExits[];
let counters: KvmStatsState | null;
const of = (line: string): CommandExits => {
  const found = commands.find((command) => command.line.includes(line));
  if (!found) throw new Error(`no command ${line}`);
  return found;
};
/** What a store costs beyond the console's own port accesses. */
const mmio = (command: CommandExits, guest: 'l1' | 'l2') =>
  command.guests[guest].mmioRead + command.guests[guest].mmioWrite;

beforeAll(async () => {
  const lab = await Lab.start({ seed: 1, host });
  const until = WALKTHROUGH.indexOf('l2# rmmod cxl-accel');
  await lab.type(
    `${WALKTHROUGH.slice(0, until)}l2# devmem 0xfe60112c 32 0x0\nl2# setpci -s 0d:00.0 100.l\nl2# devmem 0xd0000000 32\n`,
  );
  counters = publishedAs<KvmStatsState>(lab.log.object(paths.kvmStats('l2')));
  commands = exitsByCommand(liveRows(lab.log));
  lab.stop();
});

test('a store through the mapped region exits to nobody in L1; the window of the host answers it', () => {
  const store = of('devmem 0x110000040 64 0x1122334455667788');
  expect(mmio(store, 'l2')).toBe(0);
  expect(store.guests.l1.mmioWrite).toBe(1);
  expect(store.calls).toEqual({ pread64: 0, pwrite64: 0, ioctl: 0 });
});

test('one dword of the HDM block costs one exit of L2 and one pwrite, and nothing of the host’s device', () => {
  const write = of('devmem 0xfe60112c 32');
  expect(write.guests.l2.mmioWrite).toBe(1);
  expect(write.calls.pwrite64).toBe(1);
  expect(mmio(write, 'l1')).toBe(0);
});

test('a configuration read is one pread of the device file', () => {
  expect(of('setpci -s 0d:00.0 100.l').calls.pread64).toBeGreaterThan(0);
});

test('an address nobody answers exits once and reaches no file', () => {
  const read = of('devmem 0xd0000000');
  expect(read.guests.l2.mmioRead).toBe(1);
  expect(read.calls).toEqual({ pread64: 0, pwrite64: 0, ioctl: 0 });
});

test('the columns add up to the guest’s own counters', () => {
  const total = commands.reduce((sum, command) => sum + exitTotal(command.guests.l2), 0);
  expect(counters && exitTotal(counters)).toBe(total);
});
