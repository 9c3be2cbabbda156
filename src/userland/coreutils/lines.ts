/** xargs and uniq. */
import { complain, decode, LineReader, openPath, readAll, strerror } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { runCommand } from './run.ts';

/** Words of xargs input: blanks separate; quotes and backslashes shield. */
function split(text: string): string[] {
  const words: string[] = [];
  for (const m of text.matchAll(/(?:"[^"\n]*"|'[^'\n]*'|\\[\s\S]|[^\s"'\\])+/g))
    words.push(m[0].replace(/"([^"]*)"|'([^']*)'|\\([\s\S])/g, (_, a, b, c) => a ?? b ?? c ?? ''));
  return words;
}

export const xargs = defineTool(
  {
    name: 'xargs',
    usage: '[OPTION]... COMMAND [INITIAL-ARGS]...',
    about: 'Runs COMMAND with words from standard input as arguments.',
    posix: true,
    options: [
      ['-0, --null', 'words end with NUL'],
      ['-a, --arg-file=FILE', 'words from FILE'],
      ['-d, --delimiter=CHAR', 'words end with CHAR'],
      ['-I TEXT', 'once a line, with TEXT replaced by it'],
      ['-L, --max-lines=N', 'N lines at a time'],
      ['-n, --max-args=N', 'N words at a time'],
      ['-P, --max-procs=N', 'nothing here: one at a time'],
      ['-r, --no-run-if-empty', 'not at all without words'],
      ['-t, --verbose', 'say what is run'],
    ],
  },
  async (t) => {
    const file = t.get('a');
    const fd = file === undefined ? 0 : openPath(t.sys, file);
    const data = fd < 0 ? fd : await readAll(t.sys, fd);
    if (typeof data === 'number') {
      await t.failErrno(file ?? 'read error', data);
      return 1;
    }
    const text = decode(data);
    const delimiter = t.has('0') ? '\0' : t.get('d')?.replace('\\n', '\n').replace('\\t', '\t').replace('\\0', '\0');
    const replace = t.get('I');
    const lines = text.replace(/\n$/, '').split('\n');
    const words =
      delimiter !== undefined
        ? text.split(delimiter).filter((w, i, all) => i < all.length - 1 || w !== '')
        : replace !== undefined
          ? lines.map((l) => l.trim()).filter(Boolean)
          : split(text);
    const command = t.args.length ? [...t.args] : ['echo'];
    const batches: string[][] = [];
    const size = replace !== undefined ? 1 : Number(t.get('n') ?? 0) || 5000;
    if (t.has('L')) {
      const rows = lines.filter((l) => l.trim() !== '');
      for (let i = 0; i < rows.length; i += Number(t.get('L')))
        batches.push(rows.slice(i, i + Number(t.get('L'))).flatMap(split));
    } else for (let i = 0; i < words.length; i += size) batches.push(words.slice(i, i + size));
    if (batches.length === 0 && !t.has('r') && replace === undefined) batches.push([]);
    for (const batch of batches) {
      const argv =
        replace !== undefined ? command.map((c) => c.replaceAll(replace, batch[0] ?? '')) : [...command, ...batch];
      if (t.has('t')) {
        await t.out.flush();
        await complain(t.sys, argv.join(' '));
      }
      const status = await runCommand(t.sys, 'xargs', argv, t.env);
      if (status === 127 || status === 126) return status;
      if (status === 255) return 124;
      if (status !== 0) t.status = 123;
    }
    return t.status;
  },
);

export const uniq = defineTool(
  {
    name: 'uniq',
    usage: '[OPTION]... [INPUT]',
    about: 'Drops lines equal to the one before.',
    options: [
      ['-c, --count', 'how often'],
      ['-d, --repeated', 'only repeated lines'],
      ['-u, --unique', 'only lines that are not repeated'],
      ['-i, --ignore-case', 'letters match both cases'],
      ['-f, --skip-fields=N', 'do not compare the first N fields'],
      ['-s, --skip-chars=N', 'do not compare the first N characters'],
      ['-w, --check-chars=N', 'compare only N characters'],
    ],
  },
  async (t) => {
    const path = t.args[0] ?? '-';
    const fd = path === '-' ? 0 : openPath(t.sys, path);
    if (fd < 0) {
      await t.fail(`${path}: ${strerror(fd)}`);
      return 1;
    }
    const reader = new LineReader(t.sys, fd);
    const key = (line: string): string => {
      let k = line;
      for (let i = Number(t.get('f') ?? 0); i > 0; i--) k = k.replace(/^\s*\S*/, '');
      k = k.slice(Number(t.get('s') ?? 0), t.has('w') ? Number(t.get('s') ?? 0) + Number(t.get('w')) : undefined);
      return t.has('i') ? k.toLowerCase() : k;
    };
    let line = await reader.next();
    while (line !== null) {
      let count = 1;
      let next = await reader.next();
      while (next !== null && key(next) === key(line)) {
        count++;
        next = await reader.next();
        await t.sys.tick();
      }
      if (!(t.has('d') && count === 1) && !(t.has('u') && count > 1))
        t.out.line((t.has('c') ? `${String(count).padStart(7)} ` : '') + line);
      await t.out.step();
      line = next;
    }
    return 0;
  },
);
