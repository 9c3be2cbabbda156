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
