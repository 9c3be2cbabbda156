/** Resource lists of SeaBIOS src/fw/pciinit.c (1.16.3): what each bus needs, largest alignment first. */
import type { Addr } from '../../base/addr.ts';
import type { Bdf, ConfigCycles } from './config-cycles.ts';

export const RegionType = { IO: 0, MEM: 1, PREFMEM: 2 } as const;
export type RegionTypeId = 0 | 1 | 2;

export interface PciDevice {
  readonly bdf: Bdf;
  readonly vendor: number;
  readonly device: number;
  readonly class: number;
  readonly headerType: number;
  readonly secondaryBus: number;
  readonly parent: PciDevice | null;
}

export interface RegionEntry {
  readonly dev: PciDevice;
  /** BAR number, 6 for the ROM, -1 for a bridge window. */
  readonly bar: number;
  readonly size: number;
  readonly align: number;
  readonly type: RegionTypeId;
  readonly is64: boolean;
}

/** struct pci_region */
export class Region {
  base: Addr = 0;
  entries: RegionEntry[] = [];

  /** pci_region_create_entry(): keeps the list sorted by alignment, then size, first come first. */
  insert(entry: RegionEntry): void {
    const at = this.entries.findIndex(
      (other) => other.align < entry.align || (other.align === entry.align && other.size < entry.size),
    );
    this.entries.splice(at < 0 ? this.entries.length : at, 0, entry);
  }
  get align(): number {
    return this.entries[0]?.align ?? 1;
  }
  get sum(): number {
    let sum = 0;
    for (const entry of this.entries) sum += entry.size;
    return sum;
  }
  /** pci_region_migrate_64bit_entries(): USB controllers stay low. */
  take64(from: Region): void {
    this.entries = from.entries.filter((entry) => entry.is64 && entry.dev.class !== 0x0c03);
    from.entries = from.entries.filter((entry) => !this.entries.includes(entry));
  }
}

/** struct pci_bus */
export class Bus {
  readonly r = [new Region(), new Region(), new Region()] as const;
  dev: PciDevice | null = null;
}

export function barOffset(dev: PciDevice, bar: number): number {
  if (bar !== 6) return 0x10 + bar * 4;
  return (dev.headerType & 0x7f) === 1 ? 0x38 : 0x30;
}

/** pci_bios_get_bar(): sizes one BAR by writing all ones. Size 0: not there. */
export function pci_bios_get_bar(
  cfg: ConfigCycles,
  dev: PciDevice,
  bar: number,
): { readonly type: RegionTypeId; readonly size: number; readonly is64: boolean } {
  const offset = barOffset(dev, bar);
  const old = cfg.read(dev.bdf, offset, 4);
  let mask = 0xfffff800;
  let type: RegionTypeId = RegionType.MEM;
  let is64 = false;
  if (bar === 6) cfg.write(dev.bdf, offset, 4, mask);
  else {
    if (old & 1) {
      mask = 0xfffffffc;
      type = RegionType.IO;
    } else {
      mask = 0xfffffff0;
      if (old & 8) type = RegionType.PREFMEM;
      is64 = (old & 6) === 4;
    }
    cfg.write(dev.bdf, offset, 4, 0xffffffff);
  }
  const low = (cfg.read(dev.bdf, offset, 4) & mask) >>> 0;
  cfg.write(dev.bdf, offset, 4, old);
  let high = 0;
  if (is64) {
    const hold = cfg.read(dev.bdf, offset + 4, 4);
    cfg.write(dev.bdf, offset + 4, 4, 0xffffffff);
    high = cfg.read(dev.bdf, offset + 4, 4);
    cfg.write(dev.bdf, offset + 4, 4, hold);
  }
  // The writable bits are the address bits: the lowest one is the size.
  const size = low !== 0 ? (low & -low) >>> 0 : high !== 0 ? ((high & -high) >>> 0) * 2 ** 32 : 0;
  return { type, size, is64 };
}

/** pci_bridge_has_region(): whether the optional window registers exist (closes the window as a side effect). */
export function pci_bridge_has_region(cfg: ConfigCycles, dev: PciDevice, type: RegionTypeId): boolean {
  if (type === RegionType.MEM) return true;
  const offset = type === RegionType.IO ? 0x1c : 0x24;
  cfg.write(dev.bdf, offset, 1, 0xff);
  return cfg.read(dev.bdf, offset, 1) !== 0;
}

/** pci_bios_bridge_region_is64(): a prefetchable window with 64-bit registers and nothing 32-bit behind it. */
export function pci_bios_bridge_region_is64(
  cfg: ConfigCycles,
  region: Region,
  dev: PciDevice,
  type: RegionTypeId,
): boolean {
  if (type !== RegionType.PREFMEM) return false;
  let window = cfg.read(dev.bdf, 0x24, 4);
  if (window === 0) {
    cfg.write(dev.bdf, 0x24, 4, 0xfff0fff0);
    window = cfg.read(dev.bdf, 0x24, 4);
    cfg.write(dev.bdf, 0x24, 4, 0);
  }
  if ((window & 0x0f) !== 1) return false;
  return region.entries.every((entry) => entry.is64);
}

export type Hotplug = 'none' | 'pcie' | 'shpc';

/** pci_bus_hotplug_support(): a downstream port with a slot, or a bridge with a standard hot-plug controller. */
export function pci_bus_hotplug_support(cfg: ConfigCycles, dev: PciDevice, pcieCap: number): Hotplug {
  if (pcieCap !== 0) {
    const flags = cfg.read(dev.bdf, pcieCap + 2, 2);
    const port = (flags >> 4) & 0xf;
    if (port !== 7) return (port === 4 || port === 6) && flags & 0x100 ? 'pcie' : 'none';
  }
  return cfg.capability(dev.bdf, 0x0c) !== 0 ? 'shpc' : 'none';
}

/** pci_find_resource_reserve_capability(): QEMU's vendor capability in pcie-root-port and pcie-pci-bridge. */
export function resourceReserve(cfg: ConfigCycles, dev: PciDevice): number {
  if (dev.vendor !== 0x1b36 || (dev.device !== 0x000c && dev.device !== 0x000e)) return 0;
  let at = 0;
  do at = cfg.capability(dev.bdf, 0x09, at);
  while (at !== 0 && cfg.read(dev.bdf, at + 3, 1) !== 1);
  return at !== 0 && cfg.read(dev.bdf, at + 2, 1) >= 32 ? at : 0;
}

/** Bytes the capability at `at` asks for in windows of `type`; 0 when it leaves it open. */
export function reservedSize(cfg: ConfigCycles, dev: PciDevice, at: number, type: RegionTypeId): number {
  const pair = (offset: number) => {
    const low = cfg.read(dev.bdf, at + offset, 4);
    const high = cfg.read(dev.bdf, at + offset + 4, 4);
    return low === 0xffffffff && high === 0xffffffff ? null : high * 2 ** 32 + low;
  };
  const word = (offset: number) => {
    const value = cfg.read(dev.bdf, at + offset, 4);
    return value === 0xffffffff ? null : value;
  };
  if (type === RegionType.IO) return pair(8) ?? 0;
  if (type === RegionType.MEM) return word(16) ?? 0;
  const narrow = word(20);
  const wide = pair(24);
  if (narrow !== null && wide !== null) return 0;
  return narrow ?? wide ?? 0;
}
