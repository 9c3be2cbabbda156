import type { Kernel } from '../../../include/kernel.ts';
import {
  PCI,
  PCI_EXP_SLTCAP,
  PCI_EXP_TYPE_DOWNSTREAM,
  PCI_EXP_TYPE_ROOT_PORT,
  PCI_EXP_TYPE_UPSTREAM,
  PCI_EXT_CAP_ID_ERR,
  type PciDev,
  type PciDriver,
} from '../../../include/pci_types.ts';
import { pci_read_config_word, pcie_capability_read_dword } from '../access.ts';
import { pci_disable_device, pci_enable_device, pci_find_ext_capability, pci_set_master } from '../pci.ts';
import { pci_register_driver } from '../pci-driver.ts';

/**
 * The PCIe port driver (drivers/pci/pcie/portdrv.c, v6.11): claims bridges and announces its services. The services
 * themselves (PME, AER, hotplug) are not modelled, nor are their devices on the pci_express bus.
 */

const SLOT_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'AttnBtn'],
  [1, 'PwrCtrl'],
  [2, 'MRL'],
  [3, 'AttnInd'],
  [4, 'PwrInd'],
  [6, 'HotPlug'],
  [5, 'Surprise'],
  [17, 'Interlock'],
  [18, 'NoCompl'],
];

/** pciehp's line about the slot, from Slot Capabilities. */
function pcie_init(dev: PciDev): void {
  const cap = pcie_capability_read_dword(dev, PCI_EXP_SLTCAP);
  if (!(cap & 0x40)) return;
  const flags = SLOT_FLAGS.map(([bit, name]) => `${name}${cap & (1 << bit) ? '+' : '-'}`).join(' ');
  const active = pcie_capability_read_dword(dev, 12) & 0x10_0000 ? '+' : '-';
  // quirk_cmd_compl: all Intel bridges
  const erratum = dev.vendor === 0x8086 ? ' (with Cmd Compl erratum)' : '';
  dev.info(`pciehp: Slot #${cap >>> 19} ${flags} IbPresDis- LLActRep${active}${erratum}`);
}

const pcie_portdriver: PciDriver = {
  name: 'pcieport',
  driver_managed_dma: true,
  id_table: [{ vendor: 0xffffffff, device: 0xffffffff, class: 0x060400, class_mask: 0xffffff }],
  probe(dev) {
    const type = dev.pcie_type;
    if (type !== PCI_EXP_TYPE_ROOT_PORT && type !== PCI_EXP_TYPE_UPSTREAM && type !== PCI_EXP_TYPE_DOWNSTREAM)
      return -19;
    const rc = pci_enable_device(dev);
    if (rc) return rc;
    pci_set_master(dev);
    if (type === PCI_EXP_TYPE_UPSTREAM) return 0;
    if (dev.msi_cap || dev.msix_cap) dev.irq = dev.kernel.get(PCI).next_irq++;
    if (type === PCI_EXP_TYPE_ROOT_PORT) {
      dev.info(`PME: Signaling with IRQ ${dev.irq}`);
      if (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR)) dev.info(`AER: enabled with IRQ ${dev.irq}`);
    }
    if (pci_read_config_word(dev, dev.pcie_cap + 2) & 0x100) pcie_init(dev);
    return 0;
  },
  remove(dev) {
    pci_disable_device(dev);
  },
};

export function pcie_portdrv_init(kernel: Kernel): number {
  return pci_register_driver(kernel, pcie_portdriver, null);
}
