import { expect, test } from 'vitest';
import { E } from '../../../base/errno.ts';
import { CxlEndpointDecoder } from '../../include/cxl.ts';
import { Board } from './fake-board.ts';

const DEBUG = 'cxl_core.dyndbg=+p cxl_port.dyndbg=+p cxl_acpi.dyndbg=+p cxl_mem.dyndbg=+p';
const PATH = '/devices/platform/ACPI0017:00/root0';

/** The lines of `want` appear in `lines` in this order. */
function inOrder(lines: readonly string[], want: readonly string[]): void {
  let at = 0;
  for (const line of want) {
    const found = lines.indexOf(line, at);
    expect(found, `after line ${at}: ${line}`).toBeGreaterThanOrEqual(at);
    at = found + 1;
  }
}

test('tables, host bridges and functions are announced as in golden capture A', async () => {
  const { dmesg } = await new Board().boot();
  inOrder(dmesg, [
    'ACPI: RSDP 0x00000000000F52A0 000014 (v00 BOCHS )',
    'ACPI: RSDT 0x000000007FFE36C6 000040 (v01 BOCHS  BXPC     00000001 BXPC 00000001)',
    'ACPI: FACP 0x000000007FFE335A 0000F4 (v03 BOCHS  BXPC     00000001 BXPC 00000001)',
    'ACPI: DSDT 0x000000007FFE0040 00331A (v01 BOCHS  BXPC     00000001 BXPC 00000001)',
    'ACPI: FACS 0x000000007FFE0000 000040',
    'ACPI: CEDT 0x000000007FFE3632 00006C (v01 BOCHS  BXPC     00000001 BXPC 00000001)',
    'ACPI: Reserving WAET table memory at [mem 0x7ffe369e-0x7ffe36c5]',
    'PCI: ECAM [mem 0xb0000000-0xbfffffff] (base 0xb0000000) for domain 0000 [bus 00-ff]',
    'PCI: Using configuration type 1 for base access',
    'ACPI: 1 ACPI AML tables successfully acquired and loaded',
    'ACPI: PM: (supports S0 S3 S4 S5)',
    'ACPI: PCI Root Bridge [PCI0] (domain 0000 [bus 00-0b])',
    'acpi PNP0A08:00: _OSC: platform does not support [PCIeHotplug LTR]',
    'acpi PNP0A08:00: _OSC: OS now controls [SHPCHotplug PME AER PCIeCapability]',
    'PCI host bridge to bus 0000:00',
    'pci_bus 0000:00: Unknown NUMA node; performance will be reduced',
    'pci_bus 0000:00: root bus resource [mem 0xc0000000-0xfe7fffff window]',
    'pci_bus 0000:00: root bus resource [bus 00-0b]',
    'pci 0000:00:00.0: [8086:29c0] type 00 class 0x060000 conventional PCI endpoint',
    'pci 0000:00:1f.2: BAR 5 [mem 0xfea00000-0xfea00fff]',
    'ACPI: PCI Root Bridge [CL0C] (domain 0000 [bus 0c-0d])',
    'acpi ACPI0016:00: _OSC: platform does not support [LTR]',
    'acpi ACPI0016:00: _OSC: OS now controls [PCIeHotplug SHPCHotplug PME AER PCIeCapability]',
    'acpi ACPI0016:00: _OSC: OS now controls [CXLMemErrorReporting]',
    'pci 0000:0c:00.0: [8086:7075] type 01 class 0x060400 PCIe Root Port',
    'pci 0000:0c:00.0: BAR 0 [mem 0xc000000000-0xc00000ffff 64bit]',
    'pci 0000:0c:00.0: PCI bridge to [bus 0d]',
    'pci 0000:0c:00.0:   bridge window [mem 0xfe800000-0xfe9fffff]',
    'pci 0000:0c:00.0:   bridge window [mem 0xc040000000-0xc05fffffff 64bit pref]',
    'pci 0000:0d:00.0: BAR 0 [mem 0xfe800000-0xfe80ffff 64bit]',
    "pci 0000:00:1f.2: BAR 5 [mem 0xfea00000-0xfea00fff]: can't claim; no compatible bridge window",
    'pci 0000:00:1f.2: BAR 5 [mem 0x80000000-0x80000fff]: assigned',
    'pcieport 0000:0c:00.0: PME: Signaling with IRQ 24',
  ]);
});

test('the type-2 sequence touches the device in the order of vfio-cxl-rfc.md (c)', async () => {
  const board = await new Board().boot();
  const from = board.trace.indexOf('mem r4 1000');
  const hdm = (n: number) =>
    [0x20, 0x10, 0x14, 0x18, 0x1c].map((at) => `mem r4 ${(0x1128 + at + 0x20 * n).toString(16)}`);
  expect(board.trace.slice(from)).toEqual([
    ...['1000', '1004', '1008', '100c', '1128'].map((at) => `mem r4 ${at}`),
    // media: range 1 valid, then active
    'cfg r2 10a',
    'cfg r4 11c',
    'cfg r4 11c',
    // endpoint port: DVSEC, HDM block, global enable, Mem_Enable
    'cfg r2 10a',
    'cfg r4 11c',
    'cfg r2 10c',
    'mem r4 1128',
    'mem r4 112c',
    'mem r4 112c',
    'mem w4 112c 2',
    'cfg r2 10c',
    'cfg w2 10c 6',
    ...['1148', '1168', '1188', '11a8'].map((at) => `mem r4 ${at}`),
    ...[0, 1, 2, 3].flatMap(hdm),
    // commit of decoder 0
    'mem r4 1148',
    'mem w4 113c 4',
    'mem w4 1138 90000000',
    'mem w4 1144 0',
    'mem w4 1140 10000000',
    'mem w4 1150 0',
    'mem w4 114c 0',
    'mem w4 1148 200',
    'mem r4 1148',
  ]);
  expect(board.component.read(0x1148)).toBe(0x600);
});

test('the region stands in iomem below its window, register blocks under their owners', async () => {
  const board = await new Board().boot();
  const tree = board.linux.iomem.show();
  expect(tree).toContain('490000000-58fffffff : CXL Window 0\n  490000000-49fffffff : region0\n');
  expect(tree).toContain('b0000000-bfffffff : PCI ECAM 0000 [bus 00-ff]\n  b0000000-bfffffff : Reserved\n');
  expect(tree).toContain(
    'fe800000-fe9fffff : PCI Bus 0000:0c\n  fe800000-fe9fffff : PCI Bus 0000:0d\n    fe800000-fe80ffff : 0000:0d:00.0\n      fe801128-fe8011b7 : endpoint2\n',
  );
});

test('sysfs shows the objects in the formats of linux-cxl-core.md', async () => {
  const board = await new Board().boot();
  const show = (at: string) => board.sysfs(`${PATH}/${at}`);
  const ep = 'port1/endpoint2/decoder2';
  expect([show('decoder0.0/start'), show('decoder0.0/size')]).toEqual(['0x490000000\n', '0x100000000\n']);
  expect([show('decoder0.0/cap_type2'), show('decoder0.0/target_list')]).toEqual(['1\n', '12\n']);
  expect([show('decoder0.0/create_ram_region'), show('devtype')]).toEqual(['region1\n', 'cxl_port\n']);
  expect([show('port1/decoder1.0/region'), show('port1/decoder1.0/target_list')]).toEqual(['region0\n', '0\n']);
  expect([show(`${ep}.0/mode`), show(`${ep}.0/dpa_size`)]).toEqual(['ram\n', '0x0000000010000000\n']);
  expect([show(`${ep}.0/target_type`), show(`${ep}.1/dpa_resource`)]).toEqual([
    'accelerator\n',
    '0xffffffffffffffff\n',
  ]);
  expect([show('port1/endpoint2/decoders_committed'), show('port1/decoders_committed')]).toEqual(['1\n', '0\n']);
  const region = 'decoder0.0/region0';
  expect([show(`${region}/commit`), show(`${region}/resource`), show(`${region}/target0`)]).toEqual([
    '1\n',
    '0x490000000\n',
    'decoder2.0\n',
  ]);
  expect([show(`${region}/uuid`), show(`${region}/mode`), show(`${region}/target1`)]).toEqual(['\n', 'ram\n', -2]);
  const mem = '/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0/mem0';
  expect([board.sysfs(`${mem}/ram/size`), board.sysfs(`${mem}/firmware_version`)]).toEqual(['0x10000000\n', '\n']);
  expect(board.sysfs(`${mem}/uevent`)).toMatch(
    /DEVNAME=cxl\/mem0\nDEVTYPE=cxl_memdev\nDRIVER=cxl_mem\nMODALIAS=cxl:t5\n/,
  );
  const pci = '/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0';
  expect([board.sysfs(`${pci}/class`), board.sysfs(`${pci}/modalias`)]).toEqual([
    '0x050310\n',
    'pci:v00008086d00000D94sv00001AF4sd00001100bc05sc03i10\n',
  ]);
  expect(board.sysfs(`${pci}/resource`)).toMatch(/^0x00000000fe800000 0x00000000fe80ffff 0x0000000000140204\n/);
  expect(board.log.object('cxl/l1/region0')).toMatchObject({
    state: 'commit',
    type: 'accelerator',
    start: 0x490000000,
  });
});

test('debug lines follow golden capture A', async () => {
  const { dmesg } = await new Board({ cmdline: DEBUG }).boot();
  inOrder(dmesg, [
    'cxl_acpi ACPI0017:00: root0 added (root port)',
    'acpi ACPI0016:00: UID found: 12',
    ' pci0000:0c: dport added to root0',
    'acpi ACPI0016:00: Failed to get generic port perf coordinates.',
    'cxl_acpi ACPI0017:00: decode range: node: 1 range [0x490000000 - 0x58fffffff]',
    'acpi ACPI0016:00: CHBCR found for UID 12: 0x0000000480000000',
    ' pci0000:0c: host-bridge: pci0000:0c',
    'cxl port1: Mapped CXL Memory Device resource 0x0000000480000000',
    'cxl port1: Unknown CM cap ID: 0 (0x128)',
    'pcieport 0000:0c:00.0: dport added to port1',
    'cxl_port port1: Fallback to passthrough decoder',
    'cxl decoder1.0: Added to port port1',
    'cxl_port port1: probe: 0',
    ' pci0000:0c: port1 added to root0',
    ' pci0000:0c: host supports CXL',
    'cxl_mem mem0: scan: iter: mem0 dport_dev: 0000:0c:00.0 parent: pci0000:0c',
    'cxl_mem mem0: found already registered port port1:pci0000:0c',
    'cxl_port endpoint2: decoder2.0: range: 0x0-0xffffffffffffffff iw: 1 ig: 256',
    'cxl_mem mem0: endpoint2 added to port1',
    'cxl decoder0.0: found 0x0000000100000000 bytes of free space',
    'cxl_region region0: config state: 0',
    'cxl_acpi ACPI0017:00: decoder0.0: created region0',
    'cxl region0: pci0000:0c:port1 iw: 1 ig: 256',
    'cxl decoder2.0: Test cxl_calc_interleave_pos(): success test_pos:0 cxled->pos:0',
    'cxl_region region0: probe: 0',
    'cxl-accel 0000:0d:00.0: QEMU ACCEL device driver is loaded',
  ]);
});

test('unbinding on bare metal resets the decoder and takes everything away', async () => {
  const board = await new Board().boot();
  const { drivers } = board.linux;
  board.trace.length = 0;
  const dev = drivers.bus_find_device('pci', '0000:0d:00.0');
  if (dev) drivers.device_release_driver(dev);
  expect(board.trace.slice(0, 6)).toEqual([
    'mem r4 1148',
    'mem w4 1148 400',
    'mem w4 1144 0',
    'mem w4 1140 0',
    'mem w4 113c 0',
    'mem w4 1138 0',
  ]);
  expect(board.trace).toContain('mem w4 112c 0');
  expect(board.trace).toContain('cfg w2 10c 2');
  expect(drivers.bus_devices('cxl').map(({ name }) => name)).toEqual([
    'root0',
    'decoder0.0',
    'port1',
    'decoder1.0',
    'region0',
  ]);
});

test('under a hypervisor v6.11 refuses the teardown and the decoder stays committed', async () => {
  const board = await new Board({ hypervisor: true }).boot();
  const cxled = board.linux.drivers.bus_find_device('cxl', 'decoder2.0');
  expect(cxled instanceof CxlEndpointDecoder && cxled.region?.name).toBe('region0');
  const dev = board.linux.drivers.bus_find_device('pci', '0000:0d:00.0');
  if (dev) board.linux.drivers.device_release_driver(dev);
  expect(board.dmesg).toContain('cxl_region region0: Failed to synchronize CPU cache state');
  expect(board.component.read(0x1148)).toBe(0x600);
});

test('committing by hand under a hypervisor gives ENXIO', async () => {
  const board = await new Board({ hypervisor: true }).boot();
  expect(board.echo(`${PATH}/decoder0.0/create_ram_region`, 'region7')).toBe(-E.EBUSY);
  expect(board.echo(`${PATH}/decoder0.0/create_ram_region`, 'region1')).toBe(0);
  expect(board.echo(`${PATH}/decoder0.0/region1/size`, '0x10000000')).toBe(-E.ENXIO);
  expect(board.echo(`${PATH}/decoder0.0/region1/interleave_ways`, '5')).toBe(-E.EINVAL);
  expect(board.echo(`${PATH}/decoder0.0/region1/interleave_ways`, '1')).toBe(0);
  expect(board.echo(`${PATH}/decoder0.0/region1/interleave_granularity`, '256')).toBe(0);
  expect(board.echo(`${PATH}/decoder0.0/region1/size`, '0x10000000')).toBe(0);
  expect(board.sysfs(`${PATH}/decoder0.0/region1/resource`)).toBe('0x4a0000000\n');
  expect(board.echo(`${PATH}/decoder0.0/region1/target0`, 'decoder2.1')).toBe(-E.EINVAL);
  expect(board.echo(`${PATH}/decoder0.0/region1/commit`, '1')).toBe(-E.ENXIO);
});

test('without patch 01 a device that has no memory device registers is refused', async () => {
  const board = await new Board({ build: { patches: [2, 3] } }).boot();
  expect(board.dmesg).toContain('cxl-accel 0000:0d:00.0: CXL accel setup regs failed');
});

test('a decoder that is still committed becomes an automatic region and leaves no DPA', async () => {
  const warm = (board: Board) => {
    for (const [at, value] of [
      [0x112c, 2],
      [0x113c, 4],
      [0x1138, 0x90000000],
      [0x1140, 0x10000000],
      [0x1148, 0x200],
    ] as const)
      board.component.write(at, value);
  };
  const board = await new Board({ prepare: warm }).boot();
  expect(board.linux.iomem.show()).toContain('  490000000-49fffffff : region0\n');
  expect(board.dmesg).toContain('cxl-accel 0000:0d:00.0: CXL accel request DPA failed');
});

test('groups follow the topology when a DMAR table and intel_iommu=on are there', async () => {
  const board = await new Board({ dmar: true, cmdline: 'intel_iommu=on' }).boot();
  inOrder(board.dmesg, [
    'DMAR: Host address width 39',
    'DMAR: DRHD base: 0x000000fed90000 flags: 0x1',
    'pci 0000:00:00.0: Adding to iommu group 0',
    'pci 0000:0c:00.0: Adding to iommu group 3',
    'pci 0000:0d:00.0: Adding to iommu group 4',
  ]);
  expect(board.linux.vfs.sysfs.find('/kernel/iommu_groups/4/devices/0000:0d:00.0')).not.toBeNull();
  const off = await new Board({ dmar: true }).boot();
  expect(off.linux.vfs.sysfs.find('/kernel/iommu_groups/0')).toBeNull();
});

test('a machine without tables still finds bus 0', async () => {
  const board = await new Board({ tables: false }).boot();
  expect(board.dmesg).toContain('ACPI: Interpreter disabled.');
  expect(board.linux.drivers.bus_find_device('pci', '0000:00:00.0')).not.toBeNull();
});

test('a removed function comes back with a rescan and its driver makes the region again', async () => {
  const board = await new Board().boot();
  const pci = '/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0';
  expect(board.echo(`${pci}/remove`, '1')).toBe(0);
  expect(board.linux.vfs.sysfs.find(pci)).toBeNull();
  expect(board.linux.iomem.show()).not.toContain('0000:0d:00.0');
  expect(board.linux.drivers.bus_find_device('cxl', 'mem0')).toBeNull();
  expect(board.echo('/bus/pci/rescan', '1')).toBe(0);
  expect(board.sysfs(`${pci}/vendor`)).toBe('0x8086\n');
  // the first region kept its address range, as the posted driver only detaches from it
  expect(board.sysfs(`${PATH}/decoder0.0/region1/resource`)).toBe('0x4a0000000\n');
  expect(board.dmesg).toContain('cxl decoder0.0: found 0x00000000f0000000 bytes of free space');
});
