/** Builtins about variables: declare, local, export, readonly, unset, set, shopt, shift, let, read, mapfile, getopts. */
import { complain, decode, LineReader, strerror, windowSize } from '../../misc/io.ts';
import { assignArray } from '../assign.ts';
import type { Builtin, Shell } from '../shell.ts';
import { SET_OPTIONS, SHOPT_OPTIONS } from '../state.ts';
import { declaration, NAME, newVariable, shellQuote, type Variable } from '../vars.ts';
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
          o.has('F') ? `${o.rest.length ? '' : 'declare -f '}${name}\n` : `${name} () \n${def.text}\n`,
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
    return finish(
      sh,
      o.rest,
      (name) => sh.vars.ensure(name),
      (l) => l === letter || (l !== 'n' && o.has(l)),
      who,
    );
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

const set: Builtin = async (sh, args) => {
  if (args.length === 0) {
    let text = '';
    for (const name of sh.vars.names()) {
      const v = sh.vars.raw(name);
      if (v)
        text +=
          v.array || v.assoc
            ? `${declaration(name, v).replace(/^declare \S+ /, '')}\n`
            : `${name}=${shellQuote(v.value ?? '')}\n`;
    }
    return sh.out('set', text);
  }
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (word === '--' || word === '-') {
      sh.positional = args.slice(i + 1);
      return 0;
    }
    const m = /^([-+])(.+)$/.exec(word);
    if (!m) {
      sh.positional = args.slice(i);
      return 0;
    }
    const on = m[1] === '-';
    for (const letter of m[2] ?? '') {
      if (letter === 'o') {
        const name = args[++i];
        if (name === undefined) {
          const rows = SET_OPTIONS.map(([n]) =>
            on ? `${n.padEnd(15)}\t${sh.options.has(n) ? 'on' : 'off'}` : `set ${sh.options.has(n) ? '-' : '+'}o ${n}`,
          );
          return sh.out('set', `${rows.join('\n')}\n`);
        }
        if (!SET_OPTIONS.some(([n]) => n === name)) {
          await sh.error(`set: ${name}: invalid option name`);
          return 2;
        }
        setOption(sh, name, on);
        continue;
      }
      const option = SET_OPTIONS.find(([, l]) => l === letter)?.[0];
      if (!option) {
        await sh.error(`set: ${m[1]}${letter}: invalid option`);
        return 2;
      }
      setOption(sh, option, on);
    }
  }
  return 0;
};

export function setOption(sh: Shell, name: string, on: boolean): void {
  if (on) sh.options.add(name);
  else sh.options.delete(name);
}

const shopt: Builtin = async (sh, args) => {
  const o = await options(sh, 'shopt', args, 'pqsuo', 'shopt [-pqsu] [-o] [optname ...]');
  if (!o) return 2;
  const known: readonly string[] = o.has('o') ? SET_OPTIONS.map(([n]) => n) : SHOPT_OPTIONS;
  const table = o.has('o') ? sh.options : sh.shopts;
  let status = 0;
  let text = '';
  for (const name of o.rest.length ? o.rest : known) {
    if (!known.includes(name)) {
      await sh.error(`shopt: ${name}: invalid shell option name`);
      status = 1;
    } else if (o.rest.length && o.has('s')) table.add(name);
    else if (o.rest.length && o.has('u')) table.delete(name);
    else {
      const on = table.has(name);
      if ((o.has('s') && !on) || (o.has('u') && on)) continue;
      if (o.rest.length && !on) status = 1;
      text += o.has('p') ? `shopt ${on ? '-s' : '-u'} ${name}\n` : `${name.padEnd(15)}\t${on ? 'on' : 'off'}\n`;
    }
  }
  return o.has('q') ? status : (await sh.out('shopt', text)) || status;
};

const shift: Builtin = async (sh, args) => {
  const n = args[0] === undefined ? 1 : Number(args[0]);
  if (!Number.isInteger(n) || n < 0) {
    await sh.error(
      `shift: ${args[0]}: ${Number.isInteger(n) ? 'shift count out of range' : 'numeric argument required'}`,
    );
    return 1;
  }
  if (n > sh.positional.length) return 1;
  sh.positional = sh.positional.slice(n);
  return 0;
};

const letBuiltin: Builtin = async (sh, args) => {
  if (args.length === 0) {
    await sh.error('let: expression expected');
    return 1;
  }
  let value = 0n;
  for (const arg of args) value = sh.arith(arg);
  return value === 0n ? 1 : 0;
};

const read: Builtin = async (sh, args) => {
  const o = await options(
    sh,
    'read',
    args,
    'ersa:d:n:N:p:t:u:i:',
    'read [-ers] [-a array] [-d delim] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]',
  );
  if (!o) return 2;
  const fd = Number(o.get('u') ?? 0);
  const delimiter = o.has('N') ? -1 : o.has('d') ? (o.get('d') ?? '').charCodeAt(0) || 0 : 10;
  const limit = Number(o.get('n') ?? o.get('N') ?? Number.POSITIVE_INFINITY);
  if (o.has('p')) sh.sys.write(2, new TextEncoder().encode(o.get('p') ?? ''));
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  let status = 0;
  const timeout = o.has('t') ? Number(o.get('t')) : null;
  if (timeout !== null && Number.isNaN(timeout)) {
    await sh.error(`read: ${o.get('t')}: invalid timeout specification`);
    return 1;
  }
  const until = timeout === null ? 0 : sh.sys.clockGettime('monotonic') + timeout * 1e9;
  let escaped = false;
  const raw = o.has('r');
  for (;;) {
    if (bytes.length >= limit) break;
    if (timeout !== null) {
      const left = Math.max(0, until - sh.sys.clockGettime('monotonic'));
      const ready = await sh.sys.pollIn([fd], left);
      if (ready.length === 0) {
        status = 142;
        break;
      }
      if (timeout === 0) return 0;
    }
    const r = sh.sys.read(fd, one);
    const n = typeof r === 'number' ? r : await r;
    if (n === -4) {
      await sh.signals();
      continue;
    }
    if (n < 0) {
      await sh.error(`read: read error: ${fd}: ${strerror(n)}`);
      return 1;
    }
    if (n === 0) {
      status = 1;
      break;
    }
    const c = one[0] ?? 0;
    if (!raw && escaped) {
      escaped = false;
      if (c === 10) {
        bytes.pop();
        continue;
      }
    } else if (!raw && c === 92) escaped = true;
    else if (c === delimiter) break;
    bytes.push(c);
  }
  const line = decode(new Uint8Array(bytes));
  assignFields(sh, o.get('a'), o.rest, line, raw, o.has('N'));
  return status;
};

/** Splits a line by IFS into names; the last gets the rest. */
function assignFields(
  sh: Shell,
  array: string | undefined,
  names: readonly string[],
  line: string,
  raw: boolean,
  whole: boolean,
): void {
  const ifs = sh.vars.get('IFS') ?? ' \t\n';
  const unquote = (t: string): string => (raw ? t : t.replace(/\\([\s\S])/g, '$1'));
  if (!array && names.length === 0) {
    sh.vars.set('REPLY', unquote(line));
    return;
  }
  if (whole) {
    sh.vars.set(names[0] ?? 'REPLY', unquote(line));
    return;
  }
  const white = (c: string): boolean => ifs.includes(c) && /\s/.test(c);
  const fields: string[] = [];
  let i = 0;
  const want = array ? Number.POSITIVE_INFINITY : names.length;
  while (i < line.length && white(line[i] ?? '')) i++;
  while (i < line.length) {
    if (fields.length === want - 1) {
      let rest = line.slice(i);
      while (rest && white(rest.at(-1) ?? '') && rest.at(-2) !== '\\') rest = rest.slice(0, -1);
      // One closing separator after the only remaining field is dropped.
      const inner = [...rest].filter((c) => ifs.includes(c) && !white(c)).length;
      if (inner === 1 && ifs.includes(rest.at(-1) ?? '') && !white(rest.at(-1) ?? '')) rest = rest.slice(0, -1);
      fields.push(rest);
      break;
    }
    let field = '';
    while (i < line.length && !ifs.includes(line[i] ?? '')) {
      if (!raw && line[i] === '\\') field += line[i++];
      field += line[i++] ?? '';
    }
    fields.push(field);
    while (i < line.length && white(line[i] ?? '')) i++;
    if (i < line.length && ifs.includes(line[i] ?? '') && !white(line[i] ?? '')) {
      i++;
      while (i < line.length && white(line[i] ?? '')) i++;
    }
  }
  if (array) {
    const v = sh.vars.ensure(array);
    v.value = undefined;
    v.array = new Map(fields.map((f, n) => [n, unquote(f)]));
  } else
    names.forEach((name, n) => {
      sh.vars.set(name, unquote(fields[n] ?? ''));
    });
}

const mapfile: Builtin = async (sh, args) => {
  const o = await options(
    sh,
    'mapfile',
    args,
    'd:n:O:s:tu:C:c:',
    'mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]',
  );
  if (!o) return 2;
  const name = o.rest[0] ?? 'MAPFILE';
  if (!NAME.test(name)) {
    await sh.error(`mapfile: \`${name}': not a valid identifier`);
    return 1;
  }
  const d = o.has('d') ? o.get('d') || '\0' : '\n';
  const reader = new LineReader(sh.sys, Number(o.get('u') ?? 0), d.charCodeAt(0));
  const v = sh.vars.ensure(name);
  if (!o.has('O') || !v.array) {
    v.array = new Map();
    v.value = undefined;
  }
  let at = Number(o.get('O') ?? 0);
  let skip = Number(o.get('s') ?? 0);
  const count = Number(o.get('n') ?? 0) || Number.POSITIVE_INFINITY;
  for (let n = 0; n < count; ) {
    const line = await reader.next();
    if (line === null) break;
    if (skip-- > 0) continue;
    v.array.set(at++, o.has('t') || !reader.terminated ? line : line + d);
    n++;
  }
  return 0;
};

const getopts: Builtin = async (sh, args) => {
  const [spec = '', name = '', ...given] = args;
  if (args.length < 2) {
    await sh.error('getopts: usage: getopts optstring name [arg ...]');
    return 2;
  }
  const words = given.length ? given : sh.positional;
  const silent = spec.startsWith(':');
  let at = Number(sh.vars.get('OPTIND') ?? '1');
  if (at !== sh.optind) sh.optchar = 0;
  const word = words[at - 1];
  const end = (): number => {
    sh.vars.set(name, '?');
    sh.optind = at;
    sh.vars.set('OPTIND', String(at));
    return 1;
  };
  if (word === undefined || !word.startsWith('-') || word === '-') return end();
  if (word === '--') {
    at++;
    return end();
  }
  const pos = sh.optchar || 1;
  const letter = word[pos] ?? '';
  const where = letter === ':' ? -1 : spec.indexOf(letter);
  const advance = () => {
    if (pos + 1 < word.length) sh.optchar = pos + 1;
    else {
      sh.optchar = 0;
      at++;
    }
  };
  sh.vars.unsetRaw('OPTARG');
  if (where < 0) {
    advance();
    if (silent) sh.vars.set('OPTARG', letter);
    else await complain(sh.sys, `${sh.name}: illegal option -- ${letter}`);
    sh.vars.set(name, '?');
  } else if (spec[where + 1] !== ':') {
    advance();
    sh.vars.set(name, letter);
  } else {
    sh.optchar = 0;
    const rest = word.slice(pos + 1);
    const value = rest !== '' ? rest : words[at];
    at += rest !== '' ? 1 : 2;
    if (value === undefined) {
      at = words.length + 1;
      if (silent) sh.vars.set('OPTARG', letter);
      else await complain(sh.sys, `${sh.name}: option requires an argument -- ${letter}`);
      sh.vars.set(name, silent ? ':' : '?');
    } else {
      sh.vars.set('OPTARG', value);
      sh.vars.set(name, letter);
    }
  }
  sh.optind = at;
  sh.vars.set('OPTIND', String(at));
  return 0;
};

const checkwinsize: Builtin = async (sh) => {
  const { rows, columns } = await windowSize(sh.sys, 0);
  sh.vars.set('LINES', String(rows));
  sh.vars.set('COLUMNS', String(columns));
  return 0;
};

export const VARIABLE_BUILTINS: Record<string, Builtin> = {
  declare,
  typeset: declare,
  local,
  export: exporter('export', 'x'),
  readonly: exporter('readonly', 'r'),
  unset,
  set,
  shopt,
  shift,
  let: letBuiltin,
  read,
  mapfile,
  readarray: mapfile,
  getopts,
  resize: checkwinsize,
};
