/**
 * /dev/kvm, VM and vCPU files: virt/kvm/kvm_main.c with arch/x86/kvm/x86.c as far as the lab needs them. Control of KVM_RUN is
 * inverted (see `Sys.kvmRun`). Left out: more than one VM per kernel, CPU state ioctls, irqfd, dirty logging.
 */
import { fromHalves } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { WaitQueue } from '../../../base/scheduler.ts';
import type { Cpu } from '../../../hw/bus/cpu-bus.ts';
import type { MachineId } from '../../../log/index.ts';
import { paths } from '../../../state/schema.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import { type Kernel, SubsystemKey } from '../../include/kernel.ts';
import type { Process } from '../../include/tasks.ts';
import type { Guest } from '../../platform.ts';
import {
  KVM_CHECK_EXTENSION,
  KVM_CREATE_VCPU,
  KVM_CREATE_VM,
  KVM_GET_API_VERSION,
  KVM_IRQ_LINE,
  KVM_MSI_SIZE,
  KVM_SET_USER_MEMORY_REGION,
  KVM_SIGNAL_MSI,
} from '../../uapi/kvm.ts';
import type { KvmCpu, KvmExits } from '../../uapi/sys.ts';
import { kvm_create_vm_debugfs, kvm_destroy_vm_debugfs } from './debugfs.ts';
import { GuestBus } from './guest-bus.ts';
import { KVM_USER_MEM_SLOTS, MemorySlots } from './memslots.ts';
import { type ExitCounts, VcpuExits } from './vcpu-exits.ts';

const KVM_API_VERSION = 12;
const KVM_CAP_IRQCHIP = 0;
const KVM_CAP_USER_MEMORY = 3;
const KVM_CAP_NR_VCPUS = 9;
const KVM_CAP_NR_MEMSLOTS = 10;
const KVM_CAP_MAX_VCPUS = 66;
const KVM_CAP_READONLY_MEM = 81;

/** KVM of one kernel. */
export class Kvm {
  vm: Vm | null = null;
  constructor(readonly kernel: Kernel) {}

  /** Publishes the exit counters of the running guest; call it once per command. */
  flushStats(): void {
    this.vm?.flushStats();
  }
}

export const KVM = new SubsystemKey<Kvm>('kvm');

/** Machine a kernel's guests are: the next level, or null where nesting ends. */
export function guestMachine(machine: MachineId): MachineId | null {
  return machine === 'host' ? 'l1' : machine === 'l1' ? 'l2' : null;
}

/** struct kvm */
export class Vm {
  readonly slots = new MemorySlots();
  readonly counts: ExitCounts = { mmioRead: 0, mmioWrite: 0, io: 0 };
  readonly stopped: WaitQueue;
  /** Its directory below debugfs's `kvm`, once it has one. */
  debugfs: string | null = null;
  guest: Guest | null = null;
  bus: GuestBus | null = null;
  /** What KVM_RUN returns when it ends. */
  result = 0;
  vcpus = 0;
  running = false;

  constructor(
    readonly kvm: Kvm,
    readonly machine: MachineId,
  ) {
    this.stopped = new WaitQueue(kvm.kernel.scheduler);
  }

  publishSlots(): void {
    const slots = [...this.slots.list].sort((a, b) => a.slot - b.slot).map((slot) => ({ ...slot }));
    this.kvm.kernel.log.publish(paths.kvmSlots(this.machine), { slots });
  }
  flushStats(): void {
    this.kvm.kernel.log.publish(paths.kvmStats(this.machine), { ...this.counts });
  }

  /** The guest loses its CPU: its tasks end, KVM_RUN returns `result`. */
  stop(result: number): void {
    if (!this.running) return;
    this.running = false;
    this.result = result;
    if (this.bus) this.bus.vcpu.running = false;
    this.flushStats();
    const { guest } = this;
    this.guest = null;
    guest?.powerOff();
    this.stopped.wakeAll();
  }

  destroy(): void {
    this.stop(-E.EINTR);
    kvm_destroy_vm_debugfs(this);
    this.slots.clear();
    this.kvm.kernel.platform.mapEpoch.bump();
    const { log } = this.kvm.kernel;
    log.publish(paths.kvmSlots(this.machine), null);
    log.publish(paths.kvmStats(this.machine), null);
    // However the VMM ended (a signal too), the machine it made is gone.
    const hardware = `hw/${this.machine}/`;
    for (const { block } of [...log.blocks])
      if (block.kind === 'object' && block.path.startsWith(hardware)) log.publish(block.path, null);
    log.publish(paths.machine(this.machine), { id: this.machine, state: 'off' });
    if (this.kvm.vm === this) this.kvm.vm = null;
  }
}

/** struct kvm_vcpu */
export class Vcpu {
  constructor(
    readonly vm: Vm,
    readonly id: number,
  ) {}
}

function kvm_vm_ioctl_check_extension(extension: number): number {
  switch (extension) {
    case KVM_CAP_IRQCHIP:
    case KVM_CAP_USER_MEMORY:
    case KVM_CAP_READONLY_MEM:
      return 1;
    case KVM_CAP_NR_MEMSLOTS:
      return KVM_USER_MEM_SLOTS;
    case KVM_CAP_NR_VCPUS:
    case KVM_CAP_MAX_VCPUS:
      return 255;
    default:
      return 0;
  }
}

/** File operations of /dev/kvm. */
export function kvm_chardev_ops(kvm: Kvm): FileOperations {
  return {
    unlocked_ioctl(file, request, arg) {
      const value = typeof arg === 'number' ? arg : 0;
      switch (request) {
        case KVM_GET_API_VERSION:
          return value === 0 ? KVM_API_VERSION : -E.EINVAL;
        case KVM_CHECK_EXTENSION:
          return kvm_vm_ioctl_check_extension(value);
        case KVM_CREATE_VM:
          return kvm_dev_ioctl_create_vm(kvm, file.process, value);
        default:
          return -E.ENOTTY;
      }
    },
  };
}

function kvm_dev_ioctl_create_vm(kvm: Kvm, process: Process, type: number): number {
  if (type !== 0) return -E.EINVAL;
  const machine = guestMachine(kvm.kernel.machine);
  if (machine === null) return -E.EOPNOTSUPP;
  // One guest per level: the machines of the lab are host, l1 and l2.
  if (kvm.vm) return -E.EBUSY;
  const vm = new Vm(kvm, machine);
  kvm.vm = vm;
  process.onExit(() => vm.destroy());
  const fd = kvm.kernel.vfs.anon_fd(process, 'kvm-vm', vmOps(vm), vm);
  kvm_create_vm_debugfs(vm, process.pid, fd);
  return fd;
}

function vmOps(vm: Vm): FileOperations {
  const { kvm } = vm;
  return {
    release: () => vm.destroy(),
    unlocked_ioctl(file, request, arg) {
      const bytes = typeof arg === 'number' ? null : arg;
      const value = typeof arg === 'number' ? arg : 0;
      switch (request) {
        case KVM_CHECK_EXTENSION:
          return kvm_vm_ioctl_check_extension(value);
        case KVM_SET_USER_MEMORY_REGION: {
          if (!bytes) return -E.EFAULT;
          const error = vm.slots.set(bytes);
          if (error === 0) {
            kvm.kernel.platform.mapEpoch.bump();
            vm.publishSlots();
          }
          return error;
        }
        case KVM_CREATE_VCPU: {
          const vcpu = new Vcpu(vm, value);
          vm.vcpus++;
          return kvm.kernel.vfs.anon_fd(file.process, `kvm-vcpu:${value}`, {}, vcpu);
        }
        case KVM_IRQ_LINE: {
          if (!bytes || bytes.length < 8) return -E.EFAULT;
          const view = viewOf(bytes);
          if (view.getUint32(4, true) !== 0) vm.guest?.interrupt(view.getUint32(0, true));
          return 0;
        }
        case KVM_SIGNAL_MSI: {
          if (!bytes || bytes.length < KVM_MSI_SIZE) return -E.EFAULT;
          const view = viewOf(bytes);
          if (view.getUint32(12, true) !== 0) return -E.EINVAL;
          vm.guest?.message(fromHalves(view.getUint32(4, true), view.getUint32(0, true)), view.getUint32(8, true));
          return vm.guest ? 1 : 0;
        }
        default:
          return -E.ENOTTY;
      }
    },
  };
}

/** Behind `Sys.kvmRun`: runs the guest on this vCPU until it is stopped; 0, or a negated errno (-EFAULT: a page could not be provided). */
export async function kvm_run(
  kernel: Kernel,
  process: Process,
  vcpuFd: number,
  exits: KvmExits,
  cpu: KvmCpu,
): Promise<number> {
  const vcpu = vcpuOf(kernel, process, vcpuFd);
  if (typeof vcpu === 'number') return vcpu;
  const { vm } = vcpu;
  if (vm.running) return -E.EBUSY;
  const exit = new VcpuExits(kernel, exits, vm.counts, () => vm.stop(-E.EFAULT));
  const bus = new GuestBus(kernel, process, vm.slots, exits, vm.counts, exit);
  bus.pieces = cpu.tcg === true;
  const guestCpu: Cpu = {
    bus,
    features: { model: cpu.model, hypervisor: cpu.hypervisor, vendor: cpu.vendor, tcg: cpu.tcg === true },
    count: cpu.count,
  };
  vm.bus = bus;
  vm.running = true;
  vm.guest = kernel.platform.execute(vm.machine, guestCpu);
  // A caught signal interrupts KVM_RUN; its handler may ask the run to end, otherwise the guest goes on.
  while (vm.running) if ((await kernel.tasks.wait(process, vm.stopped.wait())) < 0) kernel.tasks.checkSignals(process);
  return vm.result;
}

/** Behind `Sys.kvmStop`. */
export function kvm_stop(kernel: Kernel, process: Process, vcpuFd: number): number {
  const vcpu = vcpuOf(kernel, process, vcpuFd);
  if (typeof vcpu === 'number') return vcpu;
  vcpu.vm.stop(0);
  return 0;
}

function vcpuOf(kernel: Kernel, process: Process, fd: number): Vcpu | number {
  const file: File | null = kernel.vfs.file(process, fd);
  if (!file) return -E.EBADF;
  return file.private_data instanceof Vcpu ? file.private_data : -E.EINVAL;
}
