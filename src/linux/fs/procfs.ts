/** fs/proc: entries with computed text, and a directory per process. Left out: most files; what is there is computed. */

import { assert } from '../../base/assert.ts';
import { text, utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import type { File, FileOperations } from '../include/fs.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../uapi/constants.ts';
import type { Dirent } from '../uapi/sys.ts';
import { d_path, dirent, Inode, type Path, type SuperBlock } from './inode.ts';

/** A file with computed text (single_open): shown when read from its start. Also used by debugfs. */
export class TextInode extends Inode {
  constructor(
    sb: SuperBlock,
    readonly show: (() => string) | null,
    readonly store: ((text: string) => number) | null,
    mode = (show ? 0o444 : 0) | (store ? 0o200 : 0),
  ) {
    super(sb, S_IFREG | mode);
  }
  override open(file: File): FileOperations | number {
    file.private_data = { inode: this, data: null } satisfies Opened;
    return textFops;
  }
}

interface Opened {
  readonly inode: TextInode;
  data: Uint8Array | null;
}
function opened(file: File): Opened {
  const data = file.private_data;
  assert(
    typeof data === 'object' && data !== null && 'inode' in data && data.inode instanceof TextInode,
    'procfs file',
  );
  return data as Opened;
}

const textFops: FileOperations = {
  read(file, into, offset) {
    const of = opened(file);
    // a debugfs attribute without a getter says so by permission
    if (!of.inode.show) return of.inode.sb.type === 'debugfs' ? -E.EACCES : -E.EINVAL;
    if (offset === 0 || !of.data) of.data = utf8(of.inode.show());
    const part = of.data.subarray(Math.min(offset, of.data.length), Math.min(of.data.length, offset + into.length));
    into.set(part);
    return part.length;
  },
  write(file, from) {
    const { store, sb } = opened(file).inode;
    // Root opens what is 0444; only the write finds out that there is no operation (proc_reg_write, vfs_write).
    if (!store) return sb.type === 'proc' ? -E.EIO : -E.EINVAL;
    const ret = store(text(from));
    return ret < 0 ? ret : from.length;
  },
};

/** A symbolic link whose text is computed (`self`). */
export class ComputedLink extends Inode {
  constructor(
    sb: SuperBlock,
    readonly target: () => string,
    mode = 0o777,
  ) {
    super(sb, S_IFLNK | mode);
  }
  override readlink(): string {
    return this.target();
  }
}

/** A link to an object instead of a name (`fd/0`, `exe`, `cwd`, `root`; proc_pid_get_link): it leads there even when the name is gone. */
export class MagicLink extends Inode {
  constructor(
    sb: SuperBlock,
    private readonly target: () => Path | null,
    mode = 0o777,
    private readonly length = 0,
  ) {
    super(sb, S_IFLNK | mode);
  }
  override size(): number {
    return this.length;
  }
  override readlink(): string {
    const path = this.target();
    return path ? d_path(path) : '';
  }
  override jump(): Path | null {
    return this.target();
  }
}

/** A character device or other inode living in proc (`/proc/kmsg`). */
export class FopsInode extends Inode {
  constructor(
    sb: SuperBlock,
    mode: number,
    readonly fops: FileOperations,
  ) {
    super(sb, S_IFREG | mode);
  }
  override open(): FileOperations {
    return this.fops;
  }
}

/** A directory of fixed entries plus, optionally, computed ones. */
export class ProcDir extends Inode {
  readonly entries = new Map<string, Inode>();
  constructor(
    sb: SuperBlock,
    private readonly dynamic?: { lookup(name: string): Inode | null; list(): string[] },
  ) {
    super(sb, S_IFDIR | 0o555);
    this.nlink = 2;
  }
  override lookup(name: string): Inode | null {
    return this.entries.get(name) ?? this.dynamic?.lookup(name) ?? null;
  }
  override readdir(): Dirent[] {
    const out = [...this.entries].map(([name, inode]) => dirent(name, inode));
    for (const name of this.dynamic?.list() ?? []) {
      const inode = this.dynamic?.lookup(name);
      if (inode) out.push(dirent(name, inode));
    }
    return out;
  }
  override create(): number {
    return -E.ENOENT;
  }
  /** The directory at a relative path, made if need be. */
  dir(path: string): ProcDir {
    let at: ProcDir = this;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const next = at.entries.get(name);
      if (next instanceof ProcDir) at = next;
      else {
        const made = new ProcDir(this.sb);
        at.entries.set(name, made);
        at = made;
      }
    }
    return at;
  }
  put(path: string, inode: Inode): void {
    const cut = path.lastIndexOf('/');
    this.dir(cut < 0 ? '' : path.slice(0, cut)).entries.set(path.slice(cut + 1), inode);
  }
  /** Takes an entry away, and directories that only held it. */
  drop(path: string): void {
    const cut = path.lastIndexOf('/');
    const dir = this.dir(cut < 0 ? '' : path.slice(0, cut));
    dir.entries.delete(path.slice(cut + 1));
    if (cut > 0 && dir.entries.size === 0) this.drop(path.slice(0, cut));
  }
}
