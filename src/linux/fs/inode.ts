import { E } from '../../base/errno.ts';
import type { File, FileOperations } from '../include/fs.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../uapi/constants.ts';
import type { Dirent } from '../uapi/sys.ts';

/** Memory a mapped file lives in (mm/filemap.ts). */
export interface FilePages {
  readonly size: number;
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  from(offset: number, length: number): readonly { readonly phys: number; readonly size: number }[];
}

/** struct super_block: one mounted file system instance. */
export class SuperBlock {
  /** Gives pages for a file of so many bytes; null until memory management runs. */
  filePages: ((size: number) => FilePages | null) | null = null;

  private nextIno = 1;
  constructor(
    readonly type: string,
    readonly dev: number,
    /** Calendar time in nanoseconds, for time stamps. */
    readonly now: () => number,
  ) {}
  ino(): number {
    return this.nextIno++;
  }
}

/** struct inode with its inode_operations (fs.h). Operations a file system lacks answer as the VFS does for it. */
export abstract class Inode {
  readonly ino: number;
  nlink = 1;
  rdev = 0;
  mtimeNs: number;

  constructor(
    readonly sb: SuperBlock,
    public mode: number,
  ) {
    this.ino = sb.ino();
    this.mtimeNs = sb.now();
  }

  get type(): number {
    return this.mode & S_IFMT;
  }
  get isDir(): boolean {
    return this.type === S_IFDIR;
  }
  get isLink(): boolean {
    return this.type === S_IFLNK;
  }
  get isFile(): boolean {
    return this.type === S_IFREG;
  }
  size(): number {
    return 0;
  }
  lookup(_name: string): Inode | null {
    return null;
  }
  readdir(): Dirent[] {
    return [];
  }
  readlink(): string {
    return '';
  }
  /** nd_jump_link: where a link of /proc leads without looking at its text; null for an ordinary link. */
  jump(): Path | null {
    return null;
  }
  /** File operations for an open of a regular file of this file system, or a negated errno. */
  open(_file: File): FileOperations | number {
    return -E.ENXIO;
  }
  create(_name: string, _mode: number): Inode | number {
    return -E.EACCES;
  }
  mkdir(_name: string, _mode: number): number {
    return -E.EPERM;
  }
  mkfifo(_name: string, _mode: number): number {
    return -E.EPERM;
  }
  symlink(_name: string, _target: string): number {
    return -E.EPERM;
  }
  link(_name: string, _inode: Inode): number {
    return -E.EPERM;
  }
  unlink(_name: string): number {
    return -E.EPERM;
  }
  rmdir(_name: string): number {
    return -E.EPERM;
  }
  rename(_name: string, _to: Inode, _newName: string): number {
    return -E.EPERM;
  }
  truncate(_length: number): number {
    return this.isDir ? -E.EISDIR : 0;
  }
  chmod(mode: number): number {
    this.mode = this.type | (mode & 0o7777);
    return 0;
  }
}

export function dirent(name: string, inode: Inode): Dirent {
  return { name, type: inode.type, ino: inode.ino };
}

/** struct path: where an inode was found. `..` and getcwd go along `parent`; the top has parent null. */
export interface Path {
  readonly inode: Inode;
  readonly name: string;
  readonly parent: Path | null;
}

/** d_path; a file or pipe without a name has its text in `name` (simple_dname, pipefs_dname). */
export function d_path(path: Path): string {
  if (path.parent === null && path.name !== '') return path.name;
  let text = path.inode.nlink === 0 ? ' (deleted)' : '';
  for (let at: Path = path; at.parent; at = at.parent) text = `/${at.name}${text}`;
  return text === '' ? '/' : text;
}

/** fs/anon_inodes.c: the one inode behind all anonymous files; it has no type, and cannot be opened by name. */
export class AnonInode extends Inode {
  constructor(sb: SuperBlock) {
    super(sb, 0o600);
  }
}
