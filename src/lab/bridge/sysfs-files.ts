import { toBase64 } from '../../base/base64.ts';
import { concat } from '../../base/bytes.ts';
import {
  O_DIRECTORY,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  SEEK_SET,
} from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** The bridge's file operations: what a process of the guest gets from the system calls, or a negated errno. */

export type FileType = 'dir' | 'file' | 'link';
export interface FileStat {
  readonly type: FileType;
  readonly mode: number;
  readonly target?: string;
}

/** A subtree at one moment: nodes with permissions and content (null: a directory, or it cannot be read), names in readdir's order. */
export interface Tree {
  readonly nodes: Record<string, readonly ['d' | 'f' | 'l', mode: number, content: string | null]>;
  readonly kids: Record<string, readonly string[]>;
}

const BLOCK = 65536;

export function statFile(sys: Sys, path: string): FileStat | number {
  const stat = sys.lstat(path);
  if (typeof stat === 'number') return stat;
  const mode = stat.mode & 0o7777;
  const type = stat.mode & S_IFMT;
  if (type === S_IFDIR) return { type: 'dir', mode };
  if (type !== S_IFLNK) return { type: 'file', mode };
  const target = sys.readlink(path);
  return typeof target === 'number' ? target : { type: 'link', mode, target };
}

export function listNames(sys: Sys, path: string): readonly string[] | number {
  const fd = sys.open(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number' ? entries : entries.map((entry) => entry.name);
}

/** To the end of the file, as `cat` reads; a file with nothing to give yet (`trace_pipe`) is not waited for. */
async function contentOf(sys: Sys, path: string, offset: number): Promise<Uint8Array | number> {
  const fd = sys.open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return fd;
  if (offset > 0) sys.lseek(fd, offset, SEEK_SET);
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(BLOCK);
    const count = await sys.read(fd, buffer);
    if (count > 0) {
      parts.push(buffer.subarray(0, count));
      continue;
    }
    sys.close(fd);
    return count === 0 || parts.length > 0 ? concat(parts) : count;
  }
}

export async function readContent(sys: Sys, path: string, offset: number): Promise<string | number> {
  const bytes = await contentOf(sys, path, offset);
  return typeof bytes === 'number' ? bytes : toBase64(bytes);
}

/** One write(2): what it takes is what it says. */
export async function writeContent(sys: Sys, path: string, offset: number, data: Uint8Array): Promise<number> {
  const fd = sys.open(path, O_WRONLY);
  if (fd < 0) return fd;
  if (offset > 0) sys.lseek(fd, offset, SEEK_SET);
  const count = await sys.write(fd, data);
  sys.close(fd);
  return count;
}

export async function treeOf(sys: Sys, base: string, top: string): Promise<Tree | number> {
  const tree: Tree = { nodes: {}, kids: {} };
  const visit = async (path: string): Promise<number> => {
    const stat = statFile(sys, base + path);
    if (typeof stat === 'number') return stat;
    const { type, mode, target } = stat;
    if (type === 'link') tree.nodes[path] = ['l', mode, target ?? ''];
    else if (type === 'file') {
      const bytes = await contentOf(sys, base + path, 0);
      tree.nodes[path] = ['f', mode, typeof bytes === 'number' ? null : toBase64(bytes)];
    } else {
      tree.nodes[path] = ['d', mode, null];
      const names = listNames(sys, base + path);
      if (typeof names === 'number') return names;
      tree.kids[path] = names;
      // What goes away while the tree is walked is no longer in it.
      for (const name of names) await visit(path === '/' ? `/${name}` : `${path}/${name}`);
    }
    return 0;
  };
  const failed = await visit(top === '' ? '/' : top.replace(/(?<=.)\/+$/, ''));
  return failed < 0 ? failed : tree;
}
