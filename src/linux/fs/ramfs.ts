/** fs/ramfs with the parts of tmpfs that matter: the root file system, devtmpfs and tmpfs mounts. Left out: quotas, xattrs. */
import { assert } from '../../base/assert.ts';
import { E } from '../../base/errno.ts';
import type { File, FileOperations, VmArea } from '../include/fs.ts';
import { MAP_SHARED, S_IFDIR, S_IFLNK, S_IFREG } from '../uapi/constants.ts';
import type { Dirent } from '../uapi/sys.ts';
import { dirent, type FilePages, Inode } from './inode.ts';

export class RamInode extends Inode {
  private readonly entries = new Map<string, RamInode>();
  private data = new Uint8Array(0);
  private length = 0;
  private target = '';
  /** Page cache: once the file was mapped its content is in memory. */
  private pages: FilePages | null = null;

  override size(): number {
    if (this.isDir) return 40 + this.entries.size * 20;
    return this.isLink ? this.target.length : this.length;
  }
  override lookup(name: string): RamInode | null {
    return this.entries.get(name) ?? null;
  }
  /** Newest first, as simple_readdir of ramfs gives it. */
  override readdir(): Dirent[] {
    return [...this.entries].map(([name, inode]) => dirent(name, inode)).reverse();
  }
  override readlink(): string {
    return this.target;
  }
  /** Pages and inodes of this directory and all below it; holes are not told from zeros. */
  usage(): { readonly pages: number; readonly inodes: number } {
    let pages = this.isFile ? Math.ceil(this.length / 4096) : 0;
    let inodes = 1;
    for (const entry of this.entries.values()) {
      const below = entry.usage();
      pages += below.pages;
      inodes += below.inodes;
    }
    return { pages, inodes };
  }
  override open(file: File): FileOperations | number {
    file.private_data = this;
    return ramFops;
  }
  private add(name: string, inode: RamInode): RamInode {
    this.entries.set(name, inode);
    if (inode.isDir) this.nlink++;
    this.touch();
    return inode;
  }
  touch(): void {
    this.mtimeNs = this.sb.now();
  }
  override create(name: string, mode: number): RamInode {
    return this.add(name, new RamInode(this.sb, S_IFREG | mode));
  }
  override mkdir(name: string, mode: number): number {
    this.add(name, new RamInode(this.sb, S_IFDIR | mode)).nlink = 2;
    return 0;
  }
  override symlink(name: string, target: string): number {
    this.add(name, new RamInode(this.sb, S_IFLNK | 0o777)).target = target;
    return 0;
  }
  override mkfifo(name: string, mode: number): number {
    this.mknod(name, mode, 0);
    return 0;
  }
  mknod(name: string, mode: number, rdev: number): RamInode {
    const inode = new RamInode(this.sb, mode);
    inode.rdev = rdev;
    return this.add(name, inode);
  }
  override link(name: string, inode: Inode): number {
    if (!(inode instanceof RamInode) || inode.sb !== this.sb) return -E.EXDEV;
    if (inode.isDir) return -E.EPERM;
    inode.nlink++;
    this.add(name, inode);
    return 0;
  }
  override unlink(name: string): number {
    const inode = this.entries.get(name);
    if (!inode) return -E.ENOENT;
    if (inode.isDir) return -E.EISDIR;
    inode.nlink--;
    this.entries.delete(name);
    this.touch();
    return 0;
  }
  override rmdir(name: string): number {
    const inode = this.entries.get(name);
    if (!inode) return -E.ENOENT;
    if (!inode.isDir) return -E.ENOTDIR;
    if (inode.entries.size > 0) return -E.ENOTEMPTY;
    this.entries.delete(name);
    this.nlink--;
    this.touch();
    return 0;
  }
  override rename(name: string, to: Inode, newName: string): number {
    const inode = this.entries.get(name);
    if (!inode) return -E.ENOENT;
    if (!(to instanceof RamInode) || to.sb !== this.sb) return -E.EXDEV;
    const old = to.entries.get(newName);
    if (old === inode) return 0;
    if (old?.isDir) {
      if (!inode.isDir) return -E.EISDIR;
      if (old.entries.size > 0) return -E.ENOTEMPTY;
      to.nlink--;
    } else if (old && inode.isDir) return -E.ENOTDIR;
    this.entries.delete(name);
    if (inode.isDir) this.nlink--;
    to.add(newName, inode);
    this.touch();
    return 0;
  }
  override truncate(length: number): number {
    if (this.isDir) return -E.EISDIR;
    if (!this.isFile) return -E.EINVAL;
    if (length < this.length) this.zero(length, this.length);
    this.length = length;
    this.touch();
    return 0;
  }
  private reserve(length: number): void {
    if (length <= this.data.length) return;
    const grown = new Uint8Array(Math.max(length, this.data.length * 2, 64));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }
  private zero(from: number, to: number): void {
    this.data.fill(0, from, to);
    const end = Math.min(to, this.pages?.size ?? 0);
    if (from < end) this.pages?.write(from, new Uint8Array(end - from));
  }
  readAt(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(this.length - offset, into.length));
    if (this.pages && offset + count <= this.pages.size) {
      this.pages.read(offset, into.subarray(0, count));
      return count;
    }
    // What lies behind the stored bytes is a hole.
    const part = this.data.subarray(offset, offset + count);
    into.set(part);
    into.fill(0, part.length, count);
    return count;
  }
  writeAt(offset: number, from: Uint8Array): number {
    if (offset + from.length > 256 * 1024 * 1024) return -E.EFBIG;
    if (this.pages && offset + from.length <= this.pages.size) this.pages.write(offset, from);
    else {
      this.reserve(offset + from.length);
      this.data.set(from, offset);
    }
    this.length = Math.max(this.length, offset + from.length);
    this.touch();
    return from.length;
  }
  /** Takes over these bytes as the content (the initrd's files are not copied). */
  adopt(bytes: Uint8Array): void {
    this.data = new Uint8Array(bytes);
    this.length = bytes.length;
  }
  bytes(): Uint8Array {
    if (!this.pages && this.data.length >= this.length) return this.data.subarray(0, this.length);
    const out = new Uint8Array(this.length);
    this.readAt(0, out);
    return out;
  }

  /** shmem_mmap: the file's own pages, or a private copy of them. */
  mmap(vma: VmArea): number {
    const { filePages } = this.sb;
    if (!filePages) return -E.ENODEV;
    const end = vma.offset + vma.length;
    const shared = (vma.flags & MAP_SHARED) !== 0;
    if (shared && this.pages && end > this.pages.size) return -E.ENOMEM;
    const pages = (shared ? this.pages : null) ?? filePages(Math.max(this.length, end));
    if (!pages) return -E.ENOMEM;
    if (pages !== this.pages) this.copyTo(pages);
    if (!shared) {
      vma.map_pages(pages.from(vma.offset, pages.size - vma.offset), false);
      return 0;
    }
    this.pages = pages;
    this.data = new Uint8Array(0);
    vma.map_pages(pages.from(vma.offset, vma.length), true);
    return 0;
  }
  /** Only what is not zero: fresh pages read as zeros. */
  private copyTo(pages: FilePages): void {
    const chunk = new Uint8Array(4096);
    const stored = this.pages ? this.length : Math.min(this.data.length, this.length);
    for (let at = 0; at < stored; at += chunk.length) {
      const part = chunk.subarray(0, this.readAt(at, chunk));
      if (part.some((byte) => byte !== 0)) pages.write(at, part);
    }
  }
}

function inodeOf(file: File): RamInode {
  assert(file.private_data instanceof RamInode, 'ramfs: not a ramfs file');
  return file.private_data;
}

const ramFops: FileOperations = {
  read: (file, into, offset) => inodeOf(file).readAt(offset, into),
  write: (file, from, offset) => inodeOf(file).writeAt(offset, from),
  size: (file) => inodeOf(file).size(),
  mmap: (file, vma) => inodeOf(file).mmap(vma),
};
