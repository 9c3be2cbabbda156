import type { Kernel } from '../../../include/kernel.ts';
import {
  PCI_EXP_RTCTL,
  PCI_EXP_TYPE_DOWNSTREAM,
  PCI_EXP_TYPE_ROOT_PORT,
  PCI_EXP_TYPE_UPSTREAM,
  type PciDriver,
} from '../../../include/pci_types.ts';
import { pcie_capability_read_word, pcie_capability_write_word } from '../access.ts';
import { pciehp_probe, pciehp_remove } from '../hotplug/pciehp.ts';
import { pciehp_has_slot } from '../hotplug/slot.ts';
import { PCI_IRQ_MSI, PCI_IRQ_MSIX, pci_alloc_irq_vectors, pci_free_irq_vectors } from '../msi.ts';
import { pci_disable_device, pci_enable_device, pci_set_master } from '../pci.ts';
import { pci_register_driver } from '../pci-driver.ts';
import { aer_probe, aer_remove } from './aer.ts';
import { pcie_port_bus_init, pcie_port_device_register } from './port-sysfs.ts';

/**
 * The PCIe port driver (drivers/pci/pcie/portdrv.c, v6.11): claims bridges, allocates one message interrupt and
 * starts the services (PME, AER, hotplug); their devices on the pci_express bus are in port-sysfs.ts.
 */

const PCI_EXP_RTCTL_PMEIE = 0x8;

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
    const root = type === PCI_EXP_TYPE_ROOT_PORT;
    const slot = pciehp_has_slot(dev);
    if (root || slot) pci_alloc_irq_vectors(dev, 1, PCI_IRQ_MSIX | PCI_IRQ_MSI);
    if (root) {
      dev.info(`PME: Signaling with IRQ ${dev.irq}`);
      pcie_capability_write_word(
        dev,
        PCI_EXP_RTCTL,
        pcie_capability_read_word(dev, PCI_EXP_RTCTL) | PCI_EXP_RTCTL_PMEIE,
      );
      if (aer_probe(dev)) dev.info(`AER: enabled with IRQ ${dev.irq}`);
    }
    if (slot) pciehp_probe(dev);
    pcie_port_device_register(dev);
    return 0;
  },
  remove(dev) {
    if (pciehp_has_slot(dev)) pciehp_remove(dev);
    if (dev.pcie_type === PCI_EXP_TYPE_ROOT_PORT) aer_remove(dev);
    pci_free_irq_vectors(dev);
    pci_disable_device(dev);
  },
};

export function pcie_portdrv_init(kernel: Kernel): number {
  pcie_port_bus_init(kernel);
  return pci_register_driver(kernel, pcie_portdriver, null);
}
