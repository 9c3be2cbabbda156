import { hex, type Width } from '../../base/addr.ts';
import { text as decode, utf8 } from '../../base/bytes.ts';
import { strerror } from '../../base/errno.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import { O_RDONLY, O_WRONLY, S_IFDIR, S_IFLNK } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/**
 * The captures' own guest helper (`orc`), as far as its output is compared: writing an attribute, one access to physical
 * memory, a dump, a sysfs walk. Its format is described in the captures' README.
 */
export interface Answer {
  readonly stdout: string;
  readonly status: number;
}

export function orc(sys: Sys, bus: CpuBus, args: readonly string[]): Promise<Answer> | Answer | null {
  const [what, ...rest] = args;
  if (what === 'wr' && rest.length === 2) return write(sys, rest[0] as string, rest[1] as string);
  if (what === 'rw') return access(bus, rest);
  if (what === 'rd') return dump(bus, Number(rest[0]), Number(rest[1]));
  if (what === 'sysfs') return walk(sys, Number(rest[0]), rest.slice(1));
  return null;
}

async function write(sys: Sys, path: string, value: string): Promise<Answer> {
  const fd = sys.open(path, O_WRONLY);
  if (fd < 0) return { stdout: `open(${path}): errno ${-fd} ${strerror(fd)}\n`, status: -fd };
  const count = await sys.write(fd, utf8(value));
  sys.close(fd);
  const result = count < 0 ? `${count} ${strerror(count)}` : String(count);
  return { stdout: `write(${path}, "${value}") = ${result}\n`, status: count < 0 ? -count : 0 };
}

function access(bus: CpuBus, [addr, bits, value]: readonly string[]): Answer {
  const width = (Number(bits) / 8) as Width;
  const at = Number(addr);
  if (value !== undefined) {
    const wide = BigInt(value);
    bus.store(at, width, Number(wide & 0xffffffffn), Number((wide >> 32n) & 0xffffffffn));
    return { stdout: '', status: 0 };
  }
  const lo = bus.load(at, width);
  const high = width === 8 ? hex(bus.hi, 8) : '';
  return { stdout: `0x${high}${hex(lo, Math.min(width, 4) * 2)}\n`, status: 0 };
}

/** Rows of dwords; equal rows between the first and the last are one `*`. `label` is what the first row is called. */
export function dump(bus: CpuBus, at: number, length: number, label = 0): Answer {
  const lines: string[] = [];
  for (let row = 0; row < length; row += 16) {
    const cells: string[] = [];
    for (let n = row; n < Math.min(row + 16, length); n += 4) cells.push(hex(bus.load(at + n, 4), 8));
    lines.push(cells.join(' '));
  }
  const out: string[] = [];
  lines.forEach((line, n) => {
    const repeated = n > 0 && n < lines.length - 1 && line === lines[n - 1];
    if (!repeated) out.push(`${hex(label + n * 16, 4)}: ${line}`);
    else if (out.at(-1) !== '*') out.push('*');
  });
  return { stdout: out.map((line) => `${line}\n`).join(''), status: 0 };
}

function read(sys: Sys, path: string): Uint8Array | number {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const buffer = new Uint8Array(4096);
  const count = sys.pread(fd, buffer, 0);
  sys.close(fd);
  return count < 0 ? count : buffer.subarray(0, count);
}

/** Text with its newlines escaped, or the bytes of what is no text. */
function shownValue(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte === 0 || byte > 126))
    return `<hex ${bytes.length}> ${[...bytes].map((byte) => hex(byte, 2)).join('')}`;
  return decode(bytes).replace(/\n$/, '').replaceAll('\n', '\\n');
}

export function walk(sys: Sys, depth: number, roots: readonly string[]): Answer {
  const lines: string[] = [];
  const visit = (dir: string, left: number): void => {
    const fd = sys.open(dir, O_RDONLY);
    if (fd < 0) return;
    const entries = sys.getdents(fd);
    sys.close(fd);
    if (typeof entries === 'number') return;
    for (const { name, type } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${dir}/${name}`;
      if (type === S_IFLNK) lines.push(`${path} -> ${sys.readlink(path)}`);
      else if (type === S_IFDIR) {
        if (left > 1 && name !== 'power') visit(path, left - 1);
      } else {
        const stat = sys.lstat(path);
        const mode = typeof stat === 'number' ? 0 : stat.mode & 0o777;
        const shown = `${path} [${mode.toString(8).padStart(4, '0')}]: `;
        if (!(mode & 0o444)) lines.push(`${shown}<write-only>`);
        else {
          const bytes = read(sys, path);
          const value = typeof bytes === 'number' ? `<read: ${strerror(bytes)}>` : shownValue(bytes);
          lines.push(shown + value);
        }
      }
    }
  };
  for (const root of roots) {
    lines.push(`#### ${root}`);
    visit(root, depth);
  }
  return { stdout: lines.map((line) => `${line}\n`).join(''), status: 0 };
}
