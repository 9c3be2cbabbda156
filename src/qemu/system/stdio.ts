/** Text to standard output and error of this process. */
import { utf8 } from '../../base/bytes.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { FdBackend } from '../chardev/fd-backend.ts';

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

/** Writes without waiting for slow readers (the order is kept). */
export function writeText(sys: Sys, fd: number, text: string): void {
  new FdBackend(sys, fd).write(utf8(text));
}
