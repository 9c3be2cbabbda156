import { E } from '../../../../base/errno.ts';
import {
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_EXP_DEVCAP,
  PCI_EXP_DEVCTL,
  type PciDev,
  pci_read_config_word,
  pci_restore_state,
  pci_save_state,
  pci_write_config_word,
  pcie_capability_read_dword,
  pcie_capability_read_word,
  pcie_capability_write_word,
} from '../../../include/pci.ts';

/**
 * Function and bus resets that vfio asks the PCI core for (drivers/pci/pci.c, v6.11): FLR where advertised, else the
 * secondary bus reset of the bridge above. Left out: device-specific, ACPI and power-management methods, slot resets.
 */
const PCI_BRIDGE_CONTROL = 0x3e;
const PCI_BRIDGE_CTL_BUS_RESET = 0x40;
const PCI_EXP_DEVCAP_FLR = 0x1000_0000;
const PCI_EXP_DEVCTL_BCR_FLR = 0x8000;
const MS = 1_000_000;

export function pcie_has_flr(dev: PciDev): boolean {
  return (pcie_capability_read_dword(dev, PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR) !== 0;
}

/** pci_probe_reset_bus: possible when there is a bridge above. */
export function pci_probe_reset_bus(dev: PciDev): number {
  return dev.pci_bus.self ? 0 : -E.ENOTTY;
}

/** pci_reset_secondary_bus: 2 ms asserted, then up to a second until the devices answer (here 100 ms). */
function pci_bridge_secondary_bus_reset(bridge: PciDev): void {
  const ctl = pci_read_config_word(bridge, PCI_BRIDGE_CONTROL);
  pci_write_config_word(bridge, PCI_BRIDGE_CONTROL, ctl | PCI_BRIDGE_CTL_BUS_RESET);
  bridge.kernel.scheduler.advance(2 * MS);
  pci_write_config_word(bridge, PCI_BRIDGE_CONTROL, ctl & ~PCI_BRIDGE_CTL_BUS_RESET);
  bridge.kernel.scheduler.advance(100 * MS);
}

function saveAndDisable(dev: PciDev): void {
  pci_save_state(dev);
  pci_write_config_word(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
}

/** pci_try_reset_function: 0, or -ENOTTY when no method exists. State is saved and restored around it. */
export function pci_try_reset_function(dev: PciDev): number {
  const { kernel } = dev;
  return kernel.span(kernel.site('pci_try_reset_function', [], 'drivers/pci/pci.c'), 0, 0, () => {
    const flr = pcie_has_flr(dev);
    // A bus reset as function reset only when nothing else sits on the bus.
    const alone = dev.pci_bus.devices.length === 1 && dev.subordinate === null;
    if (!flr && (!alone || pci_probe_reset_bus(dev) !== 0)) return -E.ENOTTY;
    saveAndDisable(dev);
    if (flr) {
      const ctl = pcie_capability_read_word(dev, PCI_EXP_DEVCTL);
      pcie_capability_write_word(dev, PCI_EXP_DEVCTL, ctl | PCI_EXP_DEVCTL_BCR_FLR);
      kernel.scheduler.advance(100 * MS);
    } else if (dev.pci_bus.self) pci_bridge_secondary_bus_reset(dev.pci_bus.self);
    pci_restore_state(dev);
    return 0;
  });
}

/** pci_reset_bus for the bus `dev` sits on: every function's header is saved and restored, nothing else. */
export function pci_reset_bus(dev: PciDev): number {
  const bridge = dev.pci_bus.self;
  if (!bridge) return -E.ENOTTY;
  const { kernel } = dev;
  return kernel.span(kernel.site('pci_reset_bus', ['bus'], 'drivers/pci/pci.c'), dev.pci_bus.number, 0, () => {
    for (const other of dev.pci_bus.devices) saveAndDisable(other);
    pci_bridge_secondary_bus_reset(bridge);
    for (const other of dev.pci_bus.devices) pci_restore_state(other);
    return 0;
  });
}
