import { describe, expect, test } from 'vitest';
import { start } from '../testing/boot.ts';
import { lintCommandLine, parseCommandLineTopology } from './index.ts';

const mem = (id: string, size = '256M', more = '') =>
  `-object memory-backend-ram,id=${id},share=on,size=${size}${more}`;
const pxb = (id = 'cxl.1', bus = 12, more = '') => `-device pxb-cxl,bus_nr=${bus},bus=pcie.0,id=${id}${more}`;
const rp = (id: string, bus = 'cxl.1', port = 0, slot = 2) =>
  `-device cxl-rp,port=${port},bus=${bus},id=${id},chassis=0,slot=${slot}`;
const type3 = (bus: string, memory: string, more = '') =>
  `-device cxl-type3,bus=${bus},volatile-memdev=${memory},${more}`;
const window = (size = '4G', targets = ['cxl.1'], more = '', n = 0) =>
  `-M ${targets.map((id, t) => `cxl-fmw.${n}.targets.${t}=${id}`).join(',')},cxl-fmw.${n}.size=${size}${more}`;
const BASE =
  'qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -cpu max,hypervisor=off -kernel vmlinuz -nographic';
const ONE = [BASE, mem('m0'), pxb('cxl.1', 12, ',hdm_for_passthrough=on'), rp('rp0'), type3('rp0', 'm0', 'id=d0,sn=1')];

const problems = (line: string) => lintCommandLine(line).filter((one) => one.severity !== 'info');
const at = (line: string, id: string) => {
  const one = lintCommandLine(line).find((finding) => finding.id === id);
  return one ? line.slice(one.start, one.end) : null;
};

test('a sound line has nothing but information, whatever its quoting and line breaks', () => {
  const line = [...ONE, window()]
    .join(' \\\n  ')
    .replace('-kernel vmlinuz', '-append "console=ttyS0 x=\'1,2\'" -kernel vmlinuz');
  expect(problems(`# the machine\nsudo ${line} > log 2>&1 &\nls -l`)).toEqual([]);
  expect(lintCommandLine(line).map((one) => one.id)).toEqual(['volatile-only']);
});

test('the topology: bridges in order, ports, switch, memories, windows at QEMU’s addresses', () => {
  const line = [
    ...[
      BASE,
      mem('m0'),
      mem('m1', '512M'),
      mem('lsa', '1M'),
      pxb('cxl.1', 12),
      pxb('cxl.2', 222),
      rp('rp0'),
      rp('rp1', 'cxl.2', 3, 3),
    ],
    '-device cxl-upstream,bus=rp0,id=us0 -device cxl-downstream,port=1,bus=us0,id=sw0,chassis=0,slot=4',
    '-device cxl-downstream,port=7,bus=us0,id=sw1,chassis=0,slot=5',
    type3('sw1', 'm0', 'id=d0,sn=0x10'),
    '-device cxl-type3,bus=rp1,persistent-memdev=m1,lsa=lsa,id=d1,sn=17',
    window('4G', ['cxl.1']),
    window('2G', ['cxl.1', 'cxl.2'], ',cxl-fmw.1.interleave-granularity=8k', 1),
  ].join(' ');
  const plan = parseCommandLineTopology(line);
  expect(plan).toMatchObject({ cxl: true, hypervisorBit: false, ramSize: 2 ** 32, slots: 8, loose: [] });
  expect(plan.bridges.map((one) => [one.id, one.busNumber, one.lastBus, one.passthrough])).toEqual([
    ['cxl.1', 12, 16, true],
    ['cxl.2', 222, 223, true],
  ]);
  const below = plan.bridges[0]?.ports[0]?.children[0];
  expect(below).toMatchObject({
    kind: 'switch',
    id: 'us0',
    ports: [
      { id: 'sw0', children: [] },
      { id: 'sw1', port: 7 },
    ],
  });
  expect(plan.bridges[1]?.ports[0]?.children[0]).toMatchObject({ serial: 17, persistent: { id: 'm1', size: 2 ** 29 } });
  // FINDINGS 17: host registers at 0x480000000, the windows behind the next 256 MiB boundary, back to back.
  expect(plan.windows.map((one) => [one.base, one.size, one.granularity, one.targets])).toEqual([
    [0x490000000, 2 ** 32, 256, ['cxl.1']],
    [0x590000000, 2 ** 31, 8192, ['cxl.1', 'cxl.2']],
  ]);
});

test('the sockets of a test harness are taken: they listen, and nobody has to connect', async () => {
  const line = [...ONE, window(), '-serial unix:c.sock,server=on,wait=off -qmp unix:q.sock,server,nowait'].join(' ');
  expect(problems(line)).toEqual([]);
  const run = await start(line.split(' ').slice(1));
  expect([run.fake.stderr, run.status]).toEqual(['', null]);
  expect(problems(`${line} -qmp stdio`).map((one) => one.id)).toEqual(['not-modelled']);
});

/** Lines that boot; the rule they break and the place it points at. */
const DISAPPOINTING: readonly (readonly [id: string, place: RegExp, line: readonly string[]])[] = [
  [
    'cxl-off',
    /^cxl-fmw\.0\.targets\.0=x$/,
    ['qemu-system-x86_64 -M q35 -kernel k', '-M cxl-fmw.0.targets.0=x,cxl-fmw.0.size=1G'],
  ],
  ['hypervisor-bit', /^-cpu max$/, [...ONE.map((word) => word.replace(',hypervisor=off', '')), window()]],
  ['maxmem-without-slots', /^maxmem=8G$/, [...ONE.map((word) => word.replace(',slots=8', '')), window()]],
  ['bus-numbers', /bus_nr=13/, [...ONE, pxb('cxl.2', 13), window()]],
  ['bridge-without-port', /bus_nr=60/, [...ONE, pxb('cxl.2', 60), window()]],
  ['outside-cxl-bridge', /bus=pcie.0,vol/, [...ONE, mem('m1'), type3('pcie.0', 'm1', 'id=d1,sn=2'), window()]],
  ['out-of-reach', /addr=0.1/, [...ONE, mem('m1'), type3('rp0', 'm1', 'addr=0.1,id=d1,sn=2'), window()]],
  ['port-number', /id=rp1/, [...ONE, rp('rp1', 'cxl.1', 0, 3), window()]],
  ['no-window', /id=cxl.1/, ONE],
  [
    'window-too-small',
    /^cxl-fmw\.0\.size=256M$/,
    [...ONE, mem('m1'), rp('rp1', 'cxl.1', 1, 3), type3('rp1', 'm1', 'id=d1,sn=2'), window('256M')],
  ],
  [
    'window-without-memory',
    /size=4G/,
    [...ONE, pxb('cxl.2', 60), rp('rp1', 'cxl.2', 0, 3), window('4G', ['cxl.1', 'cxl.2'])],
  ],
  [
    'unbalanced-bridges',
    /size=4G/,
    [
      ...ONE,
      mem('m1'),
      mem('m2'),
      pxb('cxl.2', 60),
      rp('rp1', 'cxl.2', 0, 3),
      rp('rp2', 'cxl.2', 1, 4),
      type3('rp1', 'm1', 'sn=2'),
      type3('rp2', 'm2', 'sn=3'),
      window('4G', ['cxl.1', 'cxl.2']),
    ],
  ],
  [
    'windows-on-one-root-port',
    /fmw\.1\.size/,
    [...ONE.map((word) => word.replace('=on', '=off')), '-M cxl=on', window(), window('1G', ['cxl.1'], '', 1)],
  ],
  [
    'granularity-and-ways',
    /size=4G/,
    [
      ...ONE,
      mem('m1'),
      pxb('cxl.2', 60),
      rp('rp1', 'cxl.2', 0, 3),
      type3('rp1', 'm1', 'sn=2'),
      window('4G', ['cxl.1', 'cxl.2'], ',cxl-fmw.0.interleave-granularity=16k'),
    ],
  ],
  ['memory-not-256m', /id=m9/, [BASE, mem('m9', '100M'), pxb(), rp('rp0'), type3('rp0', 'm9', 'sn=1'), window()]],
  [
    'memory-not-shared',
    /mem-path/,
    [
      BASE,
      '-object memory-backend-file,id=f,mem-path=/tmp/x,size=256M',
      pxb(),
      rp('rp0'),
      type3('rp0', 'f', 'sn=1'),
      window(),
    ],
  ],
  ['memory-unused', /id=m1/, [...ONE, mem('m1'), window()]],
  [
    'sn-duplicate',
    /id=d1/,
    [...ONE, mem('m1'), rp('rp1', 'cxl.1', 1, 3), type3('rp1', 'm1', 'id=d1,sn=0x1'), window()],
  ],
];

test.each(DISAPPOINTING)(
  '%s is said of the word that causes it, and the VMM takes the line',
  async (id, place, words) => {
    const line = words.join(' ');
    expect(at(line, id)).toMatch(place);
    expect(problems(line).filter((one) => one.severity === 'error')).toEqual([]);
    const run = await start(
      line
        .split(/\s+/)
        .slice(1)
        .map((word) => (word === 'k' ? 'vmlinuz' : word)),
    );
    expect(run.fake.stderr).toBe('');
  },
);

test('three bridges: the absolute address shifts positions unless the window begins at a multiple (FINDINGS 18)', () => {
  const three = [1, 2, 3].flatMap((n) => [
    mem(`m${n}`),
    pxb(`cxl.${n}`, 40 * n),
    rp(`rp${n}`, `cxl.${n}`, 0, n),
    type3(`rp${n}`, `m${n}`, `sn=${n}`),
  ]);
  const line = (before: string) =>
    [BASE, ...three, before, window('3G', ['cxl.1', 'cxl.2', 'cxl.3'], '', before === '' ? 0 : 1)].join(' ');
  const found = lintCommandLine(line('')).find((one) => one.id === 'three-ways-absolute-address');
  expect(found?.message).toBe('window 0 begins at 0x490000000, 1 granules past a multiple of 3');
  // 512 MiB further on the base is a multiple of 768.
  expect(lintCommandLine(line(window('512M', ['cxl.1']))).map((one) => one.id)).not.toContain(
    'three-ways-absolute-address',
  );
});

/** Refused lines: what the linter says first is what the VMM prints, after its own name and the option. */
const REFUSED: readonly (readonly string[])[] = [
  ['-M q34'],
  ['-M q35,cxl=maybe'],
  ['-M q35,cxxl=on'],
  ['-M q35,cxl=on -m 4Q'],
  ['-M q35,cxl=on -m 4G,maxmem=2G,slots=8'],
  ['-M q35,cxl=on -m 4G,slots=2'],
  ['-M q35,cxl=on -smp abc'],
  ['-M q35,cxl=on -object memory-backend-ram,id=v,share=on,size=255'],
  ['-M q35,cxl=on -object memory-backend-rom,id=v,share=on,size=256M'],
  ['-M q35,cxl=on -object memory-backend-ram,id=v,size=256M -object memory-backend-ram,id=v,size=256M'],
  ['-M q35,cxl=on', pxb('cxl.1', 12), pxb('cxl.2', 12)],
  ['-M q35,cxl=on', pxb('cxl.1', 12), pxb('cxl.1', 14)],
  ['-M q35', pxb()],
  ['-M q35,cxl=on -device pxb-clx,id=x'],
  ['-M q35,cxl=on -device cxl-rp,bus=nowhere'],
  ['-M q35,cxl=on', pxb(), '-device cxl-rp,prot=0,bus=cxl.1,id=rp'],
  ['-M q35,cxl=on', pxb(), rp('a', 'cxl.1', 0, 1), rp('b', 'cxl.1', 1, 1)],
  ['-M q35,cxl=on', pxb(), rp('a'), '-device cxl-type3,bus=a'],
  ['-M q35,cxl=on', pxb(), rp('a'), type3('a', 'nope')],
  ['-M q35,cxl=on', pxb(), rp('a'), mem('m'), '-device cxl-type3,bus=a,persistent-memdev=m'],
  ['-M q35,cxl=on', pxb(), rp('a'), rp('b', 'cxl.1', 1, 3), mem('m'), type3('a', 'm'), type3('b', 'm')],
  ['-M q35,cxl=on', pxb(), mem('m'), type3('cxl.1', 'm')],
  ['-M q35,cxl=on', pxb(), rp('a'), '-device pxb-cxl,bus=a,bus_nr=60,id=x'],
  ['-M q35,cxl=on', pxb(), rp('a'), mem('m'), mem('n'), type3('a', 'm'), type3('a', 'n')],
  ['-M q35,cxl=on', pxb(), window('4G', ['cxl.9'])],
  ['-M q35,cxl=on', pxb(), window('100M')],
  ['-M q35,cxl=on', pxb(), '-M cxl-fmw.0.targets.0=cxl.1'],
  ['-M q35,cxl=on', pxb(), window('4G', ['cxl.1'], ',cxl-fmw.0.interleave-granularity=300')],
  ['-M q35,cxl=on', pxb(), window('4G', ['cxl.1', 'cxl.1', 'cxl.1', 'cxl.1', 'cxl.1'])],
  ['-M q35,cxl=on', pxb(), window('1T')],
  ['-M q35,cxl=on -nographics'],
  ['-M q35,cxl=on -kernel'],
  ['-M q35,cxl=on -drive file=x'],
];

describe('refusals are the VMM’s own', () => {
  test.each(REFUSED.map((words) => [words.join(' ')]))('%s', async (line) => {
    const run = await start(line.split(' '));
    expect(run.status).toBe(1);
    const printed = run.fake.stderr.split('\n')[0] as string;
    const first = lintCommandLine(`qemu-system-x86_64 ${line}`)[0];
    expect(first?.severity).toBe('error');
    expect(printed.endsWith(`: ${first?.message}`)).toBe(true);
  });
});

test('sixteen bridges fit the host register space, seventeen do not', () => {
  const many = (count: number) =>
    [BASE, ...[...Array(count).keys()].flatMap((n) => [pxb(`c${n}`, 8 * n + 8), rp(`r${n}`, `c${n}`, 0, n)])].join(' ');
  const refusals = (count: number) => lintCommandLine(many(count)).filter((one) => one.severity === 'error');
  expect(refusals(16)).toEqual([]);
  expect(refusals(17).map((one) => one.message)).toEqual(['Insufficient space for pxb cxl host register space']);
});
