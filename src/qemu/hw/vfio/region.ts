/**
 * VFIO regions of a device (hw/vfio/region.c of QEMU 9, plus notify_change of "vfio: support CXL device in VFIO stub"):
 * reads and writes by system calls, mmaps as RAM-device subregions, sparse ones too. Left out: migration.
 */
import { hex, type Width } from '../../../base/addr.ts';
import { E, strerror } from '../../../base/errno.ts';
import type { MemoryRegion, MemoryRegionOps } from '../../../hw/memory/index.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../linux/uapi/constants.ts';
import { decode } from '../../../linux/uapi/struct.ts';
import type { Sys } from '../../../linux/uapi/sys.ts';
import {
  findInfoCap,
  VFIO_REGION_INFO_CAP_SPARSE_MMAP,
  VFIO_REGION_INFO_FLAG_CAPS,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
  vfio_region_info,
} from '../../../linux/uapi/vfio.ts';
import { vfio_region_info_cap_sparse_mmap, vfio_region_sparse_mmap_area } from '../../../linux/uapi/vfio-cxl-v3.ts';
import type { SiteId } from '../../../log/index.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { type RegionInfo, type VfioDeviceFd, vfio_get_region_info } from './common.ts';

/** struct VFIORegion, its memory region's ops included: no allocation per access. */
export class VfioRegion implements MemoryRegionOps {
  hi = 0;
  readonly valid = { min: 1, max: 8 } as const;
  readonly impl = { min: 1, max: 8 } as const;
  readonly mem: MemoryRegion;
  private readonly mmaps: { readonly hva: number; readonly size: number }[] = [];
  /** Called at the start of every write, before the kernel sees it. */
  notify_change: ((addr: number, data: number, size: Width) => void) | null = null;
  /** The same after it. */
  notify_done: ((addr: number, data: number, size: Width) => void) | null = null;
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
    this.notify_done?.(offset, lo, width);
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
    const { core, sys } = this.vm;
    for (const [n, area] of (sparse_areas(this.info) ?? [{ offset: 0, size }]).entries()) {
      const hva = sys.mmap(0, area.size, prot, MAP_SHARED, this.device.fd, offset + area.offset);
      if (hva < 0) {
        this.vfio_region_finalize();
        return hva;
      }
      this.mmaps.push({ hva, size: area.size });
      const mapped = core.memory_region_init_ram_device(`${this.name} mmaps[${n}]`, area.size, sys.mem, hva);
      core.memory_region_add_subregion(this.mem, area.offset, mapped);
    }
    return 0;
  }

  /** vfio_region_exit + finalize */
  vfio_region_finalize(): void {
    for (const { hva, size } of this.mmaps) this.sys.munmap(hva, size);
    this.mmaps.length = 0;
  }
}

/** vfio_setup_region_sparse_mmaps: areas that may be mapped, null when the whole region may. */
function sparse_areas(info: RegionInfo): readonly { readonly offset: number; readonly size: number }[] | null {
  const { bytes, flags } = info;
  const { cap_offset } = decode(vfio_region_info, bytes);
  const at = flags & VFIO_REGION_INFO_FLAG_CAPS ? findInfoCap(bytes, cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP) : 0;
  if (!at) return null;
  const { nr_areas } = decode(vfio_region_info_cap_sparse_mmap, bytes, at);
  return Array.from({ length: nr_areas }, (_, n) =>
    decode(
      vfio_region_sparse_mmap_area,
      bytes,
      at + vfio_region_info_cap_sparse_mmap.size + n * vfio_region_sparse_mmap_area.size,
    ),
  ).filter(({ size }) => size > 0);
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
