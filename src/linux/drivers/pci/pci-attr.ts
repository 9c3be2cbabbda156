/** Attributes of PCI functions. */
import { assert } from '../../../base/assert.ts';
import type { Attribute, Device } from '../../include/device.ts';
import { PciDev } from '../../include/pci_types.ts';

/** to_pci_dev */
export function pci(dev: Device): PciDev {
  assert(dev instanceof PciDev, `${dev.name} is not a PCI device`);
  return dev;
}

/** DEVICE_ATTR_RO with a line of text. */
export const ro = (name: string, show: (dev: PciDev) => string): Attribute => ({
  name,
  mode: 0o444,
  show: (dev) => `${show(pci(dev))}\n`,
});
