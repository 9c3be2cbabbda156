import { GiB, MiB } from '../../base/addr.ts';
import type { EventLog } from '../../log/index.ts';
import {
  type FixedWindowState,
  type KvmSlotsState,
  type MemoryMapState,
  type PciFunctionState,
  type ProcessState,
  paths,
  type RegisterRoute,
  type VmasState,
} from '../../state/schema.ts';

import {
  HOST_HVA,
  HVA_CXL,
  HVA_RAM,
  L1_WINDOW,
  L2_WINDOW,
  layer,
  put,
  QEMU_L0,
  QEMU_L1,
  REGION,
  typed,
} from './fake-parts.ts';

/** Functions, registers and memory maps of L1 and L2 as their VMMs would publish them. */
/** Config space and component registers of an accelerator, at the values of profile B. */
export function accelBlocks(log: EventLog, base: string): void {
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

export function commitDecoder(log: EventLog, path: string, hdm: number, base: number, size: number): void {
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

export function map(ramLow: number, ramHigh: number, extra: MemoryMapState['ranges']): MemoryMapState {
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

export const route = (
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

export const plain = (
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

export function publishL1Hardware(log: EventLog): void {
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

export function publishL2Hardware(log: EventLog): void {
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

export function publishL2Map(log: EventLog, mapped: boolean): void {
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
