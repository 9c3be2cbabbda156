/** QEMU's memory API (system/memory.c, docs/devel/memory.rst): the region tree of one VMM process and its transactions. Left out: RCU, IOMMU, ioeventfd, dirty logging. */
import type { Addr, Hva } from '../../base/addr.ts';
import { assert } from '../../base/assert.ts';
import type { EventLog, SiteId } from '../../log/index.ts';
import type { HostMemory, MemoryRegionOps } from './api.ts';
import { MemoryRegion, type RegionKind } from './memory-region.ts';
import {
  addressesOf,
  EVERYWHERE,
  familyOf,
  holdsMemory,
  isSeenFrom,
  joinFamilies,
  type Touched,
} from './tree-changes.ts';

export type { FlatRange, HostMemory, MemoryRegionOps } from './api.ts';
export { FlatEntry, FlatView } from './flat-view.ts';
export { MemoryRegion, type RegionKind, UINT64_SIZE, unassigned_io_ops } from './memory-region.ts';

export interface MemoryHooks {
  readonly log: EventLog;
  /** `layerIndex(machine, 'qemu')` of the machine the VMM runs on: where notes about dropped accesses fall. */
  readonly layer: number;
  /**
   * Runs something once the present burst of work is over. With it, changes that concern devices only reach the listeners when
   * somebody looks at an address, at the latest then; without it every commit does.
   */
  later?(run: () => void): void;
}

/** What a commit updates: an `AddressSpace`. */
export interface Topology {
  readonly name: string;
  readonly root: MemoryRegion;
  readonly listened: boolean;
  /** The view is out of date: in these addresses, or everywhere. False when nothing worse can be said of it. */
  invalidate(touched: Touched, device: boolean): boolean;
  /** Is host memory in these addresses, seen or hidden below a device? As of the last change that was not a device's. */
  showsMemory(start: Addr, end: Addr): boolean;
  topology_begin(): void;
  update_topology(): void;
  topology_commit(): void;
  /** The same three for this space alone, where a commit has left it out of date. */
  settle(): void;
}

interface Change {
  /** Address spaces with a view that shows the place. */
  readonly spaces: readonly Topology[];
  readonly touched: Touched;
  /** Nothing but devices: no listener of memory can care. */
  readonly device: boolean;
}

/** One VMM's memory API. Every function bears QEMU's name. */
export class MemoryCore {
  readonly address_spaces: Topology[] = [];
  readonly log: EventLog;
  /** Notes: args are address and width. */
  readonly sites: {
    readonly unassignedRead: SiteId;
    /** A loop of 4-byte loads: address and their number. */
    readonly unassignedLoop: SiteId;
    readonly unassignedWrite: SiteId;
    readonly invalid: SiteId;
    readonly rom: SiteId;
  };
  /** Grows whenever an address may be answered by something else: a new topology, a decoder register, a card. */
  generation = 0;
  private depth = 0;
  private pending = false;
  private changes: Change[] = [];
  /** Address spaces that have listeners or a view that is up to date; the others are rendered when somebody looks. */
  private readonly live = new Set<Topology>();
  private settling = false;
  /** A transaction is open and has changed something. */
  get changing(): boolean {
    return this.pending;
  }

  constructor(private readonly hooks: MemoryHooks) {
    const { log, layer } = hooks;
    this.log = log;
    const site = (name: string, cite: string) => log.site({ layer, name, args: ['address', 'width'], cite });
    this.sites = {
      unassignedRead: site('unassigned read: gives 0', 'QEMU system/memory.c unassigned_mem_read'),
      unassignedLoop: log.site({
        layer,
        name: 'unassigned reads: a loop of 4-byte loads gives 0',
        args: ['address', 'loads'],
        cite: 'QEMU system/memory.c unassigned_mem_read',
      }),
      unassignedWrite: site('unassigned write: dropped', 'QEMU system/memory.c unassigned_mem_write'),
      invalid: site('access size not accepted by the device', 'QEMU system/memory.c memory_region_access_valid'),
      rom: site('write to read-only memory: dropped', 'QEMU system/physmem.c'),
    };
  }

  memory_region_init(name: string, size: number): MemoryRegion {
    return make(name, 'container', size, null, null, null);
  }
  /** An I/O region; it may also hold subregions, which then win over its own ops. */
  memory_region_init_io(ops: MemoryRegionOps, name: string, size: number): MemoryRegion {
    return make(name, 'io', size, ops, null, null);
  }
  memory_region_init_ram(name: string, size: number, host: HostMemory, hva: Hva): MemoryRegion {
    return make(name, 'ram', size, null, host, hva);
  }
  memory_region_init_rom(name: string, size: number, host: HostMemory, hva: Hva): MemoryRegion {
    return make(name, 'rom', size, null, host, hva);
  }
  memory_region_init_ram_device(name: string, size: number, host: HostMemory, hva: Hva): MemoryRegion {
    return make(name, 'ram-device', size, null, host, hva);
  }
  memory_region_init_alias(name: string, orig: MemoryRegion, offset: number, size: number): MemoryRegion {
    return new MemoryRegion(name, 'alias', size, null, null, null, orig, offset);
  }

  memory_region_add_subregion(mr: MemoryRegion, offset: Addr, sub: MemoryRegion): void {
    this.memory_region_add_subregion_overlap(mr, offset, sub, 0);
  }
  memory_region_add_subregion_overlap(mr: MemoryRegion, offset: Addr, sub: MemoryRegion, priority: number): void {
    assert(sub.container === null, `memory: ${sub.name} already has a container`);
    assert(mr.kind !== 'alias', `memory: subregion ${sub.name} in alias ${mr.name}`);
    sub.container = mr;
    sub.addr = offset;
    sub.priority = priority;
    joinFamilies(mr, sub);
    if (sub.alias) {
      sub.alias.aliases.add(sub);
      joinFamilies(sub, sub.alias);
    }
    this.memory_region_transaction_begin();
    insert(mr, sub);
    if (mr.enabled && sub.enabled) this.touch(sub);
    this.memory_region_transaction_commit();
  }
  memory_region_del_subregion(mr: MemoryRegion, sub: MemoryRegion): void {
    assert(sub.container === mr, `memory: ${sub.name} is not in ${mr.name}`);
    this.memory_region_transaction_begin();
    if (mr.enabled && sub.enabled) this.touch(sub);
    mr.subregions.splice(mr.subregions.indexOf(sub), 1);
    sub.container = null;
    sub.alias?.aliases.delete(sub);
    this.memory_region_transaction_commit();
  }
  memory_region_set_enabled(mr: MemoryRegion, enabled: boolean): void {
    if (mr.enabled === enabled) return;
    this.change(mr, () => {
      mr.enabled = enabled;
    });
  }
  memory_region_set_address(mr: MemoryRegion, offset: Addr): void {
    if (mr.addr === offset) return;
    this.change(mr, () => {
      mr.addr = offset;
      const { container } = mr;
      if (!container) return;
      // memory_region_readd_subregion: the moved one becomes the newest among its equals.
      container.subregions.splice(container.subregions.indexOf(mr), 1);
      insert(container, mr);
    });
  }
  memory_region_set_size(mr: MemoryRegion, size: number): void {
    if (mr.size === size) return;
    this.change(mr, () => {
      mr.size = size;
    });
  }
  memory_region_set_alias_offset(mr: MemoryRegion, offset: number): void {
    assert(mr.alias, `memory: ${mr.name} is no alias`);
    if (mr.aliasOffset === offset) return;
    this.change(mr, () => {
      mr.aliasOffset = offset;
    });
  }
  memory_region_set_readonly(mr: MemoryRegion, readonly: boolean): void {
    if (mr.readonly === readonly) return;
    this.change(mr, () => {
      mr.readonly = readonly;
    });
  }

  memory_region_transaction_begin(): void {
    this.depth++;
  }
  /** The outermost commit renders again what changed and tells the listeners what came and went. */
  memory_region_transaction_commit(): void {
    assert(this.depth > 0, 'memory: commit without begin');
    if (--this.depth > 0 || !this.pending) return;
    this.pending = false;
    this.generation++;
    const { changes } = this;
    this.changes = [];
    const due = new Set<Topology>();
    for (const { spaces, touched, device } of changes)
      for (const space of spaces) {
        if (!space.listened) {
          if (!space.invalidate(touched, device)) this.live.delete(space);
          continue;
        }
        if (this.hooks.later && device && this.showsDevices(space, touched)) this.settleLater();
        else due.add(space);
        space.invalidate(touched, device);
      }
    for (const space of due) space.topology_begin();
    for (const space of due) space.update_topology();
    for (const space of due) space.topology_commit();
  }

  private showsDevices(space: Topology, touched: Touched): boolean {
    return touched !== EVERYWHERE && !touched.some(([start, end]) => space.showsMemory(start, end));
  }

  /** Listeners that nobody made look hear of device changes when the present burst of work is over. */
  private settleLater(): void {
    if (this.settling) return;
    this.settling = true;
    this.hooks.later?.(() => {
      this.settling = false;
      for (const space of this.live) if (space.listened) space.settle();
    });
  }

  /** Notes what a change of `mr` touches, as it stands now. */
  private touch(mr: MemoryRegion): void {
    this.pending = true;
    const addresses = addressesOf(mr);
    this.changes.push({
      spaces: [...this.live].filter(({ root }) => familyOf(root) === familyOf(mr) && isSeenFrom(root, mr)),
      touched: addresses ? [addresses] : EVERYWHERE,
      device: !holdsMemory(mr),
    });
  }

  /** @internal used by AddressSpace */
  address_space_init(space: Topology): void {
    this.address_spaces.push(space);
  }
  address_space_destroy(space: Topology): void {
    const at = this.address_spaces.indexOf(space);
    if (at >= 0) this.address_spaces.splice(at, 1);
    this.live.delete(space);
  }
  /** It has rendered its view: from now on it hears of changes. */
  keepInformed(space: Topology): void {
    this.live.add(space);
  }

  private change(mr: MemoryRegion, run: () => void): void {
    this.memory_region_transaction_begin();
    this.touch(mr);
    run();
    this.touch(mr);
    this.memory_region_transaction_commit();
  }
}

function make(
  name: string,
  kind: RegionKind,
  size: number,
  ops: MemoryRegionOps | null,
  host: HostMemory | null,
  hva: Hva | null,
): MemoryRegion {
  return new MemoryRegion(name, kind, size, ops, host, hva, null, 0);
}

function insert(mr: MemoryRegion, sub: MemoryRegion): void {
  const at = mr.subregions.findIndex((other) => sub.priority >= other.priority);
  mr.subregions.splice(at < 0 ? mr.subregions.length : at, 0, sub);
}
