/** Who and what this is: uname hostname whoami id nproc tty, and man, which has nothing to show. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, isatty, readFileText, writeText } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { which } from './run.ts';

export const uname = defineTool(
  {
    name: 'uname',
    operands: 0,
    usage: '[OPTION]...',
    about: 'Shows the kernel.',
    options: [
      ['-a, --all', 'everything'],
      ['-s, --kernel-name', 'name'],
      ['-n, --nodename', 'host name'],
      ['-r, --kernel-release', 'release'],
      ['-v, --kernel-version', 'version'],
      ['-m, --machine', 'machine'],
      ['-p, --processor', 'processor'],
      ['-i, --hardware-platform', 'platform'],
      ['-o, --operating-system', 'system'],
    ],
  },
  async (t) => {
    const u = t.sys.uname();
    const all: [string, string][] = [
      ['s', u.sysname],
      ['n', u.nodename],
      ['r', u.release],
      ['v', u.version],
      ['m', u.machine],
      ['o', 'GNU/Linux'],
    ];
    if (t.has('a')) t.out.line(all.map(([, v]) => v).join(' '));
    else {
      const picked = all.filter(([k]) => t.has(k)).map(([, v]) => v);
      if (t.has('p') || t.has('i')) picked.push('unknown');
      t.out.line(picked.length ? picked.join(' ') : u.sysname);
    }
    return 0;
  },
);

export const hostname = defineTool(
  {
    name: 'hostname',
    usage: '[OPTION]',
    about: 'Shows the host name.',
    options: [
      ['-s, --short', 'up to the first dot'],
      ['-f, --fqdn', 'whole'],
      ['-i', 'address'],
    ],
  },
  async (t) => {
    t.out.line(t.has('i') ? '127.0.1.1' : t.sys.uname().nodename);
    return 0;
  },
);

/** man: the images hold no manual pages, and it says so. */
export const man: Program = async (sys, argv, env) => {
  const names = argv.slice(1).filter((word) => !word.startsWith('-') && !/^[1-9]$/.test(word));
  if (names.length === 0) {
    await complain(
      sys,
      'What manual page do you want?\nThere are none in this image; commands tell their options with --help.',
    );
    return 1;
  }
  for (const name of names)
    await complain(
      sys,
      which(sys, name, env).length > 0
        ? `No manual entry for ${name}: this image holds no manual pages; '${name} --help' tells its options.`
        : `No manual entry for ${name}`,
    );
  return 16;
};

export const whoami = defineTool(
  { name: 'whoami', operands: 0, usage: '', about: 'Shows the user.', options: [] },
  async (t) => {
    t.out.line(t.sys.getuid() === 0 ? 'root' : String(t.sys.getuid()));
    return 0;
  },
);

export const id = defineTool(
  {
    name: 'id',
    usage: '[OPTION]...',
    about: 'Shows user and groups.',
    options: [
      ['-u, --user', 'user'],
      ['-g, --group', 'group'],
      ['-G, --groups', 'groups'],
      ['-n, --name', 'names'],
      ['-r, --real', 'real ones'],
    ],
  },
  async (t) => {
    const uid = t.sys.getuid();
    const name = uid === 0 ? 'root' : String(uid);
    if (t.has('u') || t.has('g') || t.has('G')) t.out.line(t.has('n') ? name : String(uid));
    else t.out.line(`uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`);
    return 0;
  },
);

export const nproc = defineTool(
  {
    name: 'nproc',
    operands: 0,
    usage: '',
    about: 'Shows the number of processors.',
    options: [['--all', 'installed ones']],
  },
  async (t) => {
    const text = await readFileText(t.sys, '/proc/cpuinfo');
    const n = typeof text === 'string' ? [...text.matchAll(/^processor\s*:/gm)].length : 0;
    t.out.line(String(n || 1));
    return 0;
  },
);

export const tty: Program = async (sys, argv) => {
  const name = (await isatty(sys, 0)) ? sys.readlink('/proc/self/fd/0') : -1;
  if (!argv.includes('-s')) await writeText(sys, 1, `${typeof name === 'string' ? name : 'not a tty'}\n`);
  return typeof name === 'string' ? 0 : 1;
};
