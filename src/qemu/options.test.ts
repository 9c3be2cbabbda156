import { expect, test } from 'vitest';
import { memory_layout } from './hw/i386/memory-layout.ts';
import { qemu_strtosz, size_to_str } from './system/cutils.ts';
import { qemu_opts_parse, splitCommas } from './system/qemu-opts.ts';
import { start } from './testing/boot.ts';

const OK = ['-M', 'q35,cxl=on', '-nographic', '-kernel', 'vmlinuz'];
const PXB = ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'];
const RP = ['-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'];

async function failure(...argv: string[]): Promise<string> {
  const run = await start(argv);
  expect(run.status).toBe(1);
  return run.fake.stderr.replace(/^qemu-system-x86_64: /, '').trimEnd();
}

test('sizes and option strings are read as QEMU reads them', () => {
  expect(['4G', '1.5k', '256M', '0x100', '7', '4g', 'x'].map((text) => qemu_strtosz(text))).toEqual([
    2 ** 32,
    1536,
    2 ** 28,
    256,
    7,
    2 ** 32,
    null,
  ]);
  expect([2 ** 32, 4096, 512, 32 * 2 ** 30].map(size_to_str)).toEqual(['4 GiB', '4 KiB', '512 B', '32 GiB']);
  expect(splitCommas('a,b=c,,d,e')).toEqual(['a', 'b=c,d', 'e']);
  expect([...qemu_opts_parse('cxl-rp,port=0,nohotplug,x', 'driver').values]).toEqual([
    ['driver', 'cxl-rp'],
    ['port', '0'],
    ['hotplug', 'off'],
    ['x', 'on'],
  ]);
});

test('the memory map follows the rules of q35', () => {
  const G = 2 ** 30;
  const map = (ramSize: number, maxRamSize: number, slots: number, windowSizes: number[]) =>
    memory_layout({ ramSize, maxRamSize, slots, cxl: true, windowSizes });
  expect(map(4 * G, 8 * G, 8, [4 * G, 4 * G])).toMatchObject({
    below4g: 2 * G,
    above4g: 2 * G,
    deviceMemory: { base: 0x180000000, size: 0x300000000 },
    cxlHostReg: 0x480000000,
    windows: [{ base: 0x490000000 }, { base: 0x590000000 }],
    pciHole64: 0x6c0000000 - 0x0,
  });
  expect(map(2 * G, 8 * G, 4, [4 * G])).toMatchObject({
    below4g: 2 * G,
    above4g: 0,
    deviceMemory: { base: 0x100000000, size: 0x280000000 },
    cxlHostReg: 0x380000000,
    windows: [{ base: 0x390000000 }],
  });
  expect(map(2 * G, 2 * G, 0, [4 * G])).toMatchObject({
    deviceMemory: null,
    cxlHostReg: 0x100000000,
    windows: [{ base: 0x110000000 }],
  });
});

test('mistakes on the command line are answered in QEMU’s words', async () => {
  expect(await failure('-foo')).toBe('-foo: invalid option');
  expect(await failure('-kernel')).toBe('-kernel: requires an argument');
  expect(await failure(...OK, '-device', 'foo')).toBe("-device foo: 'foo' is not a valid device model name");
  expect(await failure(...OK, '-device', 'mch')).toBe(
    "-device mch: Parameter 'driver' expects a pluggable device type",
  );
  expect(await failure(...OK, ...PXB, '-device', 'cxl-rp,bus=cxl.1,foo=1')).toBe(
    "-device cxl-rp,bus=cxl.1,foo=1: Property 'cxl-rp.foo' not found",
  );
  expect(await failure(...OK, '-device', 'cxl-rp,bus=x')).toBe("-device cxl-rp,bus=x: Bus 'x' not found");
  expect(await failure(...OK, ...PXB, ...PXB)).toBe(`-device ${PXB[1]}: Duplicate ID 'cxl.1' for device`);
  expect(await failure(...OK, ...PXB, '-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=b')).toBe(
    '-device pxb-cxl,bus_nr=12,bus=pcie.0,id=b: Bus 12 is already in use',
  );
  expect(await failure(...OK, ...PXB, '-device', 'cxl-accel,bus=cxl.1')).toBe(
    '-device cxl-accel,bus=cxl.1: PCI: Only PCI/PCIe bridges can be plugged into pxb-cxl',
  );
  expect(await failure(...OK, ...PXB, ...RP, '-device', 'cxl-accel,bus=rp0,volatile-memdev=m')).toBe(
    "-device cxl-accel,bus=rp0,volatile-memdev=m: Device 'm' not found",
  );
  expect(await failure(...OK, ...PXB, ...RP, '-device', 'cxl-type3,bus=rp0')).toBe(
    '-device cxl-type3,bus=rp0: at least one memdev property must be set',
  );
  expect(await failure(...OK, ...PXB, '-device', 'cxl-rp,bus=cxl.1,slot=x')).toBe(
    "-device cxl-rp,bus=cxl.1,slot=x: Parameter 'slot' expects integer",
  );
  expect(await failure(...OK, ...PXB, '-device', 'cxl-rp,bus=cxl.1,chassis=300')).toBe(
    "-device cxl-rp,bus=cxl.1,chassis=300: Parameter 'chassis' expects uint8_t",
  );
  expect(await failure(...OK, ...PXB, ...RP, '-device', 'cxl-rp,port=1,bus=cxl.1,id=rp1,chassis=0,slot=2')).toBe(
    "-device cxl-rp,port=1,bus=cxl.1,id=rp1,chassis=0,slot=2: Can't add chassis slot, error -16",
  );
});

test('fixed windows: size, ways, granularity, targets and cxl=off', async () => {
  const M = (text: string) => failure(...OK, ...PXB, '-M', text);
  expect(await M('cxl-fmw.0.targets.0=cxl.1')).toBe("Parameter 'cxl-fmw.0.size' is missing");
  expect(await M('cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=100M')).toBe(
    'Size of a CXL fixed memory window must be a multiple of 256MiB',
  );
  expect(await M('cxl-fmw.0.targets.0=cxl.9,cxl-fmw.0.size=4G')).toBe('Could not resolve CXLFM target cxl.9');
  expect(await M('cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G,cxl-fmw.0.interleave-granularity=300')).toBe(
    'Interleave granularity: 300 invalid',
  );
  expect(await failure('-M', 'q35', '-nographic', '-kernel', 'vmlinuz', ...PXB)).toBe(
    'CXL host bridges present, but cxl=off',
  );
  expect(await failure('-M', 'q35,foo=1')).toBe("Property 'pc-q35-9.2-machine.foo' not found");
  expect(await failure('-M', 'foo')).toMatch(/^unsupported machine type: "foo"/);
});

test('objects, memory, CPU, accelerator, files', async () => {
  expect(await failure(...OK, '-object', 'memory-backend-ram,id=a')).toBe(
    "-object memory-backend-ram,id=a: can't create backend with size 0",
  );
  expect(await failure(...OK, '-object', 'foo,id=a')).toBe(
    "-object foo,id=a: Parameter 'qom-type' does not accept value 'foo'",
  );
  const object = ['-object', 'memory-backend-ram,id=a,size=256M'];
  expect(await failure(...OK, ...object, ...object)).toBe(
    "-object memory-backend-ram,id=a,size=256M: attempt to add duplicate property 'a' to object (type 'container')",
  );
  expect(await failure(...OK, '-m', '4G,slots=2')).toBe('slots specified but no max-size');
  expect(await failure(...OK, '-m', 'x')).toMatch(
    /^-m x: Parameter 'size' expects a non-negative number below 2\^64\nOptional suffixes/,
  );
  expect(await failure(...OK, '-cpu', 'foo')).toBe("unable to find CPU model 'foo'");
  expect(await failure(...OK, '-cpu', 'host')).toBe("CPU model 'host' requires KVM or HVF");
  expect(await failure(...OK, '-cpu', 'max,hypervisr=off')).toBe(
    "can't apply global max-x86_64-cpu.hypervisr=off: Property 'max-x86_64-cpu.hypervisr' not found",
  );
  expect(await failure(...OK, '-smp', 'abc')).toBe("Parameter 'smp.cpus' expects integer");
  expect(await failure(...OK, '-object', 'memory-backend-ram,id=a,size=255')).toBe(
    "-object memory-backend-ram,id=a,size=255: backend 'memory-backend-ram' memory size must be multiple of 4 KiB",
  );
  expect(await failure(...OK, '-accel', 'kwm')).toBe('-accel kwm: invalid accelerator kwm');
  expect((await start([...OK, '-accel', 'tcg'])).status).toBe(null);
  const missing = await start(['-M', 'q35', '-nographic', '-kernel', 'nothing']);
  expect(missing.fake.stderr).toBe("qemu: could not open kernel file 'nothing': No such file or directory\n");
  const noKvm = await start([...OK, '-enable-kvm'], { kvm: false });
  expect(noKvm.fake.stderr).toBe(
    'Could not access KVM kernel module: No such file or directory\nqemu-system-x86_64: failed to initialize kvm: No such file or directory\n',
  );
  const old = await start([...OK, '-device', 'cxl-accel'], { build: { accel: false } });
  expect(old.fake.stderr).toBe("qemu-system-x86_64: -device cxl-accel: 'cxl-accel' is not a valid device model name\n");
});

test('help answers on standard output and ends with status 0', async () => {
  for (const [argv, wanted] of [
    [['-version'], 'QEMU emulator version'],
    [['-device', 'help'], 'name "cxl-accel", bus PCI, desc "CXL Accelerator Device (Type 2)"'],
    [['-device', 'cxl-accel,help'], 'volatile-memdev=<link<memory-backend>>'],
    [['-machine', 'help'], 'q35'],
    [['-cpu', 'help'], 'host'],
  ] as const) {
    const run = await start(argv);
    expect([run.status, run.fake.stdout.includes(wanted)]).toEqual([0, true]);
  }
});

test('the monitor can have a terminal of its own, or look at a machine that was not started', async () => {
  const run = await start(['-M', 'q35,cxl=on', '-S', '-display', 'none', '-serial', 'none', '-monitor', 'stdio']);
  expect(run.fake.stdout).toContain('(qemu) ');
  run.fake.type('info status\r');
  await run.fake.settle();
  expect(run.fake.stdout).toContain('VM status: paused (prelaunch)');
  run.fake.type('q\r');
  await run.fake.settle();
  expect(run.status).toBe(0);
});
