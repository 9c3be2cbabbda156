import { text } from '../../base/bytes.ts';
import { O_RDONLY } from '../uapi/constants.ts';
import type { Sys } from '../uapi/sys.ts';

/** A whole file as text, '' if it cannot be read. */
export async function slurp(sys: Sys, path: string): Promise<string> {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return '';
  const buffer = new Uint8Array(4096);
  let out = '';
  for (;;) {
    const n = await sys.read(fd, buffer);
    if (n <= 0) break;
    out += text(buffer.subarray(0, n));
  }
  sys.close(fd);
  return out;
}
