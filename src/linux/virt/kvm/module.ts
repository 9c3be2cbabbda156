/** Modules kvm and kvm-intel: virt/kvm, arch/x86/kvm/vmx. What the CPU offers decides (no VMX: -EOPNOTSUPP). */
import { E } from '../../../base/errno.ts';
import type { ModuleDef } from '../../include/module.ts';
import { guestMachine, KVM, Kvm, kvm_chardev_ops } from './kvm.ts';

/** Misc devices share major 10; KVM has minor 232. */
const MISC_MAJOR = 10;
const KVM_MINOR = 232;

export const kvm_module: ModuleDef = {
  name: 'kvm',
  config: 'KVM',
  dir: 'arch/x86/kvm',
  description: 'Kernel-based Virtual Machine (KVM) Hypervisor',
  author: 'Qumranet',
  license: 'GPL',
  size: 1417216,
  initcall: 6,
  init: () => 0,
  exit: () => {},
};

export const kvm_intel_module: ModuleDef = {
  name: 'kvm-intel',
  config: 'KVM_INTEL',
  dir: 'arch/x86/kvm',
  depends: ['kvm'],
  description: 'KVM support for VMX (Intel VT-x) extensions',
  author: 'Qumranet',
  license: 'GPL',
  params: {
    nested: { type: 'bool', description: '', default: 'Y', mode: 0o444 },
    ept: { type: 'bool', description: '', default: 'Y', mode: 0o444 },
  },
  size: 479232,
  initcall: 6,
  init(kernel) {
    if (guestMachine(kernel.machine) === null) {
      kernel.printk(3, 'kvm_intel: VMX not supported by CPU 0');
      return -E.EOPNOTSUPP;
    }
    const kvm = new Kvm(kernel);
    const ops = kvm_chardev_ops(kvm);
    kernel.set(KVM, kvm);
    registerMinor(kernel.vfs, ops);
    return 0;
  },
  exit(kernel) {
    kernel.vfs.rmnod('kvm');
  },
};

function registerMinor(vfs: Parameters<ModuleDef['init']>[0]['vfs'], ops: ReturnType<typeof kvm_chardev_ops>): void {
  vfs.register_chrdev(MISC_MAJOR, 'misc', (minor) => (minor === KVM_MINOR ? ops : null));
  vfs.mknod('kvm', 0o660, MISC_MAJOR, KVM_MINOR);
}
