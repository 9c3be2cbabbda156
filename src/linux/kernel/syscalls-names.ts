/** System calls about names (fs/stat.c, fs/namei.c, fs/readdir.c), and what all calls of a process share. */
import { E } from '../../base/errno.ts';
import { d_path } from '../fs/inode.ts';
import { statfs } from '../fs/statfs.ts';
import { F_OK, S_IFIFO, X_OK } from '../uapi/constants.ts';
import type { Dirent, Stat, StatFs } from '../uapi/sys.ts';
import type { Linux } from './linux.ts';
import type { Task } from './task.ts';

export abstract class SysNames {
  constructor(
    protected readonly kernel: Linux,
    protected readonly task: Task,
  ) {}

  protected enter(): void {
    const { task } = this;
    if (task.fatal !== null || task.pending.length > 0) this.kernel.tasks.checkSignals(task);
  }
  /** Runs kernel code in this process's context. */
  protected within<T>(body: () => T): T {
    this.enter();
    return this.kernel.tasks.within(this.task, body);
  }
  // --- names --------------------------------------------------------------------------------------------------------

  stat(path: string): Stat | number {
    return this.within(() => this.kernel.vfs.stat(this.task, path, true));
  }
  lstat(path: string): Stat | number {
    return this.within(() => this.kernel.vfs.stat(this.task, path, false));
  }
  fstat(fd: number): Stat | number {
    return this.within(() => {
      const file = this.task.files.get(fd);
      if (!file) return -E.EBADF;
      const stat = this.kernel.vfs.statInode(file.inode);
      // Of an anonymous inode's size whoever made it knows.
      return file.inode.type === 0 ? { ...stat, size: file.fops.size?.(file) ?? 0 } : stat;
    });
  }
  statfs(path: string): StatFs | number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, true);
      if (typeof at === 'number') return at;
      const mount = this.kernel.vfs.ns.mounts.find((one) => one.root.sb === at.inode.sb);
      return statfs(at.inode.sb, mount?.root ?? null, Math.floor(this.kernel.mm.totalBytes / 4096));
    });
  }
  getdents(fd: number): readonly Dirent[] | number {
    return this.within(() => {
      const file = this.task.files.get(fd);
      if (!file) return -E.EBADF;
      if (!file.inode.isDir) return -E.ENOTDIR;
      return this.kernel.vfs.entries(file.at);
    });
  }
  readlink(path: string): string | number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, false);
      if (typeof at === 'number') return at;
      return at.inode.isLink ? at.inode.readlink() : -E.EINVAL;
    });
  }
  symlink(target: string, path: string): number {
    if (target === '') return -E.ENOENT;
    return this.within(() => this.kernel.vfs.make(this.task, path, (dir, name) => dir.symlink(name, target)));
  }
  link(target: string, path: string): number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, target, false);
      if (typeof at === 'number') return at;
      return this.kernel.vfs.make(this.task, path, (dir, name) => dir.link(name, at.inode));
    });
  }
  unlink(path: string): number {
    return this.within(() => this.kernel.vfs.unlink(this.task, path));
  }
  mkdir(path: string, mode = 0o777): number {
    const bits = mode & 0o7777 & ~this.task.umask;
    return this.within(() => this.kernel.vfs.make(this.task, path, (dir, name) => dir.mkdir(name, bits), true));
  }
  mkfifo(path: string, mode = 0o666): number {
    const bits = S_IFIFO | (mode & 0o777 & ~this.task.umask);
    return this.within(() => this.kernel.vfs.make(this.task, path, (dir, name) => dir.mkfifo(name, bits)));
  }
  rmdir(path: string): number {
    return this.within(() => this.kernel.vfs.rmdir(this.task, path));
  }
  rename(from: string, to: string): number {
    return this.within(() => this.kernel.vfs.rename(this.task, from, to));
  }
  chmod(path: string, mode: number): number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, true);
      return typeof at === 'number' ? at : at.inode.chmod(mode);
    });
  }
  utimes(path: string, _atimeNs: number, mtimeNs: number): number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, true);
      if (typeof at === 'number') return at;
      at.inode.mtimeNs = mtimeNs;
      return 0;
    });
  }
  access(path: string, mode: number): number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, true);
      if (typeof at === 'number') return at;
      // Root passes everything but the execution of a file without any x bit.
      if (mode !== F_OK && mode & X_OK && !at.inode.isDir && !(at.inode.mode & 0o111)) return -E.EACCES;
      return 0;
    });
  }
  chdir(path: string): number {
    return this.within(() => {
      const at = this.kernel.vfs.ns.walk(this.task.cwd, path, true);
      if (typeof at === 'number') return at;
      if (!at.inode.isDir) return -E.ENOTDIR;
      this.task.cwd = at;
      return 0;
    });
  }
  getcwd(): string {
    this.enter();
    return d_path(this.task.cwd);
  }
  umask(mask: number): number {
    this.enter();
    const before = this.task.umask;
    this.task.umask = mask & 0o777;
    return before;
  }
  mount(source: string, target: string, type: string): number {
    return this.within(() => this.kernel.vfs.mount(this.task, source, target, type));
  }
  umount(target: string): number {
    return this.within(() => this.kernel.vfs.umount(this.task, target));
  }
}
