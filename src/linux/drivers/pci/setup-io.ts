import { hex } from '../../../base/addr.ts';
import { IORESOURCE_IO, PCI_BRIDGE_RESOURCES, type PciBus, type PciDev } from '../../include/pci_types.ts';
import { pciehp_has_slot } from './hotplug/slot.ts';

/**
 * I/O port windows at a rescan (drivers/pci/setup-bus.c:pbus_size_io, v6.12). Slots that can be hot-plugged would like 256 ports
 * in reserve, and every bridge above them room for that; below a host bridge without port space every attempt fails, and says
 * so twice: once with the reserve, once without. Host bridges that have ports are left alone (they are not kept in a tree).
 */

const RESERVE = 0x100;
const ALIGN = 0x1000;

interface Wish {
  readonly dev: PciDev;
  readonly size: number;
}

const busRange = (bus: PciBus) =>
  bus.number === bus.busn_end ? hex(bus.number, 2) : `${hex(bus.number, 2)}-${hex(bus.busn_end, 2)}`;

/** __pci_bus_size_bridges: what each bridge below the bus asks for, lowest first; gives what is asked on this bus. */
function size_bridges(bus: PciBus, wishes: Wish[]): number {
  let asked = 0;
  for (const dev of bus.devices) {
    const { subordinate } = dev;
    if (!subordinate) continue;
    const below = size_bridges(subordinate, wishes);
    if ((dev.resource[PCI_BRIDGE_RESOURCES]?.flags ?? 0) & IORESOURCE_IO) continue;
    const own = pciehp_has_slot(dev) ? RESERVE : 0;
    const size = Math.ceil((own + below) / ALIGN) * ALIGN;
    if (size === 0) continue;
    wishes.push({ dev, size });
    asked += size;
    dev.info(`bridge window [io  0x1000-0x0fff] to [bus ${busRange(subordinate)}] add_size ${hex(size)}`);
  }
  return asked;
}

function assign(bus: PciBus, wishes: readonly Wish[]): void {
  const here = wishes.filter(({ dev }) => dev.pci_bus === bus);
  for (const { dev, size } of [...here, ...[...here].reverse()]) {
    dev.info(`bridge window [io  size 0x${hex(size, 4)}]: can't assign; no space`);
    dev.info(`bridge window [io  size 0x${hex(size, 4)}]: failed to assign`);
  }
  for (const { subordinate } of bus.devices) if (subordinate) assign(subordinate, wishes);
}

export function pci_want_io_windows(root: PciBus): void {
  if (root.parent || root.resources.some(({ flags }) => flags & IORESOURCE_IO)) return;
  const wishes: Wish[] = [];
  size_bridges(root, wishes);
  assign(root, wishes);
}
