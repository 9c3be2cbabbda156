/**
 * L1's VMM for the series of June 2026 (its QEMU companion: RFC 0/9, 27 Apr 2026, known from its cover and review only): component
 * registers go to the kernel's COMP_REGS region, the memory is mapped where virtual decoder 0 points, and that decoder is programmed at
 * machine_done. Where the companion's own code is not known the shortest way the UAPI allows is taken (ledger: v3-qemu).
 */
import { fromHalves, hi32, lo32, type Width } from '../../../base/addr.ts';
import { strerror } from '../../../base/errno.ts';
import type { MemoryRegion, MemoryRegionOps } from '../../../hw/memory/index.ts';
import type { PciFunction } from '../../../hw/pci/index.ts';
import { decode } from '../../../linux/uapi/struct.ts';
import {
  findInfoCap,
  PCI_VENDOR_ID_CXL,
  VFIO_DEVICE_FLAGS_CXL,
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_REGION_SUBTYPE_CXL,
  VFIO_REGION_TYPE_CXL,
  vfio_device_info,
} from '../../../linux/uapi/vfio.ts';
import { VFIO_REGION_SUBTYPE_CXL_COMP_REGS, vfio_device_info_cap_cxl_v3 } from '../../../linux/uapi/vfio-cxl-v3.ts';
import type { SiteId } from '../../../log/index.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { take_window_space } from '../cxl-window.ts';
import { type RegionInfo, type VfioDeviceFd, vfio_get_region_info, vfio_region_fd_read } from './common.ts';
import { VfioRegion } from './region.ts';

const CM_OFFSET = 0x1000;
const CM_CAP_HDM = 5;
const PCI_EXT_CAP_ID_DVSEC = 0x23;
const DVSEC_CTRL = 0x0c;
const MEM_ENABLE = 4;
const GLOBAL_CTRL = 4;
const BASE_LO = 0x10;
const BASE_HI = 0x14;
const SIZE_LO = 0x18;
const SIZE_HI = 0x1c;
const CTRL = 0x20;
const LOCK = 0x100;
const COMMIT = 0x200;
const COMMITTED = 0x400;

/** The CXL side of one passed-through function. */
export class VfioCxlV3 implements MemoryRegionOps {
  hi = 0;
  readonly valid = { min: 1, max: 8 } as const;
  readonly impl = { min: 1, max: 8 } as const;
  /** Lies over the component block in the guest's BAR. */
  readonly mem: MemoryRegion;
  private mapped = false;
  private readonly mapSite: SiteId;
  private readonly unmapSite: SiteId;
  private readonly programSite: SiteId;
  private readonly word = new Uint8Array(4);
  private readonly view = new DataView(this.word.buffer);

  constructor(
    private readonly dev: Device,
    private readonly device: VfioDeviceFd,
    readonly bar: number,
    readonly offset: number,
    private readonly comp: VfioRegion,
    private readonly hdm: VfioRegion,
    /** Of the HDM block in the component registers. */
    readonly hdm_offset: number,
    readonly hdm_size: number,
  ) {
    const { vm } = dev;
    const site = (name: string) =>
      vm.log.site({
        layer: vm.layer,
        name,
        args: ['gpa', 'size'],
        cite: 'QEMU: CXL Type-2 device passthrough (27 Apr 2026)',
      });
    this.mapSite = site('HDM region mapped into the guest');
    this.unmapSite = site('HDM region unmapped from the guest');
    this.programSite = site('virtual HDM decoder 0 programmed');
    this.mem = vm.core.memory_region_init_io(this, `${device.name} CXL component registers`, comp.info.size);
    const committed = dev.props.text('x-cxl-decoder') === 'committed';
    vm.onMachineDone(() => (committed ? this.program(take_window_space(dev, hdm.info.size)) : this.disable()));
  }

  read(offset: number, width: Width): number {
    const value = this.comp.read(offset, width);
    this.hi = this.comp.hi;
    return value;
  }

  /** A write of the control register may have committed the virtual decoder, or let it go. */
  write(offset: number, width: Width, lo: number, hi: number): void {
    this.comp.write(offset, width, lo, hi);
    const ctrl = this.hdm_offset + CTRL;
    if (offset < ctrl + 4 && offset + width > ctrl) this.follow();
  }

  /** Guest address of the memory as the kernel's shadow has it; null while the decoder is not committed. */
  private committed_base(): number | null {
    if (!(this.reg(CTRL) & COMMITTED)) return null;
    return fromHalves(this.reg(BASE_HI), (this.reg(BASE_LO) & 0xf0000000) >>> 0);
  }

  private reg(at: number): number {
    const rc = vfio_region_fd_read(this.dev.vm.sys, this.device, this.comp.info.index, this.hdm_offset + at, this.word);
    return rc === 4 ? this.view.getUint32(0, true) : 0;
  }

  private put(at: number, value: number): void {
    this.comp.write(this.hdm_offset + at, 4, value, 0);
  }

  /** What the host's firmware left is let go; as BASE and SIZE open up with that, they are cleared as after a reset. */
  private release(): void {
    this.put(CTRL, this.reg(CTRL) & ~COMMIT);
    for (const at of [BASE_HI, BASE_LO, SIZE_HI, SIZE_LO, CTRL]) this.put(at, 0);
  }

  /** The guest finds a device nobody set up: decoder, global enable and Mem_Enable off. */
  private disable(): void {
    this.release();
    this.put(GLOBAL_CTRL, 0);
    const fn = this.dev.pci;
    const at = fn ? cxl_device_dvsec(fn) : 0;
    if (fn && at) fn.config_write(at + DVSEC_CTRL, 2, fn.config_read(at + DVSEC_CTRL, 2) & ~MEM_ENABLE);
  }

  /** machine_done: what the host's firmware left is let go, and the decoder committed at the guest's own address. */
  private program(gpa: number): void {
    const { log } = this.dev.vm;
    const { size } = this.hdm.info;
    const outer = log.begin(this.programSite, gpa, size);
    this.release();
    this.put(BASE_HI, hi32(gpa));
    this.put(BASE_LO, lo32(gpa));
    this.put(SIZE_HI, hi32(size));
    this.put(SIZE_LO, lo32(size));
    this.put(CTRL, LOCK | COMMIT);
    this.follow();
    log.end(outer, this.mapped ? 1 : 0);
  }

  /** The mapping follows the shadow. */
  private follow(): void {
    const base = this.committed_base();
    if (base === null) this.unmap();
    else if (!this.mapped) this.map(base);
  }

  private map(base: number): void {
    const { core, log, system_memory } = this.dev.vm;
    core.memory_region_transaction_begin();
    core.memory_region_add_subregion_overlap(system_memory, base, this.hdm.mem, 1);
    core.memory_region_transaction_commit();
    this.mapped = true;
    log.note(this.mapSite, base, this.hdm.info.size);
  }

  private unmap(): void {
    if (!this.mapped) return;
    const { core, log, system_memory } = this.dev.vm;
    log.note(this.unmapSite, this.hdm.mem.addr, this.hdm.info.size);
    core.memory_region_del_subregion(system_memory, this.hdm.mem);
    this.mapped = false;
  }

  finalize(): void {
    this.unmap();
    this.hdm.vfio_region_finalize();
  }
}

/** Position of the CXL device DVSEC as the guest will see it, 0 without. */
function cxl_device_dvsec(fn: PciFunction): number {
  for (let at = 0x100; at !== 0; at = fn.config_read(at, 4) >>> 20) {
    if ((fn.config_read(at, 4) & 0xffff) !== PCI_EXT_CAP_ID_DVSEC) continue;
    if ((fn.config_read(at + 4, 4) & 0xffff) === PCI_VENDOR_ID_CXL && fn.config_read(at + 8, 2) === 0) return at;
  }
  return 0;
}

/** The HDM block, found by walking the capability array the kernel shows in COMP_REGS. */
function find_hdm(dev: Device, device: VfioDeviceFd, region: RegionInfo): { offset: number; size: number } {
  const word = new Uint8Array(4);
  const view = new DataView(word.buffer);
  const read = (at: number): number => {
    const rc = vfio_region_fd_read(dev.vm.sys, device, region.index, at, word);
    if (rc !== 4) error_setg(`failed to read CXL component register 0x${at.toString(16)}`);
    return view.getUint32(0, true);
  };
  const count = read(CM_OFFSET) >>> 24;
  for (let n = 1; n <= count; n++) {
    const entry = read(CM_OFFSET + 4 * n);
    if ((entry & 0xffff) !== CM_CAP_HDM) continue;
    const offset = CM_OFFSET + (entry >>> 20);
    const code = read(offset) & 0xf;
    return { offset, size: 0x10 + 0x20 * (code === 0 ? 1 : 2 * code) };
  }
  return error_setg('no HDM decoder capability in the CXL component registers');
}

/** Null for a plain PCI device. */
export function vfio_cxl_v3_setup(dev: Device, device: VfioDeviceFd, info: Uint8Array): VfioCxlV3 | null {
  const { flags, cap_offset } = decode(vfio_device_info, info);
  if (!(flags & VFIO_DEVICE_FLAGS_CXL)) return null;
  const at = cap_offset ? findInfoCap(info, cap_offset, VFIO_DEVICE_INFO_CAP_CXL) : 0;
  if (!at || info.length - at < vfio_device_info_cap_cxl_v3.size)
    error_setg('the kernel describes no CXL passthrough device this build understands');
  const cap = decode(vfio_device_info_cap_cxl_v3, info, at);
  const region = (index: number, subtype: number): RegionInfo => {
    const found = vfio_get_region_info(dev.vm.sys, device, index);
    if (typeof found === 'number' || found.type?.type !== VFIO_REGION_TYPE_CXL || found.type.subtype !== subtype)
      return error_setg(`region ${index} is not the CXL region the device's capability says it is`);
    return found;
  };
  const comp = region(cap.comp_reg_region_idx, VFIO_REGION_SUBTYPE_CXL_COMP_REGS);
  const hdm = new VfioRegion(dev.vm, device, region(cap.hdm_region_idx, VFIO_REGION_SUBTYPE_CXL), 'CXL HDM region');
  const mapped = hdm.vfio_region_mmap();
  if (mapped < 0) error_setg(`failed to map the CXL HDM region: ${strerror(mapped)}`);
  const block = find_hdm(dev, device, comp);
  const registers = new VfioRegion(dev.vm, device, comp, 'CXL component registers');
  return new VfioCxlV3(dev, device, cap.comp_reg_bar, cap.comp_reg_offset, registers, hdm, block.offset, block.size);
}
