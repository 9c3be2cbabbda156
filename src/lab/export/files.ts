import { concat } from '../../base/bytes.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** Whole content of a file as a tool reads it, or a negated errno. */
export async function readFile(sys: Sys, path: string): Promise<Uint8Array | number> {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(4096);
    const count = await sys.read(fd, buffer);
    if (count <= 0) {
      sys.close(fd);
      return count < 0 ? count : concat(parts);
    }
    parts.push(buffer.subarray(0, count));
  }
}
