/** Builtins that make and unmake variables: declare, local, export, readonly, unset. */
import { assignArray } from '../assign.ts';
import type { Builtin, Shell } from '../shell.ts';
import { traceQuote, traceText } from '../trace.ts';
import { functionText } from '../unparse.ts';
import { declaration, newVariable, type Variable } from '../vars.ts';
import { options } from './options.ts';
import { doubleQuoteReady } from './print.ts';

const USAGE = 'declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]';

function attributes(v: Variable, has: (letter: string) => boolean): void {
  if (has('i')) v.integer = true;
  if (has('+i')) v.integer = false;
  if (has('l')) v.letters = 'lower';
  if (has('u')) v.letters = 'upper';
  if (has('x')) v.exported = true;
  if (has('+x')) v.exported = false;
  if (has('n')) v.nameref = true;
  if (has('+n')) v.nameref = false;
  if (has('A') && !v.assoc) {
    v.assoc = new Map();
    v.value = undefined;
  }
  if (has('a') && !v.array && !v.assoc) {
    v.array = new Map(v.value === undefined ? [] : [[0, v.value]]);
    v.value = undefined;
  }
}

/** Applies one `name[=value]` argument of a declaring builtin to variable `v`. */
async function declareOne(
  sh: Shell,
  arg: string,
  pick: (name: string) => Variable,
  has: (letter: string) => boolean,
  who: string,
): Promise<number> {
  const m = /^([A-Za-z_]\w*)(?:\[(.*?)\])?(?:(\+?)=([\s\S]*))?$/.exec(arg);
  if (!m) {
    await sh.error(`${who}: \`${arg.replace(/=\u0001\d+$/, '')}': not a valid identifier`);
    return 1;
  }
  const [, name = '', index, plus, value] = m;
  const v = pick(name);
  const wasReadonly = v.readonly;
  attributes(v, has);
  if (value !== undefined) {
    const array = /^\u0001(\d+)$/.exec(value);
    const pending = array ? sh.pendingArrays[Number(array[1])] : undefined;
    if (pending) await assignArray(sh, v, pending);
    else if (v.nameref && !wasReadonly) v.value = value;
    else sh.vars.assign(v, name, value, index, plus === '+');
  }
  if (has('r')) v.readonly = true;
  return 0;
}

async function finish(
  sh: Shell,
  args: readonly string[],
  pick: (name: string) => Variable,
  has: (l: string) => boolean,
  who: string,
): Promise<number> {
  let status = 0;
  for (const arg of args) status = (await declareOne(sh, arg, pick, has, who)) || status;
  sh.pendingArrays = [];
  return status;
}

const declare: Builtin = async (sh, args) => {
  const o = await options(sh, 'declare', args, 'aAfFgiIlnprtux', USAGE, true);
  if (!o) return 2;
  if (o.has('f') || o.has('F')) {
    let status = 0;
    const names = o.rest.length ? o.rest : [...sh.functions.keys()].sort();
    for (const name of names) {
      const def = sh.functions.get(name);
      if (!def) status = 1;
      else
        await sh.out(
          'declare',
          o.has('F') ? `${o.rest.length ? '' : 'declare -f '}${name}\n` : `${functionText(def, name, def.body)}\n`,
        );
    }
    return status;
  }
  if (o.has('p') || o.rest.length === 0)
    return printVariables(sh, o.rest, 'declare', (v) => {
      if (o.has('a') && !v.array) return false;
      if (o.has('A') && !v.assoc) return false;
      if (o.has('x') && !v.exported) return false;
      if (o.has('r') && !v.readonly) return false;
      return !(o.has('i') && !v.integer) && !(o.has('n') && !v.nameref);
    });
  const inFunction = sh.frames.length > 0 && !o.has('g');
  const pick = (name: string): Variable =>
    inFunction
      ? sh.vars.local(name)
      : o.has('g')
        ? global(sh, name)
        : o.has('n')
          ? rawOrNew(sh, name)
          : sh.vars.ensure(name);
  return finish(sh, o.rest, pick, o.has, 'declare');
};

function rawOrNew(sh: Shell, name: string): Variable {
  return sh.vars.raw(name) ?? global(sh, name);
}
function global(sh: Shell, name: string): Variable {
  const scope = sh.vars.scopes[0];
  let v = scope?.get(name);
  if (!v) {
    v = newVariable();
    scope?.set(name, v);
  }
  return v;
}

async function printVariables(
  sh: Shell,
  names: readonly string[],
  who: string,
  keep: (v: Variable) => boolean,
): Promise<number> {
  let status = 0;
  let text = '';
  for (const name of names.length ? names : sh.vars.names()) {
    const v = sh.vars.raw(name);
    if (!v) {
      await sh.error(`${who}: ${name}: not found`);
      status = 1;
    } else if (names.length || keep(v)) text += `${declaration(name, v)}\n`;
  }
  return (await sh.out(who, text)) || status;
}

const local: Builtin = async (sh, args) => {
  if (sh.frames.length === 0) {
    await sh.error('local: can only be used in a function');
    return 1;
  }
  const o = await options(sh, 'local', args, 'aAfFgiIlnprtux', 'local [option] name[=value] ...', true);
  if (!o) return 2;
  if (o.rest.length === 0) {
    const scope = [...(sh.vars.scopes.at(-1) ?? new Map<string, Variable>())].sort(([a], [b]) => (a < b ? -1 : 1));
    return sh.out('local', scope.map(([n, v]) => `${doubleQuoteReady(n, v)}\n`).join(''));
  }
  // A new local starts clean even when the scope already has one only by name reference.
  return finish(
    sh,
    o.rest.filter((a) => a !== '-'),
    (name) => sh.vars.local(name),
    o.has,
    'local',
  );
};

const exporter =
  (who: string, letter: 'x' | 'r'): Builtin =>
  async (sh, args) => {
    const o = await options(sh, who, args, 'aAfnp', `${who} [-fn] [name[=value] ...] or ${who} -p`);
    if (!o) return 2;
    if (o.rest.length === 0) return printVariables(sh, [], who, (v) => (letter === 'x' ? v.exported : v.readonly));
    if (o.has('n') && letter === 'x') {
      for (const name of o.rest) sh.vars.ensure(name.replace(/=.*/s, '')).exported = false;
      return 0;
    }
    const status = await finish(
      sh,
      o.rest,
      (name) => sh.vars.ensure(name),
      (l) => l === letter || (l !== 'n' && o.has(l)),
      who,
    );
    for (const arg of o.rest) {
      const m = /^(\w+)=([^\u0001]*)$/s.exec(arg);
      if (m) await traceText(sh, `${m[1]}=${traceQuote(m[2] ?? '')}`);
    }
    return status;
  };

const unset: Builtin = async (sh, args) => {
  const o = await options(sh, 'unset', args, 'fnv', 'unset [-f] [-v] [-n] [name ...]');
  if (!o) return 2;
  const status = 0;
  for (const arg of o.rest) {
    const m = /^([A-Za-z_]\w*)(?:\[(.*)\])?$/s.exec(arg);
    if (o.has('f')) sh.functions.delete(arg);
    else if (!m) {
      sh.functions.delete(arg);
    } else if (o.has('n')) sh.vars.unsetRaw(arg);
    else if (m[2] !== undefined) sh.vars.unset(m[1] ?? '', m[2].replace(/^["'](.*)["']$/s, '$1'));
    else if (sh.vars.raw(arg)) sh.vars.unset(arg);
    else if (!o.has('v')) sh.functions.delete(arg);
  }
  return status;
};

export const VARIABLE_BUILTINS: Record<string, Builtin> = {
  declare,
  typeset: declare,
  local,
  export: exporter('export', 'x'),
  readonly: exporter('readonly', 'r'),
  unset,
};
