import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TreeEntry } from '../lab/export/sysfs.ts';

/** Writes a tree below `dir`. Last names first: a tmpfs lists the newest first, so that readdir's order there is the lab's. */
export function writeTree(dir: string, entries: readonly TreeEntry[]): void {
  mkdirSync(dir, { recursive: true });
  for (const entry of entries.toReversed()) {
    const at = join(dir, entry.path);
    mkdirSync(entry.kind === 'dir' ? at : dirname(at), { recursive: true });
    if (entry.kind === 'link') symlinkSync(entry.target, at);
    else if (entry.kind === 'file') writeFileSync(at, entry.bytes, { mode: entry.mode });
  }
}
