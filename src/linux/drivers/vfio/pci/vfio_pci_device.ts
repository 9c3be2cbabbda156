import { PAGE_SIZE } from '../../../../base/addr.ts';
import type { SiteId } from '../../../../log/index.ts';
import type { VfioDeviceState } from '../../../../state/schema.ts';
import { paths } from '../../../../state/schema.ts';
import type { EventfdCtx } from '../../../fs/eventfd.ts';
import type {
  CxlDevState,
  CxlEndpointDecoder,
  CxlMemdev,
  CxlPort,
  CxlRegion,
  CxlRootDecoder,
} from '../../../include/cxl.ts';
import type { VmArea } from '../../../include/fs.ts';
import { RwSemaphore } from '../../../include/locking.ts';
import { PCI_COMMAND, PCI_COMMAND_MEMORY, type PciDev, pci_resource_len } from '../../../include/pci.ts';
import { posted } from '../../../include/quirks.ts';
import { VFIO_PCI_INDEX_TO_OFFSET } from '../../../uapi/vfio.ts';
import { VfioDevice, type VfioDeviceOps } from '../vfio.ts';
import type { VfioPciCxlState } from './cxl/vfio_cxl_core.ts';
import type { ShadowBytes } from './vconfig.ts';
import type { HdmRules } from './vfio_cxl_hdm.ts';

/** struct vfio_pci_core_device and what embeds in it (include/linux/vfio_pci_core.h, v6.11 + RFC patches 04, 05, 08, 09, 11). */
export interface VfioPciRegion {
  readonly type: number;
  readonly subtype: number;
  readonly size: number;
  readonly flags: number;
  readonly ops: VfioPciRegionOps;
}
export interface VfioPciRegionOps {
  rw(vdev: VfioPciCoreDevice, bytes: Uint8Array, pos: number, iswrite: boolean): number;
  mmap?(vdev: VfioPciCoreDevice, region: VfioPciRegion, vma: VmArea): number;
  release?(vdev: VfioPciCoreDevice, region: VfioPciRegion): void;
}

/** struct vfio_cxl (patch 04); pointers that C keeps stale after close are kept here too. */
export class VfioCxl {
  caps = 0;
  dpa_size = 0;
  comp_reg_bar = 0;
  comp_reg_offset = 0;
  comp_reg_size = 0;
  comp_reg_virt: ShadowBytes | null = null;
  hdm_count = 0;
  hdm_reg_offset = 0;
  hdm_reg_size = 0;
  cxlds: CxlDevState | null = null;
  cxlmd: CxlMemdev | null = null;
  cxlrd: CxlRootDecoder | null = null;
  endpoint: CxlPort | null = null;
  cxled: CxlEndpointDecoder | null = null;
  dpa_res = { start: 0, end: -1, name: '' };
  ram_res = { start: 0, end: -1, name: '' };
  region: {
    size: number;
    addr: number;
    vaddr: number | null;
    region: CxlRegion | number | null;
    /** Gives back the memory type of the kernel's mapping. */
    memtype: (() => void) | null;
  } = { size: 0, addr: 0, vaddr: null, region: null, memtype: null };
  /** What the device manages (devres) before an open took anything from the CXL core. */
  devres_mark = 0;
  /** struct vfio_device_info_cap_cxl (patch 11), null until filled. */
  cap: {
    readonly hdm_count: number;
    readonly hdm_reg_bar_index: number;
    readonly hdm_reg_size: number;
    readonly hdm_reg_offset: number;
    readonly dpa_size: number;
  } | null = null;
  /** First position past the emulated window (patch 08); -1: nothing is emulated. Set at open, read on every access. */
  emulated_end = -1;
  /** Position in the BAR of the HDM block. */
  emulated_start = 0;
}

export class VfioPciCoreDevice extends VfioDevice {
  readonly pdev: PciDev;
  /** ioremap cookie (physical address) of a BAR once requested and mapped. */
  readonly barmap: (number | null)[] = [null, null, null, null, null, null];
  readonly requested: boolean[] = [false, false, false, false, false, false];
  readonly bar_mmap_supported: boolean[] = [false, false, false, false, false, false];
  readonly regions: VfioPciRegion[] = [];
  vconfig: ShadowBytes | null = null;
  pci_config_map = new Uint8Array(0);
  rbar: number[] = [];
  bardirty = false;
  reset_works = false;
  needs_reset = false;
  nointx = false;
  pci_2_3 = false;
  virq_disabled = false;
  has_vga = false;
  has_cxl = false;
  saved_state: number[] | null = null;
  /** Eventfds of the error and the device request interrupt. */
  /** Index of the kind of interrupt that is on. */
  irq_type: number | null = null;
  err_trigger: EventfdCtx | null = null;
  req_trigger: EventfdCtx | null = null;
  /** Writes of BARs that events make, by the place and value of the write. */
  readonly ioeventfds = new Map<string, () => void>();
  msix_bar = 0xff;
  msix_offset = 0;
  msix_size = 0;
  readonly cxl = new VfioCxl();
  readonly hdm_rules: HdmRules;
  /** Guards memory decoding: faults and accesses read, whoever turns it off or resets the device writes. */
  readonly memory_lock: RwSemaphore;
  /** The later series' state (drivers/vfio/pci/cxl); null on a plain device and in kernels of the RFC. */
  cxl_v3: VfioPciCxlState | null = null;
  /** v3, patch 11: stays a plain PCI device. */
  disable_cxl = false;
  opened = false;
  /** Spans of the access paths, looked up once: nothing here may allocate per access. */
  readonly sites: {
    readonly pciRead: SiteId;
    readonly pciWrite: SiteId;
    readonly configRead: SiteId;
    readonly configWrite: SiteId;
    readonly cxlRead: SiteId;
    readonly cxlWrite: SiteId;
    readonly emulate: SiteId;
    readonly dropped: SiteId;
  };

  constructor(dev: PciDev, ops: VfioDeviceOps) {
    super(dev, ops);
    this.pdev = dev;
    const { kernel } = dev;
    this.memory_lock = new RwSemaphore(kernel, '&vdev->memory_lock');
    this.hdm_rules = {
      rawReserved: posted(kernel, 'vfio-cxl-reserved-bits'),
      committedWritable: posted(kernel, 'vfio-cxl-committed-writable'),
      commitUnchecked: posted(kernel, 'vfio-cxl-commit-unchecked'),
    };
    const rdwr = 'drivers/vfio/pci/vfio_pci_rdwr.c';
    const config = 'drivers/vfio/pci/vfio_pci_config.c';
    const cxl = 'vfio-cxl RFC v1, patch 07: vfio_cxl_core.c';
    this.sites = {
      pciRead: kernel.site('vfio_pci_rw (read)', ['position', 'length'], rdwr),
      pciWrite: kernel.site('vfio_pci_rw (write)', ['position', 'value'], rdwr),
      configRead: kernel.site('vfio_config_do_rw (read)', ['position', 'length'], config),
      configWrite: kernel.site('vfio_config_do_rw (write)', ['position', 'value'], config),
      cxlRead: kernel.site('vfio_cxl_core_read', ['position', 'length'], cxl),
      cxlWrite: kernel.site('vfio_cxl_core_write', ['position', 'value'], cxl),
      emulate: kernel.site('emulate_hdm_regblock', ['offset', 'value'], 'vfio-cxl RFC v1, patch 08: vfio_cxl_core.c'),
      dropped: kernel.site(
        'HDM write dropped: decoder is committed and locked',
        ['offset', 'value'],
        'vfio-cxl RFC v1, patch 08',
      ),
    };
  }
}

/** __vfio_pci_memory_enabled: the guest's own COMMAND.MEM decides. Callers hold memory_lock; patch 05's reviewer wants it asserted. */
export function __vfio_pci_memory_enabled(vdev: VfioPciCoreDevice): boolean {
  vdev.memory_lock.assert_held('__vfio_pci_memory_enabled');
  return vdev.vconfig !== null && (vdev.vconfig.read(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) !== 0;
}

/** vfio_pci_zap_bars: faulted pages of BARs 0–5 go. Posted, the CXL region (index 9) is not among them. */
export function vfio_pci_zap_bars(vdev: VfioPciCoreDevice): void {
  if (!vdev.file) return;
  const { mm } = vdev.kernel;
  vdev.memory_lock.assert_held_write('vfio_pci_zap_bars');
  mm.zap(vdev.file, VFIO_PCI_INDEX_TO_OFFSET(0), VFIO_PCI_INDEX_TO_OFFSET(6));
  if (!posted(vdev.kernel, 'vfio-cxl-region-no-zap'))
    mm.zap(vdev.file, VFIO_PCI_INDEX_TO_OFFSET(9), VFIO_PCI_INDEX_TO_OFFSET(9 + vdev.regions.length));
}

export function registerPaths(vdev: VfioPciCoreDevice): { readonly vconfig: string; readonly comp: string } {
  const base = paths.vfioDevice(vdev.kernel.machine, vdev.pdev.name);
  return { vconfig: `${base}/vconfig`, comp: `${base}/comp` };
}

/** Tells the log what this device is to user space now; `bound` false removes it. */
export function publishDevice(vdev: VfioPciCoreDevice, bound = true): void {
  const { kernel, pdev, cxl } = vdev;
  const path = paths.vfioDevice(kernel.machine, pdev.name);
  if (!bound) {
    kernel.log.publish(path, null);
    return;
  }
  const names = registerPaths(vdev);
  const regionAt = vdev.regions.findIndex((region) => region.type !== 0);
  const region =
    regionAt >= 0 && cxl.region.region !== null && typeof cxl.region.region !== 'number'
      ? { index: 9 + regionAt, hpa: cxl.region.addr, size: cxl.region.size }
      : null;
  const state: VfioDeviceState = {
    bdf: pdev.name,
    driver: pdev.driver?.name ?? pdev.pci_driver?.name ?? '',
    group: vdev.group?.iommu_group ?? pdev.iommu_group ?? -1,
    opened: vdev.opened,
    ...(vdev.vconfig ? { vconfig: names.vconfig } : {}),
    ...(cxl.comp_reg_virt ? { hdmShadow: names.comp } : {}),
    ...(vdev.opened && cxl.hdm_reg_size > 0
      ? {
          hdm: { bar: cxl.comp_reg_bar, offset: cxl.hdm_reg_offset, size: cxl.hdm_reg_size, count: cxl.hdm_count },
        }
      : {}),
    ...(region ? { region } : {}),
    ...(vdev.cxl_v3 ? publishedCxl(vdev.cxl_v3, names.comp, vdev.opened) : {}),
  };
  kernel.log.publish(path, { ...state });
}

/** The same of a device of the later series: its shadows exist from bind to unbind. */
function publishedCxl(cxl: VfioPciCxlState, comp: string, opened: boolean): Partial<VfioDeviceState> {
  const hdm = {
    bar: cxl.comp_reg_bir,
    offset: cxl.comp_reg_offset + cxl.hdm_reg_offset,
    size: cxl.hdm_reg_size,
    count: cxl.hdm_count,
  };
  const region = { index: cxl.hdm_region_idx, hpa: cxl.hpa_base, size: cxl.hpa_size };
  return { hdmShadow: comp, hdm, ...(opened ? { region } : {}) };
}

/** PAGE_ALIGN(pci_resource_len) */
export function barPageLength(vdev: VfioPciCoreDevice, bar: number): number {
  return Math.ceil(pci_resource_len(vdev.pdev, bar) / PAGE_SIZE) * PAGE_SIZE;
}
