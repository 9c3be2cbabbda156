/** KVM ioctl numbers (linux/kvm.h). Structures are little-endian bytes. */
export const KVM_GET_API_VERSION = 0xae00;
export const KVM_CREATE_VM = 0xae01;
export const KVM_CHECK_EXTENSION = 0xae03;
export const KVM_CREATE_VCPU = 0xae41;
/** struct kvm_userspace_memory_region: u32 slot, u32 flags, u64 guest_phys_addr, u64 memory_size, u64 userspace_addr. */
export const KVM_SET_USER_MEMORY_REGION = 0x4020ae46;
/** struct kvm_irq_level: u32 irq, u32 level. */
export const KVM_IRQ_LINE = 0x4008ae61;
export const KVM_MEM_READONLY = 2;
