/** What every program does with descriptors: whole writes, buffered output, reading lines and files, errno texts. */
import { concat, text as decode, utf8 } from '../../base/bytes.ts';
import { E, strerror } from '../../base/errno.ts';
import { O_RDONLY, SIGPIPE } from '../../linux/uapi/constants.ts';
import { ProcessExit, type Sys } from '../../linux/uapi/sys.ts';

/** Writes all bytes; 0 or a negated errno. A broken pipe ends the process as SIGPIPE does. */
export async function writeAll(sys: Sys, fd: number, bytes: Uint8Array): Promise<number> {
  let at = 0;
  do {
    const r = sys.write(fd, at === 0 ? bytes : bytes.subarray(at));
    const n = typeof r === 'number' ? r : await r;
    if (n === -E.EPIPE) throw new ProcessExit(128 + SIGPIPE, SIGPIPE);
    if (n === -E.EINTR) continue;
    if (n < 0) return n;
    at += n;
  } while (at < bytes.length);
  return 0;
}

/**
 * Text to bytes. A byte that is no part of UTF-8 text (`printf '\\xff'`) stands in text as the lone surrogate
 * U+DC00 + byte, and becomes that byte again here.
 */
export function encode(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return utf8(text);
  const parts: Uint8Array[] = [];
  let plain = '';
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0;
    if (code < 0xdc80 || code > 0xdcff) {
      plain += c;
      continue;
    }
    parts.push(utf8(plain), new Uint8Array([code - 0xdc00]));
    plain = '';
  }
  parts.push(utf8(plain));
  return concat(parts);
}

/** Writes text to a descriptor; 0 or a negated errno. */
export function writeText(sys: Sys, fd: number, text: string): Promise<number> {
  return writeAll(sys, fd, encode(text));
}

/** Writes a line of complaint on descriptor 2. */
export async function complain(sys: Sys, text: string): Promise<void> {
  await writeAll(sys, 2, utf8(`${text}\n`));
}

/** Buffered output: `put` collects, `flush` writes. A failed write is remembered in `error`. */
export class Out {
  error = 0;
  private parts: Uint8Array[] = [];
  private pending = '';
  private size = 0;

  constructor(
    private readonly sys: Sys,
    readonly fd = 1,
  ) {}

  put(text: string): void {
    this.pending += text;
    this.size += text.length;
  }
  line(text: string): void {
    this.put(`${text}\n`);
  }
  bytes(data: Uint8Array): void {
    if (this.pending) this.parts.push(encode(this.pending));
    this.pending = '';
    this.parts.push(data.slice());
    this.size += data.length;
  }
  /** Flushes when a good deal has been collected; call it in loops. */
  async step(): Promise<void> {
    await this.sys.tick();
    if (this.size >= 4096) await this.flush();
  }
  async flush(): Promise<number> {
    if (this.size === 0 || this.error) return this.error;
    if (this.pending) this.parts.push(encode(this.pending));
    const data = this.parts.length === 1 && this.parts[0] ? this.parts[0] : concat(this.parts);
    this.parts = [];
    this.pending = '';
    this.size = 0;
    if (data.length === 0) return 0;
    const r = await writeAll(this.sys, this.fd, data);
    if (r < 0) this.error = r;
    return this.error;
  }
}

/** open(2) for reading, with `/dev/fd/N` and `/dev/stdin` understood even where the machine has no such nodes. */
export function openPath(sys: Sys, path: string, flags = O_RDONLY, mode?: number): number {
  const fd = sys.open(path, flags, mode);
  if (fd >= 0) return fd;
  const known = path === '/dev/stdin' ? 0 : path === '/dev/stdout' ? 1 : path === '/dev/stderr' ? 2 : -1;
  const m = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path);
  const n = m?.[1] !== undefined ? Number(m[1]) : known;
  return n >= 0 ? sys.dup(n) : fd;
}

/** One read of up to `size` bytes: the bytes (empty at end of file) or a negated errno. */
export async function readSome(sys: Sys, fd: number, size = 65536): Promise<Uint8Array | number> {
  const buf = new Uint8Array(size);
  for (;;) {
    const r = sys.read(fd, buf);
    const n = typeof r === 'number' ? r : await r;
    if (n === -E.EINTR) continue;
    if (n < 0) return n;
    return buf.subarray(0, n);
  }
}

/** Everything up to end of file, at most `cap` bytes (more gives -EFBIG). */
export async function readAll(sys: Sys, fd: number, cap = 64 * 1024 * 1024): Promise<Uint8Array | number> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = await readSome(sys, fd);
    if (typeof chunk === 'number') return chunk;
    if (chunk.length === 0) return parts.length === 1 && parts[0] ? parts[0] : concat(parts);
    parts.push(chunk);
    total += chunk.length;
    if (total > cap) return -E.EFBIG;
    await sys.tick();
  }
}

/** The bytes of a file, or a negated errno. */
export async function readFileBytes(sys: Sys, path: string): Promise<Uint8Array | number> {
  const fd = openPath(sys, path);
  if (fd < 0) return fd;
  const data = await readAll(sys, fd);
  sys.close(fd);
  return data;
}

/** The text of a file, or a negated errno. */
export async function readFileText(sys: Sys, path: string): Promise<string | number> {
  const data = await readFileBytes(sys, path);
  return typeof data === 'number' ? data : decode(data);
}

/** Lines as they arrive, without their newline; `last` tells whether the newline was there. Bytes stay bytes (latin-1 safe). */
export class LineReader {
  private rest = new Uint8Array(0);
  private at = 0;
  private eof = false;
  error = 0;
  /** False when the last line given had no newline. */
  terminated = true;

  constructor(
    private readonly sys: Sys,
    private readonly fd: number,
    private readonly delimiter = 10,
    /** 1: nothing behind the line is taken from whoever reads next. */
    private readonly chunk = 65536,
  ) {}

  /** True when the next line is already here, so output can wait. */
  get buffered(): boolean {
    return this.rest.indexOf(this.delimiter, this.at) >= 0;
  }

  async nextBytes(): Promise<Uint8Array | null> {
    for (;;) {
      const nl = this.rest.indexOf(this.delimiter, this.at);
      if (nl >= 0) {
        const line = this.rest.subarray(this.at, nl);
        this.at = nl + 1;
        this.terminated = true;
        return line;
      }
      if (this.eof) {
        if (this.at >= this.rest.length) return null;
        const line = this.rest.subarray(this.at);
        this.at = this.rest.length;
        this.terminated = false;
        return line;
      }
      const chunk = await readSome(this.sys, this.fd, this.chunk);
      if (typeof chunk === 'number') {
        this.error = chunk;
        this.eof = true;
      } else if (chunk.length === 0) this.eof = true;
      else {
        this.rest = new Uint8Array(concat([this.rest.subarray(this.at), chunk]));
        this.at = 0;
      }
    }
  }

  async next(): Promise<string | null> {
    const line = await this.nextBytes();
    return line === null ? null : decode(line);
  }
}

export { decode, strerror, utf8 };

/** Is the descriptor a terminal? (TCGETS works only there.) */
export async function isatty(sys: Sys, fd: number): Promise<boolean> {
  return (await sys.ioctl(fd, 0x5401, new Uint8Array(36))) === 0;
}

/** Rows and columns of the terminal behind `fd`, 24 × 80 when it has none. */
export async function windowSize(sys: Sys, fd: number): Promise<{ rows: number; columns: number }> {
  const size = new Uint8Array(8);
  const r = await sys.ioctl(fd, 0x5413, size);
  const rows = (size[0] ?? 0) | ((size[1] ?? 0) << 8);
  const columns = (size[2] ?? 0) | ((size[3] ?? 0) << 8);
  return r === 0 && columns > 0 ? { rows: rows || 24, columns } : { rows: 24, columns: 80 };
}

/** Joins a directory and a name. */
export function join(dir: string, name: string): string {
  return dir.endsWith('/') ? dir + name : `${dir}/${name}`;
}

/** A path as an absolute one with `.` and `..` taken out (no links followed). */
export function normalize(cwd: string, path: string): string {
  const out: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : `${cwd}/`}${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return `/${out.join('/')}`;
}
