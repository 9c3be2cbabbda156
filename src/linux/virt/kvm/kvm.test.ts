import { expect, test } from 'vitest';
import { GiB, MiB } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { RamRef } from '../../../hw/bus/cpu-bus.ts';
import { paths } from '../../../state/schema.ts';
import type { File } from '../../include/fs.ts';
import { O_RDWR } from '../../uapi/constants.ts';
import { KVM_CREATE_VM, KVM_SET_USER_MEMORY_REGION } from '../../uapi/kvm.ts';
import { kvm_stop } from './kvm.ts';
import { createVm, deadExits, ioctl, level, region, startGuest, world } from './testing/levels.ts';

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('slots are checked as KVM does', () => {
  const w = world();
  const l0 = level(w.platform, 'host', w.host.cpu, 16 * GiB);
  const { vm, ops } = createVm(l0);
  const set = (...args: Parameters<typeof region>) => ioctl(l0, vm, KVM_SET_USER_MEMORY_REGION, region(...args));
  expect(set(0, 0, 0, 0x10000, 0x7000000)).toBe(0);
  expect(set(1, 0, 0xf000, 0x10000, 0x8000000)).toBe(-E.EEXIST);
  expect(set(1, 0, 0x10001, 0x1000, 0x8000000)).toBe(-E.EINVAL);
  expect(set(0, 0, 0, 0x20000, 0x7000000)).toBe(-E.EINVAL);
  expect(set(0, 0, 0x20000, 0x10000, 0x7000000)).toBe(0);
  expect(set(3, 0, 0, 0, 0)).toBe(-E.EINVAL);
  expect(w.log.object(paths.kvmSlots('l1'))).toEqual({
    slots: [{ slot: 0, gpa: 0x20000, size: 0x10000, hva: 0x7000000, readonly: false }],
  });
  expect(set(0, 0, 0, 0, 0)).toBe(0);
  expect(ops.unlocked_ioctl?.({ process: l0.process } as unknown as File, KVM_CREATE_VM, 0)).toBe(-E.EBUSY);
});

test('an L2 store lands in the host memory object, three translations below', async () => {
  const w = world();
  const l0 = level(w.platform, 'host', w.host.cpu, 16 * GiB);
  startGuest(l0, w.guests, 'l1', 4 * GiB);
  await settle();
  const l1cpu = w.guests.get('l1');
  if (!l1cpu) throw new Error('no l1');
  const l1 = level(w.platform, 'l1', l1cpu, 2 * GiB);
  startGuest(l1, w.guests, 'l2', 1 * GiB);
  await settle();
  const bus = w.guests.get('l2')?.bus;
  if (!bus) throw new Error('no l2');
  bus.store(0x1234_5678, 8, 0x89abcdef, 0x01234567);
  expect([bus.load(0x1234_5678, 8), bus.hi]).toEqual([0x89abcdef, 0x01234567]);
  const ref: RamRef = { ram: null, offset: 0, limit: 0 };
  expect(bus.resolve(0x1234_5678, ref)).toBe(true);
  expect(w.host.ram.load(ref.offset, 4)).toBe(0x89abcdef);
  const big = new Uint8Array(3 * MiB).map((_, n) => n * 7);
  bus.copyTo(0x100_0f00, big);
  const back = new Uint8Array(big.length);
  bus.copyFrom(0x100_0f00, back);
  expect(back.every((byte, n) => byte === big[n])).toBe(true);
  expect(bus.peek(0x100_0f00, 16)).toEqual(big.slice(0, 16));
});

test('a slot that goes away exits at the next access, and a device page is reached without an exit', async () => {
  const w = world();
  const l0 = level(w.platform, 'host', w.host.cpu, 16 * GiB);
  const seen: string[] = [];
  const exits = {
    ...deadExits,
    mmioRead(gpa: number, width: number) {
      seen.push(`read${width} ${gpa.toString(16)}`);
      return 0x55;
    },
    mmioWrite(gpa: number, width: number, lo: number) {
      seen.push(`write${width} ${gpa.toString(16)}=${lo}`);
    },
  };
  const guest = startGuest(l0, w.guests, 'l1', 64 * MiB, exits);
  await settle();
  const { bus } = guest.cpu();
  bus.store(0x5000, 4, 42);
  expect([bus.load(0x5000, 4), seen.length]).toEqual([42, 0]);
  ioctl(l0, guest.vm, KVM_SET_USER_MEMORY_REGION, region(0, 0, 0, 0, 0));
  expect(bus.load(0x5000, 4)).toBe(0x55);
  bus.store(0x5000, 2, 9);
  expect(seen).toEqual(['read4 5000', 'write2 5000=9']);

  // A file mapping whose pages are elsewhere in physical memory, zapped and moved.
  let base = 0x200000;
  const owner = {};
  const file = {
    path: '/dev/vfio',
    flags: O_RDWR,
    private_data: owner,
    fops: {
      mmap(_file: File, vma: { fault: unknown; label: unknown }) {
        vma.fault = (offset: number) => base + offset;
        vma.label = { kind: 'vfio', name: 'region' };
        return 0;
      },
    },
  } as unknown as File;
  const hva = l0.mm.mmap(l0.process, 0, 0x10000, 3, 1, file, 0);
  ioctl(l0, guest.vm, KVM_SET_USER_MEMORY_REGION, region(1, 0, 0x10_0000_0000, 0x10000, hva));
  w.host.cpu.bus.store(0x203000, 4, 77);
  w.host.cpu.bus.store(0x403000, 4, 88);
  expect(bus.load(0x10_0000_3000, 4)).toBe(77);
  base = 0x400000;
  expect(bus.load(0x10_0000_3000, 4)).toBe(77);
  l0.mm.zap(owner, 0, 0x10000);
  expect(bus.load(0x10_0000_3000, 4)).toBe(88);
  base = -1e9;
  l0.mm.zap(owner, 0, 0x10000);
  bus.load(0x10_0000_3000, 4);
  expect(w.stopped).toEqual(['l1']);
  expect(await guest.result()).toBe(-E.EFAULT);
});

test('kvmStop ends the run and the guest', async () => {
  const w = world();
  const l0 = level(w.platform, 'host', w.host.cpu, 16 * GiB);
  const guest = startGuest(l0, w.guests, 'l1', 64 * MiB);
  await settle();
  expect(kvm_stop(l0.kernel, l0.process, guest.vcpu)).toBe(0);
  expect(await guest.result()).toBe(0);
  expect(w.stopped).toEqual(['l1']);
  expect(guest.cpu().bus.load(0, 4)).toBe(0xffffffff);
});
