import { E } from '../../../../base/errno.ts';
import {
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_EXP_DEVCAP,
  type PciDev,
  pci_restore_state,
  pci_save_state,
  pci_write_config_word,
  pcie_capability_read_dword,
} from '../../../include/pci.ts';
import { pci_bridge_secondary_bus_reset, pci_reset_function } from '../../pci/reset.ts';

/** Resets that vfio asks the PCI core for (drivers/pci/pci.c, v6.11): function, and the bus a function sits on. Left out: slot resets. */
const PCI_EXP_DEVCAP_FLR = 0x1000_0000;

export function pcie_has_flr(dev: PciDev): boolean {
  return (pcie_capability_read_dword(dev, PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR) !== 0;
}

/** pci_probe_reset_bus: possible when there is a bridge above. */
export function pci_probe_reset_bus(dev: PciDev): number {
  return dev.pci_bus.self ? 0 : -E.ENOTTY;
}

/** pci_dev_trylock: who unbinds the function, or waits to, has it. */
const pci_dev_trylock = (dev: PciDev): boolean => !dev.mutex.locked;

/** pci_try_reset_function: 0, -ENOTTY when the function has no reset method, -EAGAIN when somebody has its lock. */
export function pci_try_reset_function(dev: PciDev): number {
  const { kernel } = dev;
  const site = kernel.site('pci_try_reset_function', ['bus', 'devfn'], 'drivers/pci/pci.c');
  return kernel.span(site, dev.pci_bus.number, dev.devfn, () =>
    pci_dev_trylock(dev) ? pci_reset_function(dev) : -E.EAGAIN,
  );
}

/** pci_reset_bus for the bus `dev` sits on: every function's header is saved and restored, nothing else. */
export function pci_reset_bus(dev: PciDev): number {
  const bridge = dev.pci_bus.self;
  if (!bridge) return -E.ENOTTY;
  const { kernel } = dev;
  const site = kernel.site('pci_reset_bus', ['bus'], 'drivers/pci/pci.c');
  return kernel.span(site, dev.pci_bus.number, 0, () => {
    // pci_bus_trylock
    if (![bridge, ...dev.pci_bus.devices].every(pci_dev_trylock)) return -E.EAGAIN;
    for (const other of dev.pci_bus.devices) {
      pci_save_state(other);
      pci_write_config_word(other, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
    }
    pci_bridge_secondary_bus_reset(bridge);
    for (const other of dev.pci_bus.devices) pci_restore_state(other);
    return 0;
  });
}
