import { GiB, MiB } from '../../../../base/addr.ts';
import { Prng } from '../../../../base/prng.ts';
import type { Waiter } from '../../../../base/scheduler.ts';
import { Scheduler } from '../../../../base/scheduler.ts';
import type { Cpu } from '../../../../hw/bus/cpu-bus.ts';
import { MapEpoch } from '../../../../hw/bus/map-epoch.ts';
import { PhysicalMachine } from '../../../../hw/physical/machine.ts';
import { EventLog, type MachineId } from '../../../../log/index.ts';
import type { File, FileOperations } from '../../../include/fs.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { Process } from '../../../include/tasks.ts';
import { MemoryManager } from '../../../mm/mm.ts';
import type { Platform } from '../../../platform.ts';
import { KVM_CREATE_VCPU, KVM_CREATE_VM, KVM_SET_USER_MEMORY_REGION } from '../../../uapi/kvm.ts';
import type { KvmExits } from '../../../uapi/sys.ts';
import { Kvm, kvm_chardev_ops, kvm_run } from '../kvm.ts';

/** Just enough of a kernel for mm and KVM: no drivers, no files but the ones made here. */
export interface Level {
  readonly kernel: Kernel;
  readonly mm: MemoryManager;
  readonly process: Process;
  readonly exits: (() => void)[];
}

export function world() {
  const log = new EventLog();
  const scheduler = new Scheduler(() => Promise.resolve());
  const guests = new Map<MachineId, Cpu>();
  const stopped: MachineId[] = [];
  const platform: Platform = {
    log,
    scheduler,
    random: new Prng(1),
    mapEpoch: new MapEpoch(),
    programs: new Map(),
    execute(machine, cpu) {
      guests.set(machine, cpu);
      return { machine, interrupt: () => {}, message: () => {}, powerOff: () => stopped.push(machine) };
    },
  };
  const host = new PhysicalMachine(log, {
    ramBytes: 16 * GiB,
    serial: { write: () => {} },
    kernel: new Uint8Array(0),
    cmdline: '',
  });
  return { log, scheduler, platform, host, guests, stopped };
}

export function level(platform: Platform, machine: MachineId, cpu: Cpu, ramEnd: number): Level {
  const files = new Map<number, File>();
  const onExit: (() => void)[] = [];
  let nextFd = 3;
  const sent: number[] = [];
  const partial = {
    machine,
    cpu,
    platform,
    log: platform.log,
    scheduler: platform.scheduler,
    boot: {
      e820: [
        { start: 0x100000, size: Math.min(ramEnd, 2 * GiB) - 0x100000, type: 'usable' },
        ...(ramEnd > 2 * GiB ? [{ start: 4 * GiB, size: ramEnd - 2 * GiB, type: 'usable' }] : []),
      ],
      rsdp: 0,
      cmdline: '',
      kernel: new Uint8Array(0),
      initrd: new Uint8Array(0),
    },
    tasks: {
      send: (_pid: number, signal: number) => sent.push(signal),
      wait: async (_process: Process | null, waiter: Waiter) => {
        await waiter.promise;
        return 0;
      },
      checkSignals: () => {},
    },
    tracing: { event: () => ({ enabled: false, emit: () => {} }) },
    vfs: {
      anon_fd(process: Process, path: string, fops: FileOperations, private_data: unknown) {
        const fd = nextFd++;
        const none = { get() {}, put() {} };
        files.set(fd, { path, flags: 2, position: 0, fops, process, rdev: 0, private_data, ...none });
        return fd;
      },
      file: (_process: Process, fd: number) => files.get(fd) ?? null,
      debugfs_create: () => {},
      debugfs_remove: () => {},
    },
  };
  const kernel = partial as unknown as Kernel & { mm: MemoryManager };
  const mm = new MemoryManager(kernel);
  Object.assign(partial, { mm });
  const process = { pid: 100, onExit: (run: () => void) => onExit.push(run) } as unknown as Process;
  return { kernel, mm, process, exits: onExit };
}

export function ioctl(at: Level, fd: number, request: number, arg: Uint8Array | number): number {
  const file = at.kernel.vfs.file(at.process, fd) as File;
  return file.fops.unlocked_ioctl?.(file, request, arg) as number;
}

export function region(slot: number, flags: number, gpa: number, size: number, hva: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number) => {
    view.setUint32(at, value % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  view.setUint32(0, slot, true);
  view.setUint32(4, flags, true);
  put(8, gpa);
  put(16, size);
  put(24, hva);
  return bytes;
}

export function createVm(at: Level): { vm: number; kvm: Kvm; ops: FileOperations } {
  const kvm = new Kvm(at.kernel);
  const ops = kvm_chardev_ops(kvm);
  const file = { process: at.process } as unknown as File;
  return { kvm, ops, vm: ops.unlocked_ioctl?.(file, KVM_CREATE_VM, 0) as number };
}

export const deadExits: KvmExits = {
  hi: 0,
  mmioRead: () => 0,
  mmioWrite: () => {},
  pioRead: () => 0xff,
  pioWrite: () => {},
  pioOuts: () => {},
  pioIns: () => {},
  peek: (_gpa, length) => new Uint8Array(length),
};

/** A guest with `size` bytes of RAM at 0, started; gives its CPU and the address of its RAM in the VMM. */
export function startGuest(
  at: Level,
  guests: Map<MachineId, Cpu>,
  machine: MachineId,
  size: number,
  exits: KvmExits = deadExits,
) {
  const { vm, kvm, ops } = createVm(at);
  const hva = at.mm.mmap(at.process, 0, size, 3, 0x22, null, 0);
  ioctl(at, vm, KVM_SET_USER_MEMORY_REGION, region(0, 0, 0, size, hva));
  const vcpu = ioctl(at, vm, KVM_CREATE_VCPU, 0);
  let result: Promise<number> = Promise.resolve(0);
  at.kernel.scheduler.spawn(async () => {
    result = kvm_run(at.kernel, at.process, vcpu, exits, { model: 'm', vendor: 'v', hypervisor: true, count: 2 });
    await result;
  });
  return { vm, vcpu, kvm, ops, hva, cpu: () => guests.get(machine) as Cpu, result: () => result };
}

export { MiB };
