import { assert } from '../../base/assert.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import type { PciBridge } from './pci-bridge.ts';
import type { PciFunction } from './pci-function.ts';

/** struct PCIBus: a bus with its functions and the two spaces their BARs are mapped into. */
export class PciBus {
  /** Grows whenever a bus of any machine may answer to another number: what remembers routes asks again. */
  static numbering = 0;
  readonly devices = new Map<number, PciFunction>();
  /** Buses below: secondary buses of bridges, and (for `pcie.0`) the root buses of expander bridges. */
  readonly children: PciBus[] = [];

  constructor(
    /** `pcie.0`, the id of an expander, the id of a bridge. */
    readonly name: string,
    readonly address_space_mem: MemoryRegion,
    readonly address_space_io: MemoryRegion,
    /** The bridge above, or null for a root bus. */
    readonly parent_dev: PciBridge | null,
    /** Bus number of a root bus: 0, or what the expander was given. */
    private readonly rootNumber = 0,
    /** Id of the function that stands for a root bus (`cxl.1` for an expander), or null for pcie.0. */
    readonly hostId: string | null = null,
  ) {}

  get isRoot(): boolean {
    return this.parent_dev === null;
  }

  /** pci_bus_num(): read from the bridge's register, so firmware and kernel decide. */
  get busNumber(): number {
    return this.parent_dev ? this.parent_dev.config.peek(0x19, 1) : this.rootNumber;
  }

  /** do_pci_register_device(): puts a function on the bus. */
  add(device: PciFunction, devfn: number): void {
    assert(!this.devices.has(devfn), `pci: devfn ${devfn} of bus ${this.name} is taken`);
    device.bus = this;
    device.devfn = devfn;
    this.devices.set(devfn, device);
    PciBus.numbering++;
    if (device.secondaryBus) this.children.push(device.secondaryBus);
    this.parent_dev?.populated(device);
    device.publish();
  }

  remove(device: PciFunction): void {
    for (const region of device.io_regions) {
      if (region && region.addr >= 0)
        device.env.core.memory_region_del_subregion(region.memory.container ?? this.address_space_mem, region.memory);
      if (region) region.addr = -1;
    }
    const below = device.secondaryBus;
    if (below) this.children.splice(this.children.indexOf(below), 1);
    this.devices.delete(device.devfn);
    PciBus.numbering++;
    this.parent_dev?.unpopulated(device);
    device.bus = null;
    device.unpublish();
  }

  /** The root bus of an expander bridge (`cxl.1`) hangs below `pcie.0` for routing. */
  addRootBus(bus: PciBus): void {
    assert(bus.isRoot, `pci: ${bus.name} is not a root bus`);
    this.children.push(bus);
  }

  /** First free slot, function 0, for `-device` without `addr=`. */
  freeSlot(from = 0): number {
    for (let slot = from; slot < 32; slot++) {
      let used = false;
      for (let fn = 0; fn < 8; fn++) used ||= this.devices.has(slot * 8 + fn);
      if (!used) return slot * 8;
    }
    return -1;
  }

  /** pci_find_bus_nr(): the bus with this number at or below here, as the bridges route now. */
  find(number: number): PciBus | null {
    if (this.busNumber === number) return this;
    for (const child of this.children) {
      const bridge = child.parent_dev;
      if (bridge === null) {
        const found = child.find(number);
        if (found) return found;
        continue;
      }
      const secondary = bridge.config.peek(0x19, 1);
      const subordinate = bridge.config.peek(0x1a, 1);
      if (secondary !== 0 && number >= secondary && number <= subordinate) {
        const found = child.find(number);
        if (found) return found;
      }
    }
    return null;
  }

  /** Functions on this bus in devfn order, then those below. */
  *walk(): Generator<PciFunction> {
    const order = [...this.devices.keys()].sort((a, b) => a - b);
    for (const devfn of order) {
      const device = this.devices.get(devfn);
      if (device) yield device;
    }
    for (const child of this.children) yield* child.walk();
  }

  /** bus_cold_reset(): resets everything on the bus, children first as qbus does. */
  reset(): void {
    for (const child of this.children) child.reset();
    for (const device of this.devices.values()) device.reset();
  }

  /** The number of this bus changed: what is published of the functions on it has to follow. */
  renumbered(): void {
    PciBus.numbering++;
    for (const device of this.devices.values()) device.publish();
  }
}
