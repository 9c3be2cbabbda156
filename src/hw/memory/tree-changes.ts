/**
 * What a change of the region tree can touch, so that a commit need not render everything again. Ours: QEMU renders every
 * address space at each commit; the outcome is the same (flat-view.test.ts compares). Relies on aliases that map their
 * target where it is (PCI bridges, PAM, bus masters); below any other alias a change counts as everywhere.
 */
import type { Addr } from '../../base/addr.ts';
import type { MemoryRegion } from './memory-region.ts';

/** Half-open ranges of addresses as pairs; EVERYWHERE when they are not known. */
export type Touched = readonly (readonly [start: Addr, end: Addr])[] | typeof EVERYWHERE;
export const EVERYWHERE = 'everywhere';

/** Representative of the regions that can see each other through containers and aliases; never splits again. */
export function familyOf(mr: MemoryRegion): MemoryRegion {
  let root = mr;
  while (root.family !== root) root = root.family;
  let at = mr;
  while (at.family !== root) {
    const next = at.family;
    at.family = root;
    at = next;
  }
  return root;
}

export function joinFamilies(a: MemoryRegion, b: MemoryRegion): void {
  const [one, other] = [familyOf(a), familyOf(b)];
  if (one !== other) one.family = other;
}

/** Where byte 0 of a region lies, counted from the root it hangs below. */
function offsetInRoot(mr: MemoryRegion): number {
  let sum = 0;
  for (let at: MemoryRegion | null = mr; at; at = at.container) sum += at.addr;
  return sum;
}

/** The addresses `mr` covers in every address space that shows it, or null if it is shown shifted somewhere. */
export function addressesOf(mr: MemoryRegion): readonly [start: Addr, end: Addr] | null {
  const start = offsetInRoot(mr);
  for (let at: MemoryRegion | null = mr; at; at = at.container)
    for (const alias of at.aliases) if (offsetInRoot(alias) - alias.aliasOffset !== offsetInRoot(at)) return null;
  return [start, start + mr.size];
}

/** Is `mr` in the tree below `root`, or in one that an alias there shows? */
export function isSeenFrom(root: MemoryRegion, mr: MemoryRegion): boolean {
  for (let at: MemoryRegion | null = mr; at; at = at.container) if (at === root) return true;
  for (let at: MemoryRegion | null = mr; at; at = at.container)
    for (const alias of at.aliases) if (isSeenFrom(root, alias)) return true;
  return false;
}

/** Does host memory show through this region anywhere? */
export function holdsMemory(mr: MemoryRegion): boolean {
  if (mr.host !== null) return true;
  if (mr.alias) return holdsMemory(mr.alias);
  return mr.subregions.some(holdsMemory);
}

/** Where host memory is or would be if nothing lay over it. */
export function memoryExtents(root: MemoryRegion): readonly (readonly [start: Addr, end: Addr])[] {
  const out: (readonly [Addr, Addr])[] = [];
  const visit = (mr: MemoryRegion, parentBase: number, clipStart: Addr, clipEnd: Addr): void => {
    if (!mr.enabled) return;
    const base = parentBase + mr.addr;
    const start = Math.max(clipStart, base);
    const end = Math.min(clipEnd, base + mr.size);
    if (start >= end) return;
    if (mr.alias) visit(mr.alias, base - mr.alias.addr - mr.aliasOffset, start, end);
    else {
      if (mr.host !== null) out.push([start, end]);
      for (const sub of mr.subregions) visit(sub, base, start, end);
    }
  };
  visit(root, 0, 0, Number.POSITIVE_INFINITY);
  return out;
}
