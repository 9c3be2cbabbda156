/** modinfo (kmod 34, tools/modinfo.c): the .modinfo strings of a module file, or of modules.builtin.modinfo for what is built in. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { complain, readFileBytes } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { builtinModules, dependencies, directory, under } from './modules.ts';

type Entry = readonly [key: string, value: string];

const decode = (bytes: Uint8Array | number): string =>
  typeof bytes === 'number' ? '' : new TextDecoder().decode(bytes);

/** `key=value` strings of a module file, which our module files carry as lines behind their first. */
async function fileInfo(sys: Sys, file: string): Promise<readonly Entry[]> {
  const lines = decode(await readFileBytes(sys, file)).split(/[\0\n]/);
  return lines.slice(lines[0]?.startsWith('cxlab-module') ? 1 : 0).flatMap(entry);
}

/** `module.key=value` strings, ended by NUL. */
async function builtinInfo(sys: Sys, name: string): Promise<readonly Entry[]> {
  const text = decode(await readFileBytes(sys, `${directory(sys)}/modules.builtin.modinfo`));
  return text
    .split('\0')
    .filter((line) => line.startsWith(`${name}.`))
    .flatMap((line) => entry(line.slice(name.length + 1)));
}

function entry(line: string): readonly Entry[] {
  const cut = line.indexOf('=');
  return cut <= 0 || !/^\w+$/.test(line.slice(0, cut)) ? [] : [[line.slice(0, cut), line.slice(cut + 1)]];
}

/** Parameters, the last first as modinfo collects them: name with description, type or both. */
function parameters(info: readonly Entry[], listing: boolean): readonly string[] {
  const found = new Map<string, { text?: string; type?: string }>();
  for (const [key, value] of info) {
    if (key !== 'parm' && key !== 'parmtype') continue;
    const cut = value.indexOf(':');
    const name = cut < 0 ? value : value.slice(0, cut);
    const rest = cut < 0 ? '' : value.slice(cut + 1);
    found.set(name, { ...found.get(name), ...(key === 'parm' ? { text: rest } : { type: rest }) });
  }
  return [...found].reverse().map(([name, { text, type }]) => {
    if (type === undefined) return `${name}:${text}`;
    if (text !== undefined) return `${name}:${text} (${type})`;
    return listing ? `${name}:${type}` : `${name}: (${type})`;
  });
}

const FIELDS: readonly (readonly [option: string, field: string])[] = [
  ['a', 'author'],
  ['d', 'description'],
  ['l', 'license'],
  ['n', 'filename'],
  ['p', 'parm'],
];

export const modinfo = defineTool(
  {
    name: 'modinfo',
    usage: '[OPTION]... MODULE...',
    about: 'Shows what a module file says of itself.',
    options: [
      ['-F, --field=FIELD', 'one field'],
      ['-a, --author', 'author'],
      ['-d, --description', 'description'],
      ['-l, --license', 'license'],
      ['-n, --filename', 'file'],
      ['-p, --parameters', 'parameters'],
      ['-0, --null', 'NUL ends'],
      ['-m, --modname', 'operands are names, not files'],
      ['-k, --set-version=X', 'of another release'],
      ['-b, --basedir=X', 'nothing here'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await complain(t.sys, 'modinfo: ERROR: missing module or filename.');
      return 1;
    }
    const { sys } = t;
    const deps = await dependencies(sys);
    const builtin = await builtinModules(sys);
    const field = t.get('F') ?? FIELDS.find(([option]) => t.has(option))?.[1] ?? null;
    const end = t.has('0') ? '\0' : '\n';
    const isFile = (path: string) => !t.has('m') && typeof sys.stat(path) !== 'number' && /\.ko(\.\w+)?$/.test(path);
    for (const given of t.args) {
      const name = under(given);
      const file = isFile(given) ? absolute(sys, given) : deps.get(name)?.[0];
      const inKernel = file === undefined && builtin.has(name);
      if ((file === undefined && !inKernel) || (file !== undefined && typeof sys.stat(file) === 'number')) {
        await t.out.flush();
        await complain(sys, `modinfo: ERROR: Module ${given} not found.`);
        t.status = 1;
        continue;
      }
      const info = file === undefined ? await builtinInfo(sys, name) : await fileInfo(sys, file);
      const head: readonly Entry[] = inKernel
        ? [
            ['name', name],
            ['filename', '(builtin)'],
          ]
        : [['filename', file ?? '']];
      const put = (key: string, value: string) => t.out.put(`${`${key}:`.padEnd(16)}${value}${end}`);
      if (field === null) {
        for (const [key, value] of [...head, ...info]) if (!key.startsWith('parm')) put(key, value);
        for (const line of parameters(info, true)) put('parm', line);
      } else if (field === 'parm') for (const line of parameters(info, false)) t.out.put(`${line}${end}`);
      else for (const [key, value] of [...head, ...info]) if (key === field) t.out.put(`${value}${end}`);
    }
    return t.status;
  },
);

function absolute(sys: Sys, path: string): string {
  return path.startsWith('/') ? path : `${sys.getcwd().replace(/\/$/, '')}/${path}`;
}
