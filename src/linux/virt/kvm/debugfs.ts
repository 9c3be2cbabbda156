/**
 * /sys/kernel/debug/kvm of kvm_main.c: counters of all VMs, and a directory `<pid>-<fd>` per VM. Only the exits the lab has: to user space for
 * MMIO and port I/O; `exits` is their sum, where a real CPU also leaves the guest for interrupts, page faults and HLT.
 */
import type { Kvm, Vm } from './kvm.ts';

const STATS: readonly (readonly [name: string, get: (vm: Vm) => number])[] = [
  ['exits', ({ counts }) => counts.mmioRead + counts.mmioWrite + counts.io],
  ['io_exits', ({ counts }) => counts.io],
  ['mmio_exits', ({ counts }) => counts.mmioRead + counts.mmioWrite],
];

export function kvm_init_debug(kvm: Kvm): void {
  for (const [name, get] of STATS)
    kvm.kernel.vfs.debugfs_create(`kvm/${name}`, () => `${kvm.vm ? get(kvm.vm) : 0}\n`, null);
}

export function kvm_create_vm_debugfs(vm: Vm, pid: number, fd: number): void {
  vm.debugfs = `kvm/${pid}-${fd}`;
  for (const [name, get] of STATS)
    vm.kvm.kernel.vfs.debugfs_create(`${vm.debugfs}/${name}`, () => `${get(vm)}\n`, null);
}

export function kvm_destroy_vm_debugfs(vm: Vm): void {
  if (vm.debugfs !== null) vm.kvm.kernel.vfs.debugfs_remove(vm.debugfs);
  vm.debugfs = null;
}
