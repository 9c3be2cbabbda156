import { expect, test } from 'vitest';
import { utf8, viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { cxl_dpa_to_hpa } from '../../../drivers/cxl/core/region-translate.ts';
import { Board, type BoardOptions } from '../../../drivers/testing/fake-board.ts';
import type { KernfsNode } from '../../../fs/kernfs.ts';
import type { KernelBuild } from '../../../include/build.ts';
import { type CxlEndpointDecoder, CxlMemdev, CxlPort, CxlRegion, CxlRootDecoder } from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';

const BUILD: Partial<KernelBuild> = {
  release: '6.12.0-test',
  updates: ['cxl_mock', 'cxl_mock_mem', 'cxl_test', 'cxl_translate'],
  config: {
    ...{
      ACPI: 'y',
      PCI: 'y',
      PCIEPORTBUS: 'y',
      CXL_BUS: 'y',
      CXL_PORT: 'y',
      CXL_REGION: 'y',
      CXL_ACPI: 'y',
      CXL_MEM: 'y',
      CXL_PMEM: 'y',
    },
  },
};

async function mocked(options: BoardOptions = {}): Promise<Board> {
  const board = await new Board({ build: BUILD, ...options }).boot();
  expect(board.modprobe('cxl_test')).toBe(0);
  return board;
}

const all = <T extends Device>(board: Board, kind: abstract new (...args: never) => T): T[] =>
  board.linux.drivers.bus_devices('cxl').filter((dev): dev is T => dev instanceof kind);
const memdev = (board: Board, host: string): CxlMemdev =>
  all(board, CxlMemdev).find((one) => one.cxlds.dev.name === host) as CxlMemdev;
const windows = (board: Board): CxlRootDecoder[] =>
  all(board, CxlRootDecoder).filter((one) => one.port.uport_dev.name === 'cxl_acpi.0');

/** What `cxl create-region` writes; the last errno. */
function create(board: Board, window: CxlRootDecoder, hosts: readonly string[], mode: string, each: number): CxlRegion {
  const name = String(board.sysfs(`${window.sysfs}/create_${mode}_region`)).trim();
  const at = `${window.sysfs}/${name}`;
  const put = (path: string, text: string) => expect([path, board.echo(path, text)]).toEqual([path, 0]);
  put(`${window.sysfs}/create_${mode}_region`, name);
  put(`${at}/interleave_granularity`, String(window.interleave_granularity));
  put(`${at}/interleave_ways`, String(hosts.length));
  if (mode === 'pmem') put(`${at}/uuid`, '2ab3a1a5-0f0c-4b2e-8f3a-9f2a54c5f100');
  put(`${at}/size`, String(each * hosts.length));
  for (const [pos, host] of hosts.entries()) {
    const { endpoint } = memdev(board, host);
    const cxled = endpoint?.decoders.find((one) => one.id === endpoint.hdm_end + 1) as CxlEndpointDecoder;
    put(`${cxled.sysfs}/mode`, mode);
    put(`${cxled.sysfs}/dpa_size`, String(each));
    put(`${at}/target${pos}`, cxled.name);
  }
  put(`${at}/commit`, '1');
  return board.linux.drivers.bus_find_device('cxl', name) as CxlRegion;
}

const MiB256 = 0x10000000;

test('the topology stands and its automatic region is in order, whatever order the probes run in', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const board = await mocked({ seed, tables: false });
    const memdevs = all(board, CxlMemdev);
    expect(memdevs.length).toBe(11);
    expect(memdevs.filter((one) => one.driver?.name !== 'cxl_mem')).toEqual([]);
    const [region] = all(board, CxlRegion);
    expect(region?.targets.map((cxled) => cxled?.cxlmd.cxlds.dev.name)).toEqual(['cxl_mem.0', 'cxl_mem.4']);
    expect([region?.driver?.name, board.sysfs(`${region?.sysfs}/size`)]).toEqual(['cxl_region', '0x20000000\n']);
    expect(board.linux.iomem.show()).toContain(
      'f010000000-f04fffffff : CXL Window 0\n  f010000000-f02fffffff : region0',
    );
  }
});

test('a memory device says what the facts say, the restricted one what it is', async () => {
  const board = await mocked();
  const { sysfs } = memdev(board, 'cxl_mem.3');
  const show = (at: string) => board.sysfs(`${sysfs}/${at}`);
  expect([show('ram/size'), show('pmem/size'), show('ram/qos_class')]).toEqual([
    '0x40000000\n',
    '0x40000000\n',
    '42\n',
  ]);
  expect([show('serial'), show('numa_node'), show('firmware_version')]).toEqual(['0x3\n', '1\n', 'mock fw v1 \n']);
  expect([show('label_storage_size'), show('payload_max')]).toEqual(['131072\n', '4096\n']);
  const rcd = memdev(board, 'cxl_rcd.10');
  expect(board.sysfs(`${rcd.sysfs}/ram/size`)).toBe('0x80000000\n');
  expect(rcd.endpoint?.sysfs).toMatch(/^\/devices\/platform\/cxl_acpi\.0\/root\d+\/endpoint\d+$/);
  const region = create(board, windows(board)[5] as CxlRootDecoder, ['cxl_rcd.10'], 'ram', MiB256);
  expect(board.sysfs(`${region.sysfs}/resource`)).toBe('0xf1d0000000\n');
  expect(board.dmesg).toContain(' cxl_host_bridge.3: host supports CXL (restricted)'.replace(' ', 'platform '));
});

test('eight ways over two bridges: granularity doubles at each level, and everything can be taken apart', async () => {
  const board = await mocked();
  const hosts = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `cxl_mem.${n}`);
  const region = create(board, windows(board)[3] as CxlRootDecoder, hosts, 'pmem', MiB256);
  const levels = all(board, CxlPort).flatMap((port) => {
    const decoder = port.port_kind === 'port' ? port.regions.get(region)?.decoder : null;
    return decoder ? [[port.uport_dev.name, decoder.interleave_ways, decoder.interleave_granularity]] : [];
  });
  expect(Object.fromEntries(levels.map(([name, ...rest]) => [name, rest]))).toEqual({
    'cxl_host_bridge.0': [2, 8192],
    'cxl_host_bridge.1': [2, 8192],
    'cxl_switch_uport.0': [2, 16384],
    'cxl_switch_uport.1': [2, 16384],
    'cxl_switch_uport.2': [2, 16384],
    'cxl_switch_uport.3': [2, 16384],
  });
  expect(board.echo(`${region.sysfs}/commit`, '0')).toBe(0);
  for (let pos = 0; pos < 8; pos++) expect(board.echo(`${region.sysfs}/target${pos}`, '')).toBe(0);
  expect(all(board, CxlPort).filter((port) => port.regions.has(region))).toEqual([]);
});

test('a target out of its bridge order is refused', async () => {
  const board = await mocked();
  const window = windows(board)[3] as CxlRootDecoder;
  expect(() => create(board, window, ['cxl_mem.1', 'cxl_mem.0'], 'pmem', MiB256)).toThrow();
  const region = all(board, CxlRegion).find((one) => one.mode === 'pmem');
  const { endpoint } = memdev(board, 'cxl_mem.1');
  expect(board.echo(`${region?.sysfs}/target0`, `${endpoint?.decoders[0]?.name}`)).toBe(-E.ENXIO);
  expect(board.echo(`${region?.sysfs}/target1`, `${endpoint?.decoders[0]?.name}`)).toBe(0);
});

test('XOR windows: three of them, and each byte of a region has one host address', async () => {
  const board = await mocked({ cmdline: 'cxl_test.interleave_arithmetic=1' });
  const found = windows(board).map((one) => [one.interleave_ways, one.interleave_granularity, one.xormaps]);
  expect(found).toEqual([
    [1, 256, []],
    [2, 256, [0x404100n]],
    [3, 512, []],
  ]);
  const two = create(board, windows(board)[1] as CxlRootDecoder, ['cxl_mem.0', 'cxl_mem.1'], 'pmem', MiB256);
  const seen = new Map<number, string>();
  for (const target of two.targets)
    for (let granule = 0; granule < 0x1000; granule++) {
      const dpa = (target?.dpa_res?.start ?? 0) + granule * 256;
      const hpa = cxl_dpa_to_hpa(two, target?.cxlmd as CxlMemdev, dpa) as number;
      expect(seen.has(hpa)).toBe(false);
      seen.set(hpa, `${target?.name} ${dpa}`);
    }
  // with these maps the order within each pair of granules turns over where an odd number of the map's bits is set
  const base = two.res?.start ?? 0;
  expect(seen.get(base)?.split(' ')[0]).toBe(two.targets[0]?.name);
  expect(seen.get(base + 0x4000)?.split(' ')[0]).toBe(two.targets[1]?.name);
});

/** A CEDT with one bridge (uid 12) and one window of XOR arithmetic, ENIW and maps as given. */
function cedt(eniw: number, maps: readonly number[]): Uint8Array {
  const ways = 2 ** eniw;
  const cxims = maps.length > 0 ? 8 + 8 * maps.length : 0;
  const bytes = new Uint8Array(36 + 32 + 36 + 4 * ways + cxims);
  const view = viewOf(bytes);
  bytes.set(utf8('CEDT'));
  view.setUint32(4, bytes.length, true);
  view.setUint8(68, 1);
  view.setUint16(70, 36 + 4 * ways, true);
  view.setUint32(80, 4, true);
  view.setUint32(84, 0x40000000, true);
  view.setUint8(92, eniw);
  view.setUint8(93, 1);
  view.setUint32(96, 1, true);
  view.setUint16(100, 0xf, true);
  const at = 104 + 4 * ways;
  if (cxims > 0) {
    view.setUint8(at, 2);
    view.setUint16(at + 2, cxims, true);
    view.setUint8(at + 6, 1);
    view.setUint8(at + 7, maps.length);
    for (const [n, map] of maps.entries()) view.setUint32(at + 8 + 8 * n, map, true);
  }
  view.setUint16(38, 32, true);
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

test('an XOR window without maps for its granularity, or with too few, is not added', async () => {
  const boot = (table: Uint8Array) =>
    new Board({
      build: BUILD,
      cmdline: 'cxl_acpi.dyndbg=+p',
      prepare: (board) => board.copyTo(0x7ffe3632, table),
    }).boot();
  const none = await boot(cedt(1, []));
  expect(none.dmesg).toContain('cxl_acpi ACPI0017:00: No CXIMS for HBIG 512');
  expect(none.dmesg).toContain('cxl_acpi ACPI0017:00: Failed to add decode range: [0x400000000 - 0x43fffffff] (-22)');
  const few = await boot(cedt(2, [0x404100]));
  expect(few.dmesg).toContain('cxl_acpi ACPI0017:00: CXIMS nr_xormaps[1] expected[2]');
  expect(few.dmesg).toContain('cxl_acpi ACPI0017:00: Failed to add decode range: [0x400000000 - 0x43fffffff] (-6)');
});

/** Every path below a node of sysfs. */
function tree(node: KernfsNode | null, path = ''): string[] {
  return [...(node?.children.entries() ?? [])].flatMap(([name, child]) => [
    `${path}/${name}`,
    ...tree(child, `${path}/${name}`),
  ]);
}

test('unloading leaves nothing behind, and loading again is as the first time', async () => {
  const board = await new Board({ build: BUILD }).boot();
  const { linux } = board;
  // the class of firmware loaders stays, as one the kernel has from the start
  const paths = () => tree(linux.vfs.sysfs.find('/')).filter((path) => path !== '/class/firmware');
  const state = () => ({ sysfs: paths().sort(), iomem: linux.iomem.show() });
  const before = state();
  for (let round = 0; round < 2; round++) {
    expect(board.modprobe('cxl_test')).toBe(0);
    expect(all(board, CxlRegion).map(({ name }) => name)).toEqual(['region1']);
    create(board, windows(board)[2] as CxlRootDecoder, ['cxl_mem.0'], 'pmem', MiB256);
    for (const name of ['cxl_test', 'cxl_mock_mem', 'cxl_mock']) expect(linux.modules.delete_module(name, 0)).toBe(0);
    expect(state()).toEqual(before);
  }
});
