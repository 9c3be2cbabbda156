import { GiB } from '../../base/addr.ts';
import type { EventLog, MachineId } from '../../log/index.ts';
import { paths, type VfioDeviceState } from '../../state/schema.ts';

import { cxl, L1_WINDOW, layer, put, REGION, typed } from './fake-parts.ts';

/** CXL core, vfio and trapped accesses as the kernels would publish them. */
export function publishCxlCore(log: EventLog, m: MachineId, window: number): void {
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

export function publishEndpoint(log: EventLog, m: MachineId, window: number, live: boolean): void {
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

export function bootNoise(log: EventLog, m: MachineId, count: number): void {
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
export function trappedStores(log: EventLog, shadow: string): void {
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

export function vfio(log: EventLog, opened: boolean): void {
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

export function openShadow(log: EventLog): void {
  const from = log.find('hw/l1/cxl-accel0/config')?.first ?? 0;
  const to = log.registerCells('vfio/l1/0000:0d:00.0/vconfig', 'cxl-accel.config', 1024);
  for (let n = 0; n < 1024; n++) log.set(to + n, log.cells[from + n] ?? 0);
  log.set(to + 0x10c / 4, 0x00000006);
  const hdm = log.registerCells('vfio/l1/0000:0d:00.0/hdm', 'hdm-shadow.4', 36);
  log.set(hdm, 0x00000312);
}
