/** Shell variables: scopes of functions, attributes, indexed and associative arrays, name references. */

import { utf8 } from '../../base/bytes.ts';

export interface Variable {
  value: string | undefined;
  array: Map<number, string> | null;
  assoc: Map<string, string> | null;
  exported: boolean;
  readonly: boolean;
  integer: boolean;
  nameref: boolean;
  letters: 'lower' | 'upper' | null;
}

export function newVariable(value?: string): Variable {
  return {
    value,
    array: null,
    assoc: null,
    exported: false,
    readonly: false,
    integer: false,
    nameref: false,
    letters: null,
  };
}

function copy(v: Variable): Variable {
  return { ...v, array: v.array && new Map(v.array), assoc: v.assoc && new Map(v.assoc) };
}

/** Thrown when an assignment is refused; carries bash's text without its prefix. */
export class AssignError extends Error {}

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export class Vars {
  scopes: Map<string, Variable>[] = [new Map()];
  /** Set by the shell: evaluates arithmetic (integer attribute, indices). */
  evaluate: (text: string) => bigint = () => 0n;
  /** Set by the shell: a variable that does something when it is assigned (SECONDS, RANDOM). */
  assigned: (name: string, value: string) => void = () => {};

  clone(): Vars {
    const other = new Vars();
    other.scopes = this.scopes.map((s) => new Map([...s].map(([k, v]) => [k, copy(v)])));
    return other;
  }

  /** The variable a name stands for after name references; `[index]` of a reference target is given back too. */
  resolve(name: string): { name: string; index: string | undefined } {
    for (let hops = 0; hops < 10; hops++) {
      const v = this.raw(name);
      if (!v?.nameref || v.value === undefined) return { name, index: undefined };
      const m = /^([A-Za-z_]\w*)\[(.*)\]$/s.exec(v.value);
      if (m) return { name: m[1] ?? '', index: m[2] };
      name = v.value;
    }
    return { name, index: undefined };
  }

  raw(name: string): Variable | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const v = this.scopes[i]?.get(name);
      if (v) return v;
    }
    return undefined;
  }

  find(name: string): Variable | undefined {
    return this.raw(this.resolve(name).name);
  }

  /** Makes the variable in the global scope unless some scope has it. */
  ensure(name: string): Variable {
    const resolved = this.resolve(name).name;
    let v = this.raw(resolved);
    if (!v) {
      v = newVariable();
      this.scopes[0]?.set(resolved, v);
    }
    return v;
  }

  local(name: string): Variable {
    const scope = this.scopes.at(-1);
    let v = scope?.get(name);
    if (!v) {
      v = newVariable();
      scope?.set(name, v);
    }
    return v;
  }

  index(v: Variable, index: string, name = ''): number {
    let i = Number(this.evaluate(index));
    if (i < 0) {
      const max = v.array ? Math.max(-1, ...v.array.keys()) : v.value === undefined ? -1 : 0;
      i += max + 1;
      if (i < 0) throw new AssignError(`${name}[${index}]: bad array subscript`);
    }
    return i;
  }

  get(name: string, index?: string): string | undefined {
    const target = this.resolve(name);
    const v = this.raw(target.name);
    const at = index ?? target.index;
    if (!v) return undefined;
    if (v.assoc) return v.assoc.get(at ?? '0');
    if (v.array) return v.array.get(at === undefined ? 0 : this.index(v, at, name));
    if (at === undefined) return v.value;
    return this.index(v, at, name) === 0 ? v.value : undefined;
  }

  /** Value after the variable's attributes. */
  private convert(v: Variable, value: string): string {
    if (v.integer) return this.evaluate(value).toString();
    if (v.letters === 'lower') return value.toLowerCase();
    if (v.letters === 'upper') return value.toUpperCase();
    return value;
  }

  set(name: string, value: string, index?: string, append = false): void {
    const target = this.resolve(name);
    this.assign(this.ensure(name), target.name, value, index ?? target.index, append);
  }

  assign(v: Variable, name: string, value: string, index?: string, append = false): void {
    if (v.readonly) throw new AssignError(`${name}: readonly variable`);
    const join = (old: string | undefined): string => {
      if (!append) return this.convert(v, value);
      return v.integer
        ? (this.evaluate(old ?? '0') + this.evaluate(value)).toString()
        : this.convert(v, (old ?? '') + value);
    };
    if (v.assoc) {
      const key = index ?? '0';
      v.assoc.set(key, join(v.assoc.get(key)));
    } else if (v.array || index !== undefined) {
      const array = this.toArray(v);
      const i = index === undefined ? 0 : this.index(v, index, name);
      array.set(i, join(array.get(i)));
    } else {
      v.value = join(v.value);
      this.assigned(name, v.value);
    }
  }

  toArray(v: Variable): Map<number, string> {
    if (!v.array) {
      v.array = new Map();
      if (v.value !== undefined) v.array.set(0, v.value);
      v.value = undefined;
    }
    return v.array;
  }

  unset(name: string, index?: string): void {
    const target = this.resolve(name);
    const at = index ?? target.index;
    const v = this.raw(target.name);
    if (!v) return;
    if (v.readonly) throw new AssignError(`${name}: cannot unset: readonly variable`);
    if (at !== undefined) {
      if (v.assoc) v.assoc.delete(at);
      else if (v.array) v.array.delete(this.index(v, at, name));
      return;
    }
    this.unsetRaw(target.name);
  }

  unsetRaw(name: string): void {
    // A local of the function that runs stays local, without a value.
    const top = this.scopes.length - 1;
    if (top > 0 && this.scopes[top]?.has(name)) {
      this.scopes[top]?.set(name, newVariable());
      return;
    }
    for (let i = top; i >= 0; i--) if (this.scopes[i]?.delete(name)) return;
  }

  /** Keys in order; a plain variable has key 0. */
  keys(name: string): string[] {
    const v = this.find(name);
    if (!v) return [];
    if (v.assoc) return hashOrder(v.assoc);
    if (v.array) return sortedKeys(v.array).map(String);
    return v.value === undefined ? [] : ['0'];
  }

  values(name: string): string[] {
    const v = this.find(name);
    if (!v) return [];
    const { assoc } = v;
    if (assoc) return hashOrder(assoc).map((k) => assoc.get(k) ?? '');
    const array = v.array;
    if (array) return sortedKeys(array).map((k) => array.get(k) ?? '');
    return v.value === undefined ? [] : [v.value];
  }

  names(): string[] {
    const all = new Set<string>();
    for (const scope of this.scopes) for (const name of scope.keys()) all.add(name);
    return [...all].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  environment(): Record<string, string> {
    const env: Record<string, string> = {};
    for (const name of this.names()) {
      const v = this.raw(name);
      const value = v?.exported ? (v.array?.get(0) ?? v.value) : undefined;
      if (value !== undefined) env[name] = value;
    }
    return env;
  }
}

/** Keys as bash's hash table gives them: 1024 buckets by FNV-1, the newest first in each, more when it fills up. */
function hashOrder(map: ReadonlyMap<string, string>): string[] {
  let buckets = 1024;
  while (map.size > buckets * 2) buckets *= 4;
  const rows = [...map.keys()].map((key, age) => ({ key, age, bucket: fnv(key) & (buckets - 1) }));
  return rows.sort((a, b) => a.bucket - b.bucket || b.age - a.age).map(({ key }) => key);
}

function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

function sortedKeys(array: ReadonlyMap<number, string>): number[] {
  return [...array.keys()].sort((a, b) => a - b);
}

/** Would the shell take a character of this text for more than itself? */
export function hasMetas(text: string): boolean {
  return /[ \t\n'"\\|&;()<>!{}*[\]?^$`]/.test(text) || /^[~#]|[=:]~/.test(text);
}
export function singleQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Quotes a text so that the shell reads it back as one word (as `printf %q` and `set -x` do). */
export function shellQuote(text: string): string {
  if (text === '') return "''";
  if (/[\x00-\x1f\x7f]/.test(text)) return ansiQuote(text);
  if (/^[A-Za-z0-9_@%+=:,./^-]+$/.test(text) && !text.startsWith('=')) return text;
  return singleQuote(text);
}

/** Quotes with backslashes, as `printf %q` does. */
export function backslashQuote(text: string): string {
  if (text === '' || /[\x00-\x1f\x7f]/.test(text)) return shellQuote(text);
  return text.replace(/[^A-Za-z0-9_@%+=:,./^~#-]/gu, (c) => (c > '\x7f' ? c : `\\${c}`)).replace(/^[~#]/, '\\$&');
}

export function ansiQuote(text: string): string {
  const named: Record<string, string> = {
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\x1b': '\\E',
    '\x07': '\\a',
    '\b': '\\b',
  };
  const body = [...text].map((c) => {
    if (c === "'" || c === '\\') return `\\${c}`;
    if (c < ' ' || c === '\x7f') return named[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;
    return c;
  });
  return `$'${body.join('')}'`;
}

/** Value in double quotes, as `declare -p` prints it. */
export function doubleQuote(text: string): string {
  return /[\x00-\x1f\x7f]/.test(text) ? ansiQuote(text) : `"${text.replace(/["$`\\]/g, '\\$&')}"`;
}

/** `declare -p` line of a variable. */
export function declaration(name: string, v: Variable): string {
  let flags = '';
  if (v.array) flags += 'a';
  if (v.assoc) flags += 'A';
  if (v.integer) flags += 'i';
  if (v.letters === 'lower') flags += 'l';
  if (v.nameref) flags += 'n';
  if (v.readonly) flags += 'r';
  if (v.letters === 'upper') flags += 'u';
  if (v.exported) flags += 'x';
  const head = `declare -${flags || '-'} ${name}`;
  if (v.assoc) {
    const { assoc } = v;
    const body = hashOrder(assoc).map(
      (k) => `[${/^[\w./:-]+$/.test(k) ? k : doubleQuote(k)}]=${doubleQuote(assoc.get(k) ?? '')}`,
    );
    return `${head}=(${body.join(' ')}${body.length ? ' ' : ''})`;
  }
  const array = v.array;
  if (array)
    return `${head}=(${sortedKeys(array)
      .map((k) => `[${k}]=${doubleQuote(array.get(k) ?? '')}`)
      .join(' ')})`;
  return v.value === undefined ? head : `${head}=${doubleQuote(v.value)}`;
}
