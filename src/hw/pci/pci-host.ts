import type { Width } from '../../base/addr.ts';
import type { MemoryRegionOps } from '../memory/api.ts';
import type { MemoryCore } from '../memory/memory.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { PciBus } from './pci-bus.ts';
import type { PciFunction } from './pci-function.ts';

const ONES: readonly number[] = [0, 0xff, 0xffff, 0, 0xffffffff];

/**
 * Configuration cycles of one machine (QEMU hw/pci/pci_host.c, pcie_host.c): routing by bus number, memory-mapped
 * configuration space and the two ports. Left out: extra segments.
 */
export class PciHost {
  /** `address` register behind port 0xcf8. */
  config_reg = 0;
  /** Buses by number as of `numbering`. */
  private readonly routes = new Map<number, PciBus | null>();
  private numbering = -1;

  /** @param root `pcie.0`; buses of expanders are its children */
  constructor(readonly root: PciBus) {}

  /** pci_find_device(): by bus number and devfn as bridges route now. */
  pci_find_device(bus: number, devfn: number): PciFunction | null {
    if (this.numbering !== PciBus.numbering) {
      this.numbering = PciBus.numbering;
      this.routes.clear();
    }
    let found = this.routes.get(bus);
    if (found === undefined) {
      found = this.root.find(bus);
      this.routes.set(bus, found);
    }
    return found?.devices.get(devfn) ?? null;
  }

  /** pci_host_config_read_common(): nobody there, or beyond the function's space, reads all ones. */
  pci_config_read(bus: number, devfn: number, offset: number, width: Width): number {
    const device = this.pci_find_device(bus, devfn);
    if (!device || offset + width > device.configSize) return ONES[width] as number;
    return device.config_read(offset, width);
  }

  pci_config_write(bus: number, devfn: number, offset: number, width: Width, value: number): void {
    const device = this.pci_find_device(bus, devfn);
    if (!device || offset + width > device.configSize) return;
    device.config_write(offset, width, value);
  }

  /** All functions in bus/devfn order of discovery. */
  functions(): PciFunction[] {
    return [...this.root.walk()];
  }

  /** `pcie-mmcfg-mmio`: 1 MiB per bus, 4 KiB per function. */
  pcie_mmcfg_init(core: MemoryCore, size: number): MemoryRegion {
    const host = this;
    const ops: MemoryRegionOps = {
      hi: 0,
      impl: { min: 1, max: 4 },
      read(offset, width) {
        return host.pci_config_read(Math.floor(offset / 0x100000), (offset >>> 12) & 0xff, offset & 0xfff, width);
      },
      write(offset, width, lo) {
        host.pci_config_write(Math.floor(offset / 0x100000), (offset >>> 12) & 0xff, offset & 0xfff, width, lo);
      },
      peek(offset, width) {
        const device = host.pci_find_device(Math.floor(offset / 0x100000), (offset >>> 12) & 0xff);
        if (!device || (offset & 0xfff) + width > device.configSize) return ONES[width] ?? 0xffffffff;
        return device.config.peek(offset & 0xfff, width);
      },
    };
    return core.memory_region_init_io(ops, 'pcie-mmcfg-mmio', size);
  }

  /** `pci-conf-idx`, port 0xcf8, 4 bytes: only whole dwords reach it. */
  pci_host_conf_init(core: MemoryCore): MemoryRegion {
    const host = this;
    const ops: MemoryRegionOps = {
      hi: 0,
      read: () => host.config_reg,
      write(offset, width, lo) {
        if (offset === 0 && width === 4) host.config_reg = lo;
      },
      peek: () => host.config_reg,
    };
    return core.memory_region_init_io(ops, 'pci-conf-idx', 4);
  }

  /** `pci-conf-data`, port 0xcfc, 4 bytes: the first 256 bytes of the function the index names. */
  pci_host_data_init(core: MemoryCore): MemoryRegion {
    const host = this;
    const ops: MemoryRegionOps = {
      hi: 0,
      impl: { min: 1, max: 4 },
      read(offset, width) {
        const reg = host.config_reg;
        if (reg < 0x80000000) return ONES[width] ?? 0xffffffff;
        return host.pci_config_read((reg >>> 16) & 0xff, (reg >>> 8) & 0xff, (reg & 0xfc) | (offset & 3), width);
      },
      write(offset, width, lo) {
        const reg = host.config_reg;
        if (reg < 0x80000000) return;
        host.pci_config_write((reg >>> 16) & 0xff, (reg >>> 8) & 0xff, (reg & 0xfc) | (offset & 3), width, lo);
      },
      peek: () => null,
    };
    return core.memory_region_init_io(ops, 'pci-conf-data', 4);
  }
}
