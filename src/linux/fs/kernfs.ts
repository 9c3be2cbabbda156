/**
 * fs/kernfs and fs/sysfs: the tree below /sys. Order of a directory is the order of the name hash, as readdir gives it
 * (kernfs_name_hash, fs/kernfs/dir.c). Left out: namespaces, poll on attributes, power/ directories.
 */
import { assert } from '../../base/assert.ts';
import { text, utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import type { File, FileOperations } from '../include/fs.ts';
import { O_ACCMODE, O_RDONLY, O_WRONLY, S_IFDIR, S_IFLNK, S_IFREG } from '../uapi/constants.ts';
import type { Dirent } from '../uapi/sys.ts';
import { dirent, Inode, type SuperBlock } from './inode.ts';

/** High 32 bits of the product of two unsigned 32-bit numbers. */
function mulhi(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const mid = ah * bl + ((al * bl) >>> 16);
  return (ah * bh + Math.floor(mid / 65536) + Math.floor(((mid % 65536) + al * bh) / 65536)) >>> 0;
}

/** kernfs_name_hash: full_name_hash's fold in 64 bits, hash_64 to 32 bits, 31 kept; 0, 1 and INT_MAX are reserved. */
export function kernfs_name_hash(name: string): number {
  let lo = 0;
  let hi = 0;
  for (const c of utf8(name)) {
    const sum = lo + (c << 4) + (c >> 4);
    const product = (sum >>> 0) * 11;
    const carryIn = Math.floor(sum / 0x1_0000_0000);
    lo = product % 0x1_0000_0000;
    hi = ((hi + carryIn) * 11 + Math.floor(product / 0x1_0000_0000)) % 0x1_0000_0000;
  }
  const high = mulhi(lo, 0x80b583eb) + Math.imul(lo, 0x61c88646) + Math.imul(hi, 0x80b583eb);
  let hash = high & 0x7fffffff;
  if (hash < 2) hash += 2;
  return hash === 0x7fffffff ? hash - 1 : hash;
}

/** What a sysfs file does. Either text (`show`/`store`) or binary (`read`/`write`). */
export interface SysfsOps {
  show?(): string | number;
  store?(text: string): number | Promise<number>;
  size?(): number;
  read?(offset: number, into: Uint8Array): number;
  write?(offset: number, from: Uint8Array): number;
  readonly binary?: boolean;
  fops?: FileOperations;
}

/** Of every node that is no directory: a large machine has tens of thousands. */
const NO_CHILDREN: ReadonlyMap<string, KernfsNode> = new Map();

export class KernfsNode extends Inode {
  private readonly entries: Map<string, KernfsNode> | null;
  removed = false;
  private hash = -1;
  private sorted: KernfsNode[] | null = null;
  /** Path below the root of a symlink's target. */
  target: string | null = null;
  ops: SysfsOps | null = null;

  constructor(
    sb: SuperBlock,
    readonly name: string,
    readonly parent: KernfsNode | null,
    mode: number,
  ) {
    super(sb, mode);
    this.entries = this.isDir ? new Map() : null;
    if (this.entries) this.nlink = 2;
    if (parent) {
      assert(parent.entries, `kernfs: ${parent.name} is no directory`);
      parent.entries.set(name, this);
      parent.sorted = null;
    }
  }

  get children(): ReadonlyMap<string, KernfsNode> {
    return this.entries ?? NO_CHILDREN;
  }
  /** Path below the root, '' for the root itself. */
  path(): string {
    return this.parent ? `${this.parent.path()}/${this.name}` : '';
  }
  override size(): number {
    if (this.isDir || this.isLink) return 0;
    return this.ops?.binary ? (this.ops.size?.() ?? 0) : 4096;
  }
  override lookup(name: string): KernfsNode | null {
    return this.children.get(name) ?? null;
  }
  override readdir(): Dirent[] {
    this.sorted ??= [...this.children.values()].sort(
      (a, b) => a.nameHash() - b.nameHash() || (a.name < b.name ? -1 : 1),
    );
    return this.sorted.map((node) => dirent(node.name, node));
  }
  /** kernfs_get_target_path: relative through the nearest common directory. */
  override readlink(): string {
    const from = this.parent?.path().split('/').slice(1) ?? [];
    const to = (this.target ?? '').split('/').slice(1);
    let common = 0;
    while (common < from.length && common < to.length - 1 && from[common] === to[common]) common++;
    return '../'.repeat(from.length - common) + to.slice(common).join('/');
  }
  override open(file: File): FileOperations | number {
    const ops = this.ops;
    if (!ops) return -E.ENXIO;
    const access = file.flags & O_ACCMODE;
    // KERNFS_ROOT_EXTRA_OPEN_PERM_CHECK: the mode counts even for root. A binary file that lacks the function cannot be
    // opened either; a text file can, because its bus has both functions (dev_attr_show and _store then say EIO).
    if (access !== O_RDONLY && (!(this.mode & 0o222) || (ops.binary && !ops.write && !ops.fops))) return -E.EACCES;
    if (access !== O_WRONLY && (!(this.mode & 0o444) || (ops.binary && !ops.read && !ops.fops))) return -E.EACCES;
    file.private_data = new KernfsOpenFile(this);
    return ops.fops ?? (ops.binary ? binFops : textFops);
  }
  remove(): void {
    for (const child of [...this.children.values()]) child.remove();
    this.removed = true;
    if (this.parent?.entries?.get(this.name) === this) {
      this.parent.entries.delete(this.name);
      this.parent.sorted = null;
    }
  }
  private nameHash(): number {
    if (this.hash < 0) this.hash = kernfs_name_hash(this.name);
    return this.hash;
  }
}

/** struct kernfs_open_file. */
class KernfsOpenFile {
  data: Uint8Array | null = null;
  constructor(readonly node: KernfsNode) {}
}
function opened(file: File): KernfsOpenFile {
  assert(file.private_data instanceof KernfsOpenFile, 'kernfs: not a kernfs file');
  return file.private_data;
}

/** sysfs_file_kfops_rw: `show` runs when the file is read from its start, `store` gets each write whole. */
const textFops: FileOperations = {
  size: () => 4096,
  read(file, into, offset) {
    const of = opened(file);
    if (of.node.removed) return -E.ENODEV;
    if (offset === 0 || !of.data) {
      const shown = of.node.ops?.show?.() ?? -E.EIO;
      if (typeof shown === 'number') return shown;
      of.data = utf8(shown);
    }
    const part = of.data.subarray(Math.min(offset, of.data.length), Math.min(of.data.length, offset + into.length));
    into.set(part);
    return part.length;
  },
  write(file, from) {
    const { node } = opened(file);
    if (node.removed) return -E.ENODEV;
    if (from.length === 0) return 0;
    const taken = from.subarray(0, 4096);
    // A string ends at its first NUL (libcxl writes one), and nearly every store takes one newline for nothing.
    const end = taken.indexOf(0);
    const given = text(end < 0 ? taken : taken.subarray(0, end)).replace(/\n$/, '');
    const ret = node.ops?.store?.(given) ?? -E.EIO;
    const written = (done: number) => (done < 0 ? done : taken.length);
    return typeof ret === 'number' ? written(ret) : ret.then(written);
  },
};

/** sysfs_bin_kfops_rw. */
const binFops: FileOperations = {
  size: (file) => opened(file).node.size(),
  read(file, into, offset) {
    const { node } = opened(file);
    if (node.removed) return -E.ENODEV;
    const size = node.size();
    if (size > 0 && offset >= size) return 0;
    const count = size > 0 ? Math.min(into.length, size - offset) : into.length;
    return node.ops?.read?.(offset, into.subarray(0, count)) ?? -E.EIO;
  },
  write(file, from, offset) {
    const { node } = opened(file);
    if (node.removed) return -E.ENODEV;
    const size = node.size();
    if (size > 0 && offset >= size) return -E.EFBIG;
    const count = size > 0 ? Math.min(from.length, size - offset) : from.length;
    return node.ops?.write?.(offset, from.subarray(0, count)) ?? -E.EIO;
  },
};

/** The sysfs instance of a kernel: makes and removes nodes by path below /sys. */
export class Sysfs {
  readonly root: KernfsNode;
  constructor(readonly sb: SuperBlock) {
    this.root = new KernfsNode(sb, '', null, S_IFDIR | 0o755);
  }
  find(path: string): KernfsNode | null {
    let node: KernfsNode | null = this.root;
    for (const name of path.split('/')) if (name !== '' && node) node = node.lookup(name);
    return node;
  }
  /** The directory at `path`, made with its parents if need be. */
  dir(path: string): KernfsNode {
    let node = this.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      node = node.lookup(name) ?? new KernfsNode(this.sb, name, node, S_IFDIR | 0o755);
    }
    return node;
  }
  file(dir: KernfsNode, name: string, mode: number, ops: SysfsOps): KernfsNode {
    dir.lookup(name)?.remove();
    const node = new KernfsNode(this.sb, name, dir, S_IFREG | mode);
    node.ops = ops;
    return node;
  }
  link(dir: KernfsNode, name: string, target: string): KernfsNode {
    dir.lookup(name)?.remove();
    const node = new KernfsNode(this.sb, name, dir, S_IFLNK | 0o777);
    node.target = target;
    return node;
  }
  remove(path: string): void {
    this.find(path)?.remove();
  }
}
