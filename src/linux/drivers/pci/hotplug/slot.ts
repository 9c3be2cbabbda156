import { PCI_EXP_SLTCAP, type PciDev } from '../../../include/pci_types.ts';
import { pcie_capability_read_dword, pcie_capability_read_word } from '../access.ts';

/** set_pcie_hotplug_bridge (drivers/pci/probe.c): the port has a slot whose card may come and go. */
export const pciehp_has_slot = (dev: PciDev): boolean =>
  (pcie_capability_read_word(dev, 2) & 0x100) !== 0 && (pcie_capability_read_dword(dev, PCI_EXP_SLTCAP) & 0x40) !== 0;
