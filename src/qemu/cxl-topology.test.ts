import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { monitorLine, openMonitor, type Run, start } from './testing/boot.ts';

const BASE = ['-M', 'q35,cxl=on', '-m', '4G,maxmem=8G,slots=8', '-smp', '2', '-nographic', '-kernel', 'vmlinuz'];
const many = (count: number, make: (n: number) => string) =>
  [...Array(count).keys()].flatMap((n) => ['-device', make(n)]);
const memories = (count: number) =>
  [...Array(count).keys()].flatMap((n) => ['-object', `memory-backend-ram,id=mem${n},share=on,size=256M`]);
const PXB = ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'];
/** Command lines of the captures (KVM for TCG, anonymous memory for files, no extra serial ports). */
const CAPTURES: Readonly<Record<string, readonly string[]>> = {
  A: [
    ...[...BASE, ...memories(1), ...PXB, '-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'],
    ...['-device', 'cxl-type3,bus=rp0,volatile-memdev=mem0,id=cxl-vmem0,sn=4096'],
    ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
  ],
  B: [
    ...[
      ...BASE,
      ...memories(2),
      ...PXB,
      ...many(2, (n) => `cxl-rp,port=${n},bus=cxl.1,id=rp${n},chassis=0,slot=${n + 2}`),
    ],
    ...many(2, (n) => `cxl-type3,bus=rp${n},volatile-memdev=mem${n},id=cxl-vmem${n},sn=${4096 + n}`),
    ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
  ],
  D: [
    ...[...BASE, ...memories(4), ...PXB, '-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'],
    ...['-device', 'cxl-upstream,bus=rp0,id=us0'],
    ...many(4, (n) => `cxl-downstream,port=${n},bus=us0,id=swport${n},chassis=0,slot=${n + 4}`),
    ...many(4, (n) => `cxl-type3,bus=swport${n},volatile-memdev=mem${n},id=cxl-vmem${n},sn=${4096 + n}`),
    ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G,cxl-fmw.0.interleave-granularity=4k'],
  ],
};

const text = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8').split('\n');
const golden = (capture: string, name: string) => text(`capture-${capture}-info-${name}.txt`);

function bus(run: Run) {
  if (!run.fake.bus) throw new Error(run.fake.stderr);
  return run.fake.bus;
}

async function withMonitor(argv: readonly string[]): Promise<Run> {
  const run = await start(argv);
  expect(run.fake.stderr).toBe('');
  await openMonitor(run);
  return run;
}

interface ProbeSet {
  readonly capture: string;
  readonly label: string;
  readonly writes: (readonly [address: number, value: number])[];
  readonly points: (readonly [hpa: number, backend: number, dpa: number])[];
}

function probeSets(): ProbeSet[] {
  const sets: ProbeSet[] = [];
  for (const line of text('hpa-maps.txt')) {
    const words = line.split(' ');
    const number = (n: number) => Number.parseInt(words[n] ?? '', 16);
    if (line.startsWith('@')) sets.push({ capture: words[1] ?? '', label: words[2] ?? '', writes: [], points: [] });
    else if (line.startsWith('w')) sets.at(-1)?.writes.push([number(1), number(2)]);
    else if (/^[0-9a-f]/.test(line)) sets.at(-1)?.points.push([number(0), number(1), number(2)]);
  }
  return sets;
}

test.each(Object.keys(CAPTURES))(
  'capture %s: every probed address lands in the captured backend at the captured place',
  async (capture) => {
    let points = 0;
    for (const set of probeSets().filter((other) => other.capture === capture)) {
      const run = await start(CAPTURES[capture] as readonly string[]);
      expect(run.fake.stderr).toBe('');
      const cpu = bus(run);
      for (const [address, value] of set.writes) cpu.store(address, 4, value);
      for (const [address, value] of set.writes)
        expect([set.label, address, cpu.load(address, 4)]).toEqual([set.label, address, value]);
      for (const [n, [hpa]] of set.points.entries()) cpu.store(hpa, 8, n + 1, 0xca000000);
      const wrong = set.points.filter(([hpa, backend, dpa], n) => {
        const hva = run.fake.named.get(`mem${backend}`) ?? 0;
        const there = run.fake.sys.mem.load(hva + dpa, 8) === n + 1 && run.fake.sys.mem.hi === 0xca000000;
        return !there || cpu.load(hpa, 8) !== n + 1;
      });
      expect([set.label, wrong]).toEqual([set.label, []]);
      points += set.points.length;
    }
    expect(points).toBeGreaterThan(400);
  },
);

test('info pci: buses, windows and BARs of captures B and D (what the guest’s kernel moved aside)', async () => {
  for (const capture of ['B', 'D']) {
    const run = await withMonitor(CAPTURES[capture] as readonly string[]);
    const moved = /IO range|BAR5: 32 bit memory/;
    const cut = (lines: readonly string[]) => lines.filter((line) => line !== '' && !moved.test(line));
    expect(cut(await monitorLine(run, 'info pci'))).toEqual(cut(golden(capture, 'pci')));
  }
});

test('info qtree: the CXL branch of capture D line for line', async () => {
  const run = await withMonitor(CAPTURES.D as readonly string[]);
  const ours = await monitorLine(run, 'info qtree');
  const branch = (lines: readonly string[]) => {
    const at = lines.findIndex((line) => line.trim() === 'dev: pxb-cxl-host, id ""');
    const end = lines.findIndex((line, n) => n > at && /^ {0,2}dev: ps2-mouse/.test(line));
    return lines.slice(at, end);
  };
  expect(branch(ours).length).toBeGreaterThan(200);
  expect(branch(ours)).toEqual(branch(golden('D', 'qtree')));
});

test('info mtree: ports, memory devices and windows of capture D', async () => {
  const run = await withMonitor(CAPTURES.D as readonly string[]);
  const ours = await monitorLine(run, 'info mtree');
  const wanted =
    /cxl|\.io|\.cache_mem|device-registers|cap-array|device-status|mailbox|caps|msix|device-memory|ram-|pcie-mmcfg|pci_bridge_(pref_)?mem/;
  // QEMU lists address spaces and trees in the order of a hash table.
  const spaces = (lines: readonly string[]) =>
    lines
      .join('\n')
      .split('\n\n')
      .map((part) =>
        part
          .split('\n')
          .filter((line) => wanted.test(line))
          .join('\n'),
      )
      .filter((part) => part.includes('cxl') && !part.startsWith('address-space: cpu-'))
      .sort();
  expect(spaces(ours)).toEqual(spaces(golden('D', 'mtree')));
});

test('component registers of capture D, but for what its kernel wrote', async () => {
  const run = await start(CAPTURES.D as readonly string[]);
  const cpu = bus(run);
  const wrong: string[] = [];
  let base = 0;
  let id = '';
  let want = new Map<number, number>();
  const compare = () => {
    for (let offset = 0x1000; base !== 0 && offset < 0x2000; offset += 4) {
      const decoder = (offset - 0x1138) % 0x20 === 0x10 && offset >= 0x1138 && offset < 0x11b8;
      // The kernel turned endpoint decoders on, put type 3 into idle decoders and unmasked errors.
      if (decoder || offset === 0x112c || offset === 0x1084 || offset === 0x1090) continue;
      const got = cpu.load(base + offset, 4);
      if (got !== (want.get(offset) ?? 0)) wrong.push(`${id} ${offset.toString(16)}: ${got.toString(16)}`);
    }
    want = new Map();
  };
  for (const line of text('capture-D-components.txt')) {
    const [a = '', b = '', c = ''] = line.split(' ');
    if (a === '@') {
      compare();
      [id, base] = [b, Number.parseInt(c, 16)];
    } else if (/^[0-9a-f]+$/.test(a)) want.set(Number.parseInt(a, 16), Number.parseInt(b, 16));
  }
  compare();
  expect(wrong).toEqual([]);
});

/** A table of the guest by its signature, found the way Linux finds it. */
function acpiTable(run: Run, signature: string): Uint8Array {
  const cpu = bus(run);
  const rsdt = cpu.load((run.boot?.rsdp ?? 0) + 16, 4);
  const count = (cpu.load(rsdt + 4, 4) - 36) / 4;
  for (let n = 0; n < count; n++) {
    const at = cpu.load(rsdt + 36 + 4 * n, 4);
    const bytes = new Uint8Array(cpu.load(at + 4, 4));
    cpu.copyFrom(at, bytes);
    if (new TextDecoder().decode(bytes.subarray(0, 4)) === signature) return bytes;
  }
  throw new Error(`no table ${signature}`);
}

test('CEDT of capture D byte for byte; of several bridges and windows record by record', async () => {
  const d = acpiTable(await start(CAPTURES.D as readonly string[]), 'CEDT');
  expect(d).toEqual(new Uint8Array(readFileSync(new URL('./fixtures/capture-D-CEDT.bin', import.meta.url))));
  const run = await start([
    ...[...BASE.slice(2), '-M', 'q35,cxl=on', ...memories(3), ...PXB],
    ...['-device', 'pxb-cxl,bus_nr=222,bus=pcie.0,id=cxl.2', '-device', 'pxb-cxl,bus_nr=60,bus=pcie.0,id=cxl.3'],
    ...many(3, (n) => `cxl-rp,port=${n},bus=cxl.${n + 1},id=rp${n},chassis=0,slot=${n + 2}`),
    ...many(3, (n) => `cxl-type3,bus=rp${n},volatile-memdev=mem${n},id=m${n}`),
    ...[
      '-M',
      'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.targets.1=cxl.2,cxl-fmw.0.size=4G,cxl-fmw.0.interleave-granularity=8k',
    ],
    ...['-M', 'cxl-fmw.1.targets.0=cxl.3,cxl-fmw.1.targets.1=cxl.1,cxl-fmw.1.targets.2=cxl.2,cxl-fmw.1.size=768M'],
  ]);
  expect(run.fake.stderr).toBe('');
  const cedt = acpiTable(run, 'CEDT');
  const view = new DataView(cedt.buffer);
  const records: number[][] = [];
  for (let at = 36; at < cedt.length; at += view.getUint16(at + 2, true)) {
    const long = (offset: number) => Number(view.getBigUint64(at + offset, true));
    if (view.getUint8(at) === 0)
      records.push([0, view.getUint32(at + 4, true), view.getUint32(at + 8, true), long(16), long(24)]);
    else {
      const ways = (view.getUint16(at + 2, true) - 36) / 4;
      const targets = [...Array(ways).keys()].map((n) => view.getUint32(at + 36 + 4 * n, true));
      records.push([1, long(8), long(16), view.getUint8(at + 24), view.getUint32(at + 28, true), ...targets]);
    }
  }
  // FINDINGS 17: bridges in reverse order of creation; 8k is 5, three ways are 8; windows one after the other.
  expect(records).toEqual([
    [0, 60, 1, 0x480000000, 0x10000],
    [0, 222, 1, 0x480010000, 0x10000],
    [0, 12, 1, 0x480020000, 0x10000],
    [1, 0x490000000, 0x100000000, 1, 5, 12, 222],
    [1, 0x590000000, 0x30000000, 8, 0, 60, 12, 222],
  ]);
  expect(cedt.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
});

/** Where a BAR was put, from the configuration space through ECAM. */
function barAt(run: Run, bdf: string, index: number): number {
  const [b = '0', d = '0', f = '0'] = bdf.split(/[:.]/);
  const config = 0xb0000000 + Number.parseInt(b, 16) * 0x100000 + Number.parseInt(d, 16) * 0x8000 + Number(f) * 0x1000;
  const low = bus(run).load(config + 0x10 + 4 * index, 4);
  return (low & ~0xf) >>> 0 === 0 && (low & 4) === 0
    ? 0
    : ((low & ~0xf) >>> 0) + bus(run).load(config + 0x14 + 4 * index, 4) * 2 ** 32;
}

/** Programs a decoder of a component block by stores. */
function decoder(run: Run, block: number, n: number, base: number, size: number, ctrl: number, targets = 0): void {
  const at = block + 0x1138 + n * 0x20;
  const cpu = bus(run);
  cpu.store(at, 4, base % 2 ** 32);
  cpu.store(at + 4, 4, Math.floor(base / 2 ** 32));
  cpu.store(at + 8, 4, size % 2 ** 32);
  cpu.store(at + 12, 4, Math.floor(size / 2 ** 32));
  cpu.store(at + 0x14, 4, targets);
  cpu.store(at + 0x10, 4, ctrl);
}

const THREE = [
  ...[...BASE, ...memories(3), ...PXB],
  ...['-device', 'pxb-cxl,bus_nr=60,bus=pcie.0,id=cxl.2', '-device', 'pxb-cxl,bus_nr=120,bus=pcie.0,id=cxl.3'],
  ...many(3, (n) => `cxl-rp,port=${n},bus=cxl.${n + 1},id=rp${n},chassis=0,slot=${n + 2}`),
  ...many(3, (n) => `cxl-type3,bus=rp${n},volatile-memdev=mem${n},id=m${n}`),
  ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.targets.1=cxl.2,cxl-fmw.0.targets.2=cxl.3,cxl-fmw.0.size=3G'],
];

test('three ways: the bridge follows the absolute address, the device its offset (FINDINGS 18)', async () => {
  const run = await start(THREE);
  const cpu = bus(run);
  const base = 0x490000000;
  for (const bdf of ['0d:00.0', '3d:00.0', '79:00.0']) decoder(run, barAt(run, bdf, 0), 0, base, 0x30000000, 0x1280);
  for (let n = 0; n < 300; n++) {
    const hpa = base + n * 0x1d48 + (n % 32) * 8;
    cpu.store(hpa, 8, n + 1, 0xcb000000);
    const offset = hpa - base;
    const backend = Math.floor(hpa / 256) % 3;
    const dpa = Math.floor(offset / 768) * 256 + (offset % 256);
    const { mem } = run.fake.sys;
    expect([n, mem.load((run.fake.named.get(`mem${backend}`) ?? 0) + dpa, 8), mem.hi]).toEqual([n, n + 1, 0xcb000000]);
  }
});

test('hdm_for_passthrough: one root port, but decoders decide', async () => {
  const argv = (CAPTURES.A as readonly string[]).map((word) =>
    word.startsWith('pxb-cxl') ? `${word},hdm_for_passthrough=true` : word,
  );
  const run = await start(argv);
  const cpu = bus(run);
  expect([cpu.load(0x48000100c, 4), cpu.load(0x480001128, 4)]).toEqual([0x12830005, 0x382]);
  decoder(run, 0xfe800000, 0, 0x490000000, 0x10000000, 0x1200);
  cpu.store(0x490000000, 4, 7);
  expect(cpu.load(0x490000000, 4)).toBe(0);
  decoder(run, 0x480000000, 0, 0x490000000, 0x10000000, 0x1200);
  cpu.store(0x490000000, 4, 7);
  expect(cpu.load(0x490000000, 4)).toBe(7);
});

test('volatile and persistent memory: ranges, address spaces, labels, and a decoder that skips into the second', async () => {
  const run = await withMonitor([
    ...[...BASE, ...memories(3), ...PXB, '-device', 'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2'],
    ...['-device', 'cxl-type3,bus=rp0,volatile-memdev=mem0,persistent-memdev=mem1,lsa=mem2,id=m0'],
    ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
  ]);
  const cpu = bus(run);
  const config = 0xb0000000 + 0x0d * 0x100000;
  // Without a serial number DVSEC 0 is the first extended capability.
  expect([cpu.load(config + 0x100, 4), cpu.load(config + 0x11c, 4), cpu.load(config + 0x12c, 4)]).toEqual([
    0x13c10023, 0x1000004b, 0x1000004b,
  ]);
  const mtree = await monitorLine(run, 'info mtree');
  expect(mtree.filter((line) => line.includes('-dpa-'))).toEqual([
    'address-space: cxl-type3-dpa-vmem-space:m0',
    'address-space: cxl-type3-dpa-pmem-space:m0',
  ]);
  const block = barAt(run, '0d:00.0', 0);
  decoder(run, block, 0, 0x490000000, 0x10000000, 0x1200, 0x10000000);
  cpu.store(0x490001000, 4, 0x77);
  expect(run.fake.sys.mem.load((run.fake.named.get('mem1') ?? 0) + 0x1000, 4)).toBe(0x77);
  expect(cpu.load(0x490001000, 4)).toBe(0x77);
});

test.each([
  ['cxl-type3,bus=rp0', 'at least one memdev property must be set'],
  ['cxl-type3,bus=rp0,persistent-memdev=mem0', 'lsa property must be set for persistent devices'],
  ['cxl-type3,bus=rp0,memdev=mem0', 'lsa property must be set for persistent devices'],
  [
    'cxl-type3,bus=rp0,memdev=mem0,persistent-memdev=mem1',
    '[memdev] cannot be used with new [persistent-memdev] property',
  ],
  [
    'cxl-type3,bus=rp0,persistent-memdev=mem1,volatile-memdev=mem1,lsa=mem0',
    "memory backend mem1 can't be used multiple times.",
  ],
  ['cxl-type3,bus=cxl.1,volatile-memdev=mem0', 'PCI: Only PCI/PCIe bridges can be plugged into pxb-cxl'],
  ['cxl-type3,bus=rp0,volatile-memdev=mem9', "Device 'mem9' not found"],
  ['cxl-type3,bus=rp0,volatile-memdev=mem0,hdm-db=on', "Property 'cxl-type3.hdm-db' not found"],
  ['cxl-downstream,bus=rp0,chassis=0,slot=2', "Can't add chassis slot, error -16"],
  ['pxb-cxl,bus=rp0,bus_nr=60,id=x', 'pxb-cxl devices cannot reside on a PCI bus'],
])('QEMU refuses -device %s', async (device, message) => {
  const run = await start([
    ...[
      ...BASE,
      ...memories(2),
      ...PXB,
      '-device',
      'cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2',
      '-device',
      device,
    ],
    ...['-M', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
  ]);
  expect([run.fake.stderr, run.status]).toEqual([`qemu-system-x86_64: -device ${device}: ${message}\n`, 1]);
});

test('silicon=strict: refused commit, locked configuration; the qtree shows QEMU’s properties', async () => {
  const argv = (CAPTURES.A as readonly string[]).map((word) =>
    word.startsWith('cxl-type3') ? `${word},silicon=strict` : word,
  );
  const run = await withMonitor(argv);
  decoder(run, 0xfe800000, 1, 0x490000000, 0x10000000, 0x1200);
  expect(bus(run).load(0xfe801168, 4)).toBe(0x1a00);
  const config = 0xb0000000 + 0x0d * 0x100000 + 0x10c;
  bus(run).store(config + 0x14, 2, 1);
  bus(run).store(config + 0x0c, 2, 4);
  expect(bus(run).load(config + 0x0c, 2)).toBe(2);
  expect((await monitorLine(run, 'info qtree')).join('\n')).not.toContain('silicon');
});
