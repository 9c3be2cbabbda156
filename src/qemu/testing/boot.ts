/** Starts the VMM on a fake system with the firmware model as its guest, for tests. */
import { concat, utf8 } from '../../base/bytes.ts';
import type { BootParams } from '../../hw/bus/boot-params.ts';
import { runFirmware } from '../../hw/firmware/firmware.ts';
import { EventLog } from '../../log/index.ts';
import { createQemuProgram, DEFAULT_BUILD } from '../main.ts';
import type { QemuBuild } from '../qdev/build.ts';
import { type FakeSys, fakeSys } from './fake-sys.ts';

export interface Run {
  readonly fake: FakeSys;
  readonly log: EventLog;
  /** Exit status once the program has ended. */
  status: number | null;
  boot: BootParams | null;
  boots: number;
}

export async function start(
  argv: readonly string[],
  options: { kvm?: boolean; build?: Partial<QemuBuild> } = {},
): Promise<Run> {
  const fake = fakeSys(options.kvm ?? true);
  fake.files.set('vmlinuz', concat([utf8('cxlab-kernel '), new Uint8Array(2035).fill(7)]));
  const log = new EventLog();
  const program = createQemuProgram({ log, machine: 'host', build: { ...DEFAULT_BUILD, ...options.build } });
  const run: Run = { fake, log, status: null, boot: null, boots: 0 };
  fake.guest = (bus) => {
    run.boot = runFirmware(bus);
    run.boots++;
  };
  void program(fake.sys, ['/usr/bin/qemu-system-x86_64', ...argv], {}).then((status) => {
    run.status = status;
  });
  await fake.settle();
  return run;
}

/** Types one line at the monitor (after Ctrl-a c) and gives the lines it answers with. */
export async function monitorLine(run: Run, line: string): Promise<readonly string[]> {
  run.fake.stdout = '';
  run.fake.type(`${line}\r`);
  await run.fake.settle();
  return run.fake.stdout.replaceAll('\r', '').split('\n').slice(1, -1);
}

export async function openMonitor(run: Run): Promise<void> {
  run.fake.type('\x01c');
  await run.fake.settle();
}
