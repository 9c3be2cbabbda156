import { E } from '../../../../base/errno.ts';
import {
  IORESOURCE_MEM,
  pci_release_selected_regions,
  pci_request_selected_regions,
  pci_resource_flags,
  pci_resource_len,
  pci_resource_start,
} from '../../../include/pci.ts';
import { hasPatch, posted } from '../../../include/quirks.ts';
import {
  VFIO_PCI_CONFIG_REGION_INDEX,
  VFIO_PCI_NUM_REGIONS,
  VFIO_PCI_OFFSET,
  VFIO_PCI_OFFSET_TO_INDEX,
  VFIO_PCI_ROM_REGION_INDEX,
  VFIO_PCI_VGA_REGION_INDEX,
} from '../../../uapi/vfio.ts';
import { overlaps_comp_regs } from './cxl/vfio_cxl_core.ts';
import { vfio_pci_config_rw } from './vfio_pci_config.ts';
import { __vfio_pci_memory_enabled, type VfioPciCoreDevice } from './vfio_pci_device.ts';

/** Reads and writes of BARs and device regions (drivers/vfio/pci/vfio_pci_rdwr.c, v6.11 + RFC patches 06, 13). Left out: ROM images, VGA, I/O ports. */

/** Does this BAR go without pci_request_selected_regions? (patch 13: the CXL core already holds parts of it) */
export function skips_region_request(vdev: VfioPciCoreDevice, bar: number): boolean {
  // v3: the CXL core holds the block of the component BAR.
  if (vdev.cxl_v3?.comp_reg_bir === bar) return true;
  if (!vdev.has_cxl || !hasPatch(vdev.kernel, 13)) return false;
  return posted(vdev.kernel, 'vfio-cxl-no-request-all-bars') || bar === vdev.cxl.comp_reg_bar;
}

/** vfio_pci_core_setup_barmap */
export function vfio_pci_core_setup_barmap(vdev: VfioPciCoreDevice, bar: number, owner = 'vfio'): number {
  if (vdev.barmap[bar] !== null) return 0;
  if (!skips_region_request(vdev, bar)) {
    const rc = pci_request_selected_regions(vdev.pdev, 1 << bar, owner);
    if (rc) return rc;
    vdev.requested[bar] = true;
  }
  // pci_iomap fails when the lab's kernel parameter asks for it.
  if (vdev.kernel.param('cxlab.fail_ioremap') === 'bar') {
    // Posted (patch 13): released whether it was requested or not.
    if (vdev.requested[bar] || posted(vdev.kernel, 'vfio-cxl-unbalanced-release'))
      pci_release_selected_regions(vdev.pdev, 1 << bar);
    vdev.requested[bar] = false;
    return -E.ENOMEM;
  }
  vdev.barmap[bar] = pci_resource_start(vdev.pdev, bar);
  return 0;
}

/**
 * vfio_pci_core_do_io_rw: device accesses of the largest natural width; `x_start … x_end` (the MSI-X table) is kept from
 * the user: reads give ones, writes are dropped.
 */
export function vfio_pci_core_do_io_rw(
  vdev: VfioPciCoreDevice,
  test_mem: boolean,
  io: number,
  bytes: Uint8Array,
  off: number,
  count: number,
  x_start: number,
  x_end: number,
  iswrite: boolean,
): number {
  if (test_mem && !vdev.memory_lock.read('vfio_pci_core_do_io_rw', () => __vfio_pci_memory_enabled(vdev)))
    return -E.EIO;
  const { mmio } = vdev.kernel;
  let done = 0;
  let at = off;
  while (done < count) {
    const left = count - done;
    const fillable = at < x_start ? Math.min(left, x_start - at) : at >= x_end ? left : 0;
    const addr = io + at;
    let filled: number;
    if (fillable >= 4 && at % 4 === 0) {
      filled = 4;
      if (iswrite)
        mmio.writel(
          (byte(bytes, done) |
            (byte(bytes, done + 1) << 8) |
            (byte(bytes, done + 2) << 16) |
            (byte(bytes, done + 3) << 24)) >>>
            0,
          addr,
        );
      else {
        const value = mmio.readl(addr);
        bytes[done] = value & 0xff;
        bytes[done + 1] = (value >>> 8) & 0xff;
        bytes[done + 2] = (value >>> 16) & 0xff;
        bytes[done + 3] = value >>> 24;
      }
    } else if (fillable >= 2 && at % 2 === 0) {
      filled = 2;
      if (iswrite) mmio.writew(byte(bytes, done) | (byte(bytes, done + 1) << 8), addr);
      else {
        const value = mmio.readw(addr);
        bytes[done] = value & 0xff;
        bytes[done + 1] = value >>> 8;
      }
    } else if (fillable > 0) {
      filled = 1;
      if (iswrite) mmio.writeb(byte(bytes, done), addr);
      else bytes[done] = mmio.readb(addr);
    } else {
      filled = Math.min(left, x_end - at);
      if (!iswrite) bytes.fill(0xff, done, done + filled);
    }
    done += filled;
    at += filled;
  }
  return done;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/** vfio_pci_bar_rw */
function vfio_pci_bar_rw(
  vdev: VfioPciCoreDevice,
  bar: number,
  bytes: Uint8Array,
  pos: number,
  iswrite: boolean,
): number {
  const { pdev } = vdev;
  const off = pos % VFIO_PCI_OFFSET;
  const end = pci_resource_start(pdev, bar) !== 0 ? pci_resource_len(pdev, bar) : 0;
  if (end === 0 || off >= end) return -E.EINVAL;
  const count = Math.min(bytes.length, end - off);
  if (overlaps_comp_regs(vdev.cxl_v3, bar, off, count)) return -E.EINVAL;
  if (bar === VFIO_PCI_ROM_REGION_INDEX) return -E.ENOMEM;
  const rc = vfio_pci_core_setup_barmap(vdev, bar);
  if (rc) return rc;
  const hidden = bar === vdev.msix_bar;
  const x_start = hidden ? vdev.msix_offset : 0;
  const x_end = hidden ? vdev.msix_offset + vdev.msix_size : 0;
  const test = (pci_resource_flags(pdev, bar) & IORESOURCE_MEM) !== 0;
  return vfio_pci_core_do_io_rw(vdev, test, vdev.barmap[bar] ?? 0, bytes, off, count, x_start, x_end, iswrite);
}

function dispatch(vdev: VfioPciCoreDevice, bytes: Uint8Array, pos: number, iswrite: boolean): number {
  const index = VFIO_PCI_OFFSET_TO_INDEX(pos);
  if (index >= VFIO_PCI_NUM_REGIONS + vdev.regions.length) return -E.EINVAL;
  if (index === VFIO_PCI_CONFIG_REGION_INDEX) return vfio_pci_config_rw(vdev, bytes, pos, iswrite);
  if (index === VFIO_PCI_ROM_REGION_INDEX && iswrite) return -E.EINVAL;
  if (index <= VFIO_PCI_ROM_REGION_INDEX) return vfio_pci_bar_rw(vdev, index, bytes, pos, iswrite);
  if (index === VFIO_PCI_VGA_REGION_INDEX) return -E.EINVAL;
  return vdev.regions[index - VFIO_PCI_NUM_REGIONS]?.ops.rw(vdev, bytes, pos, iswrite) ?? -E.EINVAL;
}

/** vfio_pci_rw (public since RFC patch 06). */
export function vfio_pci_rw(vdev: VfioPciCoreDevice, bytes: Uint8Array, pos: number, iswrite: boolean): number {
  const { log } = vdev.kernel;
  const outer = log.begin(
    iswrite ? vdev.sites.pciWrite : vdev.sites.pciRead,
    pos,
    iswrite ? value4(bytes) : bytes.length,
  );
  const ret = dispatch(vdev, bytes, pos, iswrite);
  log.end(outer, iswrite || ret < 0 ? ret : value4(bytes));
  return ret;
}

/** The first dword of a buffer, for spans and traps. */
export function value4(bytes: Uint8Array): number {
  const b = (n: number) => bytes[n] ?? 0;
  return (b(0) | (b(1) << 8) | (b(2) << 16) | (b(3) << 24)) >>> 0;
}

export function vfio_pci_core_read(vdev: VfioPciCoreDevice, into: Uint8Array, pos: number): number {
  return into.length === 0 ? 0 : vfio_pci_rw(vdev, into, pos, false);
}
export function vfio_pci_core_write(vdev: VfioPciCoreDevice, from: Uint8Array, pos: number): number {
  return from.length === 0 ? 0 : vfio_pci_rw(vdev, from, pos, true);
}
