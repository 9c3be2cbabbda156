import { hex } from '../../base/addr.ts';
import { type Kernel, SubsystemKey } from '../include/kernel.ts';

/**
 * Memory types of device mappings (arch/x86/mm/pat/memtype.c): what /sys/kernel/debug/x86/pat_memtype_list shows. Left out:
 * conflicts between types, and every mapping that does not ask by name (BARs, RAM).
 */
export type MemType = 'uncached-minus' | 'write-back';

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly type: MemType;
}
const MEMTYPES = new SubsystemKey<Entry[]>('memtype');

/** memtype_reserve: the range has this type until the function given back is called. */
export function reserve_memtype(kernel: Kernel, start: number, end: number, type: MemType): () => void {
  if (!kernel.has(MEMTYPES)) {
    const list: Entry[] = [];
    kernel.set(MEMTYPES, list);
    kernel.vfs.debugfs_create('x86/pat_memtype_list', () => `PAT memtype list:\n${list.map(line).join('')}`, null);
  }
  const entry = { start, end, type };
  const entries = kernel.get(MEMTYPES);
  entries.push(entry);
  return () => {
    const at = entries.indexOf(entry);
    if (at >= 0) entries.splice(at, 1);
  };
}

function line({ start, end, type }: Entry): string {
  return `PAT: [mem 0x${hex(start, 16)}-0x${hex(end, 16)}] ${type}\n`;
}
