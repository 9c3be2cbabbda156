import type { Addr } from '../../base/addr.ts';

/** Everything the tables are made of, as plain data: whoever builds the machine fills it (after firmware set up PCI). */
export interface AcpiDescription {
  readonly cpus: number;
  /** Memory-mapped configuration space. */
  readonly mcfg: { readonly base: Addr; readonly startBus: number; readonly endBus: number };
  /** Resources of `pcie.0`. */
  readonly pci0: RootResources;
  /** One per pxb-cxl, in the order QEMU lists them. */
  readonly cxlRoots: readonly (RootResources & { readonly uid: number })[];
  /** CEDT; absent without `cxl=on`. */
  readonly cedt?: CedtDescription;
  readonly dmar?: DmarDescription;
  /** Memory affinity; absent: no SRAT. */
  readonly srat?: readonly SratMemory[];
  /** Functions of bus 0 that get an empty device node (`S08` …): devfn numbers besides 0 and 0xf8. */
  readonly slots?: readonly number[];
  /** Serial ports with a PNP0501 node, 1 to 4. */
  readonly serialPorts: readonly number[];
}

export interface Range {
  readonly start: Addr;
  /** Last address. */
  readonly end: Addr;
}

export interface RootResources {
  readonly firstBus: number;
  readonly lastBus: number;
  readonly io: readonly Range[];
  readonly memory: readonly Range[];
  readonly memory64: readonly Range[];
}

export interface CedtDescription {
  /** CHBS records in table order. */
  readonly hostBridges: readonly { readonly uid: number; readonly base: Addr; readonly size: number }[];
  readonly windows: readonly {
    readonly base: Addr;
    readonly size: number;
    readonly granularity: number;
    readonly targets: readonly number[];
    /** Default 0x000f, QEMU 10 (11.1 adds BI: 0x2f). */
    readonly restrictions?: number;
    readonly qtgId?: number;
  }[];
}

export interface DmarDescription {
  /** Register base of the one remapping unit, 0xfed90000 on q35. */
  readonly base: Addr;
  /** Physical address bits (39 or 48). */
  readonly addressWidth: number;
  readonly interruptRemapping: boolean;
  /** `device-iotlb=on`: an ATSR record for all root ports. */
  readonly deviceIotlb?: boolean;
  /** The IOAPIC as the interrupt remapper knows it. */
  readonly ioapic: { readonly id: number; readonly bus: number; readonly slot: number; readonly fn: number };
}

export interface SratMemory {
  readonly start: Addr;
  readonly size: number;
  readonly hotplug?: boolean;
}
