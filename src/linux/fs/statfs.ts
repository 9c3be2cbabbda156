/**
 * fs/statfs.c with shmem_statfs and simple_statfs. The root file system, devtmpfs and tmpfs are tmpfs with the default limits: half of
 * memory, an inode a page of that half (mm/shmem.c). ramfs and the file systems without storage have no numbers.
 */
import type { StatFs } from '../uapi/sys.ts';
import type { Inode, SuperBlock } from './inode.ts';
import { RamInode } from './ramfs.ts';

/** include/uapi/linux/magic.h */
const MAGIC: Readonly<Record<string, number>> = {
  rootfs: 0x01021994,
  tmpfs: 0x01021994,
  devtmpfs: 0x01021994,
  ramfs: 0x858458f6,
  proc: 0x9fa0,
  sysfs: 0x62656572,
  debugfs: 0x64626720,
  tracefs: 0x74726163,
  pipefs: 0x50495045,
  anon_inodefs: 0x09041934,
};

export function statfs(sb: SuperBlock, root: Inode | null, totalPages: number): StatFs {
  const type = MAGIC[sb.type] ?? 0;
  const none = { type, bsize: 4096, blocks: 0, bfree: 0, files: 0, ffree: 0, namelen: 255 };
  if (type !== MAGIC.tmpfs || !(root instanceof RamInode)) return none;
  const { pages, inodes } = root.usage();
  const limit = Math.floor(totalPages / 2);
  return {
    ...none,
    blocks: limit,
    bfree: Math.max(0, limit - pages),
    files: limit,
    ffree: Math.max(0, limit - inodes),
  };
}
