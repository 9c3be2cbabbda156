import { fromHalves, hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import { CXL_ACCEL_DRIVER_CAP_HDM, type CxlMemdev, IS_ERR } from '../../../include/cxl_types.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { PciDev, PciDriver } from '../../../include/pci_types.ts';
import { pci_read_config_dword } from '../../pci/access.ts';
import { pci_disable_device, pci_enable_device, pci_find_dvsec_capability } from '../../pci/pci.ts';
import { pci_register_driver, pci_unregister_driver } from '../../pci/pci-driver.ts';
import {
  cxl_accel_set_dvsec,
  cxl_accel_set_media_ready,
  cxl_accel_set_serial,
  cxl_accel_state_create,
} from '../core/accel.ts';
import { cxl_await_media_ready } from '../core/pci.ts';
import { cxl_set_capacity, devm_cxl_probe_mem } from '../core/probe_mem.ts';
import { CXL_REGLOC_RBI_COMPONENT } from '../core/regs.ts';
import { cxl_pci_setup_regs } from '../pci.ts';

/**
 * A test driver of the lab on the type-2 interface of series v28 (18 Jun 2026), as its in-tree user does it: capacity from the DVSEC's
 * range, then a memdev whose region is the one the committed decoder stands for. No posted driver binds to this device with that
 * interface.
 */
const RANGE1_SIZE_HI = 0x18;
const RANGE1_SIZE_LO = 0x1c;

function probe(pdev: PciDev): number {
  const dvsec = pci_find_dvsec_capability(pdev, 0x1e98, 0);
  if (!dvsec) return -E.ENODEV;
  const enabled = pci_enable_device(pdev);
  if (enabled) return enabled;
  const cxlmd = probe_mem(pdev, dvsec);
  if (IS_ERR(cxlmd)) {
    pci_disable_device(pdev);
    return cxlmd;
  }
  return 0;
}

function probe_mem(pdev: PciDev, dvsec: number): CxlMemdev | number {
  const cxlds = cxl_accel_state_create(pdev, CXL_ACCEL_DRIVER_CAP_HDM);
  if (IS_ERR(cxlds)) return cxlds;
  cxl_accel_set_dvsec(cxlds, dvsec);
  cxl_accel_set_serial(cxlds, 0);
  const regs = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, cxlds.reg_map);
  if (regs) {
    pdev.err(`CXL component registers not found (${regs})`);
    return regs;
  }
  const ready = cxl_await_media_ready(cxlds);
  if (ready) {
    pdev.err(`CXL range not active (${ready})`);
    return ready;
  }
  cxl_accel_set_media_ready(cxlds);
  const low = pci_read_config_dword(pdev, dvsec + RANGE1_SIZE_LO);
  const capacity = fromHalves(pci_read_config_dword(pdev, dvsec + RANGE1_SIZE_HI), (low & 0xf0000000) >>> 0);
  const set = cxl_set_capacity(cxlds, capacity);
  if (set) {
    pdev.err(`CXL capacity refused (${set})`);
    return set;
  }
  const hpa = { start: 0, end: -1 };
  const cxlmd = devm_cxl_probe_mem(pdev, cxlds, hpa);
  if (IS_ERR(cxlmd)) pdev.err(`CXL memdev and region: ${cxlmd}`);
  else pdev.info(`CXL region [0x${hex(hpa.start, 16)} - 0x${hex(hpa.end, 16)}]`);
  return cxlmd;
}

const driver: PciDriver = {
  name: 'cxl-accel-v28',
  id_table: [{ vendor: 0x8086, device: 0x0d94 }],
  probe: (pdev) =>
    pdev.kernel.span(pdev.kernel.site('cxl_accel_probe', [], 'test driver on the type-2 series v28'), 0, 0, () =>
      probe(pdev),
    ),
  remove: (pdev) => pci_disable_device(pdev),
};

export function cxl_accel_v28_init(kernel: Kernel, owner: string | null): number {
  return pci_register_driver(kernel, driver, owner);
}
export function cxl_accel_v28_exit(kernel: Kernel): void {
  pci_unregister_driver(kernel, driver);
}
