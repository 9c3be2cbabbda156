/**
 * lscpu of util-linux 2.38: what /proc/cpuinfo and uname(2) tell. Left out: caches, topology and vulnerabilities, whose sysfs directory
 * (/sys/devices/system/cpu) the kernels do not have; the real lscpu gives up without it.
 */
import { readFileText } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';

/** `0-3`; two neighbours are `0,1`, as cpulist_create writes them. */
function cpuList(count: number): string {
  return count <= 2 ? Array.from({ length: count }, (_, n) => n).join(',') : `0-${count - 1}`;
}

const COLUMNS = ['CPU', 'Core', 'Socket', 'Node', 'ONLINE'];
const columnName = (word: string): string | undefined =>
  COLUMNS.find((name) => name.toLowerCase() === word.toLowerCase());

export const lscpu = defineTool(
  {
    name: 'lscpu',
    usage: '[options]',
    about: 'Shows the processors.',
    options: [
      ['-a, --all', 'online and offline processors (with -e or -p)'],
      ['-b, --online', 'online processors only (with -e or -p)'],
      ['-e, --extended[=LIST]', 'a table'],
      ['-J, --json', 'as JSON'],
      ['-p, --parse[=LIST]', 'for programs'],
      ['-x, --hex', 'masks instead of lists'],
      ['-V, --version', 'version'],
    ],
  },
  async (t) => {
    if (t.has('V')) {
      t.out.line('lscpu from util-linux 2.38.1');
      return 0;
    }
    if (t.args.length > 0) {
      await t.fail("bad usage\nTry 'lscpu --help' for more information.");
      return 1;
    }
    if ((t.has('a') || t.has('b')) && !t.has('e') && !t.has('p')) {
      await t.fail('options --all, --online and --offline may only be used with options --extended or --parse.');
      return 1;
    }
    const text = await readFileText(t.sys, '/proc/cpuinfo');
    if (typeof text === 'number') {
      await t.failErrno('cannot open /proc/cpuinfo', text);
      return 1;
    }
    const count = [...text.matchAll(/^processor\s*:/gm)].length;
    const field = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1];
    const list = (t.get('e') ?? t.get('p') ?? '').replace(/^=/, '');
    const asked = list === '' ? [] : list.split(',');
    const unknown = asked.find((word) => columnName(word) === undefined);
    if (unknown !== undefined) {
      await t.fail(`unknown column: ${unknown}`);
      return 1;
    }
    const named = asked.map((word) => columnName(word) ?? word);
    if (t.has('p')) {
      const columns = named.length > 0 ? named : ['CPU', 'Core', 'Socket', 'Node'];
      t.out.put(
        '# The following is the parsable format, which can be fed to other\n# programs. Each different item in every column has an unique ID\n# starting usually from zero.\n',
      );
      t.out.line(`# ${columns.join(',')}`);
      for (let n = 0; n < count; n++)
        t.out.line(columns.map((c) => (c === 'CPU' ? n : c === 'ONLINE' ? 'Y' : '')).join(','));
      return 0;
    }
    if (t.has('e')) {
      const columns = (named.length > 0 ? named : ['CPU', 'ONLINE']).map((c) => c.toUpperCase());
      const cell = (c: string, n: number): string => (c === 'CPU' ? String(n) : c === 'ONLINE' ? 'yes' : '-');
      t.out.line(columns.map((c) => c.padStart(c === 'CPU' ? 3 : 0)).join(' '));
      for (let n = 0; n < count; n++) t.out.line(columns.map((c) => cell(c, n).padStart(c.length)).join(' '));
      return 0;
    }
    const flags = field('flags')?.trim() ?? '';
    const rows: [string, string | undefined][] = [
      ['Architecture:', t.sys.uname().machine],
      ['CPU op-mode(s):', / lm\b/.test(` ${flags}`) ? '32-bit, 64-bit' : '32-bit'],
      ['Byte Order:', 'Little Endian'],
      ['CPU(s):', String(count)],
      t.has('x') ? ['On-line CPU(s) mask:', (2 ** count - 1).toString(16)] : ['On-line CPU(s) list:', cpuList(count)],
      ['Vendor ID:', field('vendor_id')],
      ['Model name:', field('model name')],
      ['CPU family:', field('cpu family')],
      ['Model:', field('model')],
      ['Stepping:', field('stepping')],
      ['BogoMIPS:', field('bogomips')],
      ['Flags:', flags || undefined],
    ];
    const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
    if (t.has('J')) {
      const items = known.map(
        ([name, data]) =>
          `{\n         "field": ${JSON.stringify(name)},\n         "data": ${JSON.stringify(data)}\n      }`,
      );
      t.out.line(`{\n   "lscpu": [\n      ${items.join(',')}\n   ]\n}`);
      return 0;
    }
    const width = Math.max(...known.map(([name]) => name.length)) + 1;
    for (const [name, data] of known) t.out.line(`${name.padEnd(width)}${data}`);
    return 0;
  },
);
