import { bench, describe } from 'vitest';
import { GiB, MiB } from '../../base/addr.ts';
import type { File } from '../../linux/include/fs.ts';
import { O_RDWR } from '../../linux/uapi/constants.ts';
import { KVM_SET_USER_MEMORY_REGION } from '../../linux/uapi/kvm.ts';
import { ioctl, type Level, level, region, startGuest, world } from '../../linux/virt/kvm/testing/levels.ts';
import { layerIndex } from '../../log/index.ts';
import { AddressSpace } from './address-space.ts';
import { MemoryCore, UINT64_SIZE } from './memory.ts';

/** L2 on L1 on the host; L1's device window at 0x4_9000_0000 is answered by the host VMM through its memory API. */
async function build() {
  const w = world();
  const l0 = level(w.platform, 'host', w.host.cpu, 16 * GiB);
  const core = new MemoryCore({ log: w.log, layer: layerIndex('host', 'qemu') });
  const system = core.memory_region_init('system', UINT64_SIZE);
  const space = new AddressSpace(core, 'memory', system);
  const mem = l0.mm.userMemory(l0.process);
  const dpa = l0.mm.mmap(l0.process, 0, 256 * MiB, 3, 0x22, null, 0);
  const window = {
    hi: 0,
    read(offset: number, width: 1 | 2 | 4 | 8) {
      const value = mem.load(dpa + offset, width);
      window.hi = mem.hi;
      return value;
    },
    write(offset: number, width: 1 | 2 | 4 | 8, lo: number, hi: number) {
      mem.store(dpa + offset, width, lo, hi);
    },
    readBytes(offset: number, into: Uint8Array) {
      mem.read(dpa + offset, into);
      return true;
    },
    writeBytes(offset: number, from: Uint8Array) {
      mem.write(dpa + offset, from);
      return true;
    },
  };
  core.memory_region_add_subregion(system, 0x4_9000_0000, core.memory_region_init_io(window, 'fmw', 256 * MiB));
  const exits = {
    hi: 0,
    mmioRead(gpa: number, width: 1 | 2 | 4 | 8) {
      const value = space.load(gpa, width);
      exits.hi = space.hi;
      return value;
    },
    mmioWrite: (gpa: number, width: 1 | 2 | 4 | 8, lo: number, hi: number) => space.store(gpa, width, lo, hi),
    mmioReadBytes: (gpa: number, into: Uint8Array) => space.read(gpa, into),
    mmioWriteBytes: (gpa: number, from: Uint8Array) => space.write(gpa, from),
    pioRead: () => 0,
    pioWrite: () => {},
    pioOuts: () => {},
    pioIns: () => {},
    peek: () => null,
  };
  startGuest(l0, w.guests, 'l1', 4 * GiB, exits);
  await new Promise((resolve) => setTimeout(resolve, 0));
  const cpu1 = w.guests.get('l1');
  if (!cpu1) throw new Error('l1');
  const l1: Level = level(w.platform, 'l1', cpu1, 2 * GiB);
  const guest = startGuest(l1, w.guests, 'l2', GiB);
  const file = {
    path: 'vfio',
    flags: O_RDWR,
    private_data: null,
    fops: {
      mmap(_f: File, vma: { fault: unknown; label: unknown }) {
        vma.fault = (offset: number) => 0x4_9000_0000 + offset;
        vma.label = { kind: 'vfio', name: 'region' };
        return 0;
      },
    },
  } as unknown as File;
  const hva = l1.mm.mmap(l1.process, 0, 256 * MiB, 3, 1, file, 0);
  ioctl(l1, guest.vm, KVM_SET_USER_MEMORY_REGION, region(1, 0, 0x10_0000_0000, 256 * MiB, hva));
  await new Promise((resolve) => setTimeout(resolve, 0));
  const cpu2 = w.guests.get('l2');
  if (!cpu2) throw new Error('l2');
  return cpu2.bus;
}

const bus = await build();

describe('1000 L2 loads', () => {
  bench('guest memory', () => {
    let sum = 0;
    for (let n = 0; n < 1000; n++) sum += bus.load(0x1234_0000 + (n & 1023) * 8, 8);
    if (sum < 0) throw new Error();
  });
  bench('passed-through device memory (exit at L0)', () => {
    let sum = 0;
    for (let n = 0; n < 1000; n++) sum += bus.load(0x10_0000_0000 + (n & 1023) * 8, 8);
    if (sum < 0) throw new Error();
  });
});

describe('1 MiB', () => {
  const bytes = new Uint8Array(MiB).fill(3);
  const into = new Uint8Array(MiB);
  bus.copyTo(0x2000_0000, bytes);
  bus.copyTo(0x10_0010_0000, bytes);
  bench('plain typed-array copy', () => into.set(bytes));
  bench('plain copy to fresh memory', () => {
    bytes.slice();
  });
  bench('copyFrom guest memory', () => bus.copyFrom(0x2000_0000, into));
  bench('copyFrom device memory', () => bus.copyFrom(0x10_0010_0000, into));
  bench('copyTo guest memory', () => bus.copyTo(0x2000_0000, bytes), { iterations: 40, time: 50 });
  bench('copyTo device memory', () => bus.copyTo(0x10_0010_0000, bytes), { iterations: 40, time: 50 });
});
