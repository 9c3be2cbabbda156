import { type Addr, alignDown, GiB, hex, MiB } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import { type Kernel, SubsystemKey } from '../../include/kernel.ts';
import { build_all_zonelists, MemoryNodes, memtier_changed, type Zone } from '../../mm/memory-hotplug.ts';

/**
 * Memory blocks (drivers/base/memory.c, node.c; v6.12): /sys/devices/system/memory and the nodes that hold the blocks. All memory
 * of the firmware's map is node 0. Left out: taking memory of that map offline (-EBUSY, as if the kernel's own objects lay there),
 * memory policies other than default online, hardware-poison files, per-node statistics beyond the size.
 */

const BASE = '/devices/system/memory';
const NODES = '/devices/system/node';
const GiB4 = 4 * GiB;

interface Block {
  readonly index: number;
  readonly node: number;
  /** Of the firmware's map. */
  readonly boot: boolean;
  /** The zone it is in; null: offline. */
  zone: Zone | null;
}

export const MEMORY = new SubsystemKey<MemoryBlocks>('memory');

/** probe_memory_block_size: 128 MiB below 64 GiB of memory, else as large as its end allows. */
function probe_memory_block_size(kernel: Kernel, end: Addr): number {
  if (end < 64 * GiB) return 128 * MiB;
  if (!kernel.cpu.features.hypervisor) return 2 * GiB;
  let size = 2 * GiB;
  while (size > 128 * MiB && end % size !== 0) size /= 2;
  return size;
}

const POLICIES = ['offline', 'online', 'online_kernel', 'online_movable'];

export class MemoryBlocks {
  readonly nodes = new MemoryNodes();
  readonly block_size: number;
  private readonly blocks = new Map<number, Block>();
  private policy: string;

  constructor(private readonly kernel: Kernel) {
    const ram = kernel.boot.e820.filter((entry) => entry.type === 'usable');
    const end = Math.max(0, ...ram.map((entry) => entry.start + entry.size));
    this.block_size = probe_memory_block_size(kernel, end);
    this.policy = kernel.config('MEMORY_HOTPLUG_DEFAULT_ONLINE') === 'y' ? 'online' : 'offline';
    const attr = (name: string, mode: number, show: () => string, store?: (text: string) => number) =>
      kernel.drivers.kobject_attr(BASE, { name, mode, show: () => `${show()}\n`, ...(store ? { store } : {}) });
    attr('block_size_bytes', 0o444, () => hex(this.block_size));
    attr(
      'auto_online_blocks',
      0o644,
      () => this.policy,
      (text) => {
        if (!POLICIES.includes(text.trim())) return -E.EINVAL;
        this.policy = text.trim();
        return 0;
      },
    );
    const file = (name: string, show: () => string) =>
      kernel.drivers.kobject_attr(NODES, { name, mode: 0o444, show: () => `${show()}\n` });
    file('online', () => this.nodes.list(this.nodes.online));
    file('has_memory', () => this.nodes.list(this.nodes.with_memory()));
    file('has_normal_memory', () => this.nodes.list(this.nodes.with_memory('Normal')));
    this.node_add(0);
    for (const index of new Set(ram.flatMap(({ start, size }) => this.indices(start, start + size - 1)))) {
      const zone = index * this.block_size >= GiB4 ? 'Normal' : index === 0 ? 'none' : 'DMA32';
      this.add({ index, node: 0, boot: true, zone });
      this.nodes.count(0, zone === 'none' ? 'DMA32' : zone, 1);
    }
  }

  private indices(start: Addr, end: Addr): readonly number[] {
    const first = Math.floor(start / this.block_size);
    const last = Math.floor(end / this.block_size);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  }

  /** register_one_node */
  private node_add(node: number): void {
    this.nodes.online.add(node);
    const file = (name: string, show: () => string) =>
      this.kernel.drivers.kobject_attr(`${NODES}/node${node}`, { name, mode: 0o444, show: () => `${show()}\n` });
    file('cpulist', () => (node === 0 ? (this.kernel.cpu.count > 1 ? `0-${this.kernel.cpu.count - 1}` : '0') : ''));
    file('cpumap', () => (node === 0 ? hex(2 ** this.kernel.cpu.count - 1, 1) : '0'));
    file('meminfo', () => this.node_meminfo(node));
    file('distance', () =>
      this.nodes
        .sorted(this.nodes.online)
        .map((to) => this.nodes.distance(node, to))
        .join(' '),
    );
  }

  /** node_read_meminfo, the first of its lines. What of the firmware's map is not in whole blocks is node 0's too. */
  private node_meminfo(node: number): string {
    const { mm } = this.kernel;
    const online = [...this.blocks.values()].filter((block) => block.zone !== null);
    const hot = online.filter((block) => !block.boot).length * this.block_size;
    const own = online.filter((block) => block.node === node);
    const total = node === 0 ? mm.totalBytes - hot : own.length * this.block_size;
    const free = own.reduce(
      (sum, { index }) => sum + mm.free_in(index * this.block_size, (index + 1) * this.block_size),
      0,
    );
    const line = (name: string, bytes: number): string =>
      `Node ${node} ${`${name}:`.padEnd(15)}${String(Math.floor(bytes / 4096) * 4).padStart(9)} kB`;
    return [line('MemTotal', total), line('MemFree', free), line('MemUsed', total - free)].join('\n');
  }

  /** add_memory_block */
  private add(block: Block): void {
    const { drivers } = this.kernel;
    const dir = `${BASE}/memory${block.index}`;
    this.blocks.set(block.index, block);
    const attr = (name: string, mode: number, show: () => string, store?: (text: string) => number) =>
      drivers.kobject_attr(dir, { name, mode, show: () => `${show()}\n`, ...(store ? { store } : {}) });
    attr('phys_index', 0o444, () => hex(block.index, 8));
    attr(
      'state',
      0o644,
      () => (block.zone === null ? 'offline' : 'online'),
      (text) => {
        const word = text.trim();
        if (!POLICIES.includes(word)) return -E.EINVAL;
        if ((word === 'offline') === (block.zone === null)) return -E.EINVAL;
        return word === 'offline' ? this.offline(block) : this.onlined(block, word);
      },
    );
    attr(
      'online',
      0o644,
      () => (block.zone === null ? '0' : '1'),
      (text) => {
        const on = /^[1yY]/.test(text);
        if (!on && !/^[0nN]/.test(text)) return -E.EINVAL;
        if (on === (block.zone !== null)) return 0;
        return on ? this.onlined(block, 'online') : this.offline(block);
      },
    );
    attr('removable', 0o444, () => '1');
    attr('phys_device', 0o444, () => '0');
    attr('valid_zones', 0o444, () => block.zone ?? 'Normal Movable');
    drivers.kobject_link(`${dir}/node${block.node}`, `${NODES}/node${block.node}`);
    drivers.kobject_link(`${NODES}/node${block.node}/memory${block.index}`, dir);
  }

  private range(block: Block): readonly [start: Addr, size: number] {
    return [block.index * this.block_size, this.block_size];
  }

  /** online_pages: the zonelists are made anew when the zone was empty, the tiers when the node was. */
  private onlined(block: Block, how: string): number {
    const { kernel, nodes } = this;
    const zone = how === 'online_movable' ? 'Movable' : 'Normal';
    const fresh = !nodes.with_memory().has(block.node);
    const rebuild = nodes.populated(block.node, zone) === 0;
    kernel.mm.online_pages(...this.range(block));
    block.zone = zone;
    nodes.count(block.node, zone, 1);
    if (rebuild) build_all_zonelists(kernel, nodes);
    if (fresh) memtier_changed(kernel, nodes);
    return 0;
  }

  /** offline_pages. What is in use stays: nothing is migrated. */
  private offline(block: Block): number {
    const { kernel, nodes } = this;
    const { zone } = block;
    if (zone === null) return 0;
    if (block.boot || !kernel.mm.offline_pages(...this.range(block))) return -E.EBUSY;
    block.zone = null;
    nodes.count(block.node, zone, -1);
    if (nodes.populated(block.node, zone) === 0) build_all_zonelists(kernel, nodes);
    if (!nodes.with_memory().has(block.node)) memtier_changed(kernel, nodes);
    return 0;
  }

  /** add_memory_driver_managed: blocks of a new range, put online at once if that is the policy. */
  add_memory(node: number, start: Addr, size: number, name: string): number {
    const { kernel, nodes } = this;
    const res = kernel.iomem.request_mem_region(start, size, name);
    if (res === null) return -E.EEXIST;
    if (!nodes.online.has(node)) {
      // hotadd_init_pgdat: before the node counts as online
      build_all_zonelists(kernel, nodes, node);
      this.node_add(node);
    }
    const added = this.indices(start, start + size - 1).map(
      (index): Block => ({ index, node, boot: false, zone: null }),
    );
    for (const block of added) this.add(block);
    if (this.policy !== 'offline') for (const block of added) this.onlined(block, this.policy);
    return 0;
  }

  /** remove_memory: all of the range, or nothing when some of it is online. */
  remove_memory(start: Addr, size: number): number {
    const { kernel, nodes } = this;
    const gone = this.indices(start, start + size - 1).flatMap((index) => this.blocks.get(index) ?? []);
    const busy = gone.find((block) => block.zone !== null);
    if (busy) {
      const [from, bytes] = this.range(busy);
      const text = `[0x${hex(from, 16)}-0x${hex(from + bytes - 1, 16)}]`;
      kernel.printk(4, `removing memory fails, because memory ${text} is onlined`);
      return -E.EBUSY;
    }
    for (const { index, node } of gone) {
      kernel.drivers.kobject_remove(`${NODES}/node${node}/memory${index}`);
      kernel.drivers.kobject_remove(`${BASE}/memory${index}`);
      this.blocks.delete(index);
    }
    kernel.iomem.release_mem_region(start, size);
    // try_offline_node
    for (const node of new Set(gone.map((block) => block.node))) {
      if ([...this.blocks.values()].some((block) => block.node === node)) continue;
      nodes.online.delete(node);
      kernel.drivers.kobject_remove(`${NODES}/node${node}`);
    }
    return 0;
  }

  /** The whole blocks of a range. */
  whole(start: Addr, end: Addr): readonly [start: Addr, size: number] {
    const from = Math.ceil(start / this.block_size) * this.block_size;
    return [from, alignDown(end + 1, this.block_size) - from];
  }
}

/** memory_dev_init, of kernels with memory hotplug. */
export function memory_dev_init(kernel: Kernel): void {
  if (kernel.config('MEMORY_HOTPLUG') === 'y') kernel.set(MEMORY, new MemoryBlocks(kernel));
}
