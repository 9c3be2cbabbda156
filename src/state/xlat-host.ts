import type { Addr } from '../base/addr.ts';
import { publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import { type KvmSlotsState, paths, type VmasState } from './schema.ts';

/** Who on the physical host holds a byte of its memory: the way up from host physical memory into the chains of xlat.ts. */
export interface HostHolder {
  readonly pid: number;
  readonly mapping: string;
  readonly kind: VmasState['vmas'][number]['kind'];
  /** Address in the process, and offset in the mapping. */
  readonly hva: Addr;
  readonly offset: number;
  /** L1's address when a memory slot of L1 lies there. */
  readonly l1?: { readonly slot: number; readonly address: Addr };
}

export function hostHolder(reader: StateReader, phys: Addr): HostHolder | null {
  for (const path of reader.objectPaths('vma/host/')) {
    const state = publishedAs<VmasState>(reader.object(path));
    for (const vma of state?.vmas ?? []) {
      let at = vma.start;
      for (const extent of vma.extents) {
        if (phys >= extent.phys && phys < extent.phys + extent.size) {
          const hva = at + (phys - extent.phys);
          const slots = publishedAs<KvmSlotsState>(reader.object(paths.kvmSlots('l1')))?.slots ?? [];
          const slot = slots.find((one) => hva >= one.hva && hva < one.hva + one.size);
          return {
            pid: Number(path.slice('vma/host/'.length)),
            mapping: vma.name,
            kind: vma.kind,
            hva,
            offset: hva - vma.start,
            ...(slot ? { l1: { slot: slot.slot, address: slot.gpa + (hva - slot.hva) } } : {}),
          };
        }
        at += extent.size;
      }
    }
  }
  return null;
}
