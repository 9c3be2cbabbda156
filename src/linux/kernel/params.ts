/** kernel/params.c and lib/dynamic_debug.c: `key=value` arguments with quotes, typed parameters, debug switches. */
import type { ModuleParam } from '../include/module.ts';

export type ParamValues = Record<string, string>;

/** parse_args: words with optional values; double quotes keep spaces. */
export function parse_args(line: string): (readonly [key: string, value: string])[] {
  const out: (readonly [string, string])[] = [];
  for (const word of line.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []) {
    if (word === '--') break;
    const plain = word.replaceAll('"', '');
    const cut = plain.indexOf('=');
    out.push(cut < 0 ? [plain, ''] : [plain.slice(0, cut), plain.slice(cut + 1)]);
  }
  return out;
}

/** A value in the form its type shows it, or null if it is not one. A bare boolean means true. */
export function module_param_check(param: ModuleParam, value: string): string | null {
  switch (param.type) {
    case 'charp':
    case 'array of charp':
      return value;
    case 'bool':
      if (value === '' || /^[yY1tT]|^on$/i.test(value)) return 'Y';
      return /^[nN0fF]|^off$/i.test(value) ? 'N' : null;
    case 'int':
    case 'uint': {
      if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(value)) return null;
      const negative = value.startsWith('-');
      if (negative && param.type === 'uint') return null;
      const digits = value.replace(/^[+-]/, '');
      const octal = /^0[0-7]+$/.test(digits);
      const number = octal ? Number.parseInt(digits, 8) : Number(digits);
      return String(negative ? -number : number);
    }
  }
}

/** Which debug lines are on: rules in order, the last that matches decides. */
export class DynamicDebug {
  private rules: { readonly module: string | null; readonly fn: string | null; readonly on: boolean }[] = [];

  /** One query (`module cxl_core func foo +p`); several may be joined by `;`. False if it is not understood. */
  exec(query: string): boolean {
    for (const part of query.split(/[;\n]/)) {
      const words = part
        .trim()
        .split(/\s+/)
        .filter((word) => word !== '');
      if (words.length === 0) continue;
      const flags = /^([+=-])([pflmt_]*)$/.exec(words.at(-1) ?? '');
      if (!flags) return false;
      let module: string | null = null;
      let fn: string | null = null;
      for (let n = 0; n < words.length - 1; n += 2) {
        const value = words[n + 1] ?? '';
        if (n + 1 >= words.length - 1) return false;
        if (words[n] === 'module') module = value.replaceAll('-', '_');
        else if (words[n] === 'func') fn = value;
        else if (words[n] !== 'file' && words[n] !== 'line' && words[n] !== 'format') return false;
      }
      const [, op, letters = ''] = flags;
      const p = letters.includes('p');
      if (op === '=' || p) this.rules.push({ module, fn, on: op !== '-' && p });
    }
    return true;
  }
  enabled(module: string, fn: string): boolean {
    if (this.rules.length === 0) return false;
    const name = module.replaceAll('-', '_');
    for (let n = this.rules.length - 1; n >= 0; n--) {
      const rule = this.rules[n];
      if (!rule) continue;
      const module = rule.module === null || rule.module === name || glob(rule.module, name);
      if (module && (rule.fn === null || rule.fn === fn || glob(rule.fn, fn))) return rule.on;
    }
    return false;
  }
  forget(module: string): void {
    this.rules = this.rules.filter((rule) => rule.module !== module);
  }
  show(): string {
    return this.rules
      .map(
        (rule) =>
          `${rule.module ? `module ${rule.module} ` : ''}${rule.fn ? `func ${rule.fn} ` : ''}${rule.on ? '+' : '-'}p\n`,
      )
      .join('');
  }
}

function glob(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
