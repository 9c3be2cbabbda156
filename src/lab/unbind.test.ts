import { expect, test } from 'vitest';
import { text } from '../base/bytes.ts';
import { Lab } from './lab.ts';
import { host, WALKTHROUGH } from './testing/host.ts';

const UNBIND = 'echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl_accel_vfio_pci/unbind';

/** L2 runs and nobody passes the kernel's request on; two logins on L1 beside the VMM's console. */
async function blockedSeat() {
  const lab = await Lab.start({ seed: 1, host });
  await lab.type(WALKTHROUGH.replace('host=0000:0d:00.0,', 'host=0000:0d:00.0,x-req=off,'), 'modprobe cxl-accel');
  const shown = new Map<string, string>();
  lab.consoles.listen((console, bytes) => shown.set(console, (shown.get(console) ?? '') + text(bytes)));
  for (let n = 0; n < 2; n++) {
    lab.openTerminal('l1');
    await lab.settled();
  }
  const keys = async (console: string, typed: string) => {
    shown.clear();
    lab.allow(60e9);
    lab.input(console, typed);
    await lab.settled();
    return (shown.get(console) ?? '').replaceAll('\r', '');
  };
  return { lab, keys };
}

test('unbinding a device in use: Ctrl-C is noted and waits with it, everything else goes on', async () => {
  const { lab, keys } = await blockedSeat();
  await keys('l1/pts/0', `${UNBIND}\r`);
  expect(lab.consoles.shell('l1/pts/0').atPrompt).toBe(false);
  expect(await keys('l1/pts/1', 'dmesg | tail -1\r')).toContain('No device request channel registered');
  await keys('l1/pts/0', '\x03');
  expect(lab.consoles.shell('l1/pts/0').atPrompt).toBe(false);
  expect(await keys('l1/pts/1', 'dmesg | tail -1\r')).toMatch(
    /Device is currently in use, task "bash" \(\d+\) blocked until device is released/,
  );
  expect(await keys('l2', 'devmem 0x110000040 64 0x77; devmem 0x110000040 64\r')).toContain('0x0000000000000077');
  await keys('l2', 'poweroff\r');
  expect(lab.consoles.shell('l1/pts/0').atPrompt).toBe(true);
  expect(await keys('l1/pts/1', 'ls /sys/bus/pci/devices/0000:0d:00.0/driver\r')).toContain('No such file');
  lab.stop();
});

test('L1 loses power while its unbind waits: nothing of it runs again', async () => {
  const { lab, keys } = await blockedSeat();
  await keys('l1/pts/0', `${UNBIND}\r`);
  await keys('host-monitor', 'quit\r');
  expect(lab.log.object('machine/l1')).toMatchObject({ state: 'off' });
  expect(await keys('host', 'echo back\r')).toContain('back\n');
  lab.stop();
});
