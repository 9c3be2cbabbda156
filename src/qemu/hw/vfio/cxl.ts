/**
 * "vfio: support CXL device in VFIO stub" (Zhi Wang, 21 Sep 2024; later branch state @5ed52bda; and corrected): the CXL
 * region, and what a guest's write to an HDM control register does to the guest's memory map. Which of the three a VMM
 * has is `build.vfioCxl`.
 */
import { fromHalves, hex, type Width } from '../../../base/addr.ts';
import { E, strerror } from '../../../base/errno.ts';
import type { MemoryRegion } from '../../../hw/memory/index.ts';
import { SIGABRT } from '../../../linux/uapi/constants.ts';
import { decode } from '../../../linux/uapi/struct.ts';
import {
  findInfoCap,
  VFIO_DEVICE_FLAGS_CXL,
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_REGION_SUBTYPE_CXL,
  VFIO_REGION_TYPE_CXL,
  vfio_device_info,
  vfio_device_info_cap_cxl,
} from '../../../linux/uapi/vfio.ts';
import type { SiteId } from '../../../log/index.ts';
import type { QemuBuild, VirtualMachine } from '../../qdev/virtual-machine.ts';
import { type VfioDeviceFd, vfio_get_dev_region_info, vfio_region_fd_read } from './common.ts';
import { VfioRegion } from './region.ts';

export const HDM_LOCK = 0x100;
export const HDM_COMMIT = 0x200;
export const HDM_COMMITTED = 0x400;

/** struct VFIOCXL */
export interface VfioCxlInfo {
  readonly hdm_count: number;
  readonly hdm_regs_bar_index: number;
  readonly hdm_regs_size: number;
  readonly hdm_regs_offset: number;
  readonly dpa_size: number;
}

/** What a write means: nothing, map at an address, unmap, or QEMU's own assertion fails. */
export type HdmAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'map'; readonly decoder: number }
  | { readonly kind: 'unmap'; readonly decoder: number }
  | { readonly kind: 'abort' };

const NONE: HdmAction = { kind: 'none' };

/** Decoder whose control register the posted code sees at BAR offset `addr`, or null: no range check, offsets wrap. */
export function hdm_ctrl_index_posted(addr: number, regs_offset: number): number | null {
  const offset = (addr - regs_offset) >>> 0;
  const index = Math.floor(((offset - 0x10) >>> 0) / 0x20);
  return (offset - 0x20 * index) >>> 0 === 0x20 ? index : null;
}

/** The same, limited to the decoders that exist. */
export function hdm_ctrl_index_fixed(addr: number, regs_offset: number, regs_size: number): number | null {
  const offset = addr - regs_offset;
  if (offset < 0x20 || offset >= regs_size || offset % 0x20 !== 0) return null;
  return offset / 0x20 - 1;
}

/** What a control write does in each variant; `cur` is the register before the write. */
export function vfio_cxl_hdm_action(
  variant: QemuBuild['vfioCxl'],
  decoder: number,
  cur: number,
  next: number,
): HdmAction {
  const committed = (cur & HDM_COMMITTED) !== 0;
  const locked = (cur & HDM_LOCK) !== 0;
  const commit = (next & HDM_COMMIT) !== 0;
  switch (variant) {
    case 'off':
      return NONE;
    case 'posted':
      // The branches are swapped: the first commit deletes a region that was never added.
      if (!committed && commit) return { kind: 'abort' };
      return committed && !commit && !locked ? { kind: 'map', decoder } : NONE;
    case 'branch':
      return !locked && !committed && commit ? { kind: 'map', decoder } : NONE;
    case 'fixed':
      if (committed && locked) return NONE;
      if (!committed && commit) return { kind: 'map', decoder };
      return committed && !commit ? { kind: 'unmap', decoder } : NONE;
  }
}

/** Guest address of the mapping: the posted formula shifts where it should mask. */
export function vfio_cxl_base(variant: QemuBuild['vfioCxl'], lo: number, hi: number): number {
  return variant === 'fixed' ? fromHalves(hi, lo & 0xf0000000) : fromHalves(hi, lo >>> 28);
}

/** The CXL side of one passed-through function. */
export class VfioCxlDevice {
  private mappedBy: number | null = null;
  private container: MemoryRegion | null = null;
  private readonly site: SiteId;
  private readonly mapSite: SiteId;
  private readonly unmapSite: SiteId;
  private readonly word = new Uint8Array(4);
  private readonly view = new DataView(this.word.buffer);

  constructor(
    private readonly vm: VirtualMachine,
    private readonly device: VfioDeviceFd,
    readonly info: VfioCxlInfo,
    readonly region: VfioRegion,
    /** `pci_get_bus(&vdev->pdev)->address_space_mem`, where the posted code maps. */
    private readonly bus_mem: () => MemoryRegion,
  ) {
    const site = (name: string, args: readonly [string, string]) =>
      vm.log.site({ layer: vm.layer, name, args, cite: 'vfio: support CXL device in VFIO stub (21 Sep 2024)' });
    this.site = site('vfio_cxl_hdm_regs_changed', ['offset', 'value']);
    this.mapSite = site('CXL region mapped into the guest', ['gpa', 'size']);
    this.unmapSite = site('CXL region unmapped from the guest', ['gpa', 'size']);
  }

  /** Guest address the region is mapped at, or null. */
  get mappedAt(): number | null {
    return this.container ? this.region.mem.addr : null;
  }

  /** vfio_cxl_hdm_regs_changed: hooked to writes of the component BAR. */
  hdm_regs_changed = (addr: number, data: number, size: Width): void => {
    const variant = this.vm.build.vfioCxl;
    const { hdm_regs_offset: regs, hdm_regs_size } = this.info;
    if (size !== 4 || addr % 4 !== 0) {
      // The posted code complains about every access of the BAR, and goes on.
      if (variant !== 'fixed' || (addr >= regs && addr < regs + hdm_regs_size))
        this.vm.error_report('hdm_regs_changed: unsupported size or unaligned addr!');
      if (variant === 'fixed') return;
    }
    const decoder =
      variant === 'fixed' ? hdm_ctrl_index_fixed(addr, regs, hdm_regs_size) : hdm_ctrl_index_posted(addr, regs);
    if (decoder === null) return;
    const outer = this.vm.log.begin(this.site, addr, data);
    this.control_written(variant, decoder, data);
    this.vm.log.end(outer);
  };

  private control_written(variant: QemuBuild['vfioCxl'], decoder: number, data: number): void {
    const at = (this.info.hdm_regs_offset + 0x20 * decoder + 0x20) >>> 0;
    const cur = this.reg(at);
    if (cur === null) return;
    const action = vfio_cxl_hdm_action(variant, decoder, cur, data);
    if (action.kind === 'abort') {
      this.vm.error_report(
        "../system/memory.c:2690: memory_region_del_subregion: Assertion `subregion->container == mr' failed.",
      );
      this.vm.sys.kill(this.vm.sys.pid, SIGABRT);
      return;
    }
    if (action.kind === 'map') this.map(variant, decoder, at);
    if (action.kind === 'unmap' && this.mappedBy === decoder) this.unmap();
  }

  private reg(at: number): number | null {
    const rc = vfio_region_fd_read(this.vm.sys, this.device, this.info.hdm_regs_bar_index, at, this.word);
    if (rc !== 4) {
      this.vm.error_report(
        `read_region(${this.device.name}, 0x${hex(at)}, 0x0, 0x4) failed: ${strerror(rc < 0 ? rc : E.EINVAL)}`,
      );
      return null;
    }
    return this.view.getUint32(0, true);
  }

  private map(variant: QemuBuild['vfioCxl'], decoder: number, ctrl: number): void {
    const lo = this.reg(ctrl - 0x10);
    const hi = this.reg(ctrl - 0x0c);
    if (lo === null || hi === null) return;
    // One region, mapped once: a second decoder of a corrected VMM waits until the first lets go.
    if (this.container) return;
    const base = vfio_cxl_base(variant, lo, hi);
    const { core, log, system_memory } = this.vm;
    // Corrected: into system memory above the fixed window's own region, so that the committed range really answers.
    const container = variant === 'fixed' ? system_memory : this.bus_mem();
    core.memory_region_transaction_begin();
    core.memory_region_add_subregion_overlap(container, base, this.region.mem, variant === 'fixed' ? 1 : 0);
    core.memory_region_transaction_commit();
    this.container = container;
    this.mappedBy = decoder;
    log.note(this.mapSite, base, this.region.info.size);
  }

  private unmap(): void {
    if (!this.container) return;
    const { core, log } = this.vm;
    log.note(this.unmapSite, this.region.mem.addr, this.region.info.size);
    core.memory_region_del_subregion(this.container, this.region.mem);
    this.container = null;
    this.mappedBy = null;
  }

  finalize(): void {
    this.unmap();
    this.region.vfio_region_finalize();
  }
}

/**
 * vfio_cxl_setup: null for a plain PCI device (flag 0x200 absent, or a VMM without the patch), a negated errno when the
 * device claims CXL but cannot be used (the posted code then has no error set and crashes; here the caller reports it).
 */
export function vfio_cxl_setup(
  vm: VirtualMachine,
  device: VfioDeviceFd,
  info: Uint8Array,
  bus_mem: () => MemoryRegion,
): VfioCxlDevice | number | null {
  const { flags, cap_offset, num_regions } = decode(vfio_device_info, info);
  if (vm.build.vfioCxl === 'off' || !(flags & VFIO_DEVICE_FLAGS_CXL)) return null;
  const at = cap_offset ? findInfoCap(info, cap_offset, VFIO_DEVICE_INFO_CAP_CXL) : 0;
  if (!at) return -E.ENODEV;
  const cap = decode(vfio_device_info_cap_cxl, info, at);
  const found = vfio_get_dev_region_info(vm.sys, device, num_regions, VFIO_REGION_TYPE_CXL, VFIO_REGION_SUBTYPE_CXL);
  if (!found) {
    vm.error_report('does not support requested CXL feature');
    return -E.EINVAL;
  }
  const region = new VfioRegion(vm, device, found, 'cxl region');
  const mapped = region.vfio_region_mmap();
  if (mapped < 0) {
    vm.error_report(`Failed to mmap ${device.name} cxl region`);
    return -E.EFAULT;
  }
  return new VfioCxlDevice(
    vm,
    device,
    {
      hdm_count: cap.hdm_count,
      hdm_regs_bar_index: cap.hdm_reg_bar_index,
      hdm_regs_size: cap.hdm_reg_size,
      hdm_regs_offset: cap.hdm_reg_offset,
      dpa_size: cap.dpa_size,
    },
    region,
    bus_mem,
  );
}
