import { E } from '../../../base/errno.ts';
import type { CxlDevState, CxlRegisterMap } from '../../include/cxl_types.ts';
import type { PciDev } from '../../include/pci_types.ts';
import { hasPatch } from '../../include/quirks.ts';
import {
  CXL_REGLOC_RBI_COMPONENT,
  CXL_REGLOC_RBI_MEMDEV,
  cxl_find_regblock,
  cxl_register_map,
  cxl_setup_regs,
  devm_cxl_iomap_block,
} from './core/regs.ts';

/**
 * Register setup of a type-2 device (drivers/cxl/pci.c of the type-2 RFC v2, changed by patch 01 of the vfio-cxl RFC).
 * The type-3 driver of this file is not modelled.
 */

/** cxl_pci_setup_regs */
export function cxl_pci_setup_regs(pdev: PciDev, type: number, map: CxlRegisterMap): number {
  const rc = cxl_find_regblock(pdev, type, map);
  return rc ? rc : cxl_setup_regs(map);
}

/** cxl_map_component_regs for RAS only: nothing to do when the device shows no RAS capability. */
function map_ras(pdev: PciDev, cxlds: CxlDevState): number {
  const { reg_map } = cxlds;
  if (!reg_map.ras.valid) return 0;
  const addr = devm_cxl_iomap_block(pdev, reg_map.resource + reg_map.ras.offset, reg_map.ras.size);
  if (addr === null) return -E.ENOMEM;
  cxlds.ras = addr;
  return 0;
}

/** cxl_pci_accel_setup_regs: the return value is that of the RAS mapping, as posted. */
export function cxl_pci_accel_setup_regs(pdev: PciDev, cxlds: CxlDevState): number {
  const { kernel } = pdev;
  return kernel.span(kernel.site('cxl_pci_accel_setup_regs', [], 'type-2 RFC v2, vfio-cxl patch 01'), 0, 0, () => {
    const memdev = cxl_register_map(pdev);
    let rc = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_MEMDEV, memdev);
    if (hasPatch(kernel, 1)) {
      // patch 01: a type-2 device need not have memory device registers
      if (rc === 0 && devm_cxl_iomap_block(pdev, memdev.resource, memdev.max_size) === null)
        pdev.dbg('cxl_pci', 'cxl_pci_accel_setup_regs', 'Failed to map device registers.');
    } else {
      if (rc) return rc;
      if (devm_cxl_iomap_block(pdev, memdev.resource, memdev.max_size) === null) return -E.ENOMEM;
    }
    rc = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, cxlds.reg_map);
    if (rc) pdev.warn(`No component registers (${rc})`);
    rc = map_ras(pdev, cxlds);
    if (rc) pdev.dbg('cxl_pci', 'cxl_pci_accel_setup_regs', 'Failed to map RAS capability.');
    return rc;
  });
}
