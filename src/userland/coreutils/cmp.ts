/** cmp: the first byte in which two files differ, or all of them. */
import { decode, openPath, readAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { parseSize } from './inputs.ts';

async function contents(t: Tool, name: string): Promise<Uint8Array | null> {
  const fd = name === '-' ? 0 : openPath(t.sys, name);
  const data = fd < 0 ? fd : await readAll(t.sys, fd);
  if (fd > 0) t.sys.close(fd);
  if (typeof data !== 'number') return data;
  if (!t.has('s')) await t.failErrno(name, data, 2);
  return null;
}

/** A byte as `-b` shows it. */
function visible(byte: number): string {
  if (byte >= 128) return `M-${visible(byte - 128)}`;
  if (byte === 127) return '^?';
  return byte < 32 ? `^${String.fromCharCode(byte + 64)}` : decode(new Uint8Array([byte]));
}

const octal = (byte: number): string => byte.toString(8).padStart(3);

export const cmp = defineTool(
  {
    name: 'cmp',
    usage: '[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]',
    about: 'Compares two files byte by byte.',
    misuse: 2,
    operands: 4,
    options: [
      ['-b, --print-bytes', 'show the bytes that differ'],
      ['-i, --ignore-initial=SKIP', 'leave out the first bytes (SKIP1:SKIP2)'],
      ['-l, --verbose', 'every difference'],
      ['-n, --bytes=LIMIT', 'at most this many bytes'],
      ['-s, --quiet, --silent', 'only the status'],
    ],
  },
  async (t) => {
    const [one, two = '-'] = t.args;
    if (one === undefined) {
      await t.fail("missing operand after 'cmp'\nTry 'cmp --help' for more information.", 2);
      return 2;
    }
    const first = await contents(t, one);
    const second = first && (await contents(t, two));
    if (!first || !second) return 2;
    const skips = (t.get('i') ?? '').split(':');
    const skip = [t.args[2] ?? skips[0] ?? '', t.args[3] ?? skips[1] ?? skips[0] ?? ''].map((s) =>
      s ? parseSize(s) : 0,
    );
    const limit = t.has('n') ? parseSize(t.get('n') ?? '') : Number.POSITIVE_INFINITY;
    const a = first.subarray(skip[0], (skip[0] ?? 0) + limit);
    const b = second.subarray(skip[1], (skip[1] ?? 0) + limit);
    const length = Math.min(a.length, b.length);
    const width = String(Math.max(first.length, second.length)).length;
    let line = 1;
    let differ = false;
    for (let n = 0; n < length; n++) {
      const [x, y] = [a[n] as number, b[n] as number];
      if (x !== y) {
        differ = true;
        if (t.has('s')) return 1;
        const bytes = t.has('b') ? ` is ${octal(x)} ${visible(x)} ${octal(y)} ${visible(y)}` : '';
        if (!t.has('l')) {
          t.out.line(`${one} ${two} differ: ${t.has('b') ? 'byte' : 'char'} ${n + 1}, line ${line}${bytes}`);
          return 1;
        }
        t.out.line(
          `${String(n + 1).padStart(width)} ${octal(x)}${t.has('b') ? ` ${visible(x).padEnd(4)}` : ''} ${octal(y)}${t.has('b') ? ` ${visible(y)}` : ''}`,
        );
      }
      if (x === 10) line++;
    }
    if (a.length === b.length) return differ ? 1 : 0;
    if (!t.has('s')) {
      const [short, name] = a.length < b.length ? [a, one] : [b, two];
      const where = short.length === 0 ? 'which is empty' : `after byte ${short.length}`;
      const lines = short.filter((byte) => byte === 10).length;
      const at =
        short.length === 0 || t.has('l') ? '' : short.at(-1) === 10 ? `, line ${lines}` : `, in line ${lines + 1}`;
      await t.fail(`EOF on ${name} ${where}${at}`);
    }
    return 1;
  },
);
