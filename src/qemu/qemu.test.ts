import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { paths } from '../state/schema.ts';
import { monitorLine, openMonitor, type Run, start } from './testing/boot.ts';

const BASE = ['-M', 'q35,cxl=on', '-m', '4G,maxmem=8G,slots=8', '-smp', '2', '-nographic', '-kernel', 'vmlinuz'];
const PXB = ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'];
const RP = ['-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'];
const WINDOW = ['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'];
const ACCEL = [
  ...[...BASE, '-append', 'console=ttyS0', '-object', 'memory-backend-ram,id=vmem0,share=on,size=256M', ...PXB, ...RP],
  ...['-device', 'cxl-accel,bus=rp0,volatile-memdev=vmem0,id=cxl-accel0', ...WINDOW],
];
/** Capture A's machine, as far as it is modelled (KVM for TCG, no extra serial ports). */
const CAPTURE_A = [
  ...[...BASE, '-object', 'memory-backend-file,id=mem0,share=on,mem-path=mem0.bin,size=256M', ...PXB, ...RP],
  ...['-device', 'cxl-type3,bus=rp0,volatile-memdev=mem0,id=cxl-vmem0,sn=4096', ...WINDOW],
];

const golden = (name: string) =>
  readFileSync(new URL(`./fixtures/capture-A-info-${name}.txt`, import.meta.url), 'utf8').split('\n');
/** Lines of one `dev:` and what is indented below it. */
function subtree(lines: readonly string[], head: string): readonly string[] {
  const at = lines.findIndex((line) => line.trim() === head);
  const depth = (line: string) => line.length - line.trimStart().length;
  let end = at + 1;
  while (end < lines.length && depth(lines[end] as string) > depth(lines[at] as string)) end++;
  return lines.slice(at, end);
}

async function withMonitor(argv: readonly string[]): Promise<Run> {
  const run = await start(argv);
  expect(run.fake.stderr).toBe('');
  await openMonitor(run);
  return run;
}

test('firmware boots capture A’s machine: kernel, memory map and tables arrive', async () => {
  const run = await start(CAPTURE_A);
  expect(run.fake.stderr).toBe('');
  expect(run.boot?.rsdp).toBe(0xf52a0);
  expect(run.boot?.kernel.length).toBe(2048);
  expect(
    run.boot?.e820.map((entry) => `${entry.start.toString(16)} ${entry.size.toString(16)} ${entry.type}`),
  ).toContain('fd00000000 300000000 reserved');
  const bus = run.fake.bus;
  const rsdt = bus?.load(0xf52a0 + 16, 4) ?? 0;
  const signature = (at: number) => {
    const bytes = new Uint8Array(4);
    bus?.copyFrom(at, bytes);
    return new TextDecoder().decode(bytes);
  };
  expect(signature(rsdt)).toBe('RSDT');
  expect([0, 1, 2, 3, 4, 5, 6].map((n) => signature(bus?.load(rsdt + 36 + 4 * n, 4) ?? 0))).toEqual([
    'FACP',
    'APIC',
    'HPET',
    'SRAT',
    'MCFG',
    'CEDT',
    'WAET',
  ]);
  expect([...run.fake.slots.values()].map((slot) => [slot.gpa, slot.size, slot.readonly])).toContainEqual([
    0x100000000,
    0x80000000,
    false,
  ]);
});

test('info mtree -f: RAM, CXL and PCI ranges of the system address space are those captured', async () => {
  const run = await withMonitor(CAPTURE_A);
  const ours = await monitorLine(run, 'info mtree -f');
  const from = (lines: readonly string[]) => {
    const start = lines.findIndex((line) => line.includes('AS "memory"'));
    return lines
      .slice(start, lines.indexOf('', start))
      .filter((line) => /^ {2}/.test(line) && !/: (ahci|.*kvmvapic)/.test(line))
      .slice(3);
  };
  // Below 0xe4000 the captured machine has the option ROM of KVM's APIC, which is not modelled; ahci was moved by its kernel.
  expect(from(ours)).toEqual(from(golden('mtree-f')));
});

test('info mtree: CXL containers and windows line for line', async () => {
  const run = await withMonitor(CAPTURE_A);
  const ours = await monitorLine(run, 'info mtree');
  const wanted =
    /cxl|\.io|\.cache_mem|device-registers|cap-array|device-status|mailbox|caps|msix|device-memory|ram-|pcie-mmcfg/;
  const cut = (lines: readonly string[]) => {
    const start = lines.indexOf('address-space: memory');
    return lines.slice(start, lines.indexOf('', start)).filter((line) => wanted.test(line));
  };
  expect(cut(ours)).toEqual(cut(golden('mtree')));
  const dpa = (lines: readonly string[]) =>
    lines[lines.indexOf('address-space: cxl-type3-dpa-vmem-space:cxl-vmem0') + 1];
  expect(dpa(ours)).toBe(dpa(golden('mtree')));
});

test('info qtree: the CXL branch, the chipset and pcie.0 line for line', async () => {
  const run = await withMonitor([...CAPTURE_A, '-serial', 'mon:stdio']);
  const ours = await monitorLine(run, 'info qtree');
  const theirs = golden('qtree');
  for (const head of [
    'dev: pxb-cxl-host, id ""',
    'dev: pxb-cxl, id "cxl.1"',
    'dev: mch, id ""',
    'dev: ICH9-SMB, id ""',
    'dev: hpet, id ""',
  ])
    expect(subtree(ours, head)).toEqual(subtree(theirs, head));
  expect(ours.slice(0, 2)).toEqual(theirs.slice(0, 2));
});

test('info pci: functions, bridges and BARs as captured (what the guest’s kernel moved aside)', async () => {
  const run = await withMonitor(CAPTURE_A);
  const moved = /IO range|BAR5: 32 bit memory|BAR2|BAR4: 32/;
  const cut = (lines: readonly string[]) => lines.filter((line) => line !== '' && !moved.test(line));
  expect(cut(await monitorLine(run, 'info pci'))).toEqual(cut(golden('pci')));
});

test('a store through the fixed window lands in the backend once the accelerator’s decoder is committed', async () => {
  const run = await withMonitor(ACCEL);
  const bus = run.fake.bus;
  if (!bus) throw new Error('the guest did not run');
  const bar0 = 0xfe800000;
  bus.store(0x490000000, 4, 0x12345678);
  expect(await monitorLine(run, 'xp /2xw 0x490000000')).toEqual(['0000000490000000: 0x00000000 0x00000000']);
  bus.store(bar0 + 0x1138, 4, 0x90000000);
  bus.store(bar0 + 0x113c, 4, 4);
  bus.store(bar0 + 0x1140, 4, 0x10000000);
  bus.store(bar0 + 0x1148, 4, 0x200);
  expect(bus.load(bar0 + 0x1148, 4)).toBe(0x600);
  bus.store(0x490000010, 8, 0x12345678, 0x9abcdef0);
  expect(await monitorLine(run, 'xp /4xw 0x490000010')).toEqual([
    '0000000490000010: 0x12345678 0x9abcdef0 0x00000000 0x00000000',
  ]);
  expect(await monitorLine(run, 'xp /1xg 0x490000010')).toEqual(['0000000490000010: 0x9abcdef012345678']);
  expect(await monitorLine(run, 'xp /4xb 0x490000010')).toEqual(['0000000490000010: 0x78 0x56 0x34 0x12']);
});

test('published: the function, its window and the memory map', async () => {
  const run = await start(ACCEL);
  expect(run.log.object(paths.pciFunction('l1', 'cxl-accel0'))).toMatchObject({
    type: 'cxl-accel',
    bus: 'rp0',
    parent: 'rp0',
    bdf: '0d:00.0',
    vendorDevice: '8086:0d94',
    classCode: 0x050310,
    backend: { id: 'vmem0', size: 0x10000000 },
  });
  expect(run.log.object(paths.fixedWindow('l1', 0))).toEqual({
    base: 0x490000000,
    size: 0x100000000,
    granularity: 256,
    targets: ['cxl.1'],
  });
  expect(run.log.object(paths.machine('l1'))).toMatchObject({ vmm: { machine: 'host', pid: 42 }, cpus: 2 });
});

test('reset port, ACPI sleep button and Ctrl-a x: the machine starts again or the process ends', async () => {
  const run = await start(ACCEL);
  run.fake.bus?.outp(0xcf9, 1, 6);
  await run.fake.settle();
  expect(run.boots).toBe(2);
  expect(run.status).toBe(null);
  run.fake.type('\x01x');
  await run.fake.settle();
  expect(run.fake.stdout).toContain('QEMU: Terminated');
  expect(run.status).toBe(0);

  const off = await start(ACCEL);
  off.fake.bus?.outp(0x604, 2, 0x2000);
  await off.fake.settle();
  expect(off.status).toBe(0);

  const noReboot = await start([...ACCEL, '-no-reboot']);
  noReboot.fake.bus?.outp(0xcf9, 1, 6);
  await noReboot.fake.settle();
  expect([noReboot.status, noReboot.boots]).toEqual([0, 1]);
});

test('a warm reset keeps the decoders without a reset handler and clears them with one', async () => {
  for (const accelReset of [false, true]) {
    const run = await start(ACCEL, { build: { accelReset } });
    run.fake.bus?.store(0xfe801148, 4, 0x200);
    run.fake.bus?.outp(0xcf9, 1, 6);
    await run.fake.settle();
    expect(run.fake.bus?.load(0xfe801148, 4)).toBe(accelReset ? 0 : 0x600);
  }
});

test('monitor: unknown commands, help, status, history and completion', async () => {
  const run = await withMonitor(ACCEL);
  expect(await monitorLine(run, 'foo bar')).toEqual(["unknown command: 'foo'"]);
  expect(await monitorLine(run, 'info foo')).toEqual(["unknown command: 'info foo'"]);
  expect(await monitorLine(run, 'info status')).toEqual(['VM status: running']);
  expect((await monitorLine(run, 'help')).join('\n')).toContain('system_reset');
  run.fake.stdout = '';
  run.fake.type('info ver\t\r');
  await run.fake.settle();
  expect(run.fake.stdout).toContain('9.1.50');
  run.fake.stdout = '';
  run.fake.type('\x1b[A\x1b[A\r');
  await run.fake.settle();
  expect(run.fake.stdout).toContain('system_powerdown');
  expect(await monitorLine(run, 'xp /4xz 0')).toEqual([
    "invalid char in format: 'z'",
    'Try "help xp" for more information',
  ]);
  expect((await monitorLine(run, 'xp /1xw 0x480001000+0*4')).join()).toMatch(/^0000000480001000: 0x/);
  run.fake.type('quit\r');
  await run.fake.settle();
  expect(run.status).toBe(0);
});

test('the serial port is the console: what the guest writes appears, what is typed arrives', async () => {
  const run = await start(ACCEL);
  run.fake.bus?.outs(0x3f8, new TextEncoder().encode('hello\r\n'));
  expect(run.fake.stdout).toContain('hello');
  run.fake.type('k');
  await run.fake.settle();
  expect(run.fake.bus?.inp(0x3fd, 1)).toBe(0x61);
  expect(run.fake.bus?.inp(0x3f8, 1)).toBe('k'.charCodeAt(0));
});
