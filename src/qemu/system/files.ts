/** Whole files through system calls. */
import { concat } from '../../base/bytes.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** All bytes of a file, or a negated errno. */
export async function read_file(sys: Sys, path: string): Promise<Uint8Array | number> {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(1 << 16);
    const got = await sys.read(fd, buffer);
    if (got <= 0) {
      sys.close(fd);
      return got < 0 ? got : concat(parts);
    }
    parts.push(buffer.subarray(0, got));
  }
}
