/** od. */
import { openPath } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { hex, number, printable, rows, skip } from './bytes.ts';

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
