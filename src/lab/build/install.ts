/** Writing what a build made: the file itself, and a copy in L1's root image, as the host prepares that image. */
import { utf8 } from '../../base/bytes.ts';
import { L1_BUILD } from '../../content/machines/builds.ts';
import { encodeInitrd, type InitrdEntry } from '../../linux/image.ts';
import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { writeAll } from '../../userland/misc/io.ts';

/** Root image that L1 boots from: what the host puts there L1 finds at its next start. */
export const L1_ROOT = `/boot/initrd-${L1_BUILD.release}`;

/** Writes a new file; 0 or a negated errno. */
export async function writeNew(sys: Sys, path: string, content: string, mode: number): Promise<number> {
  const fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (fd < 0) return fd;
  const written = await writeAll(sys, fd, utf8(content));
  sys.close(fd);
  sys.chmod(path, mode);
  return Math.min(written, 0);
}

/** Adds an archive with one file to a root image (archives stand one after another, the later one wins). */
export async function addToRoot(sys: Sys, image: string, entry: InitrdEntry): Promise<number> {
  const fd = sys.open(image, O_WRONLY | O_APPEND, 0);
  if (fd < 0) return fd;
  const written = await writeAll(sys, fd, encodeInitrd([entry]));
  sys.close(fd);
  return Math.min(written, 0);
}

/** Last part of a path. */
export function baseName(path: string): string {
  return path.split('/').pop() ?? path;
}
