/** qdev buses (hw/core/bus.c): a name, a type as `info qtree` prints it, and the devices on it (newest first there). */
import type { PciBus } from '../../hw/pci/index.ts';
import type { BusKind, Device } from './device-type.ts';

export class Bus {
  /** Oldest first. */
  readonly children: Device[] = [];

  constructor(
    readonly name: string,
    /** `System`, `PCIE`, `CXL`, `pxb-cxl-bus`, `ISA`, `IDE`, `i2c-bus`. */
    readonly type: string,
    /** What plugs in: `PCI` for all of PCIE, CXL and pxb-cxl-bus. */
    readonly accepts: BusKind,
    readonly parent: Device | null,
    /** The PCI side of a PCI bus. */
    readonly pci: PciBus | null = null,
  ) {}
}
