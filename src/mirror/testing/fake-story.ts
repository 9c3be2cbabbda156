import { GiB, hex, MiB } from '../../base/addr.ts';
import { type EventLog, LAYERS, type LayerId, type MachineId } from '../../log/index.ts';
import {
  type CxlObjectState,
  type DeviceState,
  type FixedWindowState,
  type KvmSlotsState,
  type MachineState,
  type MemoryMapState,
  type PciFunctionState,
  type ProcessState,
  paths,
  type RegisterRoute,
  type VfioDeviceState,
  type VmasState,
} from '../../state/schema.ts';

/**
 * The states of the walkthrough written by hand as an engine would publish them, for tests and for drawing the page
 * without an engine. Addresses are those of `-m 4G,maxmem=8G,slots=8` for L1 and `-m 2G` for L2.
 */
export const L1_WINDOW = 0x4_9000_0000;
export const L2_WINDOW = 0x1_1000_0000;
export const REGION = 256 * MiB;
const HVA_RAM = 0x7f2a_4000_0000;
const HVA_CXL = 0x7f2a_3000_0000;
const QEMU_L0 = 1041;
const QEMU_L1 = 487;
const HOST_HVA = 0x7f91_0000_0000;

const typed = <T>(value: T): T => value;
const put = (log: EventLog, path: string, value: object | null): void =>
  log.publish(path, JSON.parse(JSON.stringify(value)));

export interface StoryStep {
  readonly console: string;
  readonly prompt: string;
  readonly line: string;
  readonly output: string;
  readonly apply: (log: EventLog) => void;
}

const layer = (id: LayerId): number => LAYERS.findIndex((one) => one.id === id);

/** Config space and component registers of an accelerator, at the values of profile B. */
function accelBlocks(log: EventLog, base: string): void {
  const config = log.registerCells(`${base}/config`, 'cxl-accel.config', 1024);
  const set = (offset: number, value: number) => log.set(config + offset / 4, value);
  set(0x00, 0x0d948086);
  set(0x04, 0x00100006);
  set(0x08, 0x05031001);
  set(0x10, 0xfe800004);
  set(0x34, 0x00000080);
  set(0x80, 0x00020010);
  set(0x100, 0x13c10023);
  set(0x104, 0x03c31e98);
  set(0x108, 0x001e0000);
  set(0x10c, 0x00000002);
  set(0x110, 0x00020000);
  set(0x11c, 0x1000004b);
  set(0x13c, 0x16010023);
  set(0x140, 0x02401e98);
  set(0x144, 0x00000008);
  set(0x148, 0x00000100);
  set(0x160, 0x00010023);
  set(0x164, 0x02021e98);
  const component = log.registerCells(`${base}/component`, 'cxl-accel.component', 1024);
  const cm = (offset: number, value: number) => log.set(component + offset / 4, value);
  cm(0, 0x03110001);
  cm(8, 0x0d820004);
  cm(12, 0x12830005);
  cm(0x128, 0x00000312);
}

function commitDecoder(log: EventLog, path: string, hdm: number, base: number, size: number): void {
  const first = log.find(path)?.first;
  if (first === undefined) return;
  const at = (offset: number) => first + (hdm + offset) / 4;
  const site = log.site({
    layer: layer('l1.kernel'),
    name: 'cxl_decoder_commit',
    args: ['id'],
    cite: 'drivers/cxl/core/hdm.c',
  });
  const span = log.begin(site);
  log.set(at(4), 2);
  log.set(at(0x14), Math.floor(base / 2 ** 32));
  log.set(at(0x10), base % 2 ** 32);
  log.set(at(0x18), size % 2 ** 32);
  log.set(at(0x20), 0x600);
  log.end(span);
}

function map(ramLow: number, ramHigh: number, extra: MemoryMapState['ranges']): MemoryMapState {
  return {
    ranges: [
      { start: 0, size: 0xa0000, kind: 'ram', name: 'pc.ram', hva: HVA_RAM },
      { start: 0xf0000, size: 0x10000, kind: 'rom', name: 'pc.bios' },
      { start: MiB, size: ramLow - MiB, kind: 'ram', name: 'pc.ram', hva: HVA_RAM + MiB },
      { start: 0xb000_0000, size: 0x1000_0000, kind: 'io', name: 'pcie-mmcfg-mmio' },
      { start: 0xfe80_0000, size: 0x1000, kind: 'io', name: '.io' },
      { start: 0xfe80_1000, size: 0x1000, kind: 'io', name: '.cache_mem' },
      { start: 0xfec0_0000, size: 0x1000, kind: 'io', name: 'ioapic' },
      { start: 0xfed0_0000, size: 0x400, kind: 'io', name: 'hpet' },
      ...(ramHigh > 0
        ? [
            typed<MemoryMapState['ranges'][number]>({
              start: 4 * GiB,
              size: ramHigh,
              kind: 'ram',
              name: 'pc.ram',
              hva: HVA_RAM,
            }),
          ]
        : []),
      ...extra,
    ],
  };
}

const route = (
  space: string,
  offset: number,
  size: number,
  block: string,
  answeredBy: RegisterRoute['answeredBy'],
  blockOffset = 0,
): RegisterRoute => ({
  space,
  offset,
  size,
  block,
  blockOffset,
  answeredBy,
});

const plain = (
  id: string,
  type: string,
  bdf: string,
  label: string,
  bus = 'pcie.0',
  parent: string | null = null,
): PciFunctionState => ({
  id,
  type,
  bus,
  parent,
  devfn: 0,
  bdf,
  vendorDevice: '8086:29c0',
  classCode: 0x060000,
  label,
  routes: [],
  bars: [],
});

function publishL1Hardware(log: EventLog): void {
  for (const fn of [
    plain('mch', 'mch', '00:00.0', 'host bridge'),
    plain('cxl.1', 'pxb-cxl', '00:02.0', 'CXL host bridge'),
    plain('root_port13', 'cxl-rp', '0c:00.0', 'CXL root port', 'cxl.1', 'cxl.1'),
    plain('lpc', 'ICH9-LPC', '00:1f.0', 'LPC bridge'),
    plain('ahci', 'ich9-ahci', '00:1f.2', 'SATA controller'),
  ])
    put(log, paths.pciFunction('l1', fn.id), fn);
  accelBlocks(log, 'hw/l1/cxl-accel0');
  put(log, paths.pciFunction('l1', 'cxl-accel0'), {
    ...plain('cxl-accel0', 'cxl-accel', '0d:00.0', 'CXL type-2 accelerator', 'root_port13', 'root_port13'),
    vendorDevice: '8086:0d94',
    routes: [
      route('config', 0, 4096, 'hw/l1/cxl-accel0/config', 'device'),
      route('bar0', 0x1000, 4096, 'hw/l1/cxl-accel0/component', 'device'),
    ],
    bars: [{ index: 0, addr: 0xfe80_0000, size: 0x10000, name: 'component registers' }],
    backend: { id: 'vmem0', size: REGION },
  });
  put(
    log,
    paths.fixedWindow('l1', 0),
    typed<FixedWindowState>({ base: L1_WINDOW, size: 4 * GiB, granularity: 256, targets: ['cxl.1'] }),
  );
  put(
    log,
    paths.memoryMap('l1'),
    map(2 * GiB, 2 * GiB, [
      { start: 0x4_8000_0000, size: 0x10000, kind: 'io', name: 'cxl.1 component registers' },
      { start: L1_WINDOW, size: 4 * GiB, kind: 'io', name: 'cxl-fixed-memory-region' },
    ]),
  );
  put(
    log,
    paths.kvmSlots('l1'),
    typed<KvmSlotsState>({
      slots: [
        { slot: 0, gpa: 0, size: 2 * GiB, hva: HOST_HVA, readonly: false },
        { slot: 1, gpa: 4 * GiB, size: 2 * GiB, hva: HOST_HVA + 2 * GiB, readonly: false },
      ],
    }),
  );
  put(
    log,
    paths.process('host', QEMU_L0),
    typed<ProcessState>({
      pid: QEMU_L0,
      ppid: 812,
      comm: 'qemu-system-x86',
      argv: ['qemu-system-x86_64', '-M', 'q35,cxl=on'],
      state: 'running',
    }),
  );
}

const machine = (log: EventLog, state: MachineState): void => put(log, paths.machine(state.id), state);
const device = (log: EventLog, m: MachineId, sysfs: string, driver: string | null): void =>
  put(
    log,
    paths.device(m, sysfs),
    typed<DeviceState>({ name: sysfs.split('/').at(-1) ?? '', subsystem: 'pci', driver, parent: null }),
  );
const cxl = (log: EventLog, m: MachineId, object: CxlObjectState): void => put(log, paths.cxl(m, object.name), object);

const ACCEL = '/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0';

function publishCxlCore(log: EventLog, m: MachineId, window: number): void {
  const site = log.site({
    layer: layer(m === 'l1' ? 'l1.kernel' : 'l2.kernel'),
    name: 'cxl_acpi_probe',
    cite: 'drivers/cxl/acpi.c',
  });
  const span = log.begin(site);
  cxl(log, m, {
    kind: 'root',
    name: 'root0',
    parent: null,
    uport: 'ACPI0017:00',
    dports: [{ id: 12, name: 'ACPI0016:00' }],
    decodersCommitted: 0,
  });
  cxl(log, m, {
    kind: 'port',
    name: 'port1',
    parent: 'root0',
    uport: 'pci0000:0c',
    dports: [{ id: 0, name: '0000:0c:00.0' }],
    decodersCommitted: 0,
  });
  cxl(log, m, {
    kind: 'root-decoder',
    name: 'decoder0.0',
    port: 'root0',
    start: window,
    size: 4 * GiB,
    ways: 1,
    granularity: 256,
    enabled: true,
    locked: false,
    target: 'expander',
    targets: [12],
    region: null,
  });
  log.end(span);
}

function publishEndpoint(log: EventLog, m: MachineId, window: number, live: boolean): void {
  cxl(log, m, {
    kind: 'memdev',
    name: 'mem0',
    host: '0000:0d:00.0',
    serial: '0x0',
    type: 'devmem',
    ramSize: REGION,
    pmemSize: 0,
    endpoint: 'endpoint2',
  });
  cxl(log, m, {
    kind: 'endpoint',
    name: 'endpoint2',
    parent: 'port1',
    uport: 'mem0',
    dports: [],
    decodersCommitted: live ? 1 : 0,
  });
  cxl(log, m, {
    kind: 'endpoint-decoder',
    name: 'decoder2.0',
    port: 'endpoint2',
    start: live ? window : 0,
    size: live ? REGION : 0,
    ways: 1,
    granularity: 256,
    enabled: live,
    locked: false,
    target: 'accelerator',
    dpa: live ? { start: 0, size: REGION } : null,
    region: live ? 'region0' : null,
  });
  if (live)
    cxl(log, m, {
      kind: 'region',
      name: 'region0',
      rootDecoder: 'decoder0.0',
      start: window,
      size: REGION,
      ways: 1,
      granularity: 256,
      state: 'commit',
      targets: ['decoder2.0'],
      mode: 'ram',
      type: 'accelerator',
    });
}

function bootNoise(log: EventLog, m: MachineId, count: number): void {
  const kernel = log.site({
    layer: layer(m === 'l1' ? 'l1.kernel' : 'l2.kernel'),
    name: 'pci_scan_child_bus',
    args: ['bus'],
    cite: 'drivers/pci/probe.c',
  });
  const exit = log.site({
    layer: layer(m === 'l1' ? 'host.kvm' : 'l1.kvm'),
    name: 'KVM_EXIT_IO',
    args: ['port', 'value'],
  });
  const qemu = log.site({
    layer: layer(m === 'l1' ? 'host.qemu' : 'l1.qemu'),
    name: 'pci_data_read',
    args: ['addr'],
    cite: 'hw/pci/pci_host.c',
  });
  for (let bus = 0; bus < count; bus++) {
    const outer = log.begin(kernel, bus);
    for (let n = 0; n < 6 + (bus % 5); n++) {
      log.note(exit, 0xcf8, 0x80000000 + n * 4);
      const inner = log.begin(qemu, n);
      log.end(inner, 0xffff);
    }
    log.end(outer);
  }
}

/** A trapped store of L2 to an HDM register, layer by layer. */
function trappedStores(log: EventLog, shadow: string): void {
  const l2 = log.site({
    layer: layer('l2.kernel'),
    name: 'cxl_decoder_commit',
    args: ['id'],
    cite: 'drivers/cxl/core/hdm.c',
  });
  const exit = log.site({ layer: layer('l1.kvm'), name: 'KVM_EXIT_MMIO write', args: ['gpa', 'value'] });
  const qemu = log.site({
    layer: layer('l1.qemu'),
    name: 'vfio_region_write',
    args: ['addr', 'data'],
    cite: 'hw/vfio/common.c',
  });
  const kernel = log.site({
    layer: layer('l1.kernel'),
    name: 'vfio_cxl_core_write',
    args: ['offset', 'value'],
    cite: 'RFC patch 08',
  });
  const first = log.find(shadow)?.first ?? 0;
  const outer = log.begin(l2, 0);
  for (const [offset, value] of [
    [0x14, 1],
    [0x10, 0x10000000],
    [0x1c, 0],
    [0x18, 0x10000000],
    [0x20, 0x600],
  ] as const) {
    log.note(exit, 0xfe801128 + offset, value);
    const q = log.begin(qemu, 0x1128 + offset, value);
    const k = log.begin(kernel, offset, value);
    log.set(first + offset / 4, value);
    log.end(k, 4);
    log.end(q, 0);
  }
  log.end(outer);
}

function publishL2Hardware(log: EventLog): void {
  for (const fn of [
    plain('mch', 'mch', '00:00.0', 'host bridge'),
    plain('cxl.1', 'pxb-cxl', '00:02.0', 'CXL host bridge'),
    plain('rp0', 'cxl-rp', '0c:00.0', 'CXL root port', 'cxl.1', 'cxl.1'),
    plain('lpc', 'ICH9-LPC', '00:1f.0', 'LPC bridge'),
  ])
    put(log, paths.pciFunction('l2', fn.id), fn);
  put(log, paths.pciFunction('l2', 'accel0'), {
    ...plain('accel0', 'vfio-pci', '0d:00.0', 'passed-through accelerator', 'rp0', 'rp0'),
    vendorDevice: '8086:0d94',
    host: '0000:0d:00.0',
    routes: [
      route('config', 0, 4096, 'vfio/l1/0000:0d:00.0/vconfig', 'vfio-shadow'),
      route('bar0', 0x1000, 4096, 'hw/l1/cxl-accel0/component', 'device'),
      route('bar0', 0x1128, 0x90, 'vfio/l1/0000:0d:00.0/hdm', 'vfio-shadow'),
    ],
    bars: [{ index: 0, addr: 0xfe80_0000, size: 0x10000, name: 'component registers' }],
  });
  put(
    log,
    paths.fixedWindow('l2', 0),
    typed<FixedWindowState>({ base: L2_WINDOW, size: 4 * GiB, granularity: 256, targets: ['cxl.1'] }),
  );
  publishL2Map(log, false);
  put(
    log,
    paths.process('l1', QEMU_L1),
    typed<ProcessState>({
      pid: QEMU_L1,
      ppid: 1,
      comm: 'qemu-system-x86',
      argv: ['qemu-system-x86_64', '-device', 'vfio-pci,host=0000:0d:00.0'],
      state: 'running',
    }),
  );
  put(
    log,
    paths.vmas('l1', QEMU_L1),
    typed<VmasState>({
      vmas: [
        {
          start: HVA_CXL,
          size: REGION,
          kind: 'vfio',
          name: 'vfio region 9 (CXL)',
          extents: [{ phys: L1_WINDOW, size: REGION }],
        },
        {
          start: HVA_RAM,
          size: 2 * GiB,
          kind: 'anon',
          name: 'pc.ram',
          extents: [
            { phys: 4 * GiB, size: 1536 * MiB },
            { phys: 0x2000_0000, size: 512 * MiB },
          ],
        },
      ],
    }),
  );
}

function publishL2Map(log: EventLog, mapped: boolean): void {
  put(
    log,
    paths.memoryMap('l2'),
    map(2 * GiB, 0, [
      ...(mapped
        ? [
            typed<MemoryMapState['ranges'][number]>({
              start: L2_WINDOW,
              size: REGION,
              kind: 'ram-device',
              name: 'cxl region',
              hva: HVA_CXL,
            }),
          ]
        : []),
      {
        start: mapped ? L2_WINDOW + REGION : L2_WINDOW,
        size: 4 * GiB - (mapped ? REGION : 0),
        kind: 'io',
        name: 'cxl-fixed-memory-region',
      },
    ]),
  );
  put(
    log,
    paths.kvmSlots('l2'),
    typed<KvmSlotsState>({
      slots: [
        { slot: 0, gpa: 0, size: 2 * GiB, hva: HVA_RAM, readonly: false },
        ...(mapped ? [{ slot: 5, gpa: L2_WINDOW, size: REGION, hva: HVA_CXL, readonly: false }] : []),
      ],
    }),
  );
}

function vfio(log: EventLog, opened: boolean): void {
  put(
    log,
    paths.vfioDevice('l1', '0000:0d:00.0'),
    typed<VfioDeviceState>({
      bdf: '0000:0d:00.0',
      driver: 'cxl_accel_vfio_pci',
      group: 7,
      opened,
      ...(opened
        ? {
            vconfig: 'vfio/l1/0000:0d:00.0/vconfig',
            hdmShadow: 'vfio/l1/0000:0d:00.0/hdm',
            hdm: { bar: 0, offset: 0x1128, size: 0x90, count: 4 },
            region: { index: 9, hpa: L1_WINDOW, size: REGION },
          }
        : {}),
    }),
  );
}

function openShadow(log: EventLog): void {
  const from = log.find('hw/l1/cxl-accel0/config')?.first ?? 0;
  const to = log.registerCells('vfio/l1/0000:0d:00.0/vconfig', 'cxl-accel.config', 1024);
  for (let n = 0; n < 1024; n++) log.set(to + n, log.cells[from + n] ?? 0);
  log.set(to + 0x10c / 4, 0x00000006);
  const hdm = log.registerCells('vfio/l1/0000:0d:00.0/hdm', 'hdm-shadow.4', 36);
  log.set(hdm, 0x00000312);
}

const dmesg = (lines: readonly string[]): string =>
  lines.map((line, n) => `[    ${(0.3 + n * 0.117).toFixed(6)}] ${line}\r\n`).join('');

export const STORY: readonly StoryStep[] = [
  {
    console: 'host',
    prompt: 'root@host:~# ',
    line: 'qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -smp 4 -object memory-backend-ram,id=vmem0,share=on,size=256M -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=root_port13,chassis=0,slot=2 -device cxl-accel,bus=root_port13,volatile-memdev=vmem0,id=cxl-accel0 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.11.0-rc2-vfio-cxl-l1 -nographic',
    output: dmesg([
      'Linux version 6.11.0-rc2-vfio-cxl-l1',
      'ACPI: CEDT 0x000000007FFE1A2C 0000E4 (v01 BOCHS  BXPC     00000001)',
      'acpi ACPI0016:00: _OSC: OS now controls [PCIeHotplug PME AER PCIeCapability CXL]',
      'pci 0000:0d:00.0: [8086:0d94] type 00 class 0x050310 PCIe Endpoint',
      'cxl_acpi ACPI0017:00: decoder0.0: [mem 0x490000000-0x58fffffff]',
    ]),
    apply: (log) => {
      publishL1Hardware(log);
      machine(log, {
        id: 'l1',
        state: 'booting',
        release: '6.11.0-rc2-vfio-cxl-l1',
        vmm: { machine: 'host', pid: QEMU_L0 },
        ramBytes: 4 * GiB,
        cpus: 4,
      });
      bootNoise(log, 'l1', 60);
      publishCxlCore(log, 'l1', L1_WINDOW);
      device(log, 'l1', '/devices/pci0000:0c/0000:0c:00.0', 'pcieport');
      device(log, 'l1', ACCEL, null);
      machine(log, {
        id: 'l1',
        state: 'running',
        release: '6.11.0-rc2-vfio-cxl-l1',
        vmm: { machine: 'host', pid: QEMU_L0 },
        ramBytes: 4 * GiB,
        cpus: 4,
      });
    },
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'lspci -nn -s 0d:00.0',
    output: '0d:00.0 Memory controller [0503]: Intel Corporation Device [8086:0d94] (rev 01)\r\n',
    apply: (log) => bootNoise(log, 'l1', 2),
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'modprobe cxl_accel_vfio_pci && echo cxl_accel_vfio_pci > /sys/bus/pci/devices/0000:0d:00.0/driver_override && echo 0000:0d:00.0 > /sys/bus/pci/drivers_probe',
    output: '',
    apply: (log) => {
      put(log, paths.module('l1', 'cxl_accel_vfio_pci'), {
        name: 'cxl_accel_vfio_pci',
        size: 12288,
        usedBy: [],
        refcount: 0,
      });
      device(log, 'l1', ACCEL, 'cxl_accel_vfio_pci');
      vfio(log, false);
    },
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'qemu-system-x86_64 -M q35,accel=kvm,cxl=on -m 2G -cpu host -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device vfio-pci,host=0000:0d:00.0,bus=rp0,id=accel0 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.11.0-rc2-type2-l2 -nographic',
    output: dmesg([
      'Linux version 6.11.0-rc2-type2-l2',
      'pci 0000:0d:00.0: [8086:0d94] type 00 class 0x050310 PCIe Endpoint',
      'cxl_acpi ACPI0017:00: decoder0.0: [mem 0x110000000-0x20fffffff]',
    ]),
    apply: (log) => {
      publishEndpoint(log, 'l1', L1_WINDOW, true);
      commitDecoder(log, 'hw/l1/cxl-accel0/component', 0x128, L1_WINDOW, REGION);
      openShadow(log);
      vfio(log, true);
      publishL2Hardware(log);
      machine(log, {
        id: 'l2',
        state: 'booting',
        release: '6.11.0-rc2-type2-l2',
        vmm: { machine: 'l1', pid: QEMU_L1 },
        ramBytes: 2 * GiB,
        cpus: 1,
      });
      bootNoise(log, 'l2', 40);
      publishCxlCore(log, 'l2', L2_WINDOW);
      device(log, 'l2', '/devices/pci0000:0c/0000:0c:00.0', 'pcieport');
      device(log, 'l2', ACCEL, null);
      machine(log, {
        id: 'l2',
        state: 'running',
        release: '6.11.0-rc2-type2-l2',
        vmm: { machine: 'l1', pid: QEMU_L1 },
        ramBytes: 2 * GiB,
        cpus: 1,
      });
    },
  },
  {
    console: 'l2',
    prompt: 'root@l2:~# ',
    line: 'modprobe cxl-accel',
    output: dmesg([
      'cxl-accel 0000:0d:00.0: CXL CXL_DVSEC_PCIE_DEVICE capability found',
      'cxl decoder0.0: found 0x0000000100000000 bytes of free space',
      'cxl-accel 0000:0d:00.0: QEMU ACCEL device driver is loaded',
    ]),
    apply: (log) => {
      put(log, paths.module('l2', 'cxl_accel'), { name: 'cxl_accel', size: 12288, usedBy: [], refcount: 1 });
      publishEndpoint(log, 'l2', L2_WINDOW, false);
      trappedStores(log, 'vfio/l1/0000:0d:00.0/hdm');
      publishL2Map(log, true);
      publishEndpoint(log, 'l2', L2_WINDOW, true);
      device(log, 'l2', ACCEL, 'cxl-accel');
    },
  },
  {
    console: 'l2',
    prompt: 'root@l2:~# ',
    line: 'devmem 0x110001000 32 0xc0ffee',
    output: '',
    apply: (log) => bootNoise(log, 'l2', 1),
  },
];

export function startHost(log: EventLog): void {
  machine(log, { id: 'host', state: 'running', release: '6.11.0-rc2', ramBytes: 16 * GiB, cpus: 8 });
}

/** Appends one step as a command typed and answered. */
export function playStep(log: EventLog, step: StoryStep, ns: number): void {
  log.mark(step.line.slice(0, 60), ns, { console: step.console, line: step.line });
  log.out(`${step.console}:tty`, ns, `${step.line}\r\n`);
  step.apply(log);
  log.out(`${step.console}:tty`, ns + 1e6, step.output);
  const next = STORY[STORY.indexOf(step) + 1];
  if (next && next.console !== step.console) log.out(`${next.console}:tty`, ns + 2e6, next.prompt);
  else log.out(`${step.console}:tty`, ns + 2e6, step.prompt);
}

export const hexText = hex;
