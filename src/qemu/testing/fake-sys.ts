/** A small in-memory `Sys` for tests of the VMM: files, sparse memory, KVM slots, one guest routine instead of a kernel. */
import { E } from '../../base/errno.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import { O_CREAT } from '../../linux/uapi/constants.ts';
import {
  KVM_CREATE_VCPU,
  KVM_CREATE_VM,
  KVM_GET_API_VERSION,
  KVM_SET_USER_MEMORY_REGION,
} from '../../linux/uapi/kvm.ts';
import type { KvmExits, Sys, UserMemory } from '../../linux/uapi/sys.ts';

const PAGE = 4096;

class SparseMemory implements UserMemory {
  hi = 0;
  private readonly pages = new Map<number, Uint8Array>();
  private page(addr: number): Uint8Array {
    const n = Math.floor(addr / PAGE);
    let page = this.pages.get(n);
    if (!page) {
      page = new Uint8Array(PAGE);
      this.pages.set(n, page);
    }
    return page;
  }
  load(addr: number, width: number): number {
    const bytes = new Uint8Array(8);
    this.read(addr, bytes.subarray(0, width));
    const view = new DataView(bytes.buffer);
    this.hi = view.getUint32(4, true);
    return view.getUint32(0, true);
  }
  store(addr: number, width: number, lo: number, hi = 0): void {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, lo, true);
    view.setUint32(4, hi, true);
    this.write(addr, bytes.subarray(0, width));
  }
  read(addr: number, into: Uint8Array): void {
    for (let n = 0; n < into.length; n++) into[n] = this.page(addr + n)[(addr + n) % PAGE] as number;
  }
  write(addr: number, from: Uint8Array): void {
    for (let n = 0; n < from.length; n++) this.page(addr + n)[(addr + n) % PAGE] = from[n] as number;
  }
}

export interface FakeSlot {
  readonly gpa: number;
  readonly size: number;
  readonly hva: number;
  readonly readonly: boolean;
}

export interface FakeSys {
  readonly sys: Sys;
  readonly files: Map<string, Uint8Array>;
  readonly slots: Map<number, FakeSlot>;
  /** Addresses of anonymous memory by name (`[anon:mem0]` without the brackets). */
  readonly named: Map<string, number>;
  stdout: string;
  stderr: string;
  /** Keys typed on standard input. */
  type(text: string): void;
  /** Lets everything that can run do so. */
  settle(): Promise<void>;
  /** Runs as guest code at every KVM_RUN. */
  guest: (bus: CpuBus) => void;
  bus: CpuBus | null;
}

export function fakeSys(withKvm = true): FakeSys {
  const mem = new SparseMemory();
  const slots = new Map<number, FakeSlot>();
  const files = new Map<string, Uint8Array>();
  const named = new Map<string, number>();
  const open = new Map<number, { path: string; offset: number }>();
  const stdin: Uint8Array[] = [];
  const waiting: (() => void)[] = [];
  const pipes = new Map<number, { bytes: number[]; wake: (() => void)[] }>();
  let nextFd = 3;
  let nextHva = 0x7000_0000_0000;
  let stop: (() => void) | null = null;
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  const fake: FakeSys = {
    sys: null as never,
    files,
    slots,
    named,
    stdout: '',
    stderr: '',
    type(text) {
      stdin.push(new TextEncoder().encode(text));
      for (const wake of waiting.splice(0)) wake();
    },
    async settle() {
      for (let n = 0; n < 2000; n++) await Promise.resolve();
    },
    guest: () => {},
    bus: null,
  };
  const missing = () => {
    throw new Error('system call not in the fake');
  };
  const partial: Partial<Sys> = {
    pid: 42,
    mem,
    open(path, flags) {
      if (path === '/dev/kvm') return withKvm ? nextFd++ : -E.ENOENT;
      if (!files.has(path)) {
        if (!(flags & O_CREAT)) return -E.ENOENT;
        files.set(path, new Uint8Array(0));
      }
      open.set(nextFd, { path, offset: 0 });
      return nextFd++;
    },
    close: () => 0,
    read(fd, into) {
      const pipe = pipes.get(fd);
      if (pipe) {
        const take = (): number => {
          const bytes = pipe.bytes.splice(0, into.length);
          into.set(bytes);
          return bytes.length;
        };
        if (pipe.bytes.length > 0) return take();
        return new Promise((resolve) => pipe.wake.push(() => resolve(take())));
      }
      if (fd === 0) {
        const take = (): number => {
          const bytes = stdin.shift() as Uint8Array;
          into.set(bytes);
          return bytes.length;
        };
        if (stdin.length > 0) return take();
        return new Promise((resolve) => waiting.push(() => resolve(take())));
      }
      const file = open.get(fd);
      if (!file) return -E.EBADF;
      const part = (files.get(file.path) as Uint8Array).subarray(file.offset, file.offset + into.length);
      into.set(part);
      file.offset += part.length;
      return part.length;
    },
    write(fd, from) {
      const pipe = pipes.get(fd);
      if (pipe) {
        pipe.bytes.push(...from);
        for (const wake of pipe.wake.splice(0)) wake();
      }
      if (fd === 1) fake.stdout += decode(from);
      if (fd === 2) fake.stderr += decode(from);
      return from.length;
    },
    ioctl(_fd, request, arg) {
      if (request === KVM_GET_API_VERSION) return 12;
      if (request === KVM_CREATE_VM || request === KVM_CREATE_VCPU) return nextFd++;
      if (request === KVM_SET_USER_MEMORY_REGION && arg instanceof Uint8Array) {
        const view = new DataView(arg.buffer, arg.byteOffset);
        const slot = view.getUint32(0, true);
        const size = Number(view.getBigUint64(16, true));
        if (size === 0) slots.delete(slot);
        else
          slots.set(slot, {
            gpa: Number(view.getBigUint64(8, true)),
            size,
            hva: Number(view.getBigUint64(24, true)),
            readonly: (view.getUint32(4, true) & 2) !== 0,
          });
        return 0;
      }
      return request === 0x5401 ? -E.ENOTTY : 0;
    },
    fstat: () => -E.EBADF,
    ftruncate: () => 0,
    unlink: () => 0,
    mkfifo: () => -E.EACCES,
    pipe() {
      const both = { bytes: [], wake: [] };
      pipes.set(nextFd, both);
      pipes.set(nextFd + 1, both);
      nextFd += 2;
      return [nextFd - 2, nextFd - 1];
    },
    mmap(_addr, length) {
      const hva = nextHva;
      nextHva += Math.ceil(length / PAGE) * PAGE + PAGE;
      return hva;
    },
    prctlSetVmaName(addr, name) {
      named.set(name, addr);
      return 0;
    },
    thread(run) {
      void run();
      return 43;
    },
    onSignal: () => {},
    clockGettime: () => 0,
    kvmRun(_fd, exits) {
      const bus = cpuBus(exits, mem, slots);
      fake.bus = bus;
      fake.guest(bus);
      return new Promise((resolve) => {
        stop = () => resolve(0);
      });
    },
    kvmStop() {
      queueMicrotask(() => stop?.());
      return 0;
    },
  };
  const sys = new Proxy(partial, { get: (target, name) => Reflect.get(target, name) ?? missing }) as Sys;
  return Object.assign(fake, { sys });
}

function cpuBus(exits: KvmExits, mem: SparseMemory, slots: ReadonlyMap<number, FakeSlot>): CpuBus {
  const find = (gpa: number) => {
    for (const slot of slots.values()) if (gpa >= slot.gpa && gpa < slot.gpa + slot.size) return slot;
    return null;
  };
  const bus: CpuBus = {
    hi: 0,
    load(addr, width) {
      const slot = find(addr);
      const value = slot ? mem.load(slot.hva + addr - slot.gpa, width) : exits.mmioRead(addr, width);
      bus.hi = slot ? mem.hi : exits.hi;
      return value;
    },
    store(addr, width, lo, hi = 0) {
      const slot = find(addr);
      if (slot && !slot.readonly) mem.store(slot.hva + addr - slot.gpa, width, lo, hi);
      else if (!slot) exits.mmioWrite(addr, width, lo, hi);
    },
    peek: (addr, length) => exits.peek(addr, length),
    copyFrom(addr, into) {
      const slot = find(addr);
      if (slot) mem.read(slot.hva + addr - slot.gpa, into);
    },
    copyTo(addr, from) {
      const slot = find(addr);
      if (slot && !slot.readonly) mem.write(slot.hva + addr - slot.gpa, from);
    },
    inp: (port, width) => exits.pioRead(port, width),
    outp: (port, width, value) => exits.pioWrite(port, width, value),
    outs: (port, bytes) => exits.pioOuts(port, bytes),
    ins: (port, into) => exits.pioIns(port, into),
    resolve: () => false,
  };
  return bus;
}
