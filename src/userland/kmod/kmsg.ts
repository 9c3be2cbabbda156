/** Records of /dev/kmsg. */
import { E } from '../../base/errno.ts';
import { O_NONBLOCK, O_RDONLY, SEEK_DATA } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { decode } from '../misc/io.ts';

export const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

export const FACILITIES = ['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news'];

export interface Record {
  readonly level: number;
  readonly facility: number;
  readonly us: number;
  readonly text: string;
}

/** `level,seq,us,flags;text` with continuation lines. */
function parse(bytes: Uint8Array): Record | null {
  const m = /^(\d+),(\d+),(\d+),[^;]*;([^\n]*)/.exec(decode(bytes));
  if (!m) return null;
  const prefix = Number(m[1]);
  return {
    level: prefix & 7,
    facility: prefix >> 3,
    us: Number(m[3]),
    text: (m[4] ?? '').replace(/\\x([0-9a-f]{2})/g, (_, h: string) => String.fromCharCode(Number.parseInt(h, 16))),
  };
}

/** Calls `each` for every record; with `wait` goes on for ever. */
export async function records(
  sys: Sys,
  wait: 'all' | 'new' | null,
  each: (r: Record) => Promise<void>,
): Promise<number> {
  const fd = sys.open('/dev/kmsg', O_RDONLY | (wait ? 0 : O_NONBLOCK));
  if (fd < 0) return fd;
  if (wait === 'new') sys.lseek(fd, 0, 2);
  else sys.lseek(fd, 0, SEEK_DATA);
  const buffer = new Uint8Array(8192);
  for (;;) {
    const r = sys.read(fd, buffer);
    const n = typeof r === 'number' ? r : await r;
    if (n === -E.EPIPE || n === -E.EINTR) continue;
    if (n === -E.EAGAIN || n === 0) break;
    if (n < 0) {
      sys.close(fd);
      return n;
    }
    const record = parse(buffer.subarray(0, n));
    if (record) await each(record);
    await sys.tick();
  }
  sys.close(fd);
  return 0;
}
