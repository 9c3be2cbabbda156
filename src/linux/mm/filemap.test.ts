import { expect, test } from 'vitest';
import { MiB } from '../../base/addr.ts';
import { SuperBlock } from '../fs/inode.ts';
import { RamInode } from '../fs/ramfs.ts';
import type { File } from '../include/fs.ts';
import { MAP_PRIVATE, MAP_SHARED, O_RDWR, S_IFREG } from '../uapi/constants.ts';
import { level, world } from '../virt/kvm/testing/levels.ts';

const GiB16 = 16 * 1024 * MiB;

test('a shared file mapping is the file, a private one a copy; the file outlives both', () => {
  const w = world();
  const { mm, process } = level(w.platform, 'host', w.host.cpu, GiB16);
  const sb = new SuperBlock('tmpfs', 1, () => 0);
  sb.filePages = (size) => mm.file_pages(size);
  const inode = new RamInode(sb, S_IFREG | 0o644);
  inode.truncate(4 * MiB);
  inode.writeAt(0x3000, Uint8Array.of(1, 2, 3, 4));
  const fops = inode.open({} as unknown as File);
  if (typeof fops === 'number') throw new Error('open');
  const file = { fops, private_data: inode, path: '/tmp/f', flags: O_RDWR, process } as unknown as File;
  const shared = mm.mmap(process, 0, 4 * MiB, 3, MAP_SHARED, file, 0);
  const copy = mm.mmap(process, 0, 0x1000, 3, MAP_PRIVATE, file, 0x3000);
  const mem = mm.userMemory(process);
  expect(mem.load(shared + 0x3000, 4)).toBe(0x04030201);
  mem.store(shared + 0x3000, 4, 7);
  expect([mem.load(copy, 4), inode.bytes()[0x3000]]).toEqual([0x04030201, 7]);
  inode.writeAt(0x3001, Uint8Array.of(9));
  expect(mem.load(shared + 0x3000, 4)).toBe(0x0907);
  const second = mm.mmap(process, 0, 0x1000, 3, MAP_SHARED, file, 0x3000);
  expect(mem.load(second, 4)).toBe(0x0907);
  mm.exitProcess(process);
  expect(inode.bytes()[0x3000]).toBe(7);
});
