/** The VFS of one kernel: root file system, mounts, devices, and the operations on names behind the system calls. */
import { E } from '../../base/errno.ts';
import type { File, FileOperations, Vfs } from '../include/fs.ts';
import type { Process } from '../include/tasks.ts';
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
} from '../uapi/constants.ts';
import type { Dirent, Stat } from '../uapi/sys.ts';
import { OpenFile } from './file.ts';
import { AnonInode, d_path, type Inode, type Path, SuperBlock } from './inode.ts';
import { Sysfs } from './kernfs.ts';
import { Namespace } from './namei.ts';
import type { Pipe } from './pipe.ts';
import { ProcDir, TextInode } from './procfs.ts';
import { RamInode } from './ramfs.ts';

/** What the VFS keeps per process; `Task` implements it. */
export interface FsContext extends Process {
  cwd: Path;
  umask: number;
  readonly files: import('./file.ts').FdTable;
}

interface Chrdev {
  readonly name: string;
  readonly open: (minor: number) => FileOperations | null;
}

export class VfsImpl implements Vfs {
  readonly ns: Namespace;
  readonly rootfs: RamInode;
  readonly devtmpfs: RamInode;
  readonly proc: ProcDir;
  readonly debugfs: ProcDir;
  readonly sysfs: Sysfs;
  private nextDev = 1;
  readonly pipefs: SuperBlock;
  private readonly anonInode: Inode;
  private readonly fifos = new WeakMap<Inode, Pipe>();
  readonly chrdevs = new Map<number, Chrdev>();

  constructor(
    private readonly now: () => number,
    private readonly makePipe: () => Pipe,
    procDynamic: { lookup(name: string): Inode | null; list(): string[] },
  ) {
    this.rootfs = new RamInode(this.superBlock('rootfs'), S_IFDIR | 0o755);
    this.ns = new Namespace(this.rootfs);
    this.devtmpfs = new RamInode(this.superBlock('devtmpfs'), S_IFDIR | 0o755);
    this.proc = new ProcDir(this.superBlock('proc'), procDynamic);
    this.debugfs = new ProcDir(this.superBlock('debugfs'));
    this.sysfs = new Sysfs(this.superBlock('sysfs'));
    this.pipefs = this.superBlock('pipefs');
    this.anonInode = new AnonInode(this.superBlock('anon_inodefs'));
    for (const dir of ['block', 'class/block', 'dev/block']) this.sysfs.dir(dir);
    this.sysfs.dir('kernel/debug');
    this.sysfs.dir('kernel/tracing');
  }

  superBlock(type: string): SuperBlock {
    return new SuperBlock(type, this.nextDev++, this.now);
  }

  // --- devices ------------------------------------------------------------------------------------------------------

  register_chrdev(major: number, name: string, open: (minor: number) => FileOperations | null): void {
    this.chrdevs.set(major, { name, open });
  }
  unregister_chrdev(major: number): void {
    this.chrdevs.delete(major);
  }
  /**
   * find_dynamic_major: from 254 down to 234, then 511 down. `wanted` is what a device gets on a distribution's kernel, where
   * drivers that are not modelled came first.
   */
  alloc_major(name: string, wanted?: number): number {
    if (wanted !== undefined && !this.chrdevs.has(wanted)) return this.reserve(wanted, name);
    for (let major = 254; major >= 234; major--) if (!this.chrdevs.has(major)) return this.reserve(major, name);
    for (let major = 511; major >= 384; major--) if (!this.chrdevs.has(major)) return this.reserve(major, name);
    return -E.EBUSY;
  }
  private reserve(major: number, name: string): number {
    this.chrdevs.set(major, { name, open: () => null });
    return major;
  }

  /** devtmpfs: nodes below /dev, directories made on the way. */
  mknod(name: string, mode: number, major: number, minor: number): void {
    const names = name.split('/');
    let dir = this.devtmpfs;
    for (const part of names.slice(0, -1)) {
      if (!dir.lookup(part)) dir.mkdir(part, 0o755);
      dir = dir.lookup(part) as RamInode;
    }
    dir.mknod(names.at(-1) ?? name, S_IFCHR | mode, major * 256 + minor);
  }
  rmnod(name: string): void {
    const names = name.split('/');
    const dirs: RamInode[] = [this.devtmpfs];
    for (const part of names.slice(0, -1)) {
      const next = dirs.at(-1)?.lookup(part);
      if (!next) return;
      dirs.push(next);
    }
    dirs.at(-1)?.unlink(names.at(-1) ?? name);
    // devtmpfs removes the directories it made when they become empty; -ENOTEMPTY keeps the others.
    for (let n = dirs.length - 1; n > 0; n--) dirs[n - 1]?.rmdir(names[n - 1] as string);
  }

  // --- open ---------------------------------------------------------------------------------------------------------

  open(task: FsContext, path: string, flags: number, mode: number): OpenFile | number {
    let at = this.ns.walk(task.cwd, path, !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL));
    if (typeof at === 'number') {
      if (at !== -E.ENOENT || !(flags & O_CREAT)) return at;
      at = this.create(task, path, mode);
      if (typeof at === 'number') return at;
    } else if (flags & O_CREAT && flags & O_EXCL) return -E.EEXIST;
    const { inode } = at;
    if (inode.isLink) return -E.ELOOP;
    if (flags & O_DIRECTORY && !inode.isDir) return -E.ENOTDIR;
    if (inode.isDir && ((flags & O_ACCMODE) !== O_RDONLY || flags & O_CREAT)) return -E.EISDIR;
    const file = new OpenFile(d_path(at), flags & ~(O_CREAT | O_EXCL | O_CLOEXEC), task, at);
    if (inode.isDir) return file;
    const fops =
      inode.type === S_IFCHR
        ? this.chrdev_open(inode.rdev)
        : inode.type === S_IFIFO && inode.sb !== this.pipefs
          ? this.fifo(inode).fifo
          : inode.open(file);
    if (typeof fops === 'number') return fops;
    file.fops = fops;
    const ret = fops.open?.(file) ?? 0;
    if (ret < 0) return ret;
    if (flags & O_TRUNC && inode.isFile) inode.truncate(0);
    return file;
  }

  /** fifo_open; opening never sleeps here. */
  private fifo(inode: Inode): Pipe {
    let pipe = this.fifos.get(inode);
    if (!pipe) {
      pipe = this.makePipe();
      this.fifos.set(inode, pipe);
    }
    return pipe;
  }
  private chrdev_open(rdev: number): FileOperations | number {
    return this.chrdevs.get(Math.floor(rdev / 256))?.open(rdev % 256) ?? -E.ENXIO;
  }

  private create(task: FsContext, path: string, mode: number): Path | number {
    // A dangling symbolic link creates what it points to.
    const link = this.ns.walk(task.cwd, path, false);
    if (typeof link !== 'number' && link.parent) {
      const target = link.inode.readlink();
      return this.create(target.startsWith('/') ? task : { ...task, cwd: link.parent }, target, mode);
    }
    const parent = this.ns.parent(task.cwd, path);
    if (typeof parent === 'number') return parent;
    if (parent.slash) return -E.EISDIR;
    const inode = parent.dir.inode.create(parent.name, mode & 0o7777 & ~task.umask);
    return typeof inode === 'number' ? inode : { inode, name: parent.name, parent: parent.dir };
  }

  // --- names --------------------------------------------------------------------------------------------------------

  /** Runs `make` on a parent directory for a name that must not exist yet. */
  make(task: FsContext, path: string, make: (dir: Inode, name: string) => number, dirWanted = false): number {
    const parent = this.ns.parent(task.cwd, path);
    if (typeof parent === 'number') return parent;
    if (parent.name === '' || this.ns.child(parent.dir, parent.name)) return -E.EEXIST;
    if (parent.slash && !dirWanted) return -E.ENOENT;
    return make(parent.dir.inode, parent.name);
  }
  unlink(task: FsContext, path: string): number {
    const parent = this.ns.parent(task.cwd, path);
    if (typeof parent === 'number') return parent;
    const { dir, name } = parent;
    if (name === '' || name === '.' || name === '..') return -E.EISDIR;
    const found = dir.inode.lookup(name);
    if (!found) return -E.ENOENT;
    if (parent.slash) return found.isDir ? -E.EISDIR : -E.ENOTDIR;
    return found.isDir ? -E.EISDIR : dir.inode.unlink(name);
  }
  rmdir(task: FsContext, path: string): number {
    const parent = this.ns.parent(task.cwd, path);
    if (typeof parent === 'number') return parent;
    const { dir, name } = parent;
    if (name === '') return -E.EBUSY;
    if (name === '.') return -E.EINVAL;
    if (name === '..') return -E.ENOTEMPTY;
    const found = dir.inode.lookup(name);
    if (!found) return -E.ENOENT;
    if (!found.isDir) return -E.ENOTDIR;
    if (this.ns.child(dir, name)?.inode !== found) return -E.EBUSY;
    return dir.inode.rmdir(name);
  }
  rename(task: FsContext, from: string, to: string): number {
    const a = this.ns.parent(task.cwd, from);
    if (typeof a === 'number') return a;
    const b = this.ns.parent(task.cwd, to);
    if (typeof b === 'number') return b;
    if (a.name === '' || b.name === '') return -E.EBUSY;
    const moved = a.dir.inode.lookup(a.name);
    if (!moved) return -E.ENOENT;
    if (a.dir.inode.sb !== b.dir.inode.sb) return -E.EXDEV;
    for (let at: Path | null = b.dir; at; at = at.parent) if (at.inode === moved) return -E.EINVAL;
    return a.dir.inode.rename(a.name, b.dir.inode, b.name);
  }

  mount(task: FsContext, source: string, target: string, type: string): number {
    const at = this.ns.walk(task.cwd, target, true);
    if (typeof at === 'number') return at;
    if (!at.inode.isDir) return -E.ENOTDIR;
    const root = this.fsRoot(type);
    if (!root) return -E.ENODEV;
    if (at.inode === root) return -E.EBUSY;
    this.ns.mount(source, d_path(at), type, at.inode, root);
    return 0;
  }
  private fsRoot(type: string): Inode | null {
    switch (type) {
      case 'proc':
        return this.proc;
      case 'sysfs':
        return this.sysfs.root;
      case 'devtmpfs':
        return this.devtmpfs;
      case 'debugfs':
        return this.debugfs;
      case 'tmpfs':
      case 'ramfs':
        return new RamInode(this.superBlock(type), S_IFDIR | 0o1777);
      default:
        return null;
    }
  }
  umount(task: FsContext, target: string): number {
    const at = this.ns.walk(task.cwd, target, true);
    if (typeof at === 'number') return at;
    return this.ns.unmount(at.inode) ? 0 : -E.EINVAL;
  }

  // --- Vfs ----------------------------------------------------------------------------------------------------------

  anon_fd(process: Process, name: string, fops: FileOperations, private_data: unknown, flags = O_CLOEXEC): number {
    const path = `anon_inode:${name.replace(/^anon_inode:/, '')}`;
    const file = new OpenFile(path, O_RDWR | (flags & O_NONBLOCK), process, {
      inode: this.anonInode,
      name: path,
      parent: null,
    });
    file.fops = fops;
    file.private_data = private_data;
    return (process as FsContext).files.install(file, (flags & O_CLOEXEC) !== 0);
  }
  file(process: Process, fd: number): File | null {
    return (process as FsContext).files.get(fd);
  }
  proc_create(path: string, show: () => string, write?: (text: string) => number): void {
    this.proc.put(path.replace(/^\/proc\//, ''), new TextInode(this.proc.sb, show, write ?? null));
  }
  proc_remove(path: string): void {
    this.proc.drop(path.replace(/^\/proc\//, ''));
  }
  debugfs_create(path: string, show: (() => string) | null, write: ((text: string) => number) | null): void {
    this.debugfs.put(path.replace(/^\/sys\/kernel\/debug\//, ''), new TextInode(this.debugfs.sb, show, write));
  }
  debugfs_remove(path: string): void {
    this.debugfs.drop(path.replace(/^\/sys\/kernel\/debug\//, ''));
  }
  stat(process: Process, path: string, follow: boolean): Stat | number {
    const at = this.ns.walk((process as FsContext).cwd, path, follow);
    return typeof at === 'number' ? at : this.statInode(at.inode);
  }
  statInode(inode: Inode): Stat {
    const size = inode.size();
    return {
      ino: inode.ino,
      dev: inode.sb.dev,
      mode: inode.mode,
      nlink: inode.nlink,
      uid: 0,
      gid: 0,
      size,
      rdev: inode.rdev,
      blocks: inode instanceof RamInode && inode.isFile ? Math.ceil(size / 4096) * 8 : 0,
      mtimeNs: inode.mtimeNs,
    };
  }
  list(process: Process, path: string): readonly Dirent[] | number {
    const at = this.ns.walk((process as FsContext).cwd, path, true);
    if (typeof at === 'number') return at;
    return at.inode.isDir ? this.entries(at) : -E.ENOTDIR;
  }
  entries(at: Path): Dirent[] {
    return at.inode.readdir();
  }
}
