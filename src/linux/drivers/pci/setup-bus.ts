import { hi32, lo32 } from '../../../base/addr.ts';
import type { Resource } from '../../include/ioport.ts';
import {
  IORESOURCE_IO,
  IORESOURCE_MEM,
  IORESOURCE_MEM_64,
  IORESOURCE_PREFETCH,
  IORESOURCE_UNSET,
  PCI_BRIDGE_RESOURCES,
  type PciBus,
  type PciDev,
  type PciResource,
} from '../../include/pci_types.ts';
import { pci_write_config_dword, pci_write_config_word } from './access.ts';
import { pci_resource_name } from './pci.ts';
import { pci_want_io_windows } from './setup-io.ts';

/**
 * Claiming what firmware assigned and assigning what it left open (arch/x86/pci/i386.c, drivers/pci/setup-bus.c,
 * setup-res.c, v6.11). Bridge windows are never moved or made, only written back; I/O ports are not tracked in a tree.
 */

/** Window of the bus that contains the range and fits its kind. */
function pci_find_parent_resource(bus: PciBus, r: PciResource): PciResource | null {
  let found: PciResource | null = null;
  for (const window of bus.resources) {
    if (!window.res || (window.flags & IORESOURCE_MEM) === 0) continue;
    if (r.start < window.start || r.end > window.end) continue;
    if (window.flags & IORESOURCE_PREFETCH && !(r.flags & IORESOURCE_PREFETCH)) continue;
    if (r.flags & IORESOURCE_PREFETCH && !(window.flags & IORESOURCE_PREFETCH) && found) continue;
    found = window;
  }
  return found;
}

function claim(bus: PciBus, dev: PciDev, index: number, what: string, name: string): boolean {
  const r = dev.resource[index] as PciResource;
  const { iomem } = bus.kernel;
  const parent = pci_find_parent_resource(bus, r);
  if (!parent?.res) {
    dev.info(`${what} ${pci_resource_name(r)}: can't claim; no compatible bridge window`);
    return false;
  }
  const res = iomem.make(name, r.start, r.end);
  if (iomem.request_resource(parent.res, res) !== 0) {
    const conflict: Resource | null = iomem.conflict;
    dev.info(
      `${what} ${pci_resource_name(r)}: can't claim; address conflict with ${conflict ? `${conflict.name} [mem 0x${conflict.start.toString(16)}-0x${conflict.end.toString(16)}]` : 'unknown'}`,
    );
    return false;
  }
  r.res = res;
  return true;
}

/** The windows of a bridge as firmware left them. */
function pci_bus_claim_windows(bus: PciBus, dev: PciDev): void {
  for (let n = 0; n < 3; n++) {
    const r = dev.resource[PCI_BRIDGE_RESOURCES + n] as PciResource;
    if (!(r.flags & IORESOURCE_MEM) || r.res || !dev.subordinate) continue;
    if (claim(bus, dev, PCI_BRIDGE_RESOURCES + n, 'bridge window', `PCI Bus ${dev.subordinate.name}`)) continue;
    r.flags = 0;
    r.start = 0;
    r.end = -1;
  }
}

/** pcibios_allocate_bus_resources + pcibios_allocate_dev_resources over one root bus. */
export function pci_bus_claim_resources(bus: PciBus): void {
  for (const dev of bus.devices) {
    if (dev.is_bridge) pci_bus_claim_windows(bus, dev);
    for (let n = 0; n < 7; n++) {
      const r = dev.resource[n] as PciResource;
      if (!(r.flags & IORESOURCE_MEM) || r.res) continue;
      // an expansion ROM is claimed only when it is enabled; firmware leaves it off
      if (n === 6) continue;
      if (r.start === 0 || !claim(bus, dev, n, `BAR ${n}`, dev.name)) {
        r.end -= r.start;
        r.start = 0;
        r.flags |= IORESOURCE_UNSET;
      }
    }
    if (dev.subordinate) pci_bus_claim_resources(dev.subordinate);
  }
}

/** pci_setup_bridge: writes the windows as the kernel knows them; one without a resource is closed. */
function pci_setup_bridge(dev: PciDev): void {
  const [io, mem, pref] = dev.resource.slice(PCI_BRIDGE_RESOURCES) as [PciResource, PciResource, PciResource];
  const pair = (r: PciResource) => (((r.end / 0x10000) & 0xfff0) * 0x10000 + ((r.start / 0x10000) & 0xfff0)) >>> 0;
  const word = io.flags & IORESOURCE_IO ? ((io.start >> 8) & 0xf0) | (io.end & 0xf000) : 0x00f0;
  pci_write_config_word(dev, 0x1c, word);
  pci_write_config_dword(dev, 0x30, 0);
  pci_write_config_dword(dev, 0x20, mem.flags & IORESOURCE_MEM ? pair(mem) : 0x0000_fff0);
  // the upper half of the limit goes first, so that the window is never wider than it should be
  pci_write_config_dword(dev, 0x2c, 0);
  pci_write_config_dword(dev, 0x24, pref.flags & IORESOURCE_MEM ? pair(pref) : 0x0000_fff0);
  pci_write_config_dword(dev, 0x28, pref.flags & IORESOURCE_MEM ? hi32(pref.start) : 0);
  pci_write_config_dword(dev, 0x2c, pref.flags & IORESOURCE_MEM ? hi32(pref.end) : 0);
}

/** pci_assign_resource for every BAR that has no address; then the bridge above is set up. */
export function pci_assign_unassigned_resources(bus: PciBus): void {
  for (const dev of bus.devices) {
    for (let n = 0; n < 6; n++) {
      const r = dev.resource[n] as PciResource;
      if (r.flags & IORESOURCE_MEM && r.flags & IORESOURCE_UNSET) pci_assign_resource(bus, dev, n, r);
    }
    if (!dev.subordinate) continue;
    pci_assign_unassigned_resources(dev.subordinate);
    if (!dev.enable_cnt) pci_setup_bridge(dev);
  }
  const { kernel } = bus;
  bus.resources.forEach((window, n) => {
    if (!(window.flags & (IORESOURCE_IO | IORESOURCE_MEM))) return;
    const text = pci_resource_name(window);
    const index = bus.parent ? n : n + 4;
    kernel.printk(6, `pci_bus ${bus.name}: resource ${index} ${bus.parent ? text : text.replace(/\]$/, ' window]')}`);
  });
}

function pci_assign_resource(bus: PciBus, dev: PciDev, index: number, r: PciResource): void {
  const { iomem } = bus.kernel;
  const size = r.end - r.start + 1;
  for (const window of bus.resources) {
    if (!window.res || (window.flags & IORESOURCE_PREFETCH && !(r.flags & IORESOURCE_PREFETCH))) continue;
    const max = r.flags & IORESOURCE_MEM_64 ? window.end : Math.min(window.end, 0xffffffff);
    const min = Math.max(window.start, 0x100000);
    const at = min <= max ? iomem.find_free(window.res, size, Math.max(size, 4096), min, max) : null;
    if (at === null) continue;
    const res = iomem.make(dev.name, at, at + size - 1);
    if (iomem.request_resource(window.res, res) !== 0) continue;
    r.flags &= ~IORESOURCE_UNSET;
    r.start = at;
    r.end = at + size - 1;
    r.res = res;
    dev.info(`BAR ${index} ${pci_resource_name(r)}: assigned`);
    pci_write_config_dword(dev, 0x10 + index * 4, (lo32(at) | (r.flags & 0xf)) >>> 0);
    if (r.flags & IORESOURCE_MEM_64) pci_write_config_dword(dev, 0x14 + index * 4, hi32(at));
    return;
  }
  dev.info(`BAR ${index} ${pci_resource_name(r)}: can't assign; no space`);
  dev.info(`BAR ${index} ${pci_resource_name(r)}: failed to assign`);
}

/** For functions that appeared later: their BARs get addresses anew, the largest first; windows stay as they are. */
export function pci_assign_unassigned_bus_resources(bus: PciBus): void {
  if (!bus.parent) pci_want_io_windows(bus);
  for (const dev of bus.devices) {
    const open = dev.resource
      .slice(0, 6)
      .map((r, n) => ({ r, n }))
      .filter(({ r }) => r.flags & IORESOURCE_MEM && !r.res);
    for (const { r, n } of open.sort((a, b) => b.r.end - b.r.start - (a.r.end - a.r.start)))
      pci_assign_resource(bus, dev, n, r);
    if (!dev.subordinate) continue;
    pci_bus_claim_windows(bus, dev);
    pci_assign_unassigned_bus_resources(dev.subordinate);
  }
}

/** Gives a removed function's ranges back. */
export function pci_bus_release_resources(dev: PciDev): void {
  for (const r of dev.resource) {
    if (r.res) dev.kernel.iomem.release_resource(r.res);
    r.res = null;
  }
}
