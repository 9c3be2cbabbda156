/** Memory slots of a VM: virt/kvm/kvm_main.c, __kvm_set_memory_region. Left out: dirty logging, address spaces other than 0, guest_memfd. */
import { type Addr, type Hva, PAGE_SIZE } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { KVM_MEM_READONLY } from '../../uapi/kvm.ts';

const KVM_MEM_LOG_DIRTY_PAGES = 1;
export const KVM_USER_MEM_SLOTS = 32764;

export interface MemorySlot {
  readonly slot: number;
  readonly gpa: Addr;
  readonly size: number;
  readonly hva: Hva;
  readonly readonly: boolean;
}

export class MemorySlots {
  /** In order of guest address; they never overlap. */
  list: readonly MemorySlot[] = [];
  private starts = new Float64Array(0);

  /** The slot holding a guest address, or null. */
  find(gpa: Addr): MemorySlot | null {
    const { starts } = this;
    let low = 0;
    let high = starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (gpa < (starts[middle] as number)) high = middle - 1;
      else {
        const slot = this.list[middle] as MemorySlot;
        if (gpa < slot.gpa + slot.size) return slot;
        low = middle + 1;
      }
    }
    return null;
  }

  /** First slot address above `gpa`, or Infinity. */
  next(gpa: Addr): Addr {
    for (const start of this.starts) if (start > gpa) return start;
    return Number.POSITIVE_INFINITY;
  }

  /** End of the last slot below `gpa`, or 0. */
  end(gpa: Addr): Addr {
    let end = 0;
    for (const slot of this.list) if (slot.gpa < gpa) end = slot.gpa + slot.size;
    return end;
  }

  /** __kvm_set_memory_region() on the bytes of struct kvm_userspace_memory_region: 0 or a negated errno. */
  set(bytes: Uint8Array): number {
    if (bytes.length < 32) return -E.EFAULT;
    const view = viewOf(bytes);
    const u64 = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    const slot = view.getUint32(0, true);
    const flags = view.getUint32(4, true);
    const gpa = u64(8);
    const size = u64(16);
    const hva = u64(24);
    if ((flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)) !== 0) return -E.EINVAL;
    if (gpa % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0 || hva % PAGE_SIZE !== 0) return -E.EINVAL;
    if (slot >= KVM_USER_MEM_SLOTS) return -E.EINVAL;
    const old = this.list.find((other) => other.slot === slot);
    if (size === 0) {
      if (!old) return -E.EINVAL;
      this.replace(this.list.filter((other) => other !== old));
      return 0;
    }
    const readonly = (flags & KVM_MEM_READONLY) !== 0;
    if (old) {
      if (old.hva !== hva || old.size !== size || old.readonly !== readonly) return -E.EINVAL;
      if (old.gpa === gpa) return 0;
    }
    const rest = this.list.filter((other) => other !== old);
    if (rest.some((other) => other.gpa < gpa + size && other.gpa + other.size > gpa)) return -E.EEXIST;
    this.replace([...rest, { slot, gpa, size, hva, readonly }]);
    return 0;
  }

  clear(): void {
    this.replace([]);
  }

  private replace(list: readonly MemorySlot[]): void {
    this.list = [...list].sort((a, b) => a.gpa - b.gpa);
    this.starts = Float64Array.from(this.list, (slot) => slot.gpa);
  }
}
