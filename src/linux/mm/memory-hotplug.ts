import { GiB, PAGE_SIZE } from '../../base/addr.ts';
import type { Kernel } from '../include/kernel.ts';

/**
 * NUMA nodes as far as memory that comes and goes needs them: which have memory, in which zones, the fallback order and the demotion
 * targets the kernel prints when that changes (mm/page_alloc.c, memory-tiers.c, memory_hotplug.c; v6.12). Every node but 0 is
 * hot-added memory without CPUs, 20 away; all of them are in one lower tier (ledger: dax-kmem).
 */

export type Zone = 'DMA32' | 'Normal' | 'Movable' | 'none';

export class MemoryNodes {
  readonly online = new Set<number>();
  /** Blocks online by node and zone. */
  private readonly zones = new Map<string, number>();

  count(node: number, zone: Zone, by: number): void {
    this.zones.set(`${node} ${zone}`, this.populated(node, zone) + by);
  }
  populated(node: number, zone: Zone): number {
    return this.zones.get(`${node} ${zone}`) ?? 0;
  }
  /** N_MEMORY, or the nodes with memory in one zone. */
  with_memory(zone?: Zone): ReadonlySet<number> {
    const rows = [...this.zones].filter(
      ([key, blocks]) => blocks > 0 && (zone === undefined || key.endsWith(` ${zone}`)),
    );
    return new Set(rows.map(([key]) => Number(key.split(' ')[0])));
  }
  distance(from: number, to: number): number {
    return from === to ? 10 : 20;
  }
  sorted(nodes: Iterable<number>): readonly number[] {
    return [...nodes].sort((a, b) => a - b);
  }
  /** %*pbl: ranges */
  list(nodes: Iterable<number>): string {
    const runs: [number, number][] = [];
    for (const node of this.sorted(nodes)) {
      const last = runs.at(-1);
      if (last && last[1] === node - 1) last[1] = node;
      else runs.push([node, node]);
    }
    return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
  }
}

/** find_next_best_node over and over: near ones first, those with CPUs and lower numbers a little later, loaded ones last. */
function fallback_order(nodes: MemoryNodes, local: number, load: Map<number, number>): readonly number[] {
  const left = new Set(nodes.with_memory());
  const order: number[] = [];
  let before = local;
  while (left.size > 0) {
    let best = left.has(local) ? local : -1;
    let least = Number.POSITIVE_INFINITY;
    if (best < 0)
      for (const node of nodes.sorted(left)) {
        const near = nodes.distance(local, node) + (node < local ? 1 : 0) + (node === 0 ? 1 : 0);
        const value = near * 1024 + (load.get(node) ?? 0);
        if (value >= least) continue;
        least = value;
        best = node;
      }
    // the first of a group at the same distance carries the load of this round
    if (nodes.distance(local, best) !== nodes.distance(local, before)) load.set(best, (load.get(best) ?? 0) + 1);
    left.delete(best);
    order.push(best);
    before = best;
  }
  return order;
}

/** build_all_zonelists; `self`: of a node that is just coming. */
export function build_all_zonelists(kernel: Kernel, nodes: MemoryNodes, self?: number): void {
  const load = new Map<number, number>();
  for (const node of self === undefined ? nodes.sorted(nodes.online) : [self]) {
    const order = fallback_order(nodes, node, load);
    kernel.printk(6, `Fallback order for Node ${node}: ${order.map((one) => `${one} `).join('')}`);
  }
  const pages = Math.floor(kernel.mm.totalBytes / PAGE_SIZE);
  kernel.printk(6, `Built ${nodes.online.size} zonelists, mobility grouping on.  Total pages: ${pages}`);
  const high = kernel.boot.e820.some((entry) => entry.type === 'usable' && entry.start >= 4 * GiB);
  kernel.printk(6, `Policy zone: ${high || nodes.with_memory('Normal').size > 0 ? 'Normal' : 'DMA32'}`);
}

/** establish_demotion_targets, after a node got its first or lost its last memory. */
export function memtier_changed(kernel: Kernel, nodes: MemoryNodes): void {
  const memory = nodes.sorted(nodes.with_memory());
  const lower = nodes.list(memory.filter((node) => node !== 0));
  for (const node of memory) {
    const targets = node === 0 && lower !== '' ? `preferred: ${lower}, fallback: ${lower}` : 'null';
    kernel.printk(6, `Demotion targets for Node ${node}: ${targets}`);
  }
}
