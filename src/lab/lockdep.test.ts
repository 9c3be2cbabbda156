import { expect, test } from 'vitest';
import { type BootChoices, bind, bootL1, bootL2 } from './boot-to-l2.ts';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';
import { host } from './testing/host.ts';
import { parseTranscript } from './transcript.ts';

/** What CONFIG_PROVE_LOCKING says follows from the locks each function takes: silence where they are taken, a report where not. */
async function played(lines: readonly string[]): Promise<string> {
  const lab = await Lab.start({ seed: 1, host });
  let output = '';
  for (const step of parseTranscript(`${lines.join('\n')}\n`, 'locks'))
    output += (await runStep(lab, step, 'locks')).output;
  lab.stop();
  return output;
}

const PROVE = '--config CONFIG_PROVE_LOCKING=y';
const way = (choices: BootChoices) => [
  `host# ${bootL1(choices)}`,
  ...bind(choices).map((line) => `l1# ${line}`),
  `l1# ${bootL2(choices)}`,
];
const KERNELS = { l1Kernel: 'k1', l2Kernel: '/boot/k2' };

test('open, region, commit, fault, reset, removal and close take every lock that is asserted, where the detach takes its own', async () => {
  const output = await played([
    `host# kbuild l1 ${PROVE} --fix vfio-cxl-detach-unlocked -o k1; kbuild l2 ${PROVE} --fix cxl-accel-detach-unlocked -o k2`,
    ...way(KERNELS),
    'l2# modprobe cxl-accel; devmem 0x110000040 32 1; setpci -s 0d:00.0 COMMAND=0:2; setpci -s 0d:00.0 COMMAND=2:2',
    'l2# rmmod cxl-accel; modprobe cxl-accel; dmesg -l warn',
    'l2# poweroff',
    'l1# echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl_accel_vfio_pci/unbind; dmesg -l warn',
  ]);
  expect(output).not.toMatch(/WARNING|BUG/);
});

test('so do regions made and destroyed by hand over a memory expander', async () => {
  const memory = bootL1({ l1Kernel: 'k1' }).replace('cxl-accel,', 'cxl-type3,').replaceAll('cxl-accel0', 'cxl-mem0');
  const output = await played([
    `host# kbuild l1 ${PROVE} -o k1`,
    `host# ${memory}`,
    'l1# modprobe -a cxl_pci cxl_mem; cxl create-region -m -t ram -d decoder0.0 mem0 | grep -c region',
    'l1# cxl disable-region region0; cxl destroy-region region0; ls /sys/bus/cxl/devices; dmesg -l warn',
  ]);
  expect(output).toContain('destroyed 1 region');
  expect(output).not.toMatch(/WARNING|BUG/);
});

test('a probe that fails with the endpoint’s lock held is caught when its own clean-up wants it again', async () => {
  const output = await played([
    `host# kbuild l1 --without 8 -o k1; kbuild l2 ${PROVE} --quirk cxl-accel-endpoint-held=posted -o k2`,
    ...way(KERNELS),
    'l2# modprobe cxl-accel',
    'l2# dmesg -l warn',
  ]);
  expect(output).toContain('possible recursive locking detected');
  expect(output).toMatch(
    /trying to acquire lock:\n.*\(&cxl_port_key\/2\)\{\+\.\+\.\}-\{3:3\}, at: device_release_driver/,
  );
  expect(output).toMatch(/already holding lock:\n.*\(&cxl_port_key\/2\)\{\+\.\+\.\}-\{3:3\}, at: cxl_acquire_endpoint/);
});
