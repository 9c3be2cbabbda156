import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present } from '../base/assert.ts';
import { E } from '../base/errno.ts';
import type { Linux } from '../linux/kernel/linux.ts';
import { MAP_PRIVATE, MAP_SHARED, O_RDONLY, O_RDWR, O_WRONLY } from '../linux/uapi/constants.ts';
import * as iommufd from '../linux/uapi/iommufd.ts';
import { decode, encode } from '../linux/uapi/struct.ts';
import * as vfio from '../linux/uapi/vfio.ts';
import { labWithL2, labWithV3 } from './testing/host.ts';
import {
  BAR,
  BOOL,
  type Call,
  CONFIG,
  CXL_REGION,
  called,
  container,
  device,
  EVENTFD,
  group,
  int32,
  ioeventfd,
  map,
  map_dma,
  NONE,
  name,
  number,
  REGION,
  RW,
  read,
  type Stage,
  set_irqs,
  sized,
  stageOf,
  struct,
  TRIGGER,
  unmap_dma,
  write,
} from './testing/vfio-calls.ts';

/** Calls no VMM makes, from within L1's VMM and beside it: the errno of Linux 6.11, and nothing else changes. */

/** Each structure's shortest length, with a call that takes it. */
const MINIMA: readonly (readonly [string, (request: number, arg?: Uint8Array | number) => Call, number, number])[] = [
  ['VFIO_DEVICE_GET_INFO', device, vfio.VFIO_DEVICE_GET_INFO, 16],
  ['VFIO_DEVICE_GET_REGION_INFO', device, vfio.VFIO_DEVICE_GET_REGION_INFO, 32],
  ['VFIO_DEVICE_GET_IRQ_INFO', device, vfio.VFIO_DEVICE_GET_IRQ_INFO, 16],
  ['VFIO_DEVICE_SET_IRQS', device, vfio.VFIO_DEVICE_SET_IRQS, 20],
  ['VFIO_DEVICE_GET_PCI_HOT_RESET_INFO', device, vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, 12],
  ['VFIO_DEVICE_PCI_HOT_RESET', device, vfio.VFIO_DEVICE_PCI_HOT_RESET, 12],
  ['VFIO_DEVICE_IOEVENTFD', device, vfio.VFIO_DEVICE_IOEVENTFD, 28],
  ['VFIO_DEVICE_FEATURE', device, vfio.VFIO_DEVICE_FEATURE, 8],
  ['VFIO_DEVICE_BIND_IOMMUFD', device, vfio.VFIO_DEVICE_BIND_IOMMUFD, 16],
  ['VFIO_GROUP_GET_STATUS', group, vfio.VFIO_GROUP_GET_STATUS, 8],
  ['VFIO_IOMMU_GET_INFO', container, vfio.VFIO_IOMMU_GET_INFO, 16],
  ['VFIO_IOMMU_MAP_DMA', container, vfio.VFIO_IOMMU_MAP_DMA, 32],
  ['VFIO_IOMMU_UNMAP_DMA', container, vfio.VFIO_IOMMU_UNMAP_DMA, 24],
];
const argsz = (value: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  if (length >= 4) new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

/** Name of the input, the call, what Linux answers. */
type Row = readonly [string, Call, string];
const BAD: readonly Row[] = [
  ...MINIMA.flatMap(([what, on, request, least]): Row[] => [
    [`${what}: argsz 0`, on(request, argsz(0, least)), 'EINVAL'],
    [`${what}: argsz one too small`, on(request, argsz(least - 1, least)), 'EINVAL'],
    [`${what}: buffer one byte short`, on(request, argsz(least, least - 1)), 'EFAULT'],
    [`${what}: a number for an address`, on(request, 1), 'EFAULT'],
  ]),
  ['a device request that is none', device(vfio.VFIO_TYPE * 0x100 + 250, new Uint8Array(64)), 'ENOTTY'],
  ['a group request that is none', group(vfio.VFIO_TYPE * 0x100 + 250, new Uint8Array(64)), 'ENOTTY'],
  ['a container request that is none', container(vfio.VFIO_TYPE * 0x100 + 250, new Uint8Array(64)), 'ENOTTY'],
  ['GET_INFO: argsz beyond the buffer', device(vfio.VFIO_DEVICE_GET_INFO, argsz(24, 16)), 'EFAULT'],
  [
    'region 8 without VGA',
    device(vfio.VFIO_DEVICE_GET_REGION_INFO, sized(vfio.vfio_region_info, { index: 8 })),
    'EINVAL',
  ],
  ['region 77', device(vfio.VFIO_DEVICE_GET_REGION_INFO, sized(vfio.vfio_region_info, { index: 77 })), 'EINVAL'],
  [
    'region 2³²-1',
    device(vfio.VFIO_DEVICE_GET_REGION_INFO, sized(vfio.vfio_region_info, { index: 2 ** 32 - 1 })),
    'EINVAL',
  ],
  ['interrupt index 5', device(vfio.VFIO_DEVICE_GET_IRQ_INFO, sized(vfio.vfio_irq_info, { index: 5 })), 'EINVAL'],
  ['interrupts: unknown index', set_irqs(5, 0, 1, NONE | TRIGGER), 'EINVAL'],
  ['interrupts: INTx, of which there is none', set_irqs(0, 0, 1, NONE | TRIGGER), 'EINVAL'],
  ['interrupts: start behind the last', set_irqs(4, 1, 1, NONE | TRIGGER), 'EINVAL'],
  ['interrupts: start + count wraps', set_irqs(4, 0, 2 ** 32 - 1, NONE | TRIGGER), 'EINVAL'],
  ['interrupts: no kind of data', set_irqs(4, 0, 1, TRIGGER), 'EINVAL'],
  ['interrupts: two kinds of data', set_irqs(4, 0, 1, NONE | BOOL | TRIGGER), 'EINVAL'],
  ['interrupts: unknown flag', set_irqs(4, 0, 1, NONE | TRIGGER | 0x100), 'EINVAL'],
  ['interrupts: no action', set_irqs(4, 0, 1, NONE), 'ENOTTY'],
  ['interrupts: two actions', set_irqs(4, 0, 1, NONE | TRIGGER | 8), 'ENOTTY'],
  ['interrupts: masking what cannot be masked', set_irqs(4, 0, 1, NONE | 8), 'ENOTTY'],
  ['interrupts: data missing', set_irqs(4, 0, 1, EVENTFD | TRIGGER), 'EINVAL'],
  ['interrupts: no data and count 0', set_irqs(4, 0, 0, EVENTFD | TRIGGER), 'EINVAL'],
  ['interrupts: testing one without an event', set_irqs(3, 0, 1, NONE | TRIGGER), 'EINVAL'],
  ['interrupts: a descriptor that is not open', set_irqs(4, 0, 1, EVENTFD | TRIGGER, 99), 'EBADF'],
  ['interrupts: a descriptor that is no eventfd', set_irqs(4, 0, 1, EVENTFD | TRIGGER, 0), 'EINVAL'],
  ['MSI-X: testing before it is on', set_irqs(2, 0, 1, NONE | TRIGGER), 'EINVAL'],
  ['MSI-X: a descriptor that is not open', set_irqs(2, 0, 1, EVENTFD | TRIGGER, 99), 'EBADF'],
  ['VFIO_DEVICE_RESET without a reset (patch 09)', device(vfio.VFIO_DEVICE_RESET), 'EINVAL'],
  [
    'hot reset: flags',
    device(vfio.VFIO_DEVICE_PCI_HOT_RESET, struct(vfio.vfio_pci_hot_reset, { argsz: 12, flags: 1 })),
    'EINVAL',
  ],
  [
    'hot reset: no group named',
    device(vfio.VFIO_DEVICE_PCI_HOT_RESET, struct(vfio.vfio_pci_hot_reset, { argsz: 12 })),
    'EINVAL',
  ],
  [
    'hot reset: more groups than functions',
    device(vfio.VFIO_DEVICE_PCI_HOT_RESET, sized(vfio.vfio_pci_hot_reset, { count: 9 }, 36)),
    'EINVAL',
  ],
  [
    'hot reset: list missing',
    device(vfio.VFIO_DEVICE_PCI_HOT_RESET, sized(vfio.vfio_pci_hot_reset, { count: 1 })),
    'EFAULT',
  ],
  [
    'hot reset info: no room',
    device(vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, sized(vfio.vfio_pci_hot_reset_info, {})),
    'ENOSPC',
  ],
  [
    'feature: unknown flag',
    device(vfio.VFIO_DEVICE_FEATURE, sized(vfio.vfio_device_feature, { flags: 0x8_0000 })),
    'EINVAL',
  ],
  [
    'feature: get and set at once',
    device(vfio.VFIO_DEVICE_FEATURE, sized(vfio.vfio_device_feature, { flags: 0x3_0000 })),
    'EINVAL',
  ],
  [
    'feature: one nobody knows',
    device(vfio.VFIO_DEVICE_FEATURE, sized(vfio.vfio_device_feature, { flags: 0x1_00ff })),
    'ENOTTY',
  ],
  [
    'BIND_IOMMUFD on a device of a group',
    device(vfio.VFIO_DEVICE_BIND_IOMMUFD, sized(vfio.vfio_device_bind_iommufd, { iommufd: 0 })),
    'EINVAL',
  ],
  [
    'ATTACH_IOMMUFD_PT on a device of a group',
    device(vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT, sized(vfio.vfio_device_attach_iommufd_pt, {})),
    'ENOTTY',
  ],
  ['ioeventfd: no length', ioeventfd(BAR, 0x4000, 0, -1), 'EINVAL'],
  ['ioeventfd: two lengths', ioeventfd(BAR, 0x4000, 6, -1), 'EINVAL'],
  ['ioeventfd: eight bytes', ioeventfd(BAR, 0x4000, 8, -1), 'EINVAL'],
  ['ioeventfd: descriptor -2', ioeventfd(BAR, 0x4000, 4, -2), 'EINVAL'],
  ['ioeventfd: configuration space', ioeventfd(CONFIG, 0, 4, -1), 'EINVAL'],
  ['ioeventfd: across the end of the BAR', ioeventfd(BAR, 0xfffe, 4, -1), 'EINVAL'],
  ['ioeventfd: giving up what was not set', ioeventfd(BAR, 0x4000, 4, -1), 'ENODEV'],
  // Group and container.
  ['device name not in the group', group(vfio.VFIO_GROUP_GET_DEVICE_FD, name('0000:0e:00.0')), 'ENODEV'],
  ['device name with a tail', group(vfio.VFIO_GROUP_GET_DEVICE_FD, name('0000:0d:00.01')), 'ENODEV'],
  [
    'device name with an unknown option',
    group(vfio.VFIO_GROUP_GET_DEVICE_FD, name('0000:0d:00.0 colour=red')),
    'EINVAL',
  ],
  ['no device name', group(vfio.VFIO_GROUP_GET_DEVICE_FD, name('')), 'ENODEV'],
  [
    'device name without an end',
    group(vfio.VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode('0000:0d:00.0')),
    'EFAULT',
  ],
  ['device name longer than a page', group(vfio.VFIO_GROUP_GET_DEVICE_FD, name('x'.repeat(5000))), 'EINVAL'],
  ['second container', (s) => s.vmm.ioctl(s.group, vfio.VFIO_GROUP_SET_CONTAINER, int32(s.container)), 'EINVAL'],
  ['container with a device open', group(vfio.VFIO_GROUP_UNSET_CONTAINER), 'EBUSY'],
  ['container: descriptor that is not open', group(vfio.VFIO_GROUP_SET_CONTAINER, int32(99)), 'EBADF'],
  ['container: descriptor -1', group(vfio.VFIO_GROUP_SET_CONTAINER, int32(-1)), 'EBADF'],
  ['second SET_IOMMU', container(vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1_IOMMU), 'EINVAL'],
  ['pread of a group', ({ vmm, group: fd }) => vmm.pread(fd, new Uint8Array(4), 0), 'EINVAL'],
  ['pwrite of a container', ({ vmm, container: fd }) => vmm.pwrite(fd, new Uint8Array(4), 0), 'EINVAL'],
  ['mmap of a container', ({ vmm, container: fd }) => vmm.mmap(0, 4096, RW, MAP_SHARED, fd, 0), 'ENODEV'],
  ['mapping DMA: unknown flag', map_dma({ flags: 7 }), 'EINVAL'],
  ['mapping DMA: neither read nor write', map_dma({ flags: 0 }), 'EINVAL'],
  ['mapping DMA: size 0', map_dma({ size: 0 }), 'EINVAL'],
  ['mapping DMA: odd size', map_dma({ size: 4095 }), 'EINVAL'],
  ['mapping DMA: odd IOVA', map_dma({ iova: 2 ** 40 + 1 }), 'EINVAL'],
  ['mapping DMA: odd address', map_dma({ iova: 2 ** 40, vaddr: 0x7f0000000800 }), 'EINVAL'],
  ['mapping DMA: wraps', map_dma({ iova: 2 ** 64 - 4096, size: 8192 }), 'EINVAL'],
  ['mapping DMA: beyond every IOMMU', map_dma({ iova: 2 ** 63 }), 'EINVAL'],
  ['mapping DMA: what is mapped', map_dma({ iova: 0 }), 'EEXIST'],
  ['mapping DMA: no memory there', map_dma({ iova: 2 ** 38, vaddr: 0x1000 }), 'EFAULT'],
  ['unmapping DMA: odd', unmap_dma({ iova: 1, size: 4096 }), 'EINVAL'],
  ['unmapping DMA: size 0', unmap_dma({ size: 0 }), 'EINVAL'],
  ['unmapping DMA: all, with a range', unmap_dma({ flags: 2, size: 4096 }), 'EINVAL'],
  ['unmapping DMA: a part of one mapping', unmap_dma({ size: 4096 }), 'EINVAL'],
  ['unmapping DMA: wraps', unmap_dma({ iova: 2 ** 64 - 4096, size: 8192 }), 'EINVAL'],
  // Reads, writes and mappings.
  ['component BAR: misaligned', read(BAR, 0x1001, 4), 'EINVAL'],
  ['component BAR: three bytes', read(BAR, 0x1000, 3), 'EINVAL'],
  ['component BAR: two bytes written', write(BAR, 0x1138, 2), 'EINVAL'],
  ['component BAR: eight bytes', read(BAR, 0x1138, 8), 'EINVAL'],
  ['component BAR: across the end', read(BAR, 0xfffe, 4), 'EINVAL'],
  ['component BAR: at the end', read(BAR, 0x10000, 4), 'EINVAL'],
  ['component BAR: far behind', write(BAR, 2 ** 40 - 4, 4), 'EINVAL'],
  ['half of a 64-bit BAR', read(1, 0, 4), 'EINVAL'],
  ['ROM: none', read(6, 0, 4), 'EINVAL'],
  ['ROM: written', write(6, 0, 4), 'EINVAL'],
  ['VGA', read(8, 0, 4), 'EINVAL'],
  ['configuration space: across the end', read(CONFIG, 0xffe, 4), 'EFAULT'],
  ['configuration space: at the end', write(CONFIG, 0x1000, 1), 'EFAULT'],
  ['a region that is none', read(10, 0, 4), 'EINVAL'],
  ['region index 2¹²', write(4096, 0, 4), 'EINVAL'],
  ['before the file', ({ vmm, device: fd }) => vmm.pread(fd, new Uint8Array(4), -4), 'EINVAL'],
  ['mapping the component BAR', map(BAR, 0, 0x1000), 'EINVAL'],
  ['mapping the end of the component BAR', map(BAR, 0xf000, 0x2000), 'EINVAL'],
  ['mapping configuration space', map(CONFIG, 0, 0x1000), 'EINVAL'],
  ['mapping an empty BAR', map(3, 0, 0x1000), 'EINVAL'],
  ['mapping a region that is none', map(10, 0, 0x1000), 'EINVAL'],
  ['mapping region 9 privately', map(CXL_REGION, 0, 0x1000, MAP_PRIVATE), 'EINVAL'],
  ['mapping region 9 neither shared nor private', map(CXL_REGION, 0, 0x1000, 0), 'EINVAL'],
  ['mapping across the end of region 9', map(CXL_REGION, 0x0fff_f000, 0x2000), 'EINVAL'],
  ['mapping more than region 9', map(CXL_REGION, 0, 0x1000_1000), 'EINVAL'],
  ['mapping behind region 9', map(CXL_REGION, 0x1000_0000, 0x1000), 'EINVAL'],
  ['mapping from within a page', map(CXL_REGION, 0x800, 0x1000), 'EINVAL'],
  ['mapping nothing', map(CXL_REGION, 0, 0), 'EINVAL'],
  ['mapping more than there are addresses', map(CXL_REGION, 0, 2 ** 50), 'ENOMEM'],
  // From another process.
  ['group that is open', ({ other, l1 }) => other.open(present(nodeOf(l1), 'a group'), O_RDWR), 'EBUSY'],
  ['group that is none', ({ other }) => other.open('/dev/vfio/999', O_RDWR), 'ENOENT'],
  [
    'unbinding a name nobody has',
    attribute('/sys/bus/pci/drivers/cxl_accel_vfio_pci/unbind', '0000:77:00.0'),
    'ENODEV',
  ],
  ['binding what is bound', attribute('/sys/bus/pci/drivers/cxl_accel_vfio_pci/bind', '0000:0d:00.0'), 'EBUSY'],
  [
    'binding a driver whose table does not match',
    attribute('/sys/bus/pci/drivers/cxl_pci/bind', '0000:0c:00.0'),
    'ENODEV',
  ],
  ['a vendor id is not written', attribute('/sys/bus/pci/devices/0000:0d:00.0/vendor', '0x1234'), 'EACCES'],
  ['a resource is not written', attribute('/sys/bus/pci/devices/0000:0d:00.0/resource', '0'), 'EACCES'],
  ['CXL: a size is not written', attribute('/sys/bus/cxl/devices/mem0/ram/size', '0'), 'EACCES'],
  ['/proc/iomem is not written', attribute('/proc/iomem', '0'), 'EIO'],
  ['/proc/version is not written', attribute('/proc/version', '0'), 'EIO'],
];
function nodeOf(l1: Linux): string | undefined {
  for (const { files } of l1.tasks.processes.values())
    for (const [, file] of files.entries()) if (/^\/dev\/vfio\/\d+$/.test(file.path)) return file.path;
  return undefined;
}
function attribute(path: string, value: string): Call {
  return ({ other }) => {
    const fd = other.open(path, O_WRONLY);
    if (fd < 0) return fd;
    const rc = other.write(fd, new TextEncoder().encode(value));
    other.close(fd);
    return rc;
  };
}

describe('vfio-cxl of the RFC, with L2 running', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = stageOf(await labWithL2());
  }, 60_000);
  afterAll(() => stage.lab.stop());

  test.each(BAD)('%s', (_what, call, errno) => {
    const before = stage.lab.hash();
    expect(called(call(stage))).toBe(errno);
    expect(stage.lab.hash(), 'nothing else changed').toBe(before);
  });

  test('too small a buffer for the capability gets the length it needs, and no chain', () => {
    const { vmm, device: fd } = stage;
    const info = new Uint8Array(24);
    for (const [given, asked] of [
      [16, 64],
      [24, 64],
    ] as const) {
      encode(vfio.vfio_device_info, { argsz: given, cap_offset: 7 }, info);
      expect(vmm.ioctl(fd, vfio.VFIO_DEVICE_GET_INFO, info)).toBe(0);
      // With 16 bytes asked for, what lies behind them stays.
      expect(decode(vfio.vfio_device_info, info)).toMatchObject({ argsz: asked, cap_offset: given === 16 ? 7 : 0 });
    }
    const region = sized(vfio.vfio_region_info, { index: CXL_REGION });
    expect(vmm.ioctl(fd, vfio.VFIO_DEVICE_GET_REGION_INFO, region)).toBe(0);
    expect(decode(vfio.vfio_region_info, region)).toMatchObject({ argsz: 48, flags: 0xf, cap_offset: 0 });
    const large = sized(vfio.vfio_region_info, { index: CXL_REGION }, 64);
    expect(vmm.ioctl(fd, vfio.VFIO_DEVICE_GET_REGION_INFO, large)).toBe(0);
    expect(decode(vfio.vfio_region_info, large)).toMatchObject({ argsz: 96, cap_offset: 32 });
  });

  test('a group stays open as long as its device is, whoever closes the descriptor', () => {
    const { vmm, group: fd, other, l1 } = stage;
    const path = present(nodeOf(l1), 'a group');
    const spare = vmm.dup(fd);
    vmm.close(fd);
    expect(called(other.open(path, O_RDWR))).toBe('EBUSY');
    vmm.dup2(spare, fd);
    vmm.close(spare);
  });

  test('configuration space is read in any size, piece by piece', () => {
    const { vmm, device: fd } = stage;
    const whole = new Uint8Array(16);
    expect(vmm.pread(fd, whole, REGION(CONFIG))).toBe(16);
    for (const [at, length] of [
      [1, 1],
      [1, 3],
      [3, 7],
      [5, 11],
    ] as const) {
      const piece = new Uint8Array(length);
      expect(vmm.pread(fd, piece, REGION(CONFIG) + at)).toBe(length);
      expect([...piece]).toEqual([...whole.subarray(at, at + length)]);
    }
  });

  test('a container without a group takes no IOMMU, a group without an IOMMU gives no device', () => {
    const { other } = stage;
    const fd = other.open('/dev/vfio/vfio', O_RDWR);
    expect(called(other.ioctl(fd, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1_IOMMU))).toBe('EINVAL');
    expect(called(other.ioctl(fd, vfio.VFIO_IOMMU_GET_INFO, argsz(16, 16)))).toBe('EINVAL');
    expect(number(other.ioctl(fd, vfio.VFIO_CHECK_EXTENSION, 12345))).toBe(0);
    other.close(fd);
  });
});

describe('/dev/iommu', () => {
  let stage: Stage;
  let fd = -1;
  const ask = (request: number, arg: Uint8Array | number): string => called(stage.other.ioctl(fd, request, arg));
  beforeAll(async () => {
    stage = stageOf(await labWithL2());
    fd = stage.other.open('/dev/iommu', O_RDWR);
  }, 60_000);
  afterAll(() => stage.lab.stop());

  test('the size the caller states decides', () => {
    expect(fd).toBeGreaterThanOrEqual(0);
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, struct(iommufd.iommu_ioas_alloc, { size: 8 }))).toBe('EINVAL');
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, struct(iommufd.iommu_ioas_alloc, { size: 16 }))).toBe('EFAULT');
    const long = new Uint8Array(20);
    encode(iommufd.iommu_ioas_alloc, { size: 20 }, long);
    long[19] = 1;
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, long)).toBe('E2BIG');
    long[19] = 0;
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, long)).toBe('0');
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, 3)).toBe('EFAULT');
    expect(ask(iommufd.IOMMU_VFIO_IOAS + 7, long)).toBe('ENOTTY');
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, struct(iommufd.iommu_ioas_alloc, { size: 12, flags: 1 }))).toBe('EOPNOTSUPP');
  });

  test('maps, unmaps and destroys by the rules', () => {
    const alloc = struct(iommufd.iommu_ioas_alloc, { size: 12 });
    expect(ask(iommufd.IOMMU_IOAS_ALLOC, alloc)).toBe('0');
    const ioas_id = decode(iommufd.iommu_ioas_alloc, alloc).out_ioas_id;
    const fixed = { size: 40, flags: 7, ioas_id, length: 8192, iova: 4096 };
    const mapped = (value: Partial<typeof fixed> & { __reserved?: number }) =>
      ask(iommufd.IOMMU_IOAS_MAP, struct(iommufd.iommu_ioas_map, { ...fixed, ...value }));
    const unmapped = (iova: number, length: number, id = ioas_id) =>
      ask(iommufd.IOMMU_IOAS_UNMAP, struct(iommufd.iommu_ioas_unmap, { size: 24, ioas_id: id, iova, length }));
    expect(mapped({})).toBe('0');
    expect(mapped({ iova: 8192 })).toBe('EEXIST');
    expect(mapped({ ioas_id: 99 })).toBe('ENOENT');
    expect(mapped({ __reserved: 1 })).toBe('EOPNOTSUPP');
    expect(mapped({ length: 0 })).toBe('EINVAL');
    const endless = struct(iommufd.iommu_ioas_map, fixed).fill(0xff, 24, 32);
    expect(ask(iommufd.IOMMU_IOAS_MAP, endless)).toBe('EOVERFLOW');
    expect(unmapped(4096, 4096)).toBe('ENOENT');
    expect(unmapped(0, 0)).toBe('EINVAL');
    expect(unmapped(0, 2 ** 30, 99)).toBe('ENOENT');
    expect(unmapped(0, 2 ** 30)).toBe('0');
    expect(unmapped(0, 2 ** 30)).toBe('ENOENT');
    const all = struct(iommufd.iommu_ioas_unmap, { size: 24, ioas_id }).fill(0xff, 16, 24);
    expect(ask(iommufd.IOMMU_IOAS_UNMAP, all)).toBe('0');
    const destroy = (id: number) => ask(iommufd.IOMMU_DESTROY, struct(iommufd.iommu_destroy, { size: 8, id }));
    expect(destroy(ioas_id)).toBe('0');
    expect(destroy(ioas_id)).toBe('ENOENT');
  });

  test('a device whose group is open cannot be bound, and a group with a bound device cannot be opened', async () => {
    const { other, lab, l1 } = stage;
    const cdev = other.open('/dev/vfio/devices/vfio0', O_RDWR);
    const bind = (iommufd: number) =>
      called(other.ioctl(cdev, vfio.VFIO_DEVICE_BIND_IOMMUFD, sized(vfio.vfio_device_bind_iommufd, { iommufd })));
    expect(called(other.ioctl(cdev, vfio.VFIO_DEVICE_GET_INFO, argsz(24, 24)))).toBe('EINVAL');
    expect(called(other.pread(cdev, new Uint8Array(4), REGION(CONFIG)))).toBe('EINVAL');
    expect(bind(fd)).toBe('EBUSY');
    const group = present(nodeOf(l1), 'a group');
    const vmm = present(
      [...l1.tasks.processes.values()].find(({ comm }) => comm.startsWith('qemu')),
      'the VMM',
    );
    l1.tasks.send(vmm.pid, 15);
    await lab.settled();
    expect(bind(99)).toBe('EBADF');
    const text = other.open('/etc/hostname', O_RDONLY);
    expect(bind(text)).toBe('EBADFD');
    expect(bind(-1)).toBe('EINVAL');
    // The RFC's second open (stale pointers, the first endpoint's claim) fails, and lets go of everything.
    expect(bind(fd)).toBe('ENXIO');
    expect(other.open(group, O_RDWR)).toBeGreaterThanOrEqual(0);
    expect(bind(fd)).toBe('EBUSY');
  });
});

describe('the series of June 2026', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = stageOf(await labWithV3());
  }, 60_000);
  afterAll(() => stage.lab.stop());
  /** Component registers and memory of the v3 series. */
  const [COMP, MEM] = [9, 10];

  test.each([
    ['component registers: misaligned', read(COMP, 2, 4), 'EINVAL'],
    ['component registers: two bytes', read(COMP, 0, 2), 'EINVAL'],
    ['component registers: across the end', read(COMP, 0xfffc, 8), 'EINVAL'],
    ['component registers: far behind', write(COMP, 2 ** 39, 4), 'EINVAL'],
    ['mapping the component registers', map(COMP, 0, 0x1000), 'EINVAL'],
    ['the BAR the component registers are in', read(BAR, 0x1000, 4), 'EINVAL'],
    ['mapping that BAR', map(BAR, 0x1000, 0x1000), 'EINVAL'],
    ['memory: across the end', read(MEM, 0x0fff_fffe, 4), 'EINVAL'],
    ['memory: behind the end', write(MEM, 0x1000_0000, 4), 'EINVAL'],
    ['memory: far behind', read(MEM, 2 ** 40 - 8, 4), 'EINVAL'],
    ['mapping across the end of the memory', map(MEM, 0x0fff_f000, 0x2000), 'EINVAL'],
    ['mapping the memory privately', map(MEM, 0, 0x1000, MAP_PRIVATE), 'EINVAL'],
    ['a region that is none', read(11, 0, 4), 'EINVAL'],
  ] satisfies readonly Row[])('%s', (_what, call, errno) => {
    const before = stage.lab.hash();
    expect(called(call(stage))).toBe(errno);
    expect(stage.lab.hash(), 'nothing else changed').toBe(before);
  });
});

test('every errno above is one', () => {
  expect(BAD.every(([, , errno]) => Object.hasOwn(E, errno))).toBe(true);
});
