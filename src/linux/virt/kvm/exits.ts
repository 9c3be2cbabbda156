/** What exits are in the log, and how string moves fall apart into accesses. */
import type { Addr } from '../../../base/addr.ts';
import { layerIndex, type SiteId } from '../../../log/index.ts';
import type { Kernel } from '../../include/kernel.ts';

export interface ExitSites {
  readonly read: SiteId;
  readonly write: SiteId;
  readonly loop: SiteId;
  readonly io: SiteId;
  readonly fault: SiteId;
}

/** The sites of a kernel's KVM layer. */
export function exitSites({ log, machine }: Kernel): ExitSites {
  const layer = layerIndex(machine, 'kvm');
  const site = (name: string, second: string, cite: string, first = 'gpa'): SiteId =>
    log.site({ layer, name, args: [first, second], cite });
  return {
    read: site('kvm exit mmio read', 'value', 'virt/kvm: KVM_EXIT_MMIO'),
    write: site('kvm exit mmio write', 'value', 'virt/kvm: KVM_EXIT_MMIO'),
    io: site('kvm exit io write', 'value', 'virt/kvm: KVM_EXIT_IO', 'port'),
    loop: site('kvm exits mmio read: a loop of 4-byte loads', 'loads', 'virt/kvm: KVM_EXIT_MMIO'),
    fault: site('kvm: page of the guest cannot be provided', 'value', 'arch/x86/kvm/mmu/mmu.c kvm_handle_error_pfn'),
  };
}

/** Elements of a string move to device memory: up to 4 bytes, naturally aligned (memcpy_fromio / memcpy_toio). */
export function unit(addr: Addr, left: number): 1 | 2 | 4 {
  if (left >= 4 && addr % 4 === 0) return 4;
  return left >= 2 && addr % 2 === 0 ? 2 : 1;
}
