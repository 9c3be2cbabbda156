import { PCI_EXP_DEVCTL, PCI_EXP_RTCTL, PCI_EXT_CAP_ID_ERR, type PciDev } from '../../../include/pci_types.ts';
import {
  pci_read_config_dword,
  pci_write_config_dword,
  pcie_capability_read_word,
  pcie_capability_write_word,
} from '../access.ts';
import { pci_find_ext_capability } from '../pci.ts';

/**
 * Advanced Error Reporting (drivers/pci/pcie/aer.c, v6.11): the switches that are turned on at enumeration and by the
 * root port's service. No error is ever raised, so there is no handler.
 */

/** Correctable, non-fatal, fatal, unsupported request. */
const PCI_EXP_AER_FLAGS = 0x0f;
const PCI_ERR_ROOT_COMMAND = 0x2c;
const PCI_ERR_ROOT_STATUS = 0x30;

/** pci_aer_init → pci_enable_pcie_error_reporting. */
export function pci_aer_init(dev: PciDev): void {
  if (!dev.pcie_cap || !pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR)) return;
  const old = pcie_capability_read_word(dev, PCI_EXP_DEVCTL);
  pcie_capability_write_word(dev, PCI_EXP_DEVCTL, old | PCI_EXP_AER_FLAGS);
}

/** aer_probe → aer_enable_rootport: system errors off, old status cleared, interrupts on. False without the capability. */
export function aer_probe(dev: PciDev): boolean {
  const aer = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR);
  if (!aer) return false;
  const control = pcie_capability_read_word(dev, PCI_EXP_RTCTL);
  if (control & 7) pcie_capability_write_word(dev, PCI_EXP_RTCTL, control & ~7);
  pci_write_config_dword(dev, aer + PCI_ERR_ROOT_STATUS, pci_read_config_dword(dev, aer + PCI_ERR_ROOT_STATUS));
  pci_write_config_dword(dev, aer + PCI_ERR_ROOT_COMMAND, pci_read_config_dword(dev, aer + PCI_ERR_ROOT_COMMAND) | 7);
  return true;
}

/** aer_remove: the root port reports no more. */
export function aer_remove(dev: PciDev): void {
  const aer = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR);
  if (aer)
    pci_write_config_dword(
      dev,
      aer + PCI_ERR_ROOT_COMMAND,
      pci_read_config_dword(dev, aer + PCI_ERR_ROOT_COMMAND) & ~7,
    );
}
