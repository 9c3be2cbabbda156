/** fs/namei.c and namespace.c: path walk, mounts, symbolic links. Left out: permissions (everyone is root), RCU walk. */
import { E } from '../../base/errno.ts';
import type { Inode, Path } from './inode.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly root: Inode;
  /** The directory it covers; null for the root file system. */
  readonly covers: Inode | null;
}

export interface Parent {
  readonly dir: Path;
  readonly name: string;
  /** The path ended in a slash: only a directory will do. */
  readonly slash: boolean;
}

const MAXSYMLINKS = 40;

export class Namespace {
  readonly mounts: Mount[] = [];
  private readonly covered = new Map<Inode, Inode>();
  readonly root: Path;

  constructor(rootfs: Inode) {
    this.root = { inode: rootfs, name: '', parent: null };
    this.mounts.push({ source: 'rootfs', target: '/', type: 'rootfs', root: rootfs, covers: null });
  }

  mount(source: string, target: string, type: string, covers: Inode, root: Inode): void {
    this.mounts.push({ source, target, type, root, covers });
    this.covered.set(covers, root);
  }
  unmount(root: Inode): boolean {
    const at = this.mounts.findLastIndex((mount) => mount.root === root);
    const mount = this.mounts[at];
    if (!mount?.covers) return false;
    this.mounts.splice(at, 1);
    this.covered.delete(mount.covers);
    return true;
  }

  /** One name below a directory, through a mount if one covers it. */
  child(dir: Path, name: string): Path | null {
    if (name === '.') return dir;
    if (name === '..') return dir.parent ?? dir;
    const inode = dir.inode.lookup(name);
    return inode ? { inode: this.over(inode), name, parent: dir } : null;
  }
  private over(inode: Inode): Inode {
    let at = inode;
    for (let top = this.covered.get(at); top; top = this.covered.get(at)) at = top;
    return at;
  }

  /** Resolves `path`; the last component's symbolic link is followed only with `follow`. */
  walk(from: Path, path: string, follow: boolean): Path | number {
    if (path === '') return -E.ENOENT;
    return this.resolve(from, path, follow, { links: 0 });
  }

  /** Resolves all but the last component (LOOKUP_PARENT). A path ending in `..`, `.` or `/` has no last name: ''. */
  parent(from: Path, path: string): Parent | number {
    if (path === '') return -E.ENOENT;
    const slash = path.endsWith('/');
    const trimmed = path.replace(/\/+$/, '');
    if (trimmed === '') return { dir: this.root, name: '', slash };
    const cut = trimmed.lastIndexOf('/');
    const name = trimmed.slice(cut + 1);
    if (name.length > 255) return -E.ENAMETOOLONG;
    const before = cut < 0 ? '' : trimmed.slice(0, cut + 1);
    const dir = before === '' ? from : this.resolve(from, before, true, { links: 0 });
    if (typeof dir === 'number') return dir;
    if (!dir.inode.isDir) return -E.ENOTDIR;
    return { dir, name, slash };
  }

  private resolve(from: Path, path: string, follow: boolean, state: { links: number }): Path | number {
    if (path.length > 4095) return -E.ENAMETOOLONG;
    let at = path.startsWith('/') ? this.root : from;
    const names = path.split('/').filter((name) => name !== '');
    const mustDir = path.endsWith('/');
    for (let n = 0; n < names.length; n++) {
      const name = names[n] as string;
      if (!at.inode.isDir) return -E.ENOTDIR;
      if (name.length > 255) return -E.ENAMETOOLONG;
      const next = this.child(at, name);
      if (!next) return -E.ENOENT;
      const last = n === names.length - 1;
      if (next.inode.isLink && (!last || follow || mustDir)) {
        if (++state.links > MAXSYMLINKS) return -E.ELOOP;
        const jumped = next.inode.jump();
        if (jumped) {
          at = jumped;
          continue;
        }
        const target = next.inode.readlink();
        if (target === '') return -E.ENOENT;
        const to = this.resolve(at, target, true, state);
        if (typeof to === 'number') return to;
        at = to;
      } else at = next;
    }
    return mustDir && !at.inode.isDir ? -E.ENOTDIR : at;
  }
}
