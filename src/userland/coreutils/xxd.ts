/** xxd: a dump, and back. */
import { O_CREAT, O_TRUNC, O_WRONLY, SEEK_SET } from '../../linux/uapi/constants.ts';
import { Out, openPath, readAll, strerror, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { hex, number, printable, rows, skip } from './bytes.ts';

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
