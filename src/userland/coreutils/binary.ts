/** Bytes as text and back: xxd, hexdump, od, strings, dd. */
import { concat } from '../../base/bytes.ts';
import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SEEK_CUR, SEEK_SET } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, Out, openPath, readAll, readSome, strerror, writeAll } from '../misc/io.ts';
import { defineTool, TOOL_OPTIONS, type Tool } from '../misc/tool.ts';
import { parseSize } from './text.ts';

const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const printable = (b: number): string => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.');
/** Sizes in C notation: 0x10, 020, 16, 4k. */
const number = (text: string): number =>
  /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : /^-/.test(text) ? -parseSize(text.slice(1)) : parseSize(text);

/** Skips by seeking where possible (device memory is not read on the way), else by reading. */
async function skip(sys: Sys, fd: number, count: number): Promise<void> {
  if (count <= 0 || sys.lseek(fd, count, SEEK_CUR) >= 0) return;
  for (let left = count; left > 0; ) {
    const data = await readSome(sys, fd, Math.min(left, 65536));
    if (typeof data === 'number' || data.length === 0) return;
    left -= data.length;
  }
}

/** Whole rows of `size` bytes until end or `limit`; a negative errno ends and is given back. */
async function rows(
  sys: Sys,
  fd: number,
  size: number,
  limit: number,
  each: (row: Uint8Array, at: number) => Promise<void>,
  start = 0,
): Promise<number> {
  let held = new Uint8Array(0);
  let at = start;
  let left = limit;
  for (;;) {
    const want = Math.min(left, Math.max(size, Math.min(4096, left)) - held.length);
    const data = want > 0 ? await readSome(sys, fd, want) : new Uint8Array(0);
    if (typeof data === 'number') return data;
    left -= data.length;
    const all = new Uint8Array(held.length + data.length);
    all.set(held);
    all.set(data, held.length);
    let i = 0;
    for (; i + size <= all.length; i += size) {
      await each(all.subarray(i, i + size), at);
      at += size;
    }
    held = all.slice(i);
    if (data.length === 0) {
      if (held.length > 0) await each(held, at);
      return 0;
    }
  }
}

export const xxd = defineTool(
  {
    name: 'xxd',
    usage: '[OPTION]... [INFILE [OUTFILE]]',
    about: 'Writes a hex dump, or turns one back.',
    options: [
      ['-a, --autoskip', '* for rows of zeros'],
      ['-b, --bits', 'bits'],
      ['-c, --cols=N', 'N bytes a row (16)'],
      ['-e', 'little-endian groups'],
      ['-g, --groupsize=N', 'N bytes a group (2)'],
      ['-l, --len=N', 'stop after N bytes'],
      ['-o N', 'add N to the shown offset'],
      ['-p, --plain', 'hex only'],
      ['-ps', 'hex only'],
      ['-r, --revert', 'hex dump to bytes'],
      ['-s, --seek=N', 'start at N'],
      ['-u, --uppercase', 'upper-case digits'],
      ['-i, --include', 'C array'],
    ],
  },
  async (t) => {
    const { sys } = t;
    const [input = '-', output] = t.args;
    const fd = input === '-' ? 0 : openPath(sys, input);
    if (fd < 0) {
      await t.fail(`${input}: ${strerror(fd)}`, 2);
      return 2;
    }
    const out =
      output === undefined
        ? 1
        : openPath(sys, output, t.has('r') ? O_WRONLY | O_CREAT : O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    if (out < 0) {
      await t.fail(`${output}: ${strerror(out)}`, 3);
      return 3;
    }
    const plain = t.has('p') || t.has('ps');
    if (t.has('r')) return revert(t, fd, out, plain);
    const sink = new Out(sys, out);
    const bits = t.has('b');
    const include = t.has('i');
    const columns = number(t.get('c') ?? (include ? '12' : plain ? '30' : bits ? '6' : '16')) || 16;
    const little = t.has('e');
    const group = number(t.get('g') ?? (bits ? '1' : little ? '4' : '2')) || columns;
    const start = number(t.get('s') ?? '0');
    const limit = t.has('l') ? number(t.get('l') ?? '0') : Number.POSITIVE_INFINITY;
    if (start < 0) sys.lseek(fd, start, 2);
    else await skip(sys, fd, start);
    const upper = (s: string): string => (t.has('u') ? s.toUpperCase() : s);
    const cell = bits ? 8 : 2;
    const width = columns * cell + Math.ceil(columns / group) - 1;
    let zero = 0;
    // -i of a named file declares an array of that name; of standard input it gives the numbers alone.
    const array = include && input !== '-' ? input.replace(/[^A-Za-z0-9]/g, '_').replace(/^(?=\d)/, '__') : '';
    let [count, line] = [0, ''];
    if (array) sink.line(`unsigned char ${array}[] = {`);
    const end = start < 0 ? sys.fstat(fd) : 0;
    const first = start < 0 ? (typeof end === 'number' ? 0 : end.size + start) : start;
    const r = await rows(
      sys,
      fd,
      columns,
      limit,
      async (row, at) => {
        if (include) {
          if (line !== '') sink.line(`${line},`);
          line = `  ${[...row].map((b) => `0x${upper(hex(b, 2))}`).join(', ')}`;
          count += row.length;
          return;
        }
        const skipped = t.has('a') && row.every((b) => b === 0);
        zero = skipped ? zero + 1 : 0;
        if (zero > 1) {
          if (zero === 2) sink.line('*');
          return;
        }
        let body = '';
        for (let i = 0; i < row.length; i += group) {
          const part = [...row.subarray(i, i + group)];
          if (little) part.reverse();
          body +=
            (i ? ' ' : '') +
            ' '.repeat(little ? (group - part.length) * 2 : 0) +
            part.map((b) => (bits ? b.toString(2).padStart(8, '0') : hex(b, 2))).join('');
        }
        if (plain) sink.line(upper([...row].map((b) => hex(b, 2)).join('')));
        else
          sink.line(
            `${hex(at + number(t.get('o') ?? '0'), 8)}: ${upper(body).padEnd(width)}  ${[...row].map(printable).join('')}`,
          );
        await sink.flush();
        await sys.tick();
      },
      Math.max(0, first),
    );
    if (line !== '') sink.line(line);
    if (array) sink.line(`};\nunsigned int ${array}_len = ${count};`);
    await sink.flush();
    if (r < 0) await t.fail(`${input}: ${strerror(r)}`, 2);
    return t.status;
  },
);

async function revert(t: Tool, fd: number, out: number, plain: boolean): Promise<number> {
  const data = await readAll(t.sys, fd);
  if (typeof data === 'number') {
    await t.fail(strerror(data), 2);
    return 2;
  }
  const text = new TextDecoder().decode(data);
  if (plain) {
    const digits = text.replace(/[^0-9a-fA-F]/g, '');
    await writeAll(
      t.sys,
      out,
      Uint8Array.from(digits.match(/../g) ?? [], (d) => Number.parseInt(d, 16)),
    );
    return 0;
  }
  for (const line of text.split('\n')) {
    const m = /^\s*([0-9a-fA-F]+):?\s+((?:[0-9a-fA-F]{2,} ?)*)/.exec(line);
    if (!m) continue;
    const at = Number.parseInt(m[1] ?? '0', 16) + number(t.get('s') ?? '0');
    const bytes = Uint8Array.from((m[2] ?? '').replace(/\s/g, '').match(/../g) ?? [], (d) => Number.parseInt(d, 16));
    t.sys.lseek(out, at, SEEK_SET);
    const r = await writeAll(t.sys, out, bytes);
    if (r < 0) {
      await t.fail(`write error: ${strerror(r)}`, 3);
      return 3;
    }
  }
  return 0;
}

export const hexdump = defineTool(
  {
    name: 'hexdump',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes files in hexadecimal.',
    options: [
      ['-C, --canonical', 'bytes and characters'],
      ['-b', 'octal bytes'],
      ['-d', 'decimal words'],
      ['-x', 'hexadecimal words'],
      ['-n, --length=N', 'stop after N bytes'],
      ['-s, --skip=N', 'start at N'],
      ['-v, --no-squeezing', 'no * for equal rows'],
    ],
  },
  async (t) => {
    const { sys } = t;
    let start = number(t.get('s') ?? '0');
    let limit = t.has('n') ? number(t.get('n') ?? '0') : Number.POSITIVE_INFINITY;
    let at = start;
    let before = '';
    let star = false;
    const pad = t.has('C') ? 8 : 7;
    for (const path of t.args.length ? t.args : ['-']) {
      const fd = path === '-' ? 0 : openPath(sys, path);
      if (fd < 0) {
        await t.failErrno(path, fd);
        if (t.args.length === 1) return 1;
        continue;
      }
      await skip(sys, fd, start);
      const r = await rows(
        sys,
        fd,
        16,
        limit,
        async (row, pos) => {
          at = pos + row.length;
          limit -= row.length;
          const same = [...row].join();
          if (!t.has('v') && same === before && row.length === 16) {
            if (!star) t.out.line('*');
            star = true;
            return;
          }
          star = false;
          before = same;
          if (t.has('C')) {
            const cells = [...row].map((b) => hex(b, 2));
            t.out.line(
              `${hex(pos, 8)}  ${`${cells.slice(0, 8).join(' ').padEnd(23)}  ${cells.slice(8).join(' ')}`.padEnd(48)}  |${[...row].map(printable).join('')}|`,
            );
          } else if (t.has('b'))
            t.out.line(hex(pos, 7) + [...row].map((b) => ` ${b.toString(8).padStart(3, '0')}`).join(''));
          else {
            let body = '';
            for (let i = 0; i < row.length; i += 2) {
              const w = (row[i] ?? 0) | ((row[i + 1] ?? 0) << 8);
              body += t.has('d')
                ? `   ${String(w).padStart(5, '0')}`
                : t.has('x')
                  ? `    ${hex(w, 4)}`
                  : ` ${hex(w, 4)}`;
            }
            t.out.line((hex(pos, 7) + body).padEnd(t.has('d') || t.has('x') ? 71 : 47));
          }
          await t.out.flush();
          await sys.tick();
        },
        at,
      );
      start = 0;
      if (r < 0) await t.failErrno(path, r);
    }
    if (at > number(t.get('s') ?? '0')) t.out.line(hex(at, pad));
    return t.status;
  },
);

export const od = defineTool(
  {
    name: 'od',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes files in octal and other forms.',
    options: [
      ['-A, --address-radix=X', 'd, o, x or n'],
      ['-a', 'as -t a'],
      ['-b', 'as -t o1'],
      ['-c', 'as -t c'],
      ['-d', 'as -t u2'],
      ['-i', 'as -t dI'],
      ['-j, --skip-bytes=N', 'start at N'],
      ['-l', 'as -t dL'],
      ['-N, --read-bytes=N', 'stop after N bytes'],
      ['-o', 'as -t o2'],
      ['-s', 'as -t d2'],
      ['-t, --format=TYPE', 'a, c, d, o, u, x with a size; z adds characters'],
      ['-v, --output-duplicates', 'no * for equal rows'],
      ['-w, --width[=N]', 'N bytes a row (16)'],
      ['-x', 'as -t x2'],
    ],
  },
  async (t) => {
    const { sys } = t;
    const short: Record<string, string> = {
      a: 'a',
      b: 'o1',
      c: 'c',
      d: 'u2',
      i: 'd4',
      l: 'd8',
      o: 'o2',
      s: 'd2',
      x: 'x2',
    };
    const formats = t.order.flatMap(([k, v]) =>
      k === 't' ? (v.match(/[acdoux][CSIL\d]*z?/g) ?? []) : short[k] ? [short[k] ?? ''] : [],
    );
    const strange = t.order.find(([k, v]) => k === 't' && !/^([acdoux][CSIL\d]*z?)+$/.test(v))?.[1];
    if (strange !== undefined) {
      const letter = strange.replace(/^([acdoux][CSIL\d]*z?)*/, '')[0] ?? '';
      await t.fail(`invalid character '${letter}' in type string '${strange}'`);
      return 1;
    }
    if (formats.length === 0) formats.push('o2');
    const radix = t.get('A') ?? 'o';
    const width = t.has('w') ? number(t.get('w') || '32') : 16;
    const address = (n: number): string =>
      radix === 'n'
        ? ''
        : radix === 'x'
          ? hex(n, 6)
          : radix === 'd'
            ? String(n).padStart(7, '0')
            : n.toString(8).padStart(7, '0');
    const start = number(t.get('j') ?? '0');
    let before = '';
    let star = false;
    let end = start;
    for (const path of t.args.length ? t.args : ['-']) {
      const fd = path === '-' ? 0 : openPath(sys, path);
      if (fd < 0) {
        await t.failErrno(path, fd);
        continue;
      }
      await skip(sys, fd, start);
      const r = await rows(
        sys,
        fd,
        width,
        t.has('N') ? number(t.get('N') ?? '0') : Number.POSITIVE_INFINITY,
        async (row, at) => {
          end = at + row.length;
          const same = [...row].join();
          if (!t.has('v') && same === before) {
            if (!star) t.out.line('*');
            star = true;
            return;
          }
          before = same;
          star = false;
          formats.forEach((f, i) => {
            t.out.line((i === 0 ? address(at) : ' '.repeat(address(at).length)) + odRow(row, f, width));
          });
          await t.out.step();
        },
        start,
      );
      if (r < 0) await t.failErrno(path, r);
    }
    if (radix !== 'n') t.out.line(address(end));
    return t.status;
  },
);

const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );
const ESCAPES: Record<number, string> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

function odRow(row: Uint8Array, format: string, width: number): string {
  const kind = format[0] ?? 'o';
  const sized = /\d+/.exec(format)?.[0];
  const size =
    kind === 'a' || kind === 'c' ? 1 : sized ? Number(sized) : ({ C: 1, S: 2, I: 4, L: 8 }[format[1] ?? 'I'] ?? 4);
  const digits =
    {
      x: size * 2,
      o: Math.ceil((size * 8) / 3),
      u: [0, 3, 5, 0, 10, 0, 0, 0, 20][size] ?? 10,
      d: [0, 4, 6, 0, 11, 0, 0, 0, 20][size] ?? 11,
      a: 3,
      c: 3,
    }[kind] ?? 3;
  let out = '';
  for (let i = 0; i < row.length; i += size) {
    const b = row[i] ?? 0;
    if (kind === 'c')
      out += (ESCAPES[b] ?? (b >= 32 && b < 127 ? String.fromCharCode(b) : b.toString(8).padStart(3, '0'))).padStart(4);
    else if (kind === 'a') out += (b === 127 ? 'del' : (NAMES[b & 127] ?? String.fromCharCode(b & 127))).padStart(4);
    else {
      let v = 0n;
      for (let j = size - 1; j >= 0; j--) v = (v << 8n) | BigInt(row[i + j] ?? 0);
      if (kind === 'd') v = BigInt.asIntN(size * 8, v);
      const text = v.toString(kind === 'x' ? 16 : kind === 'o' ? 8 : 10);
      out += ` ${kind === 'x' || kind === 'o' ? text.padStart(digits, '0') : text.padStart(digits)}`;
    }
  }
  if (!format.endsWith('z')) return out;
  return `${out.padEnd((width / size) * (digits + 1))}  >${[...row].map(printable).join('')}<`;
}

export const strings = defineTool(
  {
    name: 'strings',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes runs of printable characters.',
    options: [
      ['-n, --bytes=N', 'at least N (4)'],
      ['-a, --all', 'the whole file (always)'],
      ['-t, --radix=X', 'offsets: d, o, x'],
    ],
  },
  async (t) => {
    const least = number(t.get('n') ?? '4');
    for (const path of t.args.length ? t.args : ['-']) {
      const fd = path === '-' ? 0 : openPath(t.sys, path);
      const data = fd < 0 ? fd : await readAll(t.sys, fd);
      if (typeof data === 'number') {
        await t.fail(`'${path}': ${strerror(data)}`);
        continue;
      }
      let run = '';
      for (let i = 0; i <= data.length; i++) {
        const b = data[i] ?? 0;
        if ((b >= 32 && b < 127) || b === 9) run += String.fromCharCode(b);
        else {
          const radix = { d: 10, o: 8, x: 16 }[t.get('t') ?? ''];
          if (run.length >= least) t.out.line((radix ? `${(i - run.length).toString(radix).padStart(7)} ` : '') + run);
          run = '';
        }
      }
    }
    return t.status;
  },
);

TOOL_OPTIONS.set('dd', [
  'if=',
  'of=',
  'bs=',
  'ibs=',
  'obs=',
  'count=',
  'skip=',
  'seek=',
  'conv=',
  'iflag=',
  'oflag=',
  'status=',
]);

const DD_CONVERSIONS = ['notrunc', 'sync', 'noerror', 'fsync', 'fdatasync', 'swab', 'nocreat'];
const DD_FLAGS = [
  'skip_bytes',
  'seek_bytes',
  'count_bytes',
  'append',
  'fullblock',
  'direct',
  'sync',
  'dsync',
  'nonblock',
];
const DD_STATUS = ['none', 'noxfer', 'progress'];

export const dd: Program = async (sys, argv) => {
  const o = new Map<string, string>();
  for (const arg of argv.slice(1)) {
    if (arg === '--help') {
      await writeAll(
        sys,
        1,
        new TextEncoder().encode(
          'Usage: dd [OPERAND]...\nCopies blocks: if= of= bs= ibs= obs= count= skip= seek= conv=notrunc,sync,noerror,fsync iflag=/oflag= (skip_bytes, count_bytes, seek_bytes, append, fullblock) status=none|noxfer|progress\n',
        ),
      );
      return 0;
    }
    const m = /^(if|of|bs|ibs|obs|cbs|count|skip|iseek|seek|oseek|conv|iflag|oflag|status)=(.*)$/s.exec(arg);
    if (!m) {
      await complain(sys, `dd: unrecognized operand '${arg}'\nTry 'dd --help' for more information.`);
      return 1;
    }
    o.set({ iseek: 'skip', oseek: 'seek' }[m[1] ?? ''] ?? m[1] ?? '', m[2] ?? '');
  }
  const sizes: Record<string, number> = {};
  for (const key of ['bs', 'ibs', 'obs', 'count', 'skip', 'seek']) {
    const text = o.get(key);
    if (text === undefined) continue;
    const v =
      text.split('x').every((p) => /^\d/.test(p)) && !/^0x/i.test(text)
        ? text.split('x').reduce((n, p) => n * parseSize(p), 1)
        : parseSize(text);
    if (Number.isNaN(v) || (v === 0 && /bs$/.test(key))) {
      await complain(sys, `dd: invalid number: '${text}'`);
      return 1;
    }
    sizes[key] = v;
  }
  const flags = (key: string): Set<string> => new Set((o.get(key) ?? '').split(',').filter(Boolean));
  const [conv, iflag, oflag] = [flags('conv'), flags('iflag'), flags('oflag')];
  for (const [given, known, what] of [
    [conv, DD_CONVERSIONS, 'conversion'],
    [iflag, DD_FLAGS, 'input flag'],
    [oflag, DD_FLAGS, 'output flag'],
    [flags('status'), DD_STATUS, 'status level'],
  ] as const)
    for (const word of given)
      if (!known.includes(word)) {
        await complain(sys, `dd: invalid ${what}: '${word}'\nTry 'dd --help' for more information.`);
        return 1;
      }
  const ibs = sizes.bs ?? sizes.ibs ?? 512;
  const obs = sizes.bs ?? sizes.obs ?? 512;
  const from = o.get('if');
  const to = o.get('of');
  const input = from === undefined ? 0 : openPath(sys, from, O_RDONLY);
  if (input < 0) {
    await complain(sys, `dd: failed to open '${from}': ${strerror(input)}`);
    return 1;
  }
  const seek = (sizes.seek ?? 0) * (oflag.has('seek_bytes') || /B$/.test(o.get('seek') ?? '') ? 1 : obs);
  const output =
    to === undefined
      ? 1
      : openPath(
          sys,
          to,
          O_WRONLY | O_CREAT | (conv.has('notrunc') || seek > 0 ? 0 : O_TRUNC) | (oflag.has('append') ? O_APPEND : 0),
          0o666,
        );
  if (output < 0) {
    await complain(sys, `dd: failed to open '${to}': ${strerror(output)}`);
    return 1;
  }
  if (seek > 0 && !conv.has('notrunc')) sys.ftruncate(output, seek);
  await skip(sys, input, (sizes.skip ?? 0) * (iflag.has('skip_bytes') ? 1 : ibs));
  if (seek > 0) sys.lseek(output, seek, SEEK_CUR);
  const start = sys.clockGettime('monotonic');
  let [fullIn, partIn, fullOut, partOut, bytes, status] = [0, 0, 0, 0, 0, 0];
  const whole = iflag.has('count_bytes') ? Math.ceil((sizes.count ?? 0) / ibs) : sizes.count;
  let left =
    sizes.count === undefined ? Number.POSITIVE_INFINITY : iflag.has('count_bytes') ? sizes.count : sizes.count * ibs;
  const put = async (data: Uint8Array): Promise<boolean> => {
    const r = await writeAll(sys, output, data);
    if (r < 0) {
      await complain(sys, `dd: error writing '${to ?? 'standard output'}': ${strerror(r)}`);
      status = 1;
      return false;
    }
    bytes += data.length;
    if (data.length === obs) fullOut++;
    else partOut++;
    return true;
  };
  let held: Uint8Array[] = [];
  let heldSize = 0;
  for (let n = 0; left > 0 && (whole === undefined || n < whole); n++) {
    await sys.tick();
    const got = await readSome(sys, input, Math.min(ibs, left));
    let block: Uint8Array = typeof got === 'number' ? new Uint8Array(0) : got;
    if (typeof got === 'number') {
      await complain(sys, `dd: error reading '${from ?? 'standard input'}': ${strerror(got)}`);
      status = 1;
      if (!conv.has('noerror')) break;
      block = new Uint8Array(conv.has('sync') ? ibs : 0);
      sys.lseek(input, ibs, SEEK_CUR);
    } else if (block.length === 0) break;
    while (iflag.has('fullblock') && block.length < Math.min(ibs, left)) {
      const more = await readSome(sys, input, Math.min(ibs, left) - block.length);
      if (typeof more === 'number' || more.length === 0) break;
      const joined: Uint8Array = new Uint8Array(block.length + more.length);
      joined.set(block);
      joined.set(more, block.length);
      block = joined;
    }
    if (block.length === ibs) fullIn++;
    else partIn++;
    left -= iflag.has('count_bytes') ? block.length : ibs;
    if (conv.has('sync') && block.length < ibs) {
      const padded = new Uint8Array(ibs);
      padded.set(block);
      block = padded;
    }
    if (conv.has('swab'))
      for (let i = 0; i + 1 < block.length; i += 2) [block[i], block[i + 1]] = [block[i + 1] ?? 0, block[i] ?? 0];
    if (sizes.bs !== undefined || ibs === obs) {
      if (!(await put(block))) break;
      continue;
    }
    held.push(block);
    heldSize += block.length;
    if (heldSize < obs) continue;
    const all = concat(held);
    let i = 0;
    for (; i + obs <= all.length; i += obs) if (!(await put(all.subarray(i, i + obs)))) break;
    held = [all.slice(i)];
    heldSize = all.length - i;
  }
  if (heldSize > 0 && !status) {
    const all = concat(held);
    await put(all);
  }
  const mode = o.get('status');
  if (mode === 'none') return status;
  await complain(sys, `${fullIn}+${partIn} records in\n${fullOut}+${partOut} records out`);
  if (mode === 'noxfer') return status;
  const seconds = Math.max(1e-9, (sys.clockGettime('monotonic') - start) / 1e9);
  const scale = (v: number, base: number, units: readonly string[]): string => {
    let [x, i] = [v, 0];
    while (x >= base && i < units.length - 1) {
      x /= base;
      i++;
    }
    return `${x < 10 && i > 0 ? x.toFixed(1) : Math.round(x)} ${units[i]}`;
  };
  const human =
    bytes >= 1000
      ? ` (${scale(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])}${bytes >= 1024 ? `, ${scale(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])}` : ''})`
      : '';
  await complain(
    sys,
    `${bytes} byte${bytes === 1 ? '' : 's'}${human} copied, ${Number(seconds.toPrecision(6))} s, ${scale(bytes / seconds, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])}/s`,
  );
  return status;
};
