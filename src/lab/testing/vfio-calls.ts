import { present } from '../../base/assert.ts';
import { errnoName } from '../../base/errno.ts';
import type { Linux } from '../../linux/kernel/linux.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../linux/uapi/constants.ts';
import { encode, type StructDef } from '../../linux/uapi/struct.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import * as vfio from '../../linux/uapi/vfio.ts';
import type { Lab } from '../lab.ts';

/** VFIO calls as data, made from within L1's VMM on what it has open, or by a process beside it. */
export const RW = PROT_READ | PROT_WRITE;
export const REGION = vfio.VFIO_PCI_INDEX_TO_OFFSET;
export const BAR = 0;
export const CONFIG = vfio.VFIO_PCI_CONFIG_REGION_INDEX;
export const CXL_REGION = 9;

export interface Stage {
  readonly lab: Lab;
  readonly l1: Linux;
  /** The VMM's calls, and its descriptors. */
  readonly vmm: Sys;
  readonly device: number;
  readonly group: number;
  readonly container: number;
  /** A process beside it. */
  readonly other: Sys;
}

export function stageOf(lab: Lab): Stage {
  const l1 = present(lab.machines.get('l1'), 'L1 runs');
  const tasks = [...l1.tasks.processes.values()];
  const vmm = present(
    tasks.find(({ comm }) => comm.startsWith('qemu')),
    'the VMM',
  );
  const files = [...vmm.files.entries()];
  const fd = (path: RegExp): number => present(files.find(([, file]) => path.test(file.path))?.[0], `${path} is open`);
  const other = l1.tasks.create(present(l1.tasks.find(1), 'init'), 'poke', ['poke'], l1.vfs.ns.root);
  return {
    lab,
    l1,
    vmm: vmm.sys,
    device: fd(/vfio-device/),
    group: fd(/^\/dev\/vfio\/\d+$/),
    container: fd(/^\/dev\/vfio\/vfio$/),
    other: other.sys,
  };
}

export const number = (result: number | Promise<number>): number => {
  if (typeof result !== 'number') throw new Error('the call slept');
  return result;
};
export const called = (result: number | Promise<number>): string => {
  const value = number(result);
  return value < 0 ? errnoName(-value) : String(value);
};
export const struct = <F extends string>(def: StructDef<F>, value: Partial<Record<F, number>>): Uint8Array =>
  encode(def, value);
/** The structure with its argsz as it should be, followed by `more` bytes. */
export function sized<F extends string>(
  def: StructDef<F | 'argsz'>,
  value: Partial<Record<F, number>>,
  more = 0,
): Uint8Array {
  const bytes = new Uint8Array(def.size + more);
  return encode(def, { ...value, argsz: def.size + more } as Partial<Record<F | 'argsz', number>>, bytes);
}
export const int32 = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
export const name = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

export type Call = (stage: Stage) => number | Promise<number>;
export const device =
  (request: number, arg?: Uint8Array | number): Call =>
  ({ vmm, device: fd }) =>
    vmm.ioctl(fd, request, arg);
export const group =
  (request: number, arg?: Uint8Array | number): Call =>
  ({ vmm, group: fd }) =>
    vmm.ioctl(fd, request, arg);
export const container =
  (request: number, arg?: Uint8Array | number): Call =>
  ({ vmm, container: fd }) =>
    vmm.ioctl(fd, request, arg);
export const read =
  (index: number, offset: number, length: number): Call =>
  ({ vmm, device: fd }) =>
    vmm.pread(fd, new Uint8Array(length), REGION(index) + offset);
export const write =
  (index: number, offset: number, length: number): Call =>
  ({ vmm, device: fd }) =>
    vmm.pwrite(fd, new Uint8Array(length).fill(0xa5), REGION(index) + offset);
export const map =
  (index: number, offset: number, length: number, flags = MAP_SHARED, prot = RW): Call =>
  ({ vmm, device: fd }) =>
    vmm.mmap(0, length, prot, flags, fd, REGION(index) + offset);
export const set_irqs = (index: number, start: number, count: number, flags: number, ...data: number[]): Call =>
  device(
    vfio.VFIO_DEVICE_SET_IRQS,
    new Uint8Array([
      ...encode(vfio.vfio_irq_set, { argsz: 20 + 4 * data.length, flags, index, start, count }),
      ...int32(...data),
    ]),
  );
export const TRIGGER = vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
export const { VFIO_IRQ_SET_DATA_NONE: NONE, VFIO_IRQ_SET_DATA_BOOL: BOOL, VFIO_IRQ_SET_DATA_EVENTFD: EVENTFD } = vfio;
export const map_dma = (value: Partial<Record<keyof typeof vfio.vfio_iommu_type1_dma_map.fields, number>>): Call =>
  container(
    vfio.VFIO_IOMMU_MAP_DMA,
    struct(vfio.vfio_iommu_type1_dma_map, { argsz: 32, flags: 3, vaddr: 0x7f0000000000, size: 4096, ...value }),
  );
export const unmap_dma = (value: Partial<Record<keyof typeof vfio.vfio_iommu_type1_dma_unmap.fields, number>>): Call =>
  container(vfio.VFIO_IOMMU_UNMAP_DMA, struct(vfio.vfio_iommu_type1_dma_unmap, { argsz: 24, ...value }));
export const ioeventfd = (index: number, at: number, flags: number, fd: number): Call =>
  device(
    vfio.VFIO_DEVICE_IOEVENTFD,
    struct(vfio.vfio_device_ioeventfd, { argsz: 32, flags, offset: REGION(index) + at, fd }),
  );
