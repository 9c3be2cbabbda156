import { O_RDONLY, S_IFDIR, S_IFLNK } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { readFile } from './files.ts';

export type TreeEntry =
  | { readonly kind: 'dir'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly mode: number };

/**
 * /sys as files that real tools can read: directories, relative links as they are, attributes with their content
 * (write-only ones are empty, failing ones left out), binary attributes as bytes. Paths are relative to /; the names of a
 * directory come in readdir's order.
 */
export async function sysfsTree(sys: Sys, root = '/sys'): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const walk = async (path: string): Promise<void> => {
    entries.push({ kind: 'dir', path: path.slice(1) });
    const fd = sys.open(path, O_RDONLY);
    if (fd < 0) return;
    const names = sys.getdents(fd);
    sys.close(fd);
    if (typeof names === 'number') return;
    for (const { name, type } of names) {
      const at = `${path}/${name}`;
      if (type === S_IFLNK) {
        const target = sys.readlink(at);
        if (typeof target === 'string') entries.push({ kind: 'link', path: at.slice(1), target });
      } else if (type === S_IFDIR) {
        // debugfs and tracing are other file systems.
        if (at !== '/sys/kernel/debug' && at !== '/sys/kernel/tracing') await walk(at);
      } else {
        const stat = sys.stat(at);
        const mode = typeof stat === 'number' ? 0 : stat.mode & 0o777;
        const bytes = mode & 0o444 ? await readFile(sys, at) : new Uint8Array(0);
        if (typeof bytes !== 'number') entries.push({ kind: 'file', path: at.slice(1), bytes, mode });
      }
    }
  };
  await walk(root);
  return entries;
}
