import { fromHalves, hex } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { Kernel } from '../../include/kernel.ts';
import {
  IORESOURCE_IO,
  IORESOURCE_MEM,
  IORESOURCE_MEM_64,
  IORESOURCE_PREFETCH,
  IORESOURCE_UNSET,
  PCI_CAPABILITY_LIST,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
  PCI_EXP_TYPE_DOWNSTREAM,
  PCI_EXP_TYPE_ROOT_PORT,
  PCI_EXT_CAP_ID_DVSEC,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  type PciDev,
  type PciResource,
} from '../../include/pci_types.ts';
import {
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_dword,
  pci_write_config_word,
} from './access.ts';
import { pci_restore_msi_state, pci_save_msi_state } from './msi.ts';
import { pci_for_each_dev } from './search.ts';

const PCI_EXT_CAP_ID_DSN = 3;

/**
 * Services to drivers (drivers/pci/pci.c, v6.11): capabilities, enabling, bus mastering, resources, state saving.
 * Leaves out power states (every function is in D0) and resets (pci_reset_function: FLR is not advertised here).
 */

/** pci_find_capability: offset of a capability in the standard list, 0 if absent. */
export function pci_find_capability(dev: PciDev, cap: number): number {
  if (!(pci_read_config_word(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST)) return 0;
  let pos = pci_read_config_byte(dev, PCI_CAPABILITY_LIST);
  for (let ttl = 48; ttl > 0; ttl--) {
    if (pos < 0x40) return 0;
    pos &= 0xfc;
    const ent = pci_read_config_word(dev, pos);
    const id = ent & 0xff;
    if (id === 0xff) return 0;
    if (id === cap) return pos;
    pos = ent >> 8;
  }
  return 0;
}

/** pci_find_next_ext_capability: the next one after `start` (0: from the head), 0 if none. */
export function pci_find_next_ext_capability(dev: PciDev, start: number, cap: number): number {
  if (dev.cfg_size <= 256) return 0;
  let pos = start || 256;
  let header = pci_read_config_dword(dev, pos);
  if (header === 0 || header === 0xffffffff) return 0;
  for (let ttl = (4096 - 256) / 8; ttl > 0; ttl--) {
    if ((header & 0xffff) === cap && pos !== start) return pos;
    pos = (header >>> 20) & 0xffc;
    if (pos < 256) return 0;
    header = pci_read_config_dword(dev, pos);
  }
  return 0;
}

/** pci_find_ext_capability: offset of an extended capability, 0 if absent. */
export function pci_find_ext_capability(dev: PciDev, cap: number): number {
  return pci_find_next_ext_capability(dev, 0, cap);
}

/** pci_find_dvsec_capability: offset of the DVSEC with this vendor and id, 0 if absent. */
export function pci_find_dvsec_capability(dev: PciDev, vendor: number, dvsec: number): number {
  let pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_DVSEC);
  while (pos) {
    const found = pci_read_config_word(dev, pos + 4);
    if (found === vendor && pci_read_config_word(dev, pos + 8) === dvsec) return pos;
    pos = pci_find_next_ext_capability(dev, pos, PCI_EXT_CAP_ID_DVSEC);
  }
  return 0;
}

/** pci_enable_resources: sets the decode bits that the claimed BARs need. */
function pci_enable_resources(dev: PciDev): number {
  const old = pci_read_config_word(dev, PCI_COMMAND);
  let cmd = old;
  for (let n = 0; n < 6; n++) {
    const r = dev.resource[n] as PciResource;
    if (!(r.flags & (IORESOURCE_IO | IORESOURCE_MEM))) continue;
    if (r.flags & IORESOURCE_UNSET) {
      dev.err(`can't enable device: BAR ${n} ${pci_resource_name(r)} not assigned`);
      return -E.EINVAL;
    }
    if (r.flags & IORESOURCE_MEM && !r.res) {
      dev.err(`can't enable device: BAR ${n} ${pci_resource_name(r)} not claimed`);
      return -E.EINVAL;
    }
    cmd |= r.flags & IORESOURCE_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
  }
  if (dev.is_bridge) {
    for (let n = 13; n < 16; n++) {
      const r = dev.resource[n] as PciResource;
      if (r.flags & IORESOURCE_IO) cmd |= PCI_COMMAND_IO;
      else if (r.flags & IORESOURCE_MEM) cmd |= PCI_COMMAND_MEMORY;
    }
  }
  if (cmd !== old) {
    dev.info(`enabling device (${hex(old, 4)} -> ${hex(cmd, 4)})`);
    pci_write_config_word(dev, PCI_COMMAND, cmd);
  }
  return 0;
}

/** pci_enable_device: counted; the bridge above is enabled first. */
export function pci_enable_device(dev: PciDev): number {
  if (dev.enable_cnt++ > 0) return 0;
  const bridge = dev.pci_bus.self;
  if (bridge && !bridge.enable_cnt) {
    pci_enable_device(bridge);
    pci_set_master(bridge);
  }
  const rc = pci_enable_resources(dev);
  if (rc < 0) dev.enable_cnt--;
  return rc;
}

/** pci_disable_device: the last one clears bus mastering only, as on x86. */
export function pci_disable_device(dev: PciDev): void {
  if (dev.enable_cnt === 0 || --dev.enable_cnt > 0) return;
  const cmd = pci_read_config_word(dev, PCI_COMMAND);
  if (cmd & PCI_COMMAND_MASTER) pci_write_config_word(dev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
  dev.is_busmaster = false;
}

export function pci_is_enabled(dev: PciDev): boolean {
  return dev.enable_cnt > 0;
}

function set_master(dev: PciDev, on: boolean): void {
  const old = pci_read_config_word(dev, PCI_COMMAND);
  const cmd = on ? old | PCI_COMMAND_MASTER : old & ~PCI_COMMAND_MASTER;
  if (cmd !== old) pci_write_config_word(dev, PCI_COMMAND, cmd);
  dev.is_busmaster = on;
}
export function pci_set_master(dev: PciDev): void {
  set_master(dev, true);
}
export function pci_clear_master(dev: PciDev): void {
  set_master(dev, false);
}

// --- resources --------------------------------------------------------------------------------------------------

export function pci_resource_start(dev: PciDev, bar: number): number {
  return dev.resource[bar]?.start ?? 0;
}
/** Bytes of a BAR; 0 when it is not there. */
export function pci_resource_len(dev: PciDev, bar: number): number {
  const r = dev.resource[bar];
  return r?.flags ? r.end - r.start + 1 : 0;
}
export function pci_resource_flags(dev: PciDev, bar: number): number {
  return dev.resource[bar]?.flags ?? 0;
}

/** `%pR` of a resource. */
export function pci_resource_name(r: PciResource): string {
  const io = (r.flags & IORESOURCE_IO) !== 0;
  const digits = io ? 4 : 8;
  const range =
    r.flags & IORESOURCE_UNSET
      ? `size 0x${hex(r.end - r.start + 1, digits)}`
      : `0x${hex(r.start, digits)}-0x${hex(r.end, digits)}`;
  return `[${io ? 'io ' : 'mem'} ${range}${r.flags & IORESOURCE_MEM_64 ? ' 64bit' : ''}${r.flags & IORESOURCE_PREFETCH ? ' pref' : ''}]`;
}

/** pci_request_region: 0, or -EBUSY after `BAR n …: can't reserve`. */
export function pci_request_region(dev: PciDev, bar: number, name: string): number {
  const r = dev.resource[bar];
  if (!r || pci_resource_len(dev, bar) === 0) return 0;
  if (r.flags & IORESOURCE_MEM) {
    const held = dev.kernel.iomem.request_mem_region(r.start, r.end - r.start + 1, name);
    if (!held) {
      dev.warn(`BAR ${bar} ${pci_resource_name(r)}: can't reserve`);
      return -E.EBUSY;
    }
    dev.held[bar] = held;
  }
  return 0;
}

export function pci_release_region(dev: PciDev, bar: number): void {
  const held = dev.held[bar];
  const r = dev.resource[bar];
  if (held) dev.kernel.iomem.release_resource(held);
  else if (r && pci_resource_len(dev, bar) > 0 && r.flags & IORESOURCE_MEM)
    dev.kernel.printk(4, `Trying to free nonexistent resource <0x${hex(r.start, 16)}-0x${hex(r.end, 16)}>`);
  dev.held[bar] = null;
}

/** pci_request_selected_regions: all or nothing of the BARs in the bit mask. */
export function pci_request_selected_regions(dev: PciDev, bars: number, name: string): number {
  for (let bar = 0; bar < 6; bar++) {
    if (!(bars & (1 << bar))) continue;
    const rc = pci_request_region(dev, bar, name);
    if (rc) {
      for (let n = 0; n < bar; n++) if (bars & (1 << n)) pci_release_region(dev, n);
      return rc;
    }
  }
  return 0;
}

export function pci_release_selected_regions(dev: PciDev, bars: number): void {
  for (let bar = 0; bar < 6; bar++) if (bars & (1 << bar)) pci_release_region(dev, bar);
}

/** Device, link, slot and root control, then the second set: what pci_save_pcie_state keeps. */
function pcie_control_registers(dev: PciDev): readonly number[] {
  if (!dev.pcie_cap) return [];
  const flags = pci_read_config_word(dev, dev.pcie_cap + 2);
  const type = (flags >> 4) & 0xf;
  const port = type === PCI_EXP_TYPE_ROOT_PORT || type === PCI_EXP_TYPE_DOWNSTREAM;
  const slot = port && (flags & 0x100) !== 0;
  const first = [8, 16, ...(slot ? [24] : []), ...(type === PCI_EXP_TYPE_ROOT_PORT ? [28] : [])];
  return (flags & 0xf) >= 2 ? [...first, 40, 48, ...(slot ? [56] : [])] : first;
}

/** pci_get_dsn: the Device Serial Number, 0 without the capability. */
export function pci_get_dsn(dev: PciDev): number {
  const at = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_DSN);
  if (!at) return 0;
  const lo = pci_read_config_dword(dev, at + 4);
  return fromHalves(pci_read_config_dword(dev, at + 8), lo);
}

/** pci_save_state: the 64-byte header, the control registers of PCI Express, enabled message interrupts. */
export function pci_save_state(dev: PciDev): number {
  dev.saved_config = Array.from({ length: 16 }, (_, n) => pci_read_config_dword(dev, n * 4));
  dev.saved_caps = {
    pcie: pcie_control_registers(dev).map((pos) => pci_read_config_word(dev, dev.pcie_cap + pos)),
    msi: pci_save_msi_state(dev),
  };
  return 0;
}

/** pci_restore_state: writes back what differs, from the last dword down, as Linux does. */
export function pci_restore_state(dev: PciDev): void {
  const saved = dev.saved_config;
  if (!saved) return;
  const caps = dev.saved_caps;
  pcie_control_registers(dev).forEach((pos, n) => {
    const value = caps?.pcie[n];
    if (value !== undefined && pci_read_config_word(dev, dev.pcie_cap + pos) !== value)
      pci_write_config_word(dev, dev.pcie_cap + pos, value);
  });
  for (let n = 15; n >= 0; n--)
    if (pci_read_config_dword(dev, n * 4) !== saved[n]) pci_write_config_dword(dev, n * 4, saved[n] as number);
  if (caps) pci_restore_msi_state(dev, caps.msi);
  dev.saved_config = null;
  dev.saved_caps = null;
}

/** pci_get_domain_bus_and_slot: the function at this address, or null. */
export function pci_get_domain_bus_and_slot(kernel: Kernel, domain: number, bus: number, devfn: number): PciDev | null {
  let found: PciDev | null = null;
  pci_for_each_dev(kernel, (dev) => {
    if (dev.pci_bus.segment !== domain || dev.pci_bus.number !== bus || dev.devfn !== devfn) return false;
    found = dev;
    return true;
  });
  return found;
}

/** The `pci:v…` string that modprobe matches. */
export function pci_modalias(dev: PciDev): string {
  const up = (value: number, digits: number) => hex(value, digits).toUpperCase();
  const cls = dev.class_code;
  return (
    `pci:v${up(dev.vendor, 8)}d${up(dev.device, 8)}sv${up(dev.subsystem_vendor, 8)}sd${up(dev.subsystem_device, 8)}` +
    `bc${up((cls >> 16) & 0xff, 2)}sc${up((cls >> 8) & 0xff, 2)}i${up(cls & 0xff, 2)}`
  );
}
