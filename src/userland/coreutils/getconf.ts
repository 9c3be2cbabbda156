/** getconf: the limits programs ask for. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { readFileText } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';

async function processors(sys: Sys): Promise<string> {
  const text = await readFileText(sys, '/proc/cpuinfo');
  const count = typeof text === 'number' ? 0 : (text.match(/^processor\b/gm)?.length ?? 0);
  return String(count || 1);
}

async function pages(sys: Sys, field: string): Promise<string> {
  const text = await readFileText(sys, '/proc/meminfo');
  const m = typeof text === 'number' ? null : new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text);
  return String(Math.floor(Number(m?.[1] ?? 0) / 4));
}

const VARIABLES: Readonly<Record<string, string | ((sys: Sys) => Promise<string>)>> = {
  PAGESIZE: '4096',
  PAGE_SIZE: '4096',
  LONG_BIT: '64',
  WORD_BIT: '32',
  CHAR_BIT: '8',
  CLK_TCK: '100',
  ARG_MAX: '2097152',
  OPEN_MAX: '1024',
  NAME_MAX: '255',
  PATH_MAX: '4096',
  PIPE_BUF: '4096',
  HOST_NAME_MAX: '64',
  LINE_MAX: '2048',
  INT_MAX: '2147483647',
  LONG_MAX: '9223372036854775807',
  ULONG_MAX: '18446744073709551615',
  _NPROCESSORS_CONF: processors,
  _NPROCESSORS_ONLN: processors,
  _PHYS_PAGES: (sys) => pages(sys, 'MemTotal'),
  _AVPHYS_PAGES: (sys) => pages(sys, 'MemFree'),
  GNU_LIBC_VERSION: 'glibc 2.41',
  PATH: '/bin:/usr/bin',
};

export const getconf = defineTool(
  {
    name: 'getconf',
    usage: 'NAME [PATH]',
    about: 'Prints the value of a system variable.',
    misuse: 2,
    operands: 2,
    options: [['-a', 'all of them']],
  },
  async (t) => {
    const value = async (name: string): Promise<string | undefined> => {
      const known = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
      return typeof known === 'function' ? known(t.sys) : known;
    };
    if (t.has('a')) {
      for (const name of Object.keys(VARIABLES)) t.out.line(`${name.padEnd(34)} ${await value(name)}`);
      return 0;
    }
    const [name] = t.args;
    if (name === undefined) {
      t.out.put('');
      await t.fail("missing operand\nTry 'getconf --help' for more information.", 2);
      return 2;
    }
    const text = await value(name);
    if (text === undefined) {
      await t.fail(`Unrecognized variable \`${name}'`, 2);
      return 2;
    }
    t.out.line(text);
    return 0;
  },
);
