/**
 * "vfio: support CXL device in VFIO stub" (Zhi Wang, 21 Sep 2024; later branch state @5ed52bda; and corrected): the CXL
 * region, and what a guest's write to an HDM control register does to the guest's memory map. Which of the three a VMM
 * has is `build.vfioCxl`; single defects are set apart by `build.quirks`.
 */
import { fromHalves, hex, type Width } from '../../../base/addr.ts';
import { E, strerror } from '../../../base/errno.ts';
import type { MemoryRegion } from '../../../hw/memory/index.ts';
import { SIGABRT, SIGSEGV } from '../../../linux/uapi/constants.ts';
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
import { cap_cxl_layout } from '../../../linux/uapi/vfio-cxl-v3.ts';
import type { SiteId } from '../../../log/index.ts';
import { type QemuBuild, qemuPosted } from '../../qdev/build.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { type VfioDeviceFd, vfio_get_dev_region_info, vfio_region_fd_read } from './common.ts';
import { vfio_cxl_reset_decoders } from './cxl-reset.ts';
import { VfioRegion } from './region.ts';

export const HDM_LOCK = 0x100;
export const HDM_COMMIT = 0x200;
export const HDM_COMMITTED = 0x400;
const HDM_INTERLEAVE_WAYS = 0xf0;

/** struct VFIOCXL */
export interface VfioCxlInfo {
  readonly hdm_count: number;
  readonly hdm_regs_bar_index: number;
  readonly hdm_regs_size: number;
  readonly hdm_regs_offset: number;
  readonly dpa_size: number;
}

/** What a write of a control register asks for: nothing, to add the region to the memory map, or to take it out. */
export type HdmAction = 'none' | 'add' | 'del';

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

/** What a control write does; `cur` is the register before the write. */
export function vfio_cxl_hdm_action(build: QemuBuild, cur: number, next: number): HdmAction {
  const committed = (cur & HDM_COMMITTED) !== 0;
  const locked = (cur & HDM_LOCK) !== 0;
  const commit = (next & HDM_COMMIT) !== 0;
  if (build.vfioCxl === 'off' || committed === commit) return 'none';
  // Posted: the branches are swapped, the lock is asked for only on the way out.
  if (qemuPosted(build, 'qemu-map-swapped')) return commit ? 'del' : locked ? 'none' : 'add';
  // The later branch leaves at once when the decoder is locked or committed.
  if (qemuPosted(build, 'qemu-no-unmap')) return commit && !locked ? 'add' : 'none';
  if (commit) return 'add';
  return locked ? 'none' : 'del';
}

/** Guest address of the mapping: the posted formula shifts where it should mask. */
export function vfio_cxl_base(build: QemuBuild, lo: number, hi: number): number {
  return fromHalves(hi, qemuPosted(build, 'qemu-base-shift') ? lo >>> 28 : lo & 0xf0000000);
}

/** The CXL side of one passed-through function. */
export class VfioCxlDevice {
  /** Per decoder what was added to the guest's memory, and to which container: the region, or the part the decoder asks for. */
  private readonly mapped = new Map<number, { readonly container: MemoryRegion; readonly part: MemoryRegion }>();
  /** Decoders whose commit was seen. */
  private readonly committed = new Set<number>();
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

  /** vfio_cxl_hdm_regs_changed: hooked to writes of the component BAR, posted before the kernel has seen them. */
  watch(bar: VfioRegion): void {
    if (qemuPosted(this.vm.build, 'qemu-notify-first')) bar.notify_change = this.hdm_regs_changed;
    else bar.notify_done = this.hdm_regs_changed;
  }

  private readonly hdm_regs_changed = (addr: number, data: number, size: Width): void => {
    const { build } = this.vm;
    const { hdm_regs_offset: regs, hdm_regs_size } = this.info;
    if (size !== 4 || addr % 4 !== 0) {
      const goesOn = qemuPosted(build, 'qemu-size-goes-on');
      // The posted code complains about every access of the BAR, and goes on.
      if (goesOn || (addr >= regs && addr < regs + hdm_regs_size))
        this.vm.error_report('hdm_regs_changed: unsupported size or unaligned addr!');
      if (!goesOn) return;
    }
    const decoder = qemuPosted(build, 'qemu-notifier-range')
      ? hdm_ctrl_index_posted(addr, regs)
      : hdm_ctrl_index_fixed(addr, regs, hdm_regs_size);
    if (decoder === null) return;
    const outer = this.vm.log.begin(this.site, addr, data);
    this.control_written(decoder, data);
    this.vm.log.end(outer);
  };

  private control_written(decoder: number, data: number): void {
    const cur = this.reg(this.ctrl_of(decoder));
    if (cur === null) return;
    // After the write what counts is what the kernel made of it; `cur` is the register as it is now.
    const first = qemuPosted(this.vm.build, 'qemu-notify-first');
    const before = first ? cur : this.committed.has(decoder) ? HDM_COMMITTED : 0;
    const next = first ? data : cur & HDM_COMMITTED ? HDM_COMMIT : 0;
    const action = vfio_cxl_hdm_action(this.vm.build, before, next);
    if (action === 'add') this.decoder_committed(decoder, first ? data : cur);
    if (action === 'del') this.decoder_released(decoder);
  }

  private decoder_committed(decoder: number, ctrl: number): void {
    this.committed.add(decoder);
    this.map(decoder, ctrl);
    if (qemuPosted(this.vm.build, 'qemu-decoder-ignored')) return;
    // Decoders above this one may have waited for it.
    for (const above of this.above(decoder)) {
      const waiting = this.reg(this.ctrl_of(above));
      if (waiting !== null && !this.mapped.has(above)) this.map(above, waiting);
    }
  }

  private decoder_released(decoder: number): void {
    this.committed.delete(decoder);
    // A corrected VMM lets the decoder go that it mapped for; the posted one takes the region out whoever asks.
    if (qemuPosted(this.vm.build, 'qemu-map-swapped')) this.unmap();
    else this.remove(decoder);
    if (!qemuPosted(this.vm.build, 'qemu-decoder-ignored')) for (const above of this.above(decoder)) this.remove(above);
  }

  /** Committed decoders above one, lowest first. */
  private above(decoder: number): readonly number[] {
    return [...this.committed].filter((other) => other > decoder).sort((a, b) => a - b);
  }

  private ctrl_of(decoder: number): number {
    return (this.info.hdm_regs_offset + 0x20 * decoder + 0x20) >>> 0;
  }

  /** A failed assertion of the memory API ends the VMM. */
  private assertion(line: number, fn: string, expression: string): void {
    const { vm } = this;
    vm.error_report(`../system/memory.c:${line}: ${fn}: Assertion \`${expression}' failed.`);
    vm.sys.kill(vm.sys.pid, SIGABRT);
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

  /** `value`: the control register as it was committed. */
  private map(decoder: number, value: number): void {
    const { core, log, system_memory, build, fixed_windows } = this.vm;
    const ctrl = this.ctrl_of(decoder);
    const lo = this.reg(ctrl - 0x10);
    const hi = this.reg(ctrl - 0x0c);
    if (lo === null || hi === null) return;
    const posted = qemuPosted(build, 'qemu-map-target');
    if (this.mapped.size > 0 && qemuPosted(build, 'qemu-decoder-ignored')) {
      // One region, mapped once: a second decoder of a corrected VMM waits until the first lets go.
      if (build.vfioCxl !== 'fixed')
        this.assertion(2629, 'memory_region_add_subregion_common', '!subregion->container');
      return;
    }
    const base = vfio_cxl_base(build, lo, hi);
    const dpa = this.first_dpa(decoder);
    const size = dpa === null ? 0 : this.size_to_map(ctrl, dpa);
    if (dpa === null || size === 0) return;
    if ((value & HDM_INTERLEAVE_WAYS) !== 0 && !qemuPosted(build, 'qemu-interleave-ignored')) {
      this.vm.error_report(
        `${this.device.name}: HDM decoder ${decoder} is one of several ways: its memory cannot be mapped`,
      );
      return;
    }
    if (
      !qemuPosted(build, 'qemu-base-unchecked') &&
      !fixed_windows.some((window) => base >= window.base && base + size <= window.base + window.size)
    ) {
      this.vm.error_report(`${this.device.name}: HDM decoder ${decoder} at 0x${hex(base)} lies in no CXL fixed window`);
      return;
    }
    // Corrected: into system memory above the fixed window's own region, so that the committed range really answers.
    const container = posted ? this.bus_mem() : system_memory;
    core.memory_region_transaction_begin();
    const part =
      size === this.region.info.size && this.mapped.size === 0
        ? this.region.mem
        : core.memory_region_init_alias(`${this.region.name} of decoder ${decoder}`, this.region.mem, dpa, size);
    core.memory_region_add_subregion_overlap(container, base, part, posted ? 0 : 1);
    core.memory_region_transaction_commit();
    this.mapped.set(decoder, { container, part });
    log.note(this.mapSite, base, size);
  }

  /**
   * Where in the device's memory a decoder begins: behind its skip and what the decoders below it show, null while one of those is not
   * committed. Posted: always at the start.
   */
  private first_dpa(decoder: number): number | null {
    const { build } = this.vm;
    const skips = !qemuPosted(build, 'qemu-skip-ignored');
    const pair = (at: number): number => fromHalves(this.reg(at + 4) ?? 0, ((this.reg(at) ?? 0) & 0xf0000000) >>> 0);
    let dpa = 0;
    if (!qemuPosted(build, 'qemu-decoder-ignored'))
      for (let below = 0; below < decoder; below++) {
        if (!this.committed.has(below)) return null;
        dpa += pair(this.ctrl_of(below) - 8) + (skips ? pair(this.ctrl_of(below) + 4) : 0);
      }
    return skips ? dpa + pair(this.ctrl_of(decoder) + 4) : dpa;
  }

  /** Bytes of the region a decoder shows: posted all of it, else what SIZE says, as far as the region goes. */
  private size_to_map(ctrl: number, dpa: number): number {
    const rest = Math.max(0, this.region.info.size - dpa);
    if (qemuPosted(this.vm.build, 'qemu-size-ignored')) return rest;
    const lo = this.reg(ctrl - 8);
    const hi = this.reg(ctrl - 4);
    return lo === null || hi === null ? 0 : Math.min(rest, fromHalves(hi, (lo & 0xf0000000) >>> 0));
  }

  /** Machine reset. Posted, the stub has no part in it; else the kernel's shadow is written as a reset leaves a device. */
  reset(): void {
    const { build, sys } = this.vm;
    if (qemuPosted(build, 'qemu-reset-keeps-decoders')) return;
    this.remove_all();
    this.committed.clear();
    vfio_cxl_reset_decoders(sys, this.device, this.info);
  }

  private unmap(): void {
    if (this.mapped.size > 0) this.remove_all();
    else this.assertion(2690, 'memory_region_del_subregion', 'subregion->container == mr');
  }

  private remove_all(): void {
    for (const decoder of [...this.mapped.keys()]) this.remove(decoder);
  }

  private remove(decoder: number): void {
    const found = this.mapped.get(decoder);
    if (!found) return;
    const { core, log } = this.vm;
    log.note(this.unmapSite, found.part.addr, found.part.size);
    core.memory_region_del_subregion(found.container, found.part);
    this.mapped.delete(decoder);
  }

  finalize(): void {
    this.remove_all();
    this.region.vfio_region_finalize();
  }
}

/** The capability as this stub reads it, whoever wrote it. */
function cap_info(info: Uint8Array, at: number): VfioCxlInfo {
  const cap = decode(vfio_device_info_cap_cxl, info, at);
  return {
    hdm_count: cap.hdm_count,
    hdm_regs_bar_index: cap.hdm_reg_bar_index,
    hdm_regs_size: cap.hdm_reg_size,
    hdm_regs_offset: cap.hdm_reg_offset,
    dpa_size: cap.dpa_size,
  };
}

/** The RFC's capability in a GET_INFO reply, null without. */
export function vfio_cxl_info(info: Uint8Array): VfioCxlInfo | null {
  const { flags, cap_offset } = decode(vfio_device_info, info);
  const at = flags & VFIO_DEVICE_FLAGS_CXL && cap_offset ? findInfoCap(info, cap_offset, VFIO_DEVICE_INFO_CAP_CXL) : 0;
  return at && cap_cxl_layout(info, at) === vfio_device_info_cap_cxl ? cap_info(info, at) : null;
}

/** Posted: the caller leaves to its error label without an error set, and the label takes it apart. */
export function vfio_cxl_setup_failed(vm: VirtualMachine): void {
  if (qemuPosted(vm.build, 'qemu-setup-no-error')) vm.sys.kill(vm.sys.pid, SIGSEGV);
}

/**
 * vfio_cxl_setup: null for a plain PCI device (flag 0x200 absent, or a VMM without the patch), a negated errno when the
 * device claims CXL but cannot be used.
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
  return new VfioCxlDevice(vm, device, cap_info(info, at), region, bus_mem);
}
