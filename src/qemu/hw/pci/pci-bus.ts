/** PCI buses of the VMM (hw/pci/pci.c, pci_host.c): bus numbers, finding a function, config accesses by address. */
import type { Width } from '../../../base/addr.ts';
import type { MemoryRegion } from '../../../hw/memory/index.ts';
import type { PCIDevice } from './pci.ts';

export class PCIBus {
  readonly devices = new Map<number, PCIDevice>();

  constructor(
    readonly name: string,
    readonly address_space_mem: MemoryRegion,
    readonly address_space_io: MemoryRegion,
    /** The bridge above; null for a root bus. */
    readonly parent: PCIDevice | null,
    /** Number of a root bus: 0 for pcie.0, `bus_nr` of an expander bridge. */
    private readonly rootNumber = 0,
    /** Behind a port: only slot 0 is reachable. */
    readonly onePortOnly = false,
    /** The expander bridge device a root bus belongs to (pxb-cxl). */
    readonly expander: PCIDevice | null = null,
  ) {}

  get isRoot(): boolean {
    return this.parent === null;
  }

  /** pci_bus_num() */
  get busNr(): number {
    return this.parent ? this.parent.options.config.peek(0x19, 1) : this.rootNumber;
  }

  /** Lowest devfn of a slot without functions, or -1. Slots fill from 0 (root bus: from 1, 0 is the host bridge). */
  firstFreeSlot(): number {
    for (let devfn = 0; devfn < 256; devfn += 8) {
      let used = false;
      for (let fn = 0; fn < 8; fn++) used ||= this.devices.has(devfn + fn);
      if (!used) return this.onePortOnly && devfn > 0 ? -1 : devfn;
    }
    return -1;
  }

  /** Functions in order of their numbers. */
  get functions(): PCIDevice[] {
    return [...this.devices.values()].sort((a, b) => a.devfn - b.devfn);
  }

  /** pci_find_bus_nr(): this bus or one below it, by the numbers in the bridges. */
  find(number: number): PCIBus | null {
    if (this.busNr === number) return this;
    for (const pci of this.devices.values()) {
      const below = pci.secondary;
      if (!below) continue;
      const { config } = pci.options;
      if (config.peek(0x19, 1) <= number && number <= config.peek(0x1a, 1)) {
        const found = below.find(number);
        if (found) return found;
      }
    }
    return null;
  }

  /** Every function on this bus and below it. */
  *walk(): Generator<PCIDevice> {
    for (const pci of this.functions) {
      yield pci;
      if (pci.secondary) yield* pci.secondary.walk();
    }
  }
}

/** The root buses of one host (pcie.0 and those of expander bridges) as one configuration space. */
export class PciConfigSpace {
  readonly roots: PCIBus[] = [];

  private function(bus: number, devfn: number): PCIDevice | null {
    for (const root of this.roots) {
      const found = root.find(bus);
      if (found) return found.devices.get(devfn) ?? null;
    }
    return null;
  }

  /** pci_host_config_read_common(): all ones when nobody is there. */
  read(bus: number, devfn: number, offset: number, width: Width): number {
    return this.function(bus, devfn)?.config_read(offset, width) ?? 0xffff_ffff;
  }
  write(bus: number, devfn: number, offset: number, width: Width, value: number): void {
    this.function(bus, devfn)?.config_write(offset, width, value);
  }
  peek(bus: number, devfn: number, offset: number, width: Width): number {
    return (this.function(bus, devfn)?.options.config.peek(offset, width) ?? 0xffff_ffff) >>> 0;
  }
}
