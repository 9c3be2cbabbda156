import { concat, text as decode, utf8 } from '../../base/bytes.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** Whole content of a file, or a negated errno. */
export async function readAll(sys: Sys, path: string): Promise<Uint8Array | number> {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(4096);
    const count = await sys.read(fd, buffer);
    if (count < 0) {
      sys.close(fd);
      return count;
    }
    if (count === 0) break;
    parts.push(buffer.subarray(0, count));
  }
  sys.close(fd);
  return concat(parts);
}

/** Trimmed text of a small file, or null if it cannot be read. */
export async function readLine(sys: Sys, path: string): Promise<string | null> {
  const bytes = await readAll(sys, path);
  return typeof bytes === 'number' ? null : decode(bytes).trim();
}

export async function print(sys: Sys, fd: number, text: string): Promise<void> {
  let bytes = utf8(text);
  while (bytes.length > 0) {
    const count = await sys.write(fd, bytes);
    if (count <= 0) return;
    bytes = bytes.subarray(count);
  }
}

/** Names in a directory, or a negated errno. */
export function listDir(sys: Sys, path: string): readonly string[] | number {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number' ? entries : entries.map((entry) => entry.name);
}
