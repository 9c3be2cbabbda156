import { expect, test } from 'vitest';
import { text } from '../base/bytes.ts';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';
import { host } from './testing/host.ts';
import { parseTranscript } from './transcript.ts';

const QEMU =
  'qemu-system-x86_64 -M q35,cxl=on -enable-kvm -m 1G -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.11.0-rc2-vfio-cxl-l1 -initrd /boot/initrd-6.11.0-rc2-vfio-cxl-l1 -append "console=ttyS0 quiet"';

/** A lab and a function that types keys at a console and gives what the host's terminal showed. */
async function seat() {
  const lab = await Lab.start({ seed: 1, host });
  let shown = '';
  lab.consoles.listen((console, bytes) => {
    if (console === 'host') shown += text(bytes);
  });
  const keys = async (typed: string, console = 'host') => {
    shown = '';
    lab.allow(1e12);
    lab.input(console, typed);
    await lab.settled();
    return shown.replaceAll('\r', '');
  };
  return { lab, keys };
}

test('Ctrl-a c is the monitor and back, other keys are the guest’s, Ctrl-a x ends QEMU', async () => {
  const { keys } = await seat();
  await keys(`${QEMU} -nographic\r`);
  expect(await keys('\x01c')).toContain('(qemu) ');
  expect(await keys('info status\r')).toContain('VM status: running');
  await keys('\x01c');
  await keys('sleep 5000\r');
  expect(await keys('\x03')).toContain('^C');
  expect(await keys('echo on $(hostname)\r')).toContain('on l1');
  expect(await keys('\x01x')).toContain('QEMU: Terminated');
  expect(await keys('echo on $(hostname) $?\r')).toContain('on host 0');
});

test('without a raw terminal Ctrl-C ends QEMU, in the background kill does', async () => {
  const { keys } = await seat();
  await keys(`${QEMU} -display none -serial none\r`);
  expect(await keys('\x03')).toContain('terminating on signal 2');
  await keys(`${QEMU} -display none -serial none &\r`);
  expect(await keys('jobs\r')).toContain('Running');
  expect(await keys('kill %1\r')).toContain('terminating on signal 15');
  await keys(`${QEMU} -display none -serial none -monitor stdio\r`);
  expect(await keys('info status\r')).toContain('VM status: running');
  await keys('quit\r');
  expect(await keys('echo back\r')).toContain('back\n');
});

test('an extra login on a guest ends with the guest, and the next boot’s answers', async () => {
  const { lab } = await seat();
  const steps = parseTranscript(`host# ${QEMU} -nographic\nl1# sleep 100000\nl1# echo again\n`, 'test');
  const results: string[] = [];
  for (const [n, step] of [...steps, steps[2], null, ...steps].entries()) {
    if (step) results.push((await runStep(lab, step, 'test')).output);
    else {
      lab.input('l1/pts/0', 'poweroff\r');
      await lab.settled();
      expect(
        lab.consoles.list().map(({ id }) => id),
        `step ${n}`,
      ).not.toContain('l1/pts/0');
    }
  }
  expect(results.filter((output) => output === 'again\n')).toHaveLength(3);
});

test('kill -9 takes the guest, its monitor and everything it published', async () => {
  const { lab, keys } = await seat();
  await keys(`${QEMU} -nographic\r`);
  expect(lab.log.object('cxl/l1/root0')).not.toBe(null);
  lab.openTerminal('host');
  await lab.settled();
  await keys('kill -9 $(pgrep qemu)\r', 'host/pts/0');
  expect(lab.consoles.list().map(({ id }) => id)).not.toContain('host-monitor');
  const left = lab.log.blocks
    .map(({ block }) => block)
    .filter(({ kind, path }) => kind === 'object' && path.split('/')[1] === 'l1' && lab.log.object(path) !== null)
    .map(({ path }) => path);
  expect(left).toEqual(['machine/l1']);
  expect(lab.log.object('machine/l1')).toEqual({ id: 'l1', state: 'off' });
  expect(await keys('echo $?\r')).toContain('137');
});
