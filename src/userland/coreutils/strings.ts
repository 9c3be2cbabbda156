/** strings: printable runs in bytes. */
import { openPath, readAll, strerror } from '../misc/io.ts';
import { defineTool, TOOL_OPTIONS } from '../misc/tool.ts';
import { number } from './bytes.ts';

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
