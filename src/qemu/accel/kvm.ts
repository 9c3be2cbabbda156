/**
 * The KVM accelerator (accel/kvm/kvm-all.c): /dev/kvm, memory slots following the `memory` address space, and the exits of
 * the virtual CPUs. Left out: dirty logging, coalesced MMIO, ioeventfds, split slots above the size limit.
 */
import { alignDown, alignUp, hi32, lo32, PAGE_SIZE, type Width } from '../../base/addr.ts';
import { E, strerror } from '../../base/errno.ts';
import type { AddressSpace, FlatEntry, MemoryListener, MemoryRegion } from '../../hw/memory/index.ts';
import { O_CLOEXEC, O_RDWR, SIGABRT } from '../../linux/uapi/constants.ts';
import {
  KVM_CREATE_VCPU,
  KVM_CREATE_VM,
  KVM_GET_API_VERSION,
  KVM_IRQ_LINE,
  KVM_MEM_READONLY,
  KVM_MSI_SIZE,
  KVM_SET_USER_MEMORY_REGION,
  KVM_SIGNAL_MSI,
} from '../../linux/uapi/kvm.ts';
import type { ExitWindows, KvmCpu, KvmExits, Sys, WindowRef } from '../../linux/uapi/sys.ts';
import type { EventLog, SiteId } from '../../log/index.ts';
import { QemuError } from '../system/error.ts';
import { STDERR, writeText } from '../system/stdio.ts';

const KVM_API_VERSION = 12;

/** What runs the virtual CPUs, and the option that said so (`''` when none did). */
export interface Accelerator {
  readonly name: 'kvm' | 'tcg';
  readonly location: string;
}

interface Slot {
  readonly gpa: number;
  readonly size: number;
  readonly number: number;
}

export class KvmState {
  private readonly slots = new Map<number, Slot>();
  private readonly freeSlots: number[] = [];
  private nextSlot = 0;
  private readonly argument = new Uint8Array(32);
  private readonly view = new DataView(this.argument.buffer);
  private readonly irqArgument = new Uint8Array(8);
  private readonly irqView = new DataView(this.irqArgument.buffer);

  private constructor(
    private readonly sys: Sys,
    private readonly vmFd: number,
    readonly vcpuFds: readonly number[],
  ) {}

  /** kvm_init() and kvm_init_vcpu(); errors name the option that asked for the accelerator. */
  static async kvm_init(sys: Sys, cpus: number, accel: Accelerator): Promise<KvmState> {
    const where = `qemu-system-x86_64: ${accel.location === '' ? '' : `${accel.location}: `}`;
    const fd = sys.open('/dev/kvm', O_RDWR | O_CLOEXEC);
    if (fd < 0 && accel.name === 'tcg')
      throw new QemuError(`this lab runs guests through /dev/kvm, with -accel tcg too: ${strerror(fd)}`);
    if (fd < 0) {
      throw new QemuError(
        `Could not access KVM kernel module: ${strerror(fd)}\n${where}failed to initialize kvm: ${strerror(fd)}`,
        '',
        true,
      );
    }
    const version = await sys.ioctl(fd, KVM_GET_API_VERSION);
    if (version !== KVM_API_VERSION) throw new QemuError('kvm version not supported', '', true);
    const vmFd = await sys.ioctl(fd, KVM_CREATE_VM, 0);
    if (vmFd === -E.EBUSY)
      throw new QemuError(
        'this lab runs one guest at a time on each machine, and another QEMU is running here already',
      );
    if (vmFd < 0)
      throw new QemuError(
        `ioctl(KVM_CREATE_VM) failed: ${-vmFd} ${strerror(vmFd)}\n${where}failed to initialize kvm: ${strerror(vmFd)}`,
        '',
        true,
      );
    const vcpus: number[] = [];
    for (let n = 0; n < cpus; n++) {
      const vcpu = await sys.ioctl(vmFd, KVM_CREATE_VCPU, n);
      if (vcpu < 0) throw new QemuError(`kvm_init_vcpu: kvm_get_vcpu failed (${n}): ${strerror(vcpu)}`);
      vcpus.push(vcpu);
    }
    return new KvmState(sys, vmFd, vcpus);
  }

  /** kvm_memory_listener_register(): RAM of the guest becomes memory slots. */
  register(space: AddressSpace): void {
    const listener: MemoryListener = {
      name: 'kvm-memory',
      region_add: (section) => this.kvm_set_phys_mem(section, true),
      region_del: (section) => this.kvm_set_phys_mem(section, false),
    };
    space.memory_listener_register(listener);
  }

  /** kvm_set_phys_mem(): only whole pages; the edges stay exits. */
  private kvm_set_phys_mem(section: FlatEntry, add: boolean): void {
    if (section.hva === null) return;
    const start = alignUp(section.start, PAGE_SIZE);
    const size = alignDown(section.start + section.size, PAGE_SIZE) - start;
    if (size <= 0) return;
    const hva = section.hva + (start - section.start);
    if (add) {
      const number = this.freeSlots.shift() ?? this.nextSlot++;
      this.slots.set(start, { gpa: start, size, number });
      this.set(number, start, size, hva, section.kind === 'rom');
    } else {
      const slot = this.slots.get(start);
      if (!slot) return;
      this.slots.delete(start);
      this.freeSlots.push(slot.number);
      this.freeSlots.sort((a, b) => a - b);
      this.set(slot.number, start, 0, hva, false);
    }
  }

  private set(slot: number, gpa: number, size: number, hva: number, readonly: boolean): void {
    const { view } = this;
    view.setUint32(0, slot, true);
    view.setUint32(4, readonly ? KVM_MEM_READONLY : 0, true);
    view.setBigUint64(8, BigInt(gpa), true);
    view.setBigUint64(16, BigInt(size), true);
    view.setBigUint64(24, BigInt(hva), true);
    const result = this.sys.ioctl(this.vmFd, KVM_SET_USER_MEMORY_REGION, this.argument);
    if (typeof result === 'number' && result < 0) this.refused(slot, gpa, size, result);
  }

  /** kvm_set_phys_mem: a slot the kernel refuses ends the VMM. */
  private refused(slot: number, gpa: number, size: number, errno: number): never {
    const { sys } = this;
    const error = new QemuError(
      `kvm_set_user_memory_region: KVM_SET_USER_MEMORY_REGION failed, slot=${slot}, start=0x${gpa.toString(16)}, size=0x${size.toString(16)}: ${strerror(errno)}`,
    );
    writeText(sys, STDERR, error.report('qemu-system-x86_64'));
    writeText(sys, STDERR, `kvm_set_phys_mem: error registering slot: ${strerror(errno)}\n`);
    sys.kill(sys.pid, SIGABRT);
    throw error;
  }

  /** kvm_irqchip_send_msi's simple sister: one interrupt line. */
  kvm_set_irq(irq: number, level: number): void {
    this.irqView.setUint32(0, irq, true);
    this.irqView.setUint32(4, level, true);
    // Never sleeps: the line is a bit in the kernel.
    void this.sys.ioctl(this.vmFd, KVM_IRQ_LINE, this.irqArgument);
  }

  /** kvm_irqchip_send_msi */
  kvm_irqchip_send_msi(address: number, data: number): void {
    const message = new Uint8Array(KVM_MSI_SIZE);
    const view = new DataView(message.buffer);
    view.setUint32(0, lo32(address), true);
    view.setUint32(4, hi32(address), true);
    view.setUint32(8, data, true);
    void this.sys.ioctl(this.vmFd, KVM_SIGNAL_MSI, message);
  }

  kvm_cpu_exec(exits: KvmExits, cpu: KvmCpu): Promise<number> {
    return this.sys.kvmRun(this.vcpuFds[0] as number, exits, cpu);
  }
  kick(): void {
    this.sys.kvmStop(this.vcpuFds[0] as number);
  }
}

/** Ports whose string instructions a device takes as one burst. */
export interface StringPort {
  readonly port: number;
  ins(into: Uint8Array): void;
  outs(bytes: Uint8Array): void;
}

/** kvm_handle_io and the MMIO exit: accesses go to the address spaces `I/O` and `memory`. */
export class KvmDispatch implements KvmExits {
  hi = 0;
  readonly windows?: ExitWindows;
  private readonly readSites = new Map<MemoryRegion, SiteId>();
  private readonly loopSites = new Map<MemoryRegion, SiteId>();
  private readonly writeSites = new Map<MemoryRegion, SiteId>();

  constructor(
    private readonly log: EventLog,
    private readonly layer: number,
    private readonly memory: AddressSpace,
    private readonly io: AddressSpace,
    private readonly strings: readonly StringPort[],
    /** This VMM stands for silicon: what answers as memory is counted by KVM, not logged one by one. */
    silicon: boolean,
  ) {
    if (silicon) this.windows = new MemoryLike(memory);
  }

  private site(sites: Map<MemoryRegion, SiteId>, range: FlatEntry, name: string, what: string): SiteId {
    const known = sites.get(range.mr);
    if (known !== undefined) return known;
    const site = this.log.site({
      layer: this.layer,
      name: `${name} ${range.mr.name}`,
      args: ['gpa', what],
      cite: 'QEMU system/memory.c',
    });
    sites.set(range.mr, site);
    return site;
  }

  mmioRead(gpa: number, width: Width): number {
    const range = this.memory.lookup(gpa);
    if (!range) {
      const value = this.memory.load(gpa, width);
      this.hi = this.memory.hi;
      return value;
    }
    const span = this.log.begin(this.site(this.readSites, range, 'memory_region_dispatch_read', 'width'), gpa, width);
    const value = this.memory.load(gpa, width);
    this.hi = this.memory.hi;
    this.log.end(span, value);
    return value;
  }

  mmioWrite(gpa: number, width: Width, lo: number, hi: number): void {
    const range = this.memory.lookup(gpa);
    if (!range) {
      this.memory.store(gpa, width, lo, hi);
      return;
    }
    const span = this.log.begin(this.site(this.writeSites, range, 'memory_region_dispatch_write', 'value'), gpa, lo);
    this.memory.store(gpa, width, lo, hi);
    this.log.end(span);
  }

  mmioReadBytes(gpa: number, into: Uint8Array): void {
    const range = this.memory.lookup(gpa);
    if (!range || (this.windows && range.mr.ops?.memoryLike)) {
      this.memory.read(gpa, into);
      return;
    }
    const site = this.site(this.readSites, range, 'memory_region_dispatch_read', 'width');
    const span = this.log.begin(site, gpa, into.length);
    this.memory.read(gpa, into);
    this.log.end(span, into.length);
  }
  mmioWriteBytes(gpa: number, from: Uint8Array): void {
    const range = this.memory.lookup(gpa);
    if (!range || (this.windows && range.mr.ops?.memoryLike)) {
      this.memory.write(gpa, from);
      return;
    }
    const site = this.site(this.writeSites, range, 'memory_region_dispatch_write', 'value');
    const span = this.log.begin(site, gpa, from.length);
    this.memory.write(gpa, from);
    this.log.end(span, from.length);
  }

  /** As many dispatches as loads; one row for each region they meet. */
  mmioReadLoop(gpa: number, into: Uint32Array): void {
    const { memory, log } = this;
    for (let n = 0; n < into.length; ) {
      const at = gpa + n * 4;
      const range = memory.lookup(at);
      const past = range ? range.end : memory.nextRange(at);
      const count = Math.min(into.length - n, Math.max(1, Math.floor((past - at) / 4)));
      if (range) {
        const span = log.begin(this.site(this.loopSites, range, 'memory_region_dispatch_read', 'loads'), at, count);
        for (let k = 0; k < count; k++) into[n + k] = memory.load(at + k * 4, 4);
        log.end(span, count);
      } else {
        log.note(memory.core.sites.unassignedLoop, at, count);
        into.fill(0, n, n + count);
      }
      n += count;
    }
  }

  pioRead(port: number, width: 1 | 2 | 4): number {
    return this.io.load(port, width);
  }
  pioWrite(port: number, width: 1 | 2 | 4, value: number): void {
    this.io.store(port, width, value);
  }
  pioOuts(port: number, bytes: Uint8Array): void {
    const device = this.strings.find((other) => other.port === port);
    if (device) device.outs(bytes);
    else for (const byte of bytes) this.io.store(port, 1, byte);
  }
  pioIns(port: number, into: Uint8Array): void {
    const device = this.strings.find((other) => other.port === port);
    if (device) device.ins(into);
    else for (let n = 0; n < into.length; n++) into[n] = this.io.load(port, 1);
  }
  peek(gpa: number, length: number): Uint8Array | null {
    return this.memory.peek(gpa, length);
  }
}

/** The io regions of `memory` that answer as memory: CXL fixed windows. */
class MemoryLike implements ExitWindows {
  constructor(private readonly memory: AddressSpace) {}

  get generation(): number {
    return this.memory.core.generation;
  }
  find(gpa: number, out: WindowRef): boolean {
    const range = this.memory.lookup(gpa);
    const ops = range?.mr.ops;
    if (!range || !ops?.memoryLike) return false;
    out.port = ops;
    out.base = range.start - range.regionOffset;
    out.first = range.start;
    out.past = range.end;
    return true;
  }
}
