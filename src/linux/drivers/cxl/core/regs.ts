import { type Addr, fromHalves, hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import type { CxlRegisterMap, CxlRegMap } from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';
import type { Resource } from '../../../include/ioport.ts';
import type { PciDev } from '../../../include/pci_types.ts';
import { hasPatch } from '../../../include/quirks.ts';
import { pci_read_config_dword } from '../../pci/access.ts';
import { pci_find_dvsec_capability, pci_resource_len, pci_resource_start } from '../../pci/pci.ts';

/**
 * Finding and mapping register blocks (drivers/cxl/core/regs.c, v6.11, and patch 03 of the vfio-cxl RFC). Leaves out
 * RCRB (CXL 1.1) and performance monitors.
 */

export const CXL_REGLOC_RBI_COMPONENT = 1;
export const CXL_REGLOC_RBI_MEMDEV = 3;
const CXL_CM_OFFSET = 0x1000;
const CXL_COMPONENT_REG_BLOCK_SIZE = 0x10000;
export const CXL_RESOURCE_NONE = -1;

const none = (): CxlRegMap => ({ valid: false, id: 0, offset: 0, size: 0 });

/** An empty map for `host`. */
export function cxl_register_map(host: Device, resource: Addr = CXL_RESOURCE_NONE): CxlRegisterMap {
  return {
    host,
    resource,
    max_size: CXL_COMPONENT_REG_BLOCK_SIZE,
    reg_type: CXL_REGLOC_RBI_COMPONENT,
    hdm_decoder: none(),
    ras: none(),
    status: none(),
    mbox: none(),
    memdev: none(),
  };
}

const long = (value: number) => `0x${hex(value, 16)}`;
const dbg = (dev: Device, fn: string, text: string) => dev.dbg('cxl_core', fn, text);

/** Decoder count of an HDM capability register, 0 for an encoding out of the specification. */
export function cxl_hdm_decoder_count(cap: number): number {
  const value = cap & 0xf;
  if (value === 0) return 1;
  if (value <= 8) return value * 2;
  return { 9: 20, 10: 24, 11: 28, 12: 32 }[value] ?? 0;
}

/** cxl_probe_component_regs: walks the capability array of CXL.cachemem. */
export function cxl_probe_component_regs(dev: Device, map: CxlRegisterMap): void {
  const { mmio } = dev.kernel;
  const fn = 'cxl_probe_component_regs';
  const base = map.resource + CXL_CM_OFFSET;
  const header = mmio.readl(base);
  if ((header & 0xffff) !== 1) {
    dev.err("Couldn't locate the CXL.cache and CXL.mem capability array header.");
    return;
  }
  const count = header >>> 24;
  for (let cap = 1; cap <= count; cap++) {
    const entry = mmio.readl(base + cap * 4);
    const id = entry & 0xffff;
    const offset = entry >>> 20;
    if (id === 5) {
      dbg(dev, fn, `found HDM decoder capability (0x${hex(offset)})`);
      const decoders = cxl_hdm_decoder_count(mmio.readl(base + offset));
      map.hdm_decoder = { valid: true, id, offset: CXL_CM_OFFSET + offset, size: 0x20 * decoders + 0x10 };
    } else if (id === 2) {
      dbg(dev, fn, `found RAS capability (0x${hex(offset)})`);
      map.ras = { valid: true, id, offset: CXL_CM_OFFSET + offset, size: 0x58 };
    } else dbg(dev, fn, `Unknown CM cap ID: ${id} (0x${hex(offset)})`);
  }
}

/** cxl_probe_device_regs: the 64-bit capability array of a memory device block. */
function cxl_probe_device_regs(dev: Device, map: CxlRegisterMap): number {
  const { mmio } = dev.kernel;
  const fn = 'cxl_probe_device_regs';
  const id = mmio.readl(map.resource);
  if ((id & 0xffff) !== 0) return 0;
  const count = mmio.readl(map.resource + 4) & 0xffff;
  for (let cap = 1; cap <= count; cap++) {
    const cap_id = mmio.readl(map.resource + cap * 16) & 0xffff;
    const offset = mmio.readl(map.resource + cap * 16 + 4);
    const size = mmio.readl(map.resource + cap * 16 + 8);
    const found: CxlRegMap = { valid: true, id: cap_id, offset, size };
    if (cap_id === 1) {
      dbg(dev, fn, `found Status capability (0x${hex(offset)})`);
      map.status = found;
    } else if (cap_id === 2) {
      dbg(dev, fn, `found Mailbox capability (0x${hex(offset)})`);
      map.mbox = found;
    } else if (cap_id === 3) dbg(dev, fn, `found Secondary Mailbox capability (0x${hex(offset)})`);
    else if (cap_id === 0x4000) {
      dbg(dev, fn, `found Memory Device capability (0x${hex(offset)})`);
      map.memdev = found;
    } else if (cap_id >= 0x8000) dbg(dev, fn, `Vendor cap ID: 0x${hex(cap_id)} offset: 0x${hex(offset)}`);
    else dbg(dev, fn, `Unknown cap ID: 0x${hex(cap_id)} offset: 0x${hex(offset)}`);
  }
  if (map.status.valid && map.mbox.valid && map.memdev.valid) {
    dbg(dev, fn, 'Probing device registers...');
    return 0;
  }
  const missing = `${map.status.valid ? '' : 'status '}${map.mbox.valid ? '' : 'mbox '}${map.memdev.valid ? '' : 'memdev '}`;
  dev.err(`registers not found: ${missing}`);
  return -E.ENXIO;
}

/** cxl_setup_regs: maps the block for the time of probing it. */
export function cxl_setup_regs(map: CxlRegisterMap): number {
  const { host } = map;
  dbg(host, 'cxl_map_regblock', `Mapped CXL Memory Device resource ${long(map.resource)}`);
  if (map.reg_type === CXL_REGLOC_RBI_MEMDEV) return cxl_probe_device_regs(host, map);
  cxl_probe_component_regs(host, map);
  dbg(host, 'cxl_probe_regs', 'Set up component registers');
  return 0;
}

/** devm_cxl_iomap_block: claims part of the block in iomem under the mapping device's name. */
export function devm_cxl_iomap_block(dev: Device, addr: Addr, size: number): Addr | null {
  const { iomem } = dev.kernel;
  const res: Resource | null = iomem.request_mem_region(addr, size, dev.name);
  if (!res) {
    dev.err(`Failed to request region ${long(addr)}-${long(addr + size - 1)}`);
    return null;
  }
  dev.devm(() => {
    iomem.release_resource(res);
  });
  return addr;
}

/** cxl_find_regblock_instance: the n-th block of this kind in the Register Locator. */
export function cxl_find_regblock(pdev: PciDev, type: number, map: CxlRegisterMap): number {
  map.resource = CXL_RESOURCE_NONE;
  const regloc = pci_find_dvsec_capability(pdev, 0x1e98, 8);
  if (!regloc) return -E.ENXIO;
  const length = pci_read_config_dword(pdev, regloc + 4) >>> 20;
  const blocks = Math.floor((length - 0xc) / 8);
  for (let n = 0; n < blocks; n++) {
    const at = regloc + 0xc + n * 8;
    const lo = pci_read_config_dword(pdev, at);
    const hi = pci_read_config_dword(pdev, at + 4);
    const bar = lo & 7;
    const id = (lo >>> 8) & 0xff;
    const offset = fromHalves(hi, (lo & 0xffff0000) >>> 0);
    if (id !== type) continue;
    if (offset > pci_resource_len(pdev, bar)) {
      pdev.warn(`BAR${bar}: too small (offset: ${long(offset)}, type: ${id})`);
      continue;
    }
    map.reg_type = id;
    map.resource = pci_resource_start(pdev, bar) + offset;
    map.max_size = pci_resource_len(pdev, bar) - offset;
    return 0;
  }
  map.resource = CXL_RESOURCE_NONE;
  return -E.ENODEV;
}

/**
 * Patch 03: `cxl_find_comp_regblock_offset`. In spite of the name it gives the physical address of the component block
 * (BAR start + offset), as posted.
 */
export function cxl_find_comp_regblock_offset(pdev: PciDev, out: { offset: number }): number {
  // A tree without the patch links an empty function here, if it links at all (kbuild --soft).
  if (!hasPatch(pdev.kernel, 3)) return 0;
  const map = cxl_register_map(pdev);
  const rc = cxl_find_regblock(pdev, CXL_REGLOC_RBI_COMPONENT, map);
  if (rc) return rc;
  out.offset = map.resource;
  return 0;
}
