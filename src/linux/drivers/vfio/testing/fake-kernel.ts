import { Scheduler } from '../../../../base/scheduler.ts';
import type { CpuBus } from '../../../../hw/bus/cpu-bus.ts';
import { EventLog } from '../../../../log/index.ts';
import { Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { Mutex } from '../../../include/mutex.ts';
import { IORESOURCE_MEM, IORESOURCE_MEM_64, PCI, PciBus, PciDev } from '../../../include/pci_types.ts';
import { VFIO } from '../vfio.ts';

/** A kernel with just enough around one accelerator function (profile B) for tests of drivers/vfio. */
export interface FakeKernel {
  readonly kernel: Kernel;
  readonly dev: PciDev;
  readonly log: EventLog;
  /** Config bytes of the device and its component BAR, as the hardware has them. */
  readonly config: DataView;
  readonly bar: DataView;
  /** Accesses that reached the hardware, messages and calls, in order. */
  readonly trace: string[];
}

export const BAR0 = 0xfe000000;
const ECAM = 0xb0000000;

export function fakeKernel(
  options: { patches?: readonly number[]; quirks?: Record<string, 'posted' | 'intended'> } = {},
): FakeKernel {
  const log = new EventLog();
  const scheduler = new Scheduler(() => Promise.resolve());
  const trace: string[] = [];
  const config = new DataView(new ArrayBuffer(4096));
  const bar = new DataView(new ArrayBuffer(0x10000));
  const put = (at: number, value: number) => config.setUint32(at, value, true);
  for (const [at, value] of [
    [0x00, 0x0d948086],
    [0x04, 0x00100002],
    [0x08, 0x05031001],
    [0x10, BAR0 | 4],
    [0x34, 0x80],
    [0x80, 0x00020010],
    [0x100, 0x13c10023],
    [0x104, 0x03c31e98],
    [0x108, 0x001e0000],
    [0x10c, 0x00000002],
    [0x112, 0x00020000],
    [0x11c, 0x1000004b],
    [0x13c, 0x16010023],
    [0x140, 0x02401e98],
    [0x144, 0x00000008],
    [0x148, 0x00000100],
    [0x160, 0x00010023],
    [0x164, 0x02021e98],
    [0x168, 0x00260007],
  ] as const)
    put(at, value);
  bar.setUint32(0x1000, 0x03110001, true);
  bar.setUint32(0x1128, 0x312, true);

  const space = (addr: number): [DataView, number, string] | null => {
    if (addr >= ECAM && addr < ECAM + 0x10000000) return [config, addr % 4096, 'cfg'];
    return addr >= BAR0 && addr < BAR0 + 0x10000 ? [bar, addr - BAR0, 'mem'] : null;
  };
  const bus = {
    hi: 0,
    load(addr: number, width: number) {
      const at = space(addr);
      if (!at) return 0;
      return width === 4
        ? at[0].getUint32(at[1], true)
        : width === 2
          ? at[0].getUint16(at[1], true)
          : at[0].getUint8(at[1]);
    },
    store(addr: number, width: number, value: number) {
      const at = space(addr);
      if (!at) return;
      trace.push(`${at[2]} write 0x${at[1].toString(16)} = 0x${value.toString(16)}`);
      if (width === 4) at[0].setUint32(at[1], value, true);
      else if (width === 2) at[0].setUint16(at[1], value, true);
      else at[0].setUint8(at[1], value);
    },
  } as unknown as CpuBus;
  const keys = new Map<object, unknown>();
  const sites = new Map<string, number>();
  const kernel = {
    machine: 'l1',
    build: {
      release: 'test',
      version: '',
      config: {},
      patches: options.patches ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
      quirks: options.quirks ?? {},
    },
    cpu: { bus },
    log,
    scheduler,
    mmio: {
      readl: (addr: number) => bus.load(addr, 4),
      readl_loop(into: Uint32Array, addr: number) {
        for (let n = 0; n < into.length; n++) into[n] = bus.load(addr + n * 4, 4);
      },
      writel: (value: number, addr: number) => bus.store(addr, 4, value),
      readw: (addr: number) => bus.load(addr, 2),
      readb: (addr: number) => bus.load(addr, 1),
      writew: (value: number, addr: number) => bus.store(addr, 2, value),
      writeb: (value: number, addr: number) => bus.store(addr, 1, value),
    },
    mm: { zap: () => trace.push('zap'), translate: () => 0 },
    iomem: { request_mem_region: () => null },
    drivers: { device_add: () => 0, device_del: () => {}, class_register: () => {} },
    vfs: { file: () => null, anon_fd: () => 7, debugfs_create: () => {} },
    modules: { get: () => true, put: () => {}, request: () => 0 },
    param: () => undefined,
    config: () => 'n',
    printk: (_level: number, text: string) => trace.push(`log ${text}`),
    dynamic_debug: () => {},
    warn: (_text: string, where: string) => trace.push(`WARN ${where}`),
    site: (name: string) => {
      const known = sites.get(name) ?? log.site({ layer: 6, name });
      sites.set(name, known);
      return known;
    },
    span: <T>(_site: number, _b: number, _c: number, body: () => T) => body(),
    get: (key: object) => keys.get(key),
    set: (key: object, value: unknown) => keys.set(key, value),
    has: (key: object) => keys.has(key),
  } as unknown as Kernel;
  const hostBridge = new Device(kernel, 'pci0000:0c', null, null);
  const pci_bus = new PciBus(kernel, 0x0d, null, null, hostBridge);
  kernel.set(PCI, {
    roots: [pci_bus],
    mmcfg: [{ segment: 0, start_bus: 0, end_bus: 255, address: ECAM }],
    conf1: false,
    next_irq: 24,
    vectors: [],
    registered: true,
    irqs: new Map(),
    rescan_remove: new Mutex(kernel),
  });
  kernel.set(VFIO, { groups: [], devices: [], iommu_drivers: [], group_major: 1, cdev_major: 2, next_device: 0 });
  const dev = new PciDev(kernel, pci_bus, 0, hostBridge, []);
  dev.vendor = 0x8086;
  dev.device = 0x0d94;
  dev.cfg_size = 4096;
  dev.pcie_cap = 0x80;
  dev.pcie_type = 0;
  dev.iommu_group = 5;
  const resource = dev.resource[0];
  if (resource) {
    resource.start = BAR0;
    resource.end = BAR0 + 0xffff;
    resource.flags = IORESOURCE_MEM | IORESOURCE_MEM_64;
    resource.res = { start: BAR0, end: BAR0 + 0xffff, name: '', busy: false, parent: null, children: [] };
  }
  pci_bus.devices.push(dev);
  return { kernel, dev, log, config, bar, trace };
}
