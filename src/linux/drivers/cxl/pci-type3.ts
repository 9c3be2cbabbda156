import { hex } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import { CXL_DECODER_F_ENABLE, type CxlDevState, CxlEndpointDecoder, IS_ERR } from '../../include/cxl_types.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { PciDev, PciDriver } from '../../include/pci_types.ts';
import { PCI_IRQ_MSI, PCI_IRQ_MSIX, pci_alloc_irq_vectors, pci_free_irq_vectors } from '../pci/msi.ts';
import {
  pci_disable_device,
  pci_enable_device,
  pci_find_dvsec_capability,
  pci_get_dsn,
  pci_set_master,
} from '../pci/pci.ts';
import { pci_register_driver, pci_unregister_driver } from '../pci/pci-driver.ts';
import { cxl_mem_get_event_records } from './core/events.ts';
import { HDM } from './core/hdm.ts';
import {
  cxl_dev_state_identify,
  cxl_enumerate_cmds,
  cxl_event_config,
  cxl_mem_create_range_info,
  cxl_pci_setup_mailbox,
  cxl_set_timestamp,
} from './core/mbox.ts';
import { devm_cxl_add_memdev } from './core/memdev.ts';
import { devm_cxl_setup_fw_upload } from './core/memdev-fw.ts';
import { cxl_await_media_ready } from './core/pci.ts';
import {
  CXL_REGLOC_RBI_COMPONENT,
  CXL_REGLOC_RBI_MEMDEV,
  cxl_find_regblock,
  cxl_register_map,
  cxl_setup_regs,
  devm_cxl_iomap_block,
} from './core/regs.ts';

/**
 * The cxl_pci driver for memory devices of class 0x050210 (drivers/cxl/pci.c, v6.12). Leaves out restricted devices
 * (CXL 1.1), performance monitors, background commands, error handlers besides the reset notice.
 */

const PCI_CLASS_MEMORY_CXL = 0x050210;
const CXL_PCI_DEFAULT_MAX_VECTORS = 16;

const partition = (name: string) => ({ start: 0, end: -1, name, requested: false, children: [] });

/** cxl_memdev_state_create */
function cxl_memdev_state_create(pdev: PciDev): CxlDevState {
  return {
    dev: pdev,
    type: 'classmem',
    capabilities: 0,
    reg_map: cxl_register_map(pdev),
    ras: null,
    cxl_dvsec: 0,
    rcd: false,
    serial: 0,
    media_ready: false,
    dpa_res: partition('dpa'),
    ram_res: partition('ram'),
    pmem_res: partition('pmem'),
    cxlmd: null,
    mbox: null,
  };
}

/** cxl_map_device_regs: status, mailbox and memory device registers; gives the mailbox's address. */
function map_device_regs(pdev: PciDev): number {
  const map = cxl_register_map(pdev);
  let rc = cxl_find_regblock(pdev, CXL_REGLOC_RBI_MEMDEV, map);
  if (!rc) rc = cxl_setup_regs(map);
  if (rc) return rc;
  for (const { offset, size } of [map.status, map.mbox, map.memdev])
    if (devm_cxl_iomap_block(pdev, map.resource + offset, size) === null) return -E.ENOMEM;
  return map.resource + map.mbox.offset;
}

/** cxl_pci_ras_unmask */
function cxl_pci_ras_unmask(cxlds: CxlDevState): void {
  const { dev, ras } = cxlds;
  if (ras === null) return;
  const { mmio } = dev.kernel;
  const unmask = (at: number, bits: number, name: string): void => {
    const old = mmio.readl(ras + at);
    const mask = (old & ~bits) >>> 0;
    mmio.writel(mask, ras + at);
    dev.dbg('cxl_pci', 'cxl_pci_ras_unmask', `${name} RAS Errors Mask: 0x${hex(old)} -> 0x${hex(mask)}`);
  };
  unmask(4, 0x1cfff, 'Uncorrectable');
  unmask(0x10, 0x7f, 'Correctable');
}

function cxl_pci_probe(pdev: PciDev): number {
  let rc = pci_enable_device(pdev);
  if (rc) return rc;
  pdev.devm(() => pci_disable_device(pdev));
  pci_set_master(pdev);
  const cxlds = cxl_memdev_state_create(pdev);
  pdev.driverData = cxlds;
  cxlds.serial = pci_get_dsn(pdev);
  cxlds.cxl_dvsec = pci_find_dvsec_capability(pdev, 0x1e98, 0);
  if (!cxlds.cxl_dvsec) pdev.warn('Device DVSEC not present, skip CXL.mem init');
  const mbox = map_device_regs(pdev);
  if (mbox < 0) return mbox;
  // without component registers the driver may still be useful
  rc = cxl_find_regblock(pdev, CXL_REGLOC_RBI_COMPONENT, cxlds.reg_map);
  if (!rc) rc = cxl_setup_regs(cxlds.reg_map);
  const { reg_map } = cxlds;
  if (rc) pdev.warn(`No component registers (${rc})`);
  else if (!reg_map.ras.valid) pdev.dbg('cxl_pci', 'cxl_pci_probe', 'RAS registers not found');
  if (reg_map.ras.valid) {
    cxlds.ras = devm_cxl_iomap_block(pdev, reg_map.resource + reg_map.ras.offset, reg_map.ras.size);
    if (cxlds.ras === null) pdev.dbg('cxl_pci', 'cxl_pci_probe', 'Failed to map RAS capability.');
  }
  rc = cxl_await_media_ready(cxlds);
  if (rc === 0) cxlds.media_ready = true;
  else pdev.warn(`Media not active (${rc})`);
  const irq = pci_alloc_irq_vectors(pdev, CXL_PCI_DEFAULT_MAX_VECTORS, PCI_IRQ_MSIX | PCI_IRQ_MSI) > 0;
  if (irq) pdev.devm(() => pci_free_irq_vectors(pdev));
  rc = cxl_pci_setup_mailbox(cxlds, mbox, irq);
  if (rc) return rc;
  rc = cxl_enumerate_cmds(cxlds);
  if (rc) return rc;
  rc = cxl_set_timestamp(cxlds);
  if (rc) return rc;
  rc = cxl_dev_state_identify(cxlds);
  if (rc) return rc;
  rc = cxl_mem_create_range_info(cxlds);
  if (rc) return rc;
  const cxlmd = devm_cxl_add_memdev(pdev, cxlds);
  if (IS_ERR(cxlmd)) return cxlmd;
  devm_cxl_setup_fw_upload(pdev, cxlmd);
  // events go to the operating system when the host bridge's _OSC gave it CXL errors; without them the device works too
  const event = cxl_event_config(cxlds);
  if (event) return event;
  cxl_mem_get_event_records(cxlds, 0xf);
  cxl_pci_ras_unmask(cxlds);
  return 0;
}

/** cxl_endpoint_decoder_reset_detected: some decoder the kernel holds for enabled is not committed any more. */
function reset_detected(cxlds: CxlDevState): boolean {
  const endpoint = cxlds.cxlmd?.endpoint;
  const hdm = endpoint?.hdm?.hdm_decoder;
  if (!endpoint || hdm === null || hdm === undefined) return false;
  return endpoint.decoders.some(
    (cxld) =>
      cxld instanceof CxlEndpointDecoder &&
      (cxld.flags & CXL_DECODER_F_ENABLE) !== 0 &&
      (endpoint.kernel.mmio.readl(HDM.decoder_ctrl(hdm, cxld.id)) & 0x400) === 0,
  );
}

/** cxl_reset_done: whoever resets a device under a live region is told so. */
function cxl_reset_done(pdev: PciDev): void {
  const cxlds = pdev.driverData as CxlDevState | null;
  if (!cxlds || !reset_detected(cxlds)) return;
  pdev.printk(2, 'SBR happened without memory regions removal.');
  pdev.printk(2, 'System may be unstable if regions hosted system memory.');
}

const cxl_pci_driver: PciDriver = {
  name: 'cxl_pci',
  id_table: [{ vendor: 0xffffffff, device: 0xffffffff, class: PCI_CLASS_MEMORY_CXL, class_mask: 0xffffff }],
  probe: cxl_pci_probe,
  reset_done: cxl_reset_done,
  asynchronous: true,
};

export function cxl_pci_init(kernel: Kernel, owner: string | null): number {
  return pci_register_driver(kernel, cxl_pci_driver, owner);
}

export function cxl_pci_exit(kernel: Kernel): void {
  pci_unregister_driver(kernel, cxl_pci_driver);
}
