/**
 * Where q35 puts things in guest-physical memory (hw/i386/pc_q35.c pc_q35_init, pc.c pc_memory_init, cxl-host.c
 * cxl_fmws_update_mmio). Pure arithmetic, so it can be checked against captured machines. Left out: AMD's 1 TiB hole,
 * -max-ram-below-4g.
 */
import { type Addr, alignUp, GiB, hex0x, MiB } from '../../../base/addr.ts';

export interface MemoryLayoutInput {
  readonly ramSize: number;
  readonly maxRamSize: number;
  readonly slots: number;
  readonly cxl: boolean;
  readonly windowSizes: readonly number[];
}

export interface MemoryLayout {
  readonly below4g: number;
  readonly above4g: number;
  readonly above4gStart: Addr;
  readonly deviceMemory: { readonly base: Addr; readonly size: number } | null;
  readonly cxlHostReg: Addr | null;
  readonly windows: readonly { readonly base: Addr; readonly size: number }[];
  /** pc_pci_hole64_start(): first address of the 64-bit PCI window. */
  readonly pciHole64: Addr;
}

export const PCIE_MMCFG_BASE = 0xb000_0000;
export const PCIE_MMCFG_SIZE = 256 * MiB;
export const CXL_HOST_REG_SIZE = MiB;
export const ABOVE_4G_START = 4 * GiB;

export function memory_layout(input: MemoryLayoutInput): MemoryLayout {
  const lowmem = input.ramSize >= PCIE_MMCFG_BASE ? 0x8000_0000 : PCIE_MMCFG_BASE;
  const above4g = input.ramSize >= lowmem ? input.ramSize - lowmem : 0;
  const below4g = Math.min(input.ramSize, lowmem);
  let end = ABOVE_4G_START + above4g;
  let deviceMemory: { base: Addr; size: number } | null = null;
  if (input.maxRamSize > input.ramSize) {
    const size = input.maxRamSize - input.ramSize + input.slots * GiB;
    deviceMemory = { base: alignUp(end, GiB), size };
    end = deviceMemory.base + size;
  }
  let cxlHostReg: Addr | null = null;
  const windows: { base: Addr; size: number }[] = [];
  if (input.cxl) {
    cxlHostReg = end;
    end = alignUp(cxlHostReg + CXL_HOST_REG_SIZE, 256 * MiB);
    for (const size of input.windowSizes) {
      windows.push({ base: end, size });
      end += size;
    }
  }
  return {
    below4g,
    above4g,
    above4gStart: ABOVE_4G_START,
    deviceMemory,
    cxlHostReg,
    windows,
    pciHole64: alignUp(end, GiB),
  };
}

/** QEMU's default CPU models (TCG_PHYS_ADDR_BITS); `-cpu …,phys-bits=` says otherwise. */
export const DEFAULT_PHYS_BITS = 40;
export const PCI_HOLE64_SIZE = 32 * GiB;

/** pc_memory_init(): the refusal of a machine whose highest address (pc_max_used_gpa) the CPU cannot form, or null. */
export function phys_bits_too_low(layout: MemoryLayout, physBits: number): string | null {
  const used = layout.pciHole64 + PCI_HOLE64_SIZE - 1;
  const limit = 2 ** physBits - 1;
  return used > limit ? `Address space limit ${hex0x(limit)} < ${hex0x(used)} phys-bits too low (${physBits})` : null;
}
