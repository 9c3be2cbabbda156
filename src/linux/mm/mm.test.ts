import { expect, test } from 'vitest';
import { GiB, MiB } from '../../base/addr.ts';
import { E } from '../../base/errno.ts';
import { paths, type VmasState } from '../../state/schema.ts';
import { ProcessExit } from '../uapi/sys.ts';
import { level, world } from '../virt/kvm/testing/levels.ts';

function machine() {
  const w = world();
  return { ...w, ...level(w.platform, 'host', w.host.cpu, 16 * GiB) };
}

test('anonymous memory goes down from 0x7ffff7000000 and reads zero, also when it had another owner', () => {
  const { mm, process } = machine();
  const first = mm.mmap(process, 0, 4 * MiB, 3, 0x22, null, 0);
  expect(first).toBe(0x7ffff6c00000);
  expect(mm.mmap(process, 0, 0x1000, 3, 0x22, null, 0)).toBe(0x7ffff6bff000);
  const mem = mm.userMemory(process);
  const phys = mm.translate(process, first + 5);
  mem.store(first + 4, 8, 1, 2);
  expect([mem.load(first + 4, 8), mem.hi]).toEqual([1, 2]);
  mm.munmap(process, first, 4 * MiB);
  const again = mm.mmap(process, 0, 4 * MiB, 3, 0x22, null, 0);
  expect(mm.translate(process, again + 5)).toBe(phys);
  expect(mem.load(again + 4, 8)).toBe(0);
});

test('memory runs out with ENOMEM and comes back when the process ends', () => {
  const { mm, process, log } = machine();
  const free = mm.freeBytes;
  expect(mm.mmap(process, 0, free + MiB, 3, 0x22, null, 0)).toBe(-E.ENOMEM);
  const hva = mm.mmap(process, 0, 4 * GiB, 3, 0x22, null, 0);
  const state = log.object(paths.vmas('host', process.pid)) as unknown as VmasState;
  expect(state.vmas[0]).toMatchObject({ start: hva, size: 4 * GiB, kind: 'anon' });
  expect(state.vmas[0]?.extents.reduce((sum, e) => sum + e.size, 0)).toBe(4 * GiB);
  mm.exitProcess(process);
  expect(mm.freeBytes).toBe(free);
  expect(log.object(paths.vmas('host', process.pid))).toBe(null);
});

test('a bad address kills the process', () => {
  const { mm, process } = machine();
  const mem = mm.userMemory(process);
  expect(() => mem.load(0x1000, 4)).toThrow(ProcessExit);
  const readonly = mm.mmap(process, 0, 0x1000, 1, 0x22, null, 0);
  expect(mem.load(readonly, 4)).toBe(0);
  expect(() => mem.store(readonly, 4, 1)).toThrow(ProcessExit);
});
