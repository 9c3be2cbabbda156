/** Modules kvm and kvm-intel: virt/kvm, arch/x86/kvm/vmx. What the CPU offers decides (no VMX: -EOPNOTSUPP). */
import { E } from '../../../base/errno.ts';
import { misc_deregister, misc_register } from '../../drivers/char/misc.ts';
import type { ModuleDef } from '../../include/module.ts';
import { kvm_init_debug } from './debugfs.ts';
import { guestMachine, KVM, Kvm, kvm_chardev_ops } from './kvm.ts';

/** Minor of /dev/kvm among the misc devices. */
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
    kernel.set(KVM, kvm);
    kvm_init_debug(kvm);
    return misc_register(kernel, KVM_MINOR, 'kvm', 'kvm', kvm_chardev_ops(kvm));
  },
  exit(kernel) {
    kernel.vfs.debugfs_remove('kvm');
    misc_deregister(kernel, KVM_MINOR);
  },
};
