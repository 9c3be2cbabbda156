/**
 * VFIO regions of a device (hw/vfio/region.c of QEMU 9, plus notify_change of "vfio: support CXL device in VFIO stub"):
 * reads and writes by system calls, mmaps as RAM-device subregions. Left out: sparse mmap capabilities, migration.
 */
import { hex, type Width } from '../../../base/addr.ts';
import { E, strerror } from '../../../base/errno.ts';
import type { MemoryRegion, MemoryRegionOps } from '../../../hw/memory/index.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../linux/uapi/constants.ts';
import type { Sys } from '../../../linux/uapi/sys.ts';
import {
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
} from '../../../linux/uapi/vfio.ts';
import type { SiteId } from '../../../log/index.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { type RegionInfo, type VfioDeviceFd, vfio_get_region_info } from './common.ts';

/** struct VFIORegion, its memory region's ops included: no allocation per access. */
export class VfioRegion implements MemoryRegionOps {
  hi = 0;
  readonly valid = { min: 1, max: 8 } as const;
  readonly impl = { min: 1, max: 8 } as const;
  readonly mem: MemoryRegion;
  /** Virtual address of the mapping, 0 while there is none. */
  hva = 0;
  /** Called at the start of every write, before the kernel sees it. */
  notify_change: ((addr: number, data: number, size: Width) => void) | null = null;
  private readonly sys: Sys;
  private readonly buffers: Readonly<Record<Width, Uint8Array>> = {
    1: new Uint8Array(1),
    2: new Uint8Array(2),
    4: new Uint8Array(4),
    8: new Uint8Array(8),
  };
  private readonly readSite: SiteId;
  private readonly writeSite: SiteId;

  constructor(
    private readonly vm: VirtualMachine,
    private readonly device: VfioDeviceFd,
    readonly info: RegionInfo,
    readonly name: string,
  ) {
    this.sys = vm.sys;
    const site = (fn: string, what: string) =>
      vm.log.site({
        layer: vm.layer,
        name: `${fn} ${device.name} region ${info.index}`,
        args: ['offset', what],
        cite: 'QEMU hw/vfio/region.c',
      });
    this.readSite = site('vfio_region_read', 'width');
    this.writeSite = site('vfio_region_write', 'value');
    this.mem = vm.core.memory_region_init_io(this, name, info.size);
  }

  /** vfio_region_read: all ones when the kernel refuses. */
  read(offset: number, width: Width): number {
    const buffer = this.buffers[width];
    const outer = this.vm.log.begin(this.readSite, offset, width);
    const got = this.sys.pread(this.device.fd, buffer, this.info.offset + offset);
    if (got !== width) {
      this.failed('vfio_region_read', `0x${hex(offset)}, ${width}`, got);
      this.hi = width === 8 ? 0xffffffff : 0;
      this.vm.log.end(outer, got);
      return width === 1 ? 0xff : width === 2 ? 0xffff : 0xffffffff;
    }
    const value = word(buffer, 0, width);
    this.hi = width === 8 ? word(buffer, 4, 4) : 0;
    this.vm.log.end(outer, value);
    return value;
  }

  /** vfio_region_write: a refused write is lost. */
  write(offset: number, width: Width, lo: number, hi: number): void {
    const outer = this.vm.log.begin(this.writeSite, offset, lo);
    this.notify_change?.(offset, lo, width);
    const buffer = this.buffers[width];
    for (let n = 0; n < width && n < 4; n++) buffer[n] = lo >>> (8 * n);
    if (width === 8) for (let n = 0; n < 4; n++) buffer[4 + n] = hi >>> (8 * n);
    const put = this.sys.pwrite(this.device.fd, buffer, this.info.offset + offset);
    if (put !== width) {
      const value = width === 8 && hi ? hex(hi) + hex(lo, 8) : hex(lo);
      this.failed('vfio_region_write', `0x${hex(offset)}, 0x${value},${width}`, put);
    }
    this.vm.log.end(outer, put);
  }

  private failed(fn: string, what: string, result: number): void {
    const place = what.startsWith('0x') ? `+${what}` : what;
    this.vm.error_report(
      `${fn}(${this.device.name}:region${this.info.index}${place}) failed: ${strerror(result < 0 ? result : E.EINVAL)}`,
    );
  }

  /** vfio_region_mmap: 0, or a negated errno. */
  vfio_region_mmap(): number {
    const { flags, size, offset } = this.info;
    if (!(flags & VFIO_REGION_INFO_FLAG_MMAP) || size === 0) return 0;
    const prot =
      (flags & VFIO_REGION_INFO_FLAG_READ ? PROT_READ : 0) | (flags & VFIO_REGION_INFO_FLAG_WRITE ? PROT_WRITE : 0);
    const hva = this.sys.mmap(0, size, prot, MAP_SHARED, this.device.fd, offset);
    if (hva < 0) return hva;
    this.hva = hva;
    const { core, sys } = this.vm;
    const mapped = core.memory_region_init_ram_device(`${this.name} mmaps[0]`, size, sys.mem, hva);
    core.memory_region_add_subregion(this.mem, 0, mapped);
    return 0;
  }

  /** vfio_region_exit + finalize */
  vfio_region_finalize(): void {
    if (this.hva) this.sys.munmap(this.hva, this.info.size);
    this.hva = 0;
  }
}

function word(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let n = Math.min(width, 4) - 1; n >= 0; n--) value = ((value << 8) | (bytes[at + n] as number)) >>> 0;
  return value;
}

/** vfio_region_setup: a region of any index, or a negated errno. */
export function vfio_region_setup(
  vm: VirtualMachine,
  device: VfioDeviceFd,
  index: number,
  name: string,
): VfioRegion | number {
  const info = vfio_get_region_info(vm.sys, device, index);
  return typeof info === 'number' ? info : new VfioRegion(vm, device, info, name);
}
