import type { Kernel } from '../../include/kernel.ts';
import { PCI, type PciBus, type PciDev } from '../../include/pci_types.ts';

/** Walks of the device tree (drivers/pci/search.c). */

function walk(bus: PciBus, visit: (dev: PciDev) => boolean | undefined): boolean {
  for (const dev of bus.devices) {
    if (visit(dev)) return true;
    if (dev.subordinate && walk(dev.subordinate, visit)) return true;
  }
  return false;
}

/** Visits every PCI function depth first; stops when `visit` gives true. */
export function pci_for_each_dev(kernel: Kernel, visit: (dev: PciDev) => boolean | undefined): void {
  if (!kernel.has(PCI)) return;
  for (const root of kernel.get(PCI).roots) if (walk(root, visit)) return;
}
