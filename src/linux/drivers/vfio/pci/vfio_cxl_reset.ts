import { E } from '../../../../base/errno.ts';
import {
  type PciDev,
  pci_find_dvsec_capability,
  pci_read_config_word,
  pci_write_config_word,
} from '../../../include/pci.ts';
import { PCI_VENDOR_ID_CXL } from '../../../uapi/vfio.ts';

/**
 * CXL reset by the device's DVSEC (CXL 3.1 9.7) between two users of a device, as the reviewers wanted it (quirk
 * `vfio-cxl-no-sanitize`, intended): started when a user lets go, complete before the next one comes in. No kernel of the
 * RFC's time has such functions; caches are not written back first.
 */
const PCI_DVSEC_CXL_DEVICE = 0;
const CAPABILITY = 0x0a;
const CONTROL2 = 0x10;
const STATUS2 = 0x12;
const RESET_CAPABLE = 0x0080;
const MEM_CLR_CAPABLE = 0x0800;
const INITIATE_RESET = 0x0004;
const MEM_CLR_ENABLE = 0x0008;
const RESET_COMPLETE = 0x0002;
const RESET_ERROR = 0x0004;

/** May the next user have the device? -ENOTTY when it has no such reset, -EAGAIN while one is under way. */
export function cxl_dvsec_reset_done(pdev: PciDev, dvsec: number): number {
  if (!(pci_read_config_word(pdev, dvsec + CAPABILITY) & RESET_CAPABLE)) return -E.ENOTTY;
  const status = pci_read_config_word(pdev, dvsec + STATUS2);
  if (status & RESET_ERROR) return -E.EIO;
  return status & RESET_COMPLETE ? 0 : -E.EAGAIN;
}

/** Initiates the reset, with the memory cleared where the device can. */
export function cxl_dvsec_reset_start(pdev: PciDev): void {
  const dvsec = pci_find_dvsec_capability(pdev, PCI_VENDOR_ID_CXL, PCI_DVSEC_CXL_DEVICE);
  if (!dvsec) return;
  const cap = pci_read_config_word(pdev, dvsec + CAPABILITY);
  if (!(cap & RESET_CAPABLE)) return;
  pci_write_config_word(pdev, dvsec + CONTROL2, INITIATE_RESET | (cap & MEM_CLR_CAPABLE ? MEM_CLR_ENABLE : 0));
}
