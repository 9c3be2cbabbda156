/** PCI-to-PCI bridges (hw/pci/pci_bridge.c): the bus below and the windows into it. Left out: VGA forwarding, ISA enable. */
import { fromHalves, TWO32 } from '../../../base/addr.ts';
import { type MemoryRegion, UINT64_SIZE } from '../../../hw/memory/index.ts';
import { Bus } from '../../qdev/bus.ts';
import type { PCIDevice } from './pci.ts';
import { PCIBus } from './pci-bus.ts';

const COMMAND_IO = 1;
const COMMAND_MEMORY = 2;
const BRIDGE_CONTROL = 0x3e;
const SECONDARY_BUS_RESET = 0x40;

/** pci_bridge_initfn(): gives the bus below; `type` is what `info qtree` calls it. */
export function pci_bridge_initfn(pci: PCIDevice, type: 'PCIE' | 'CXL', onePortOnly: boolean): Bus {
  const { vm, id } = pci.dev;
  const { core } = vm;
  const mem = core.memory_region_init('pci_bridge_pci', UINT64_SIZE);
  const io = core.memory_region_init('pci_bridge_io', TWO32);
  vm.newAddressSpace('pci_bridge_pci_mem', mem);
  vm.newAddressSpace('pci_bridge_pci_io', io);
  const below = new PCIBus(id, mem, io, pci, 0, onePortOnly);
  pci.secondary = below;
  const bus = new Bus(id, type, 'PCI', pci.dev, below);
  pci.dev.childBuses.push(bus);
  const windows = new BridgeWindows(pci, below);
  let control = 0;
  pci.afterWrite = (offset, width) => {
    const touches = (from: number, to: number) => offset < to && offset + width > from;
    if (touches(0x04, 0x06) || touches(0x1c, 0x1e) || touches(0x20, 0x34) || touches(BRIDGE_CONTROL, 0x40))
      windows.pci_bridge_update_mappings();
    if (touches(0x18, 0x1b)) for (const other of pci.bus.walk()) other.publish();
    if (touches(BRIDGE_CONTROL, 0x40)) {
      const now = pci.options.config.peek(BRIDGE_CONTROL, 2);
      if (now & SECONDARY_BUS_RESET && !(control & SECONDARY_BUS_RESET)) bus_cold_reset(below);
      control = now;
    }
  };
  windows.pci_bridge_update_mappings();
  return bus;
}

/** bus_cold_reset(): every device below a bridge. */
export function bus_cold_reset(bus: PCIBus): void {
  for (const pci of [...bus.walk()].reverse()) {
    pci.dev.reset?.();
    pci.follow(0, 0x40);
  }
}

class BridgeWindows {
  private current: { readonly container: MemoryRegion; readonly alias: MemoryRegion }[] = [];

  constructor(
    private readonly pci: PCIDevice,
    private readonly below: PCIBus,
  ) {}

  pci_bridge_update_mappings(): void {
    const { core } = this.pci.dev.vm;
    core.memory_region_transaction_begin();
    for (const { container, alias } of this.current) core.memory_region_del_subregion(container, alias);
    this.current = [];
    const { config } = this.pci.options;
    const command = config.peek(0x04, 2);
    const { bus } = this.pci;
    const reg16 = (offset: number) => config.peek(offset, 2);
    // Prefetchable first, then memory, then I/O, so that `info mtree` orders equal addresses as QEMU does.
    const pref64 = (reg16(0x24) & 0xf) === 1;
    const prefBase = fromHalves(pref64 ? config.peek(0x28, 4) : 0, (reg16(0x24) & 0xfff0) * 0x10000);
    const prefLimit = fromHalves(pref64 ? config.peek(0x2c, 4) : 0, (reg16(0x26) & 0xfff0) * 0x10000) + 0xfffff;
    this.alias(
      'pci_bridge_pref_mem',
      bus.address_space_mem,
      this.below.address_space_mem,
      prefBase,
      prefLimit,
      (command & COMMAND_MEMORY) !== 0,
    );
    const memBase = (reg16(0x20) & 0xfff0) * 0x10000;
    const memLimit = (reg16(0x22) & 0xfff0) * 0x10000 + 0xfffff;
    this.alias(
      'pci_bridge_mem',
      bus.address_space_mem,
      this.below.address_space_mem,
      memBase,
      memLimit,
      (command & COMMAND_MEMORY) !== 0,
    );
    const io32 = (config.peek(0x1c, 1) & 0xf) === 1;
    const ioBase = (config.peek(0x1c, 1) & 0xf0) * 0x100 + (io32 ? reg16(0x30) * 0x10000 : 0);
    const ioLimit = (config.peek(0x1d, 1) & 0xf0) * 0x100 + (io32 ? reg16(0x32) * 0x10000 : 0) + 0xfff;
    this.alias(
      'pci_bridge_io',
      bus.address_space_io,
      this.below.address_space_io,
      ioBase,
      ioLimit,
      (command & COMMAND_IO) !== 0,
    );
    core.memory_region_transaction_commit();
  }

  private alias(
    name: string,
    container: MemoryRegion,
    target: MemoryRegion,
    base: number,
    limit: number,
    enabled: boolean,
  ): void {
    const { core } = this.pci.dev.vm;
    const size = limit >= base ? limit - base + 1 : 0;
    const alias = core.memory_region_init_alias(name, target, base, size);
    core.memory_region_set_enabled(alias, enabled);
    core.memory_region_add_subregion_overlap(container, base, alias, 1);
    this.current.push({ container, alias });
  }
}
