import { type Addr, fromHalves, hex, hi32, lo32, type Width } from '../../base/addr.ts';
import { assert, present } from '../../base/assert.ts';
import type { EventLog, MachineId } from '../../log/index.ts';
import type { Layout } from '../../spec/dsl/types.ts';
import { type PciFunctionState, paths, type RegisterRoute } from '../../state/schema.ts';
import type { MemoryCore } from '../memory/memory.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import type { PciBus } from './pci-bus.ts';

/** What PCI functions of one machine share: handed in by the VMM. */
export interface PciEnv {
  readonly log: EventLog;
  readonly core: MemoryCore;
  /** Machine whose hardware this is (`l1` for a function of the L1 guest). */
  readonly machine: MachineId;
  /** Log layer of notes (`layerIndex(machineOfVmm, 'qemu')`). */
  readonly layer: number;
  /** A function wrote a message (MSI, MSI-X). Absent: nobody listens. */
  readonly message?: (address: Addr, data: number) => void;
}

export interface PciFunctionOptions {
  /** qdev id, or a generated one (`dev-00-1f-2`): the last part of its published path. */
  readonly id: string;
  /** QEMU device type: `cxl-accel`. */
  readonly type: string;
  readonly label: string;
  readonly layout: Layout;
  readonly backend?: { readonly id: string; readonly size: number; readonly unreached?: true };
  /** For vfio-pci: the function of the machine below. */
  readonly host?: string;
  /** Published routes besides config space. */
  readonly routes?: readonly RegisterRoute[];
  /** Who answers configuration accesses where it is not this function's own cells (vfio-pci). */
  readonly configRoutes?: readonly RegisterRoute[];
  /** Who answers configuration accesses (default: the device model). */
  readonly configAnsweredBy?: RegisterRoute['answeredBy'];
}

export const PCI_BASE_ADDRESS_SPACE_IO = 1;
export const PCI_BASE_ADDRESS_MEM_TYPE_64 = 4;
export const PCI_BASE_ADDRESS_MEM_PREFETCH = 8;

const COMMAND = 0x04;
const STATUS = 0x06;
const CACHE_LINE_SIZE = 0x0c;
const BAR0 = 0x10;
const INTERRUPT_LINE = 0x3c;
export const PCI_COMMAND_IO = 1;
export const PCI_COMMAND_MEMORY = 2;
export const PCI_COMMAND_MASTER = 4;
/** QEMU's PCI_BAR_UNMAPPED. */
export const UNMAPPED = -1;

/** struct PCIIORegion: one BAR. */
export interface PciIoRegion {
  readonly index: number;
  readonly size: number;
  /** Type bits as in the register. */
  readonly type: number;
  readonly memory: MemoryRegion;
  addr: Addr;
}

/** A function level reset, or a conventional one (bus, power). */
export type ResetKind = 'flr' | 'hot';

/**
 * struct PCIDevice (QEMU hw/pci/pci.c): configuration space, BARs that map themselves, reset. Left out: option ROMs,
 * DMA address spaces, INTx routing, migration.
 */
export class PciFunction {
  readonly id: string;
  readonly config: RegisterSpace;
  /** Path of the config cells in the log. */
  readonly configPath: string;
  bus: PciBus | null = null;
  devfn = 0;
  readonly io_regions: (PciIoRegion | undefined)[] = [];
  /** Runs at the end of every reset of the function (a device re-inits its own registers here). */
  readonly resetHooks: ((kind: ResetKind) => void)[] = [];
  /** Capability offsets the layout has, for the core's own logic. */
  readonly express: boolean;
  protected readonly log: EventLog;
  private routes: readonly RegisterRoute[];

  constructor(
    readonly env: PciEnv,
    readonly options: PciFunctionOptions,
  ) {
    this.id = options.id;
    this.log = env.log;
    this.configPath = `hw/${env.machine}/${options.id}/config`;
    this.config = new RegisterSpace(env.log, this.configPath, options.layout, { layer: env.layer });
    this.express = options.layout.size === 4096;
    this.routes = options.routes ?? [];
  }

  /** pci_config_size(). */
  get configSize(): number {
    return this.options.layout.size;
  }

  get busNumber(): number {
    return this.bus?.busNumber ?? 0;
  }

  /** `0d:00.0` as the bus numbers stand now. */
  get bdf(): string {
    return `${hex(this.busNumber, 2)}:${hex(this.devfn >>> 3, 2)}.${this.devfn & 7}`;
  }

  /** Guest read of configuration space, width 1, 2 or 4 (pci_default_read_config). */
  config_read(offset: number, width: Width): number {
    return this.config.read(offset, width);
  }

  /** Guest write of configuration space (pci_default_write_config); remaps BARs when the write touched them. */
  config_write(offset: number, width: Width, value: number): void {
    this.config.write(offset, width, value);
    this.config_written(offset, width);
  }

  /** What the core does after a write; a subclass adds its own. */
  protected config_written(offset: number, width: number): void {
    if (overlaps(offset, width, BAR0, 24) || overlaps(offset, width, COMMAND, 2)) this.pci_update_mappings();
  }

  /** pci_register_bar(): `type` are the low bits of the register; the region is mapped when software enables it. */
  pci_register_bar(index: number, type: number, memory: MemoryRegion): void {
    const { size } = memory;
    assert(Number.isInteger(Math.log2(size)) && size >= 4, `pci: BAR${index} of ${this.id} has size ${size}`);
    assert(index < (this.isBridge ? 2 : 6) && !this.io_regions[index], `pci: BAR${index} of ${this.id} is taken`);
    this.io_regions[index] = { index, size, type, memory, addr: UNMAPPED };
    const mask = 2 ** 52 - size;
    this.config.setWriteMask(`BAR${index}`, lo32(mask));
    this.config.init(`BAR${index}`, type);
    if (type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
      this.config.setWriteMask(`BAR${index + 1}`, 0xffffffff);
      this.config.init(`BAR${index + 1}`, 0);
    }
    this.publish();
  }

  /** The bus behind a bridge, null for endpoints. */
  get secondaryBus(): PciBus | null {
    return null;
  }

  /** True for type-1 headers. */
  get isBridge(): boolean {
    return false;
  }

  /** pci_get_bar_addr(): where the BAR is mapped, or UNMAPPED. */
  pci_get_bar_addr(index: number): Addr {
    return this.io_regions[index]?.addr ?? UNMAPPED;
  }

  /** pci_bar_address(): what the registers say, UNMAPPED if decoding is off or the value is a sizing pattern. */
  private pci_bar_address(region: PciIoRegion): Addr {
    const command = this.config.peek(COMMAND, 2);
    const at = BAR0 + region.index * 4;
    const low = this.config.peek(at, 4);
    if (region.type & PCI_BASE_ADDRESS_SPACE_IO) {
      if (!(command & PCI_COMMAND_IO)) return UNMAPPED;
      const addr = (low & ~(region.size - 1)) >>> 0;
      const last = addr + region.size - 1;
      return addr === 0 || last <= addr || last >= 0xffff_ffff ? UNMAPPED : addr;
    }
    if (!(command & PCI_COMMAND_MEMORY)) return UNMAPPED;
    const wide = (region.type & PCI_BASE_ADDRESS_MEM_TYPE_64) !== 0;
    const high = wide ? this.config.peek(at + 4, 4) : 0;
    // A sizing pattern in the high half lies beyond any address the machine has.
    if (high >= 2 ** 20) return UNMAPPED;
    const raw = fromHalves(high, low & ~0xf);
    const addr = raw - (raw % region.size);
    const last = addr + region.size - 1;
    if (addr === 0 || last <= addr) return UNMAPPED;
    if (!wide && last >= 0xffff_ffff) return UNMAPPED;
    return addr;
  }

  /** pci_update_mappings(): moves, maps or unmaps BARs after a change of BARs or COMMAND. */
  pci_update_mappings(): void {
    const { core } = this.env;
    const { bus } = this;
    let changed = false;
    core.memory_region_transaction_begin();
    for (const region of this.io_regions) {
      if (!region || !bus) continue;
      const addr = this.pci_bar_address(region);
      if (addr === region.addr) continue;
      changed = true;
      const space = region.type & PCI_BASE_ADDRESS_SPACE_IO ? bus.address_space_io : bus.address_space_mem;
      if (region.addr !== UNMAPPED) core.memory_region_del_subregion(space, region.memory);
      region.addr = addr;
      if (addr !== UNMAPPED) core.memory_region_add_subregion_overlap(space, addr, region.memory, 1);
    }
    core.memory_region_transaction_commit();
    if (changed) this.publish();
  }

  /** pci_do_device_reset(): the header bits QEMU's core clears, then the device's own hooks. Everything else keeps its value. */
  reset(kind: ResetKind = 'hot'): void {
    const { config } = this;
    config.poke(COMMAND, 2, 0);
    config.poke(STATUS, 2, config.peek(STATUS, 2) & ~0xf900);
    config.poke(CACHE_LINE_SIZE, 1, 0);
    config.poke(INTERRUPT_LINE, 1, 0);
    for (const region of this.io_regions) {
      if (!region) continue;
      config.poke(BAR0 + region.index * 4, 4, region.type);
      if (region.type & PCI_BASE_ADDRESS_MEM_TYPE_64) config.poke(BAR0 + region.index * 4 + 4, 4, 0);
    }
    this.pci_update_mappings();
    if (config.has('MSI_CONTROL')) {
      config.set('MSI_CONTROL', config.get('MSI_CONTROL') & ~0x71);
      config.set('MSI_ADDRESS', 0);
      config.set('MSI_DATA', 0);
    }
    if (config.has('MSIX_CONTROL')) config.set('MSIX_CONTROL', config.get('MSIX_CONTROL') & ~0xc000);
    for (const hook of this.resetHooks) hook(kind);
  }

  /** Adds a register route to what is published (`bar0` → component cells …). */
  addRoute(route: RegisterRoute): void {
    this.routes = [...this.routes, route];
    this.publish();
  }

  /** Publishes the function as the page sees it. Called by the core whenever a BAR or bus number changed. */
  publish(): void {
    const { bus, options, env } = this;
    if (!bus) return;
    const bars: PciFunctionState['bars'][number][] = [];
    for (const region of this.io_regions) {
      if (!region) continue;
      bars.push({
        index: region.index,
        addr: region.addr === UNMAPPED ? null : region.addr,
        size: region.size,
        name: region.memory.name,
      });
    }
    const { config } = this;
    const state: PciFunctionState = {
      id: this.id,
      type: options.type,
      bus: bus.name,
      parent: bus.parent_dev?.id ?? bus.hostId,
      devfn: this.devfn,
      bdf: this.bdf,
      vendorDevice: `${hex(config.peek(0, 2), 4)}:${hex(config.peek(2, 2), 4)}`,
      classCode: config.peek(8, 4) >>> 8,
      label: options.label,
      routes: [
        ...(options.configRoutes ?? [
          {
            space: 'config',
            offset: 0,
            size: this.configSize,
            block: this.configPath,
            blockOffset: 0,
            answeredBy: options.configAnsweredBy ?? ('device' as const),
          },
        ]),
        ...this.routes,
      ],
      bars,
      ...(options.backend ? { backend: options.backend } : {}),
      ...(options.host === undefined ? {} : { host: options.host }),
    };
    this.log.publish(paths.pciFunction(env.machine, this.id), {
      ...state,
      routes: state.routes.map((route) => ({ ...route })),
    });
  }

  /** The function is gone from its bus. */
  unpublish(): void {
    this.log.publish(paths.pciFunction(this.env.machine, this.id), null);
  }

  /** pci_requester_id(). */
  get requesterId(): number {
    return this.busNumber * 256 + this.devfn;
  }

  /** The BAR a driver would find at `index`, for code that knows it exists. */
  bar(index: number): PciIoRegion {
    return present(this.io_regions[index], `BAR${index} of ${this.id}`);
  }
}

/** ranges_overlap(). */
export function overlaps(a: number, aLength: number, b: number, bLength: number): boolean {
  return a < b + bLength && b < a + aLength;
}

/** Splits a 64-bit BAR address into the two dwords software writes. */
export function barHalves(addr: Addr): readonly [lo: number, hi: number] {
  return [lo32(addr), hi32(addr)];
}
