/** What a name is: type, command, builtin, hash, aliases. */
import { execute, lookup, searchPath } from '../external.ts';
import { fork, waitPipeline } from '../processes.ts';
import type { Builtin, Shell } from '../shell.ts';
import { functionText } from '../unparse.ts';
import { options } from './options.ts';

const KEYWORDS = new Set(
  'if then else elif fi case esac for select while until do done in function time { } ! [[ ]] coproc'.split(' '),
);

/** Prints what a name is; used by type and command -v/-V. */
async function describe(
  sh: Shell,
  who: string,
  name: string,
  mode: 'words' | 'type' | 'path' | 'v',
  all: boolean,
): Promise<boolean> {
  const rows: { kind: string; words: string; v: string; path?: string }[] = [];
  const alias = sh.aliases.get(name);
  if (alias !== undefined && sh.shopts.has('expand_aliases'))
    rows.push({ kind: 'alias', words: `${name} is aliased to \`${alias}'`, v: `alias ${name}='${alias}'` });
  if (KEYWORDS.has(name)) rows.push({ kind: 'keyword', words: `${name} is a shell keyword`, v: name });
  const def = sh.functions.get(name);
  if (def)
    rows.push({ kind: 'function', words: `${name} is a function\n${functionText(def, def.name, def.body)}`, v: name });
  if (sh.builtins.has(name)) rows.push({ kind: 'builtin', words: `${name} is a shell builtin`, v: name });
  const hashed = sh.hashed.get(name);
  const paths = name.includes('/') ? (sh.sys.access(name, 1) === 0 ? [name] : []) : searchPath(sh, name);
  for (const path of paths)
    rows.push({
      kind: 'file',
      words: hashed === path && !all ? `${name} is hashed (${path})` : `${name} is ${path}`,
      v: path,
      path,
    });
  if (rows.length === 0) {
    if (mode === 'words') await sh.error(`${who}: ${name}: not found`);
    return false;
  }
  for (const row of all ? rows : rows.slice(0, 1)) {
    if (mode === 'path') {
      if (row.path) await sh.out(who, `${row.path}\n`);
    } else await sh.out(who, `${mode === 'type' ? row.kind : mode === 'v' ? row.v : row.words}\n`);
  }
  return true;
}

const type: Builtin = async (sh, args) => {
  const o = await options(sh, 'type', args, 'afptP', 'type [-afptP] name [name ...]');
  if (!o) return 2;
  let status = 0;
  for (const name of o.rest) {
    const mode = o.has('t') ? 'type' : o.has('p') || o.has('P') ? 'path' : 'words';
    if (!(await describe(sh, 'type', name, mode, o.has('a')))) status = 1;
  }
  return status;
};

const command: Builtin = async (sh, args) => {
  const o = await options(sh, 'command', args, 'pvV', 'command [-pVv] command [arg ...]');
  if (!o) return 2;
  const name = o.rest[0];
  if (name === undefined) return 0;
  if (o.has('v') || o.has('V')) {
    let status = 1;
    for (const n of o.rest) if (await describe(sh, 'command', n, o.has('v') ? 'v' : 'words', false)) status = 0;
    return status;
  }
  const builtin = sh.builtins.get(name);
  if (builtin) return builtin(sh, o.rest.slice(1));
  const pid = fork(sh, (child) => execute(child, o.rest));
  return (await waitPipeline(sh, [pid], 0, o.rest.join(' ')))[0] ?? 0;
};

const builtinBuiltin: Builtin = async (sh, args) => {
  const [name, ...rest] = args;
  if (name === undefined) return 0;
  const found = sh.builtins.get(name);
  if (found) return found(sh, rest);
  await sh.error(`builtin: ${name}: not a shell builtin`);
  return 1;
};

const hash: Builtin = async (sh, args) => {
  if (args[0] === '-r') {
    sh.hashed.clear();
    return 0;
  }
  if (args.length === 0) {
    if (sh.hashed.size === 0) return sh.out('hash', 'hash: hash table empty\n');
    return sh.out('hash', `hits\tcommand\n${[...sh.hashed.values()].map((p) => `   1\t${p}\n`).join('')}`);
  }
  let status = 0;
  for (const name of args.filter((a) => !a.startsWith('-'))) {
    if ('path' in lookup(sh, name)) continue;
    await sh.error(`hash: ${name}: not found`);
    status = 1;
  }
  return status;
};

const alias: Builtin = async (sh, args) => {
  const show = (name: string): string => `alias ${name}='${(sh.aliases.get(name) ?? '').replaceAll("'", "'\\''")}'\n`;
  if (args.length === 0 || args[0] === '-p') return sh.out('alias', [...sh.aliases.keys()].sort().map(show).join(''));
  let status = 0;
  for (const arg of args) {
    const eq = arg.indexOf('=');
    if (eq > 0) {
      sh.aliases.set(arg.slice(0, eq), arg.slice(eq + 1));
      sh.aliasStamp++;
    } else if (sh.aliases.has(arg)) await sh.out('alias', show(arg));
    else {
      await sh.error(`alias: ${arg}: not found`);
      status = 1;
    }
  }
  return status;
};
const unalias: Builtin = async (sh, args) => {
  sh.aliasStamp++;
  if (args[0] === '-a') {
    sh.aliases.clear();
    return 0;
  }
  let status = 0;
  for (const name of args)
    if (!sh.aliases.delete(name)) {
      await sh.error(`unalias: ${name}: not found`);
      status = 1;
    }
  return status;
};

export const LOOKUP_BUILTINS: Record<string, Builtin> = {
  type,
  command,
  builtin: builtinBuiltin,
  hash,
  alias,
  unalias,
};
