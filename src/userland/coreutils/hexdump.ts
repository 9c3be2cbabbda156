/** hexdump. */
import { openPath } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { hex, number, printable, rows, skip } from './bytes.ts';

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
