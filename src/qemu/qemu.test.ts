import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BootParams } from '../hw/bus/boot-params.ts';
import { runFirmware } from '../hw/firmware/firmware.ts';
import { EventLog } from '../log/index.ts';
import { createQemuProgram, DEFAULT_BUILD } from './index.ts';
import { type FakeSys, fakeSys } from './testing/fake-sys.ts';

const ACCEL = [
  ...[
    'qemu-system-x86_64',
    '-M',
    'q35,cxl=on',
    '-m',
    '4G,maxmem=8G,slots=8',
    '-smp',
    '2',
    '-cpu',
    'host',
    '-nographic',
  ],
  ...['-kernel', 'vmlinuz', '-append', 'console=ttyS0', '-object', 'memory-backend-ram,id=vmem0,share=on,size=256M'],
  ...['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'],
  ...['-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'],
  ...['-device', 'cxl-accel,bus=rp0,volatile-memdev=vmem0,id=cxl-accel0'],
  ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
];

interface Run {
  readonly fake: FakeSys;
  readonly log: EventLog;
  readonly status: Promise<number>;
  boot: BootParams | null;
}

async function start(argv: readonly string[], withKvm = true): Promise<Run> {
  const fake = fakeSys(withKvm);
  fake.files.set('vmlinuz', new Uint8Array(2048).fill(7));
  const log = new EventLog();
  const program = createQemuProgram({ log, machine: 'host', build: DEFAULT_BUILD });
  const run: Run = { fake, log, status: Promise.resolve(0), boot: null };
  fake.guest = (bus) => {
    run.boot = runFirmware(bus);
  };
  const status = program(fake.sys, argv, {});
  Object.assign(run, { status });
  await fake.settle();
  return run;
}

async function monitor(run: Run, line: string): Promise<string> {
  run.fake.stdout = '';
  run.fake.type(`${line}\r`);
  await run.fake.settle();
  return run.fake.stdout.replaceAll('\r', '').split('\n').slice(1, -1).join('\n');
}

test('smoke', async () => {
  const run = await start(ACCEL);
  console.log(run.fake.stderr, run.boot);
  run.fake.type('\x01c');
  await run.fake.settle();
  console.log(run.fake.stdout);
  console.log(await monitor(run, 'info mtree -f'));
  console.log(await monitor(run, 'info pci'));
  console.log(readFileSync('/tmp/golden/A/qemu-monitor-00-before/info-pci.txt', 'utf8').length);
});
