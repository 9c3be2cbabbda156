import { E } from '../../../base/errno.ts';
import type { PciDev } from '../../include/pci_types.ts';
import {
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_word,
  pcie_capability_read_dword,
} from './access.ts';
import { pci_find_dvsec_capability, pci_restore_state, pci_save_state } from './pci.ts';

/**
 * Function and bus resets (drivers/pci/pci.c, v6.11): FLR where advertised, secondary bus reset, and the variant that
 * unmasks it at a CXL port. Leaves out power-management reset and slot reset.
 */

const PCI_BRIDGE_CONTROL = 0x3e;
const PCI_BRIDGE_CTL_BUS_RESET = 0x40;
const MS = 1_000_000;

/** DVSEC "CXL extensions for ports" of a bridge, 0 if none. */
function cxl_port_dvsec(dev: PciDev): number {
  return pci_find_dvsec_capability(dev, 0x1e98, 3);
}

/** pci_bridge_secondary_bus_reset: assert 2 ms, release, wait 1 s for the devices below. */
export function pci_bridge_secondary_bus_reset(bridge: PciDev): void {
  const { kernel } = bridge;
  const ctl = pci_read_config_word(bridge, PCI_BRIDGE_CONTROL);
  pci_write_config_word(bridge, PCI_BRIDGE_CONTROL, ctl | PCI_BRIDGE_CTL_BUS_RESET);
  kernel.scheduler.advance(2 * MS);
  pci_write_config_word(bridge, PCI_BRIDGE_CONTROL, ctl);
  kernel.scheduler.advance(1000 * MS);
}

function has_flr(dev: PciDev): boolean {
  return dev.pcie_cap !== 0 && (pcie_capability_read_dword(dev, 4) & 0x1000_0000) !== 0;
}

/** Reset methods the function has, in the kernel's order. */
export function pci_reset_methods(dev: PciDev): readonly string[] {
  const methods: string[] = [];
  if (has_flr(dev)) methods.push('flr');
  const bridge = dev.pci_bus.self;
  // Probing asks a masked port no further, so a switch below one has both although neither will work.
  if (bridge && (cxl_sbr_masked(bridge) || pci_parent_bus_reset(dev, true) === 0)) methods.push('bus');
  if (bridge && cxl_port_dvsec(bridge)) methods.push('cxl_bus');
  return methods;
}

function cxl_sbr_masked(bridge: PciDev): boolean {
  const dvsec = cxl_port_dvsec(bridge);
  return dvsec !== 0 && !(pci_read_config_word(bridge, dvsec + 0x0c) & 1);
}

/** pci_parent_bus_reset: only for a function that is alone on its bus and no bridge. */
function pci_parent_bus_reset(dev: PciDev, probe: boolean): number {
  const bridge = dev.pci_bus.self;
  if (!bridge || dev.subordinate || dev.pci_bus.devices.length !== 1) return -E.ENOTTY;
  if (!probe) pci_bridge_secondary_bus_reset(bridge);
  return 0;
}

/** pci_reset_bus_function: -ENOTTY where a CXL port masks the reset. */
function pci_reset_bus_function(dev: PciDev, bridge: PciDev): number {
  return cxl_sbr_masked(bridge) ? -E.ENOTTY : pci_parent_bus_reset(dev, false);
}

/** cxl_reset_bus_function: unmask, reset, put the bit back. */
function cxl_reset_bus_function(dev: PciDev, bridge: PciDev): number {
  const dvsec = cxl_port_dvsec(bridge);
  if (!dvsec) return -E.ENOTTY;
  const reg = pci_read_config_word(bridge, dvsec + 0x0c);
  if (!(reg & 1)) pci_write_config_word(bridge, dvsec + 0x0c, reg | 1);
  const rc = pci_reset_bus_function(dev, bridge);
  if (!(reg & 1)) pci_write_config_word(bridge, dvsec + 0x0c, reg);
  return rc;
}

/** __pci_reset_function_locked: the first method that does not say -ENOTTY. */
export function __pci_reset_function_locked(dev: PciDev): number {
  for (const method of dev.reset_methods ?? pci_reset_methods(dev)) {
    const bridge = dev.pci_bus.self;
    let rc = -E.ENOTTY;
    if (method === 'flr') {
      const at = dev.pcie_cap + 8;
      pci_write_config_word(dev, at, pci_read_config_word(dev, at) | 0x8000);
      dev.kernel.scheduler.advance(100 * MS);
      rc = 0;
    } else if (bridge)
      rc = method === 'bus' ? pci_reset_bus_function(dev, bridge) : cxl_reset_bus_function(dev, bridge);
    if (rc !== -E.ENOTTY) return rc;
  }
  return -E.ENOTTY;
}

/** pci_reset_function: saves and restores the standard header around the reset. */
export function pci_reset_function(dev: PciDev): number {
  if (pci_reset_methods(dev).length === 0) return -E.ENOTTY;
  pci_save_state(dev);
  const rc = __pci_reset_function_locked(dev);
  pci_read_config_dword(dev, 0);
  pci_restore_state(dev);
  dev.pci_driver?.reset_done?.(dev);
  return rc;
}

/**
 * reset_method_store: names in the order to try, `default` for what the probe found, an empty line for none. A name the
 * function does not have is -EINVAL.
 */
export function reset_method_store(dev: PciDev, text: string): number {
  const names = text
    .trim()
    .split(/\s+/)
    .filter((name) => name !== '');
  if (names.length === 1 && names[0] === 'default') {
    dev.reset_methods = null;
    return 0;
  }
  const has = pci_reset_methods(dev);
  const known = ['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'];
  for (const name of names)
    if (!known.includes(name) || !has.includes(name)) {
      dev.err(`${known.includes(name) ? 'Unsupported' : 'Invalid'} reset method '${name}'`);
      return -E.EINVAL;
    }
  dev.reset_methods = names;
  return 0;
}
