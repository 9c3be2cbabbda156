import { type Addr, fromHalves, TWO32 } from '../../base/addr.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { UINT64_SIZE } from '../memory/memory-region.ts';
import { PciBus } from './pci-bus.ts';
import {
  overlaps,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  type PciEnv,
  PciFunction,
  type PciFunctionOptions,
} from './pci-function.ts';

interface Window {
  readonly alias: MemoryRegion;
  readonly parent: MemoryRegion;
  readonly base: Addr;
  readonly size: number;
}

const BRIDGE_CONTROL = 0x3e;
const BUS_RESET = 0x40;

/**
 * struct PCIBridge (QEMU hw/pci/pci_bridge.c): bus numbers, the three forwarding windows as aliases of the space below,
 * secondary bus reset. Left out: VGA forwarding, ISA mode.
 */
export class PciBridge extends PciFunction {
  readonly sec_bus: PciBus;
  readonly address_space_mem: MemoryRegion;
  readonly address_space_io: MemoryRegion;
  private windows: Window[] = [];

  constructor(env: PciEnv, options: PciFunctionOptions) {
    super(env, options);
    this.address_space_mem = env.core.memory_region_init('pci_bridge_pci', UINT64_SIZE);
    this.address_space_io = env.core.memory_region_init('pci_bridge_io', TWO32);
    this.sec_bus = new PciBus(options.id, this.address_space_mem, this.address_space_io, this);
    const { config } = this;
    config.onWrite('SECONDARY_BUS', (before, after) => {
      if (before !== after) this.sec_bus.renumbered();
    });
    config.onWrite('SUBORDINATE_BUS', () => {
      PciBus.numbering++;
    });
    config.onWrite('BRIDGE_CONTROL', (before, after) => {
      if (!(before & BUS_RESET) && after & BUS_RESET) this.sec_bus.reset();
    });
  }

  override get secondaryBus(): PciBus {
    return this.sec_bus;
  }

  override get isBridge(): boolean {
    return true;
  }

  protected override config_written(offset: number, width: number): void {
    super.config_written(offset, width);
    if (
      overlaps(offset, width, 0x04, 2) ||
      overlaps(offset, width, 0x1c, 2) ||
      overlaps(offset, width, 0x20, 20) ||
      overlaps(offset, width, BRIDGE_CONTROL, 2)
    ) {
      this.pci_bridge_update_mappings();
    }
  }

  /** pci_bridge_get_base/limit for one window: [base, limit], or null if it forwards nothing. */
  window(kind: 'io' | 'mem' | 'pref'): readonly [base: Addr, limit: Addr] | null {
    const { config } = this;
    const command = config.peek(0x04, 2);
    let base: Addr;
    let limit: Addr;
    if (kind === 'io') {
      if (!(command & PCI_COMMAND_IO)) return null;
      base = (config.peek(0x1c, 1) & 0xf0) << 8;
      limit = ((config.peek(0x1d, 1) & 0xf0) << 8) + 0xfff;
    } else {
      if (!(command & PCI_COMMAND_MEMORY)) return null;
      const at = kind === 'mem' ? 0x20 : 0x24;
      base = (config.peek(at, 2) & 0xfff0) * 0x10000;
      limit = (config.peek(at + 2, 2) & 0xfff0) * 0x10000 + 0xfffff;
      if (kind === 'pref') {
        base = fromHalves(config.peek(0x28, 4), base);
        limit = fromHalves(config.peek(0x2c, 4), limit);
      }
    }
    return base <= limit ? [base, limit] : null;
  }

  /** pci_bridge_update_mappings(): makes the aliases anew from the registers. */
  pci_bridge_update_mappings(): void {
    const { core } = this.env;
    const { bus } = this;
    if (!bus) return;
    const wanted = [
      ['pci_bridge_io', 'io', this.address_space_io, bus.address_space_io],
      ['pci_bridge_mem', 'mem', this.address_space_mem, bus.address_space_mem],
      ['pci_bridge_pref_mem', 'pref', this.address_space_mem, bus.address_space_mem],
    ] as const;
    core.memory_region_transaction_begin();
    for (const old of this.windows) core.memory_region_del_subregion(old.parent, old.alias);
    this.windows = [];
    for (const [name, kind, space, parent] of wanted) {
      const range = this.window(kind);
      if (!range) continue;
      const [base, limit] = range;
      const size = limit - base + 1;
      const alias = core.memory_region_init_alias(name, space, base, size);
      core.memory_region_add_subregion_overlap(parent, base, alias, 1);
      this.windows.push({ alias, parent, base, size });
    }
    core.memory_region_transaction_commit();
  }

  /** pci_bridge_reset(): bus numbers and windows go back, then the common part. Windows end up empty. */
  override reset(): void {
    const { config } = this;
    config.poke(0x18, 4, 0);
    config.poke(0x1c, 2, 0x00f0);
    config.poke(0x20, 4, 0x0000_fff0);
    config.poke(0x24, 4, config.peek(0x24, 4) & 0x000f_000f ? 0x0001_fff1 : 0x0000_fff0);
    config.poke(0x28, 4, 0);
    config.poke(0x2c, 4, 0);
    config.poke(BRIDGE_CONTROL, 2, 0);
    super.reset();
    this.pci_bridge_update_mappings();
    this.sec_bus.renumbered();
  }

  /** The port has a slot register set in use (an upstream port's capability has the space only). */
  private get has_slot(): boolean {
    return this.config.has('PCIE_FLAGS') && (this.config.get('PCIE_FLAGS') & 0x100) !== 0;
  }

  /** pcie_cap_slot_plug(), pcie_sync_bridge_lnk(): a card sits in the slot; the link shows what the card has. */
  populated(device: PciFunction): void {
    const { config } = this;
    if (!this.has_slot || device.devfn !== 0) return;
    config.init('SLTSTA', 1, 'PDS');
    config.init('LNKSTA', 1, 'ACTIVE');
    // Power on. pcie_cap_slot_reset() sets the indicator's "on" bit over "off" already set, which stays "off".
    if (config.get('SLTCAP', 'PCP')) config.init('SLTCTL', 0x03c0);
    if (!device.config.has('LNKSTA')) return;
    config.init('LNKSTA', Math.max(1, device.config.get('LNKSTA', 'WIDTH')), 'WIDTH');
    config.init('LNKSTA', Math.max(1, device.config.get('LNKSTA', 'SPEED')), 'SPEED');
  }

  /** pcie_cap_slot_unplug(): the slot is empty again. */
  unpopulated(device: PciFunction): void {
    const { config } = this;
    if (!this.has_slot || device.devfn !== 0) return;
    config.init('SLTSTA', 0, 'PDS');
    config.init('LNKSTA', 0x0011);
    if (config.get('SLTCAP', 'PCP')) config.init('SLTCTL', 0x07c0);
  }
}
