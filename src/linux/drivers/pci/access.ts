import { E } from '../../../base/errno.ts';
import type { Kernel } from '../../include/kernel.ts';
import { type ConfigWidth, PCI, type PciDev } from '../../include/pci_types.ts';

/**
 * Config space access (drivers/pci/access.c, arch/x86/pci/{common,direct,mmconfig_64}.c, v6.11): on x86 the first 256
 * bytes go through ports 0xcf8/0xcfc, the rest through the memory-mapped window. Leaves out segments other than 0.
 */

const ONES = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const;

/** pci_conf1_address: bits 27:24 would carry register bits 11:8, never used here. */
function pci_conf1_address(bus: number, devfn: number, reg: number): number {
  return (0x80000000 + bus * 0x10000 + devfn * 0x100 + (reg & 0xfc)) >>> 0;
}

/** ECAM address of a function's register, or null when no window covers the bus. */
function pci_dev_base(kernel: Kernel, bus: number, devfn: number): number | null {
  for (const region of kernel.get(PCI).mmcfg)
    if (bus >= region.start_bus && bus <= region.end_bus) return region.address + bus * 0x100000 + devfn * 0x1000;
  return null;
}

/** raw_pci_read: all ones when no mechanism reaches the register. */
export function pci_bus_read_config(
  kernel: Kernel,
  bus: number,
  devfn: number,
  reg: number,
  width: ConfigWidth,
): number {
  const cpu = kernel.cpu.bus;
  if (reg < 256 && kernel.get(PCI).conf1) {
    cpu.outp(0xcf8, 4, pci_conf1_address(bus, devfn, reg));
    return cpu.inp(0xcfc + (reg & 3), width);
  }
  const base = reg < 4096 ? pci_dev_base(kernel, bus, devfn) : null;
  return base === null ? ONES[width] : cpu.load(base + reg, width);
}

/** raw_pci_write: 0, or -EINVAL when no mechanism reaches the register. */
export function pci_bus_write_config(
  kernel: Kernel,
  bus: number,
  devfn: number,
  reg: number,
  width: ConfigWidth,
  value: number,
): number {
  const cpu = kernel.cpu.bus;
  if (reg < 256 && kernel.get(PCI).conf1) {
    cpu.outp(0xcf8, 4, pci_conf1_address(bus, devfn, reg));
    cpu.outp(0xcfc + (reg & 3), width, value >>> 0);
    return 0;
  }
  const base = reg < 4096 ? pci_dev_base(kernel, bus, devfn) : null;
  if (base === null) return -E.EINVAL;
  cpu.store(base + reg, width, value >>> 0);
  return 0;
}

/** Config reads give the value; what nobody answers reads as all ones. */
export function pci_read_config_byte(dev: PciDev, where: number): number {
  return pci_bus_read_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 1);
}
export function pci_read_config_word(dev: PciDev, where: number): number {
  return pci_bus_read_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 2);
}
export function pci_read_config_dword(dev: PciDev, where: number): number {
  return pci_bus_read_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 4);
}
/** Config writes give 0 or a negated errno. */
export function pci_write_config_byte(dev: PciDev, where: number, value: number): number {
  return pci_bus_write_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 1, value);
}
export function pci_write_config_word(dev: PciDev, where: number, value: number): number {
  return pci_bus_write_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 2, value);
}
export function pci_write_config_dword(dev: PciDev, where: number, value: number): number {
  return pci_bus_write_config(dev.kernel, dev.pci_bus.number, dev.devfn, where, 4, value);
}

/** Registers of the PCI Express capability by their offset in it (0 when the device has none). */
export function pcie_capability_read_word(dev: PciDev, pos: number): number {
  return dev.pcie_cap ? pci_read_config_word(dev, dev.pcie_cap + pos) : 0;
}
export function pcie_capability_read_dword(dev: PciDev, pos: number): number {
  return dev.pcie_cap ? pci_read_config_dword(dev, dev.pcie_cap + pos) : 0;
}
export function pcie_capability_write_word(dev: PciDev, pos: number, value: number): number {
  return dev.pcie_cap ? pci_write_config_word(dev, dev.pcie_cap + pos, value) : -E.EINVAL;
}
