/** KVM ioctl numbers (linux/kvm.h). Structures are little-endian bytes. */
export const KVM_GET_API_VERSION = 0xae00;
export const KVM_CREATE_VM = 0xae01;
export const KVM_CHECK_EXTENSION = 0xae03;
export const KVM_CREATE_VCPU = 0xae41;
/** struct kvm_userspace_memory_region: u32 slot, u32 flags, u64 guest_phys_addr, u64 memory_size, u64 userspace_addr. */
export const KVM_SET_USER_MEMORY_REGION = 0x4020ae46;
/** struct kvm_irq_level: u32 irq, u32 level. */
export const KVM_IRQ_LINE = 0x4008ae61;
/** struct kvm_msi: u32 address_lo, u32 address_hi, u32 data, u32 flags, u32 devid, 12 bytes of padding. */
export const KVM_SIGNAL_MSI = 0x4020aea5;
export const KVM_MSI_SIZE = 32;
export const KVM_MEM_READONLY = 2;
