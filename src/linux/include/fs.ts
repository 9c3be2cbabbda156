import type { Hva } from '../../base/addr.ts';
import type { Dirent, Stat } from '../uapi/sys.ts';
import type { Process } from './tasks.ts';

/** struct file_operations as a driver provides them. All results: bytes or 0, or a negated errno. Absent → -EINVAL (read/write) or -ENOTTY (ioctl) or -ENODEV (mmap). */
export interface FileOperations {
  open?(file: File): number;
  release?(file: File): void;
  read?(file: File, into: Uint8Array, offset: number): number | Promise<number>;
  write?(file: File, from: Uint8Array, offset: number): number | Promise<number>;
  /** Default: SEEK on a regular position. `false`: not seekable (-ESPIPE). */
  readonly seekable?: boolean;
  size?(file: File): number;
  /** A file with its own idea of positions (/dev/kmsg). */
  llseek?(file: File, offset: number, whence: number): number;
  unlocked_ioctl?(file: File, request: number, arg: Uint8Array | number): number | Promise<number>;
  mmap?(file: File, vma: VmArea): number;
  /** True when a read would not sleep; `wait` sleeps until that may have changed. */
  poll?(file: File): boolean;
  wait?(file: File): Promise<void>;
}

/** An open file description. */
export interface File {
  readonly path: string;
  readonly flags: number;
  position: number;
  readonly fops: FileOperations;
  /** Whose open call made it. */
  readonly process: Process;
  /** f_inode's device number, 0 if none. */
  readonly rdev: number;
  private_data: unknown;
  /** get_file, fput: the last user lets it be released. */
  get(): unknown;
  put(): void;
}

/** A mapping being made by mmap(2). The driver's mmap fills `fault` or `remap`. */
export interface VmArea {
  readonly start: Hva;
  readonly length: number;
  /** Byte offset in the file (vm_pgoff << 12). */
  readonly offset: number;
  readonly prot: number;
  readonly flags: number;
  readonly process: Process;
  /** What the published state and `info mtree` call it. */
  label: { kind: 'anon' | 'vfio' | 'devmem' | 'file'; name: string };
  /** Physical address of the byte at `start + offset` on first touch; negative: SIGBUS. */
  fault: ((offset: number) => number) | null;
  /** In place of `fault`: the mapping is this memory. `shared`: it belongs to the file, else to the mapping. */
  map_pages(extents: readonly { readonly phys: number; readonly size: number }[], shared: boolean): void;
  /** Set by a fault handler that inserted every page of the mapping at once: physical address of its first byte; null again after a zap. */
  linear: number | null;
  close: (() => void) | null;
}

export interface Vfs {
  /** Character device region: opens of a node with this major go to `open`'s file operations. */
  register_chrdev(major: number, name: string, open: (minor: number) => FileOperations | null): void;
  unregister_chrdev(major: number): void;
  alloc_major(name: string, wanted?: number): number;
  /** Creates /dev/<name> by hand (devices with `devt` and `devname` get theirs from device_add). */
  mknod(name: string, mode: number, major: number, minor: number): void;
  rmnod(name: string): void;
  /** A file descriptor for an anonymous inode (`anon_inode:kvm-vm`), as anon_inode_getfd. */
  anon_fd(process: Process, name: string, fops: FileOperations, private_data: unknown, flags?: number): number;
  /** fget: the open file behind a descriptor, or null. */
  file(process: Process, fd: number): File | null;
  /** /proc entry with computed text. */
  proc_create(path: string, show: () => string, write?: (text: string) => number): void;
  proc_remove(path: string): void;
  /** debugfs entry (below /sys/kernel/debug). */
  debugfs_create(path: string, show: (() => string) | null, write: ((text: string) => number) | null): void;
  debugfs_remove(path: string): void;
  stat(process: Process, path: string, follow: boolean): Stat | number;
  list(process: Process, path: string): readonly Dirent[] | number;
}
