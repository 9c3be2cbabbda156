/** pidof of sysvinit-utils 3.06: process ids by program name, the newest first. Left out: -c, -n, -z. */
import { baseName } from '../coreutils/paths.ts';
import { defineTool } from '../misc/tool.ts';
import { type ProcEntry, procEntries } from './processes.ts';

function named({ argv, comm }: ProcEntry, name: string, scripts: boolean): boolean {
  const program = argv[0] ?? '';
  if (name.includes('/')) return program === name;
  if (baseName(program) === name || (argv.length === 0 && comm === name)) return true;
  if (program === `-${name}`) return true;
  return scripts && /^(ba)?sh$/.test(baseName(program)) && baseName(argv[1] ?? '') === name;
}

export const pidof = defineTool(
  {
    name: 'pidof',
    usage: '[options] program...',
    about: 'Shows the process ids of programs.',
    options: [
      ['-s', 'only one'],
      ['-q', 'only the status'],
      ['-x', 'scripts too'],
      ['-w', 'kernel workers too'],
      ['-d SEPARATOR', 'between ids'],
      ['-o PID', 'not this one'],
    ],
  },
  async (t) => {
    const omitted = new Set<number>();
    for (const [key, value] of t.order)
      if (key === 'o') for (const pid of value.split(',')) omitted.add(pid === '%PPID' ? t.sys.getppid() : Number(pid));
    const all = (await procEntries(t.sys)).filter(({ pid }) => pid !== t.sys.pid && !omitted.has(pid)).reverse();
    const found = t.args.flatMap((name) => {
      const hits = all.filter((entry) => named(entry, name, t.has('x')));
      return t.has('s') ? hits.slice(0, 1) : hits;
    });
    const shown = t.has('s') ? found.slice(0, 1) : found;
    if (shown.length > 0 && !t.has('q')) t.out.line(shown.map(({ pid }) => pid).join(t.get('d') ?? ' '));
    return shown.length > 0 ? 0 : 1;
  },
);
