/** Word expansion: tilde, parameters, commands, arithmetic, splitting, path names, quote removal (in bash's order). */
import type { Sys } from '../../linux/uapi/sys.ts';
import { braceExpand } from './brace.ts';
import { type GlobOptions, glob } from './glob.ts';
import type { ParameterExpansionPart, ParsedScript, Word, WordPart } from './parse.ts';
import { parseTemplate, parseWord } from './parse.ts';
import { escapePattern, hasMagic, patternRegExp, unescapePattern } from './pattern.ts';
import { ansiUnescape } from './printf.ts';
import { declaration, NAME, shellQuote, type Vars } from './vars.ts';

/** Stops the command being expanded; `status` is the command's. `fatal`: a non-interactive shell ends. */
export class ExpandError extends Error {
  constructor(
    message: string,
    readonly status = 1,
    readonly fatal = true,
  ) {
    super(message);
  }
}

export interface ExpandHost {
  readonly sys: Sys;
  readonly vars: Vars;
  positional: string[];
  readonly globbing: GlobOptions & { readonly noglob: boolean; readonly nullglob: boolean; readonly failglob: boolean };
  readonly nounset: boolean;
  /** Value of a variable, positional or special parameter. */
  param(name: string): string | undefined;
  /** Array-like specials (FUNCNAME, PIPESTATUS …) and variables: is it a list, and its values. */
  list(name: string): { keys: string[]; values: string[] } | null;
  substitute(script: ParsedScript | undefined, text: string): Promise<string>;
  processSubstitution(operator: '<' | '>', script: ParsedScript | undefined): Promise<string>;
  arith(text: string): bigint;
  home(user: string): string | undefined;
  promptString(text: string): Promise<string>;
}

/** `q` quoted, `s` result of an unquoted expansion (to be split). */
interface Seg {
  readonly t: string;
  readonly q: boolean;
  readonly s: boolean;
}
/** null separates the fields of `"$@"`. */
type Piece = Seg | null;

interface Mode {
  readonly dq: boolean;
  /** Keep backslashes of literals (regular expressions). */
  readonly raw?: boolean;
  /** Tilde after `=` and `:` as in assignments. */
  readonly assign?: boolean;
}

const PLAIN: Mode = { dq: false };
const DQ: Mode = { dq: true };

export async function expandWords(h: ExpandHost, words: readonly Word[]): Promise<string[]> {
  const out: string[] = [];
  for (const word of words) await expandInto(h, word, out);
  return out;
}

async function expandInto(h: ExpandHost, word: Word, out: string[]): Promise<void> {
  if (word.text.includes('{') && word.text.includes('}')) {
    const expanded = braceExpand(word.text);
    if (expanded.length !== 1 || expanded[0] !== word.text) {
      for (const text of expanded) {
        if (text === '') continue;
        await fields(h, parseWord(text), out);
      }
      return;
    }
  }
  await fields(h, word, out);
}

const SIMPLE = /^[A-Za-z0-9_/.,:=+@%^-]+$/;

async function fields(h: ExpandHost, word: Word, out: string[]): Promise<void> {
  if (!word.parts && SIMPLE.test(word.text)) {
    out.push(word.text);
    return;
  }
  const pieces = await wordPieces(h, word, PLAIN);
  const ifs = h.param('IFS') ?? ' \t\n';
  let text = '';
  let pat = '';
  let exists = false;
  let magic = false;
  const close = () => {
    if (!exists) return;
    exists = false;
    if (magic && !h.globbing.noglob && hasMagic(pat)) {
      const found = glob(h.sys, pat, h.globbing);
      if (found.length > 0) out.push(...found);
      else if (h.globbing.failglob) throw new ExpandError(`no match: ${text}`);
      else if (!h.globbing.nullglob) out.push(text);
    } else out.push(text);
    text = '';
    pat = '';
    magic = false;
  };
  const add = (t: string, quoted: boolean) => {
    text += t;
    if (quoted) pat += escapePattern(t);
    else {
      pat += t;
      if (/[*?[(]/.test(t)) magic = true;
    }
  };
  for (const piece of pieces) {
    if (piece === null) {
      close();
      continue;
    }
    if (!piece.s) {
      if (piece.q || piece.t !== '') exists = true;
      add(piece.t, piece.q);
      continue;
    }
    if (ifs === '') {
      if (piece.t !== '') exists = true;
      add(piece.t, false);
      continue;
    }
    let i = 0;
    const t = piece.t;
    while (i < t.length) {
      const c = t[i] ?? '';
      if (!ifs.includes(c)) {
        let j = i;
        while (j < t.length && !ifs.includes(t[j] ?? '')) j++;
        exists = true;
        add(t.slice(i, j), false);
        i = j;
        continue;
      }
      if (/[ \t\n]/.test(c)) {
        while (i < t.length && ifs.includes(t[i] ?? '') && /[ \t\n]/.test(t[i] ?? '')) i++;
        // White space before a real separator belongs to it.
        if (i < t.length && ifs.includes(t[i] ?? '')) continue;
        close();
      } else {
        exists = true;
        close();
        i++;
        while (i < t.length && ifs.includes(t[i] ?? '') && /[ \t\n]/.test(t[i] ?? '')) i++;
      }
    }
  }
  close();
}

const joinPieces = (pieces: readonly Piece[]): string => pieces.map((p) => (p === null ? ' ' : p.t)).join('');

/** One text: no splitting, no path names (assignments, redirections, `case` words). */
export async function expandText(h: ExpandHost, word: Word, assign = false): Promise<string> {
  if (!word.parts && SIMPLE.test(word.text)) return word.text;
  return joinPieces(await wordPieces(h, word, assign ? { dq: false, assign: true } : PLAIN));
}

/** Like `expandText`, but quoted characters are escaped so that the result is a pattern. */
export async function expandPattern(h: ExpandHost, word: Word): Promise<string> {
  const pieces = await wordPieces(h, word, PLAIN);
  return pieces.map((p) => (p === null ? ' ' : p.q ? escapePattern(p.t) : p.t)).join('');
}

/** Right side of `=~`: quoted parts match themselves. */
export async function expandRegex(h: ExpandHost, word: Word): Promise<string> {
  const pieces = await wordPieces(h, word, { dq: false, raw: true });
  return pieces.map((p) => (p === null ? ' ' : p.q ? p.t.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : p.t)).join('');
}

/** Text in which only `$`, backquote and backslash are special (here-documents, arithmetic, prompts). */
export async function expandTemplate(h: ExpandHost, text: string): Promise<string> {
  const parts = parseTemplate(text);
  return parts ? joinPieces(await partsPieces(h, parts, DQ)) : text;
}

export async function expandParts(h: ExpandHost, parts: readonly WordPart[]): Promise<string> {
  return joinPieces(await partsPieces(h, parts, DQ));
}

/** Subscript or arithmetic text to a number. */
export async function arithText(h: ExpandHost, text: string): Promise<bigint> {
  return h.arith((await expandTemplate(h, text)).replaceAll('"', ''));
}

async function wordPieces(h: ExpandHost, word: Word, mode: Mode): Promise<Piece[]> {
  const parts = word.parts ?? [
    { type: 'Literal', pos: word.pos, end: word.end, text: word.text, value: word.value } as const,
  ];
  return partsPieces(h, parts, mode);
}

async function partsPieces(h: ExpandHost, parts: readonly WordPart[], mode: Mode): Promise<Piece[]> {
  const out: Piece[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part) await partPieces(h, part, mode, out, i === 0);
  }
  return out;
}

const seg = (t: string, q: boolean, s = false): Seg => ({ t, q, s });

async function partPieces(h: ExpandHost, part: WordPart, mode: Mode, out: Piece[], first: boolean): Promise<void> {
  switch (part.type) {
    case 'Literal':
      if (mode.dq) out.push(seg(part.value, true));
      else literalPieces(h, part.text, mode, out, first);
      return;
    case 'Glob':
      if (part.kind !== 'bracket' || part.parts.every((p) => p.type === 'Literal')) out.push(seg(part.text, mode.dq));
      else {
        out.push(seg('[', mode.dq), ...(await partsPieces(h, part.parts, mode)), seg(']', mode.dq));
      }
      return;
    case 'ExtendedGlob': {
      out.push(seg(`${part.operator}(`, mode.dq));
      if (part.parts) out.push(...(await partsPieces(h, part.parts, mode)));
      else out.push(seg(part.pattern, mode.dq));
      out.push(seg(')', mode.dq));
      return;
    }
    case 'BraceExpansion':
      if (part.parts) {
        out.push(...(await partsPieces(h, part.parts, mode)));
      } else out.push(seg(part.text, mode.dq));
      return;
    case 'SingleQuoted':
      out.push(seg(mode.dq ? part.text : part.value, true));
      return;
    case 'AnsiCQuoted':
      out.push(seg(mode.dq ? part.text : part.value, true));
      return;
    case 'LocaleString':
    case 'DoubleQuoted': {
      const inner = await partsPieces(h, part.parts, DQ);
      if (inner.length === 0 && part.parts.some((p) => /^\$(@|\{.*\[@\]|\{@|\{!.*@)/s.test(p.text))) return;
      out.push(seg('', true), ...inner);
      return;
    }
    case 'SimpleExpansion':
      out.push(...valuePieces(h, part.text.slice(1), undefined, mode));
      return;
    case 'ParameterExpansion':
      out.push(...(await parameterPieces(h, part, mode)));
      return;
    case 'CommandExpansion':
      out.push(seg(await h.substitute(part.script, part.text), mode.dq, !mode.dq));
      return;
    case 'ArithmeticExpansion': {
      const inner = part.text.startsWith('$((') ? part.text.slice(3, -2) : part.text.slice(2, -1);
      out.push(seg((await arithText(h, inner)).toString(), mode.dq, !mode.dq));
      return;
    }
    case 'ProcessSubstitution':
      out.push(seg(await h.processSubstitution(part.operator, part.script), true));
      return;
  }
}

function literalPieces(h: ExpandHost, text: string, mode: Mode, out: Piece[], first: boolean): void {
  if (mode.raw) {
    out.push(seg(text, false));
    return;
  }
  if (first) text = tilde(h, text, out);
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '\\') {
      const next = text[++i];
      if (next === '\n') continue;
      if (plain) out.push(seg(plain, false));
      plain = '';
      out.push(seg(next ?? '\\', true));
    } else {
      plain += c;
      if (mode.assign && c === ':' && text[i + 1] === '~') {
        out.push(seg(plain, false));
        plain = '';
        text = tilde(h, text.slice(i + 1), out);
        i = -1;
      }
    }
  }
  if (plain) out.push(seg(plain, false));
}

/** Takes a leading `~user` off and pushes the home directory; gives the rest. */
function tilde(h: ExpandHost, text: string, out: Piece[]): string {
  const m = /^~([A-Za-z_][\w-]*|\+|-)?(?=$|[/:])/.exec(text);
  if (!m) return text;
  const home = m[1] === '+' ? h.param('PWD') : m[1] === '-' ? h.param('OLDPWD') : h.home(m[1] ?? '');
  if (home === undefined) return text;
  out.push(seg(home, true));
  return text.slice(m[0].length);
}

function unbound(name: string): never {
  throw new ExpandError(`${name}: unbound variable`, 127);
}

/** `$x`, `$@`, `${a[i]}` without operators. */
function valuePieces(h: ExpandHost, name: string, value: string | undefined, mode: Mode): Piece[] {
  if (name === '@' || name === '*') return listPieces(h, h.positional, name, mode);
  const v = value ?? h.param(name);
  if (v === undefined && h.nounset) unbound(name);
  return [seg(v ?? '', mode.dq, !mode.dq)];
}

function listPieces(h: ExpandHost, values: readonly string[], kind: '@' | '*', mode: Mode): Piece[] {
  if (kind === '*' && mode.dq) {
    const ifs = h.param('IFS') ?? ' ';
    return [seg(values.join(ifs.slice(0, 1)), true)];
  }
  const out: Piece[] = [];
  values.forEach((v, i) => {
    if (i > 0) out.push(null);
    out.push(seg(v, mode.dq, !mode.dq));
  });
  return out;
}

/** Key of an associative array or number of an indexed one, as text for `Vars`. */
export async function subscript(h: ExpandHost, name: string, index: string): Promise<string> {
  if (h.vars.find(name)?.assoc)
    return expandText(h, parseWord(/\s/.test(index) && !/["'$]/.test(index) ? `"${index}"` : index));
  return expandTemplate(h, index);
}

async function parameterPieces(h: ExpandHost, part: ParameterExpansionPart, mode: Mode): Promise<Piece[]> {
  const op = part.operation;
  let name = part.parameter;
  if (op?.type === 'Unknown' || (name === '' && part.prefix !== '#'))
    throw new ExpandError(`${part.text}: bad substitution`);
  if (op?.type === 'Names') {
    const names = h.vars.names().filter((n) => n.startsWith(name));
    return listPieces(h, names, op.operator, mode);
  }
  let index = part.index?.text;
  if (part.prefix === '!' && (index === '@' || index === '*') && !op) {
    const keys = h.list(name)?.keys ?? [];
    return listPieces(h, keys, index, mode);
  }
  if (part.prefix === '!') {
    const at = index === undefined ? undefined : await subscript(h, name, index);
    const v = h.vars.raw(name);
    if (v?.nameref) return [seg(v.value ?? '', mode.dq, !mode.dq)];
    const target = at === undefined ? h.param(name) : h.vars.get(name, at);
    if (target === undefined || target === '') {
      if (h.nounset || target === undefined) throw new ExpandError(`${name}: invalid indirect expansion`);
      throw new ExpandError(`${target}: invalid variable name`);
    }
    const m = /^([A-Za-z_]\w*)\[(.*)\]$/s.exec(target);
    name = m?.[1] ?? target;
    index = m?.[2];
  }

  // The values the operator works on: one scalar or a list.
  const star = name === '@' || name === '*' ? name : index === '@' || index === '*' ? index : null;
  let values: string[] | null = null;
  let keys: string[] | null = null;
  let scalar: string | undefined;
  if (name === '@' || name === '*') values = h.positional;
  else if (star) {
    const list = h.list(name);
    values = list?.values ?? [];
    keys = list?.keys ?? [];
  } else if (index !== undefined) {
    const at = await subscript(h, name, index);
    const list = h.vars.find(name) ? null : h.list(name);
    scalar = list ? list.values[list.keys.indexOf(h.arith(at).toString())] : h.vars.get(name, at);
  } else scalar = h.param(name);

  if (part.prefix === '#') {
    if (name === '' || (name === '#' && !op)) return [seg(String(h.positional.length), mode.dq, !mode.dq)];
    if (scalar === undefined && !values && h.nounset) unbound(name);
    return [seg(String(values ? values.length : [...(scalar ?? '')].length), mode.dq, !mode.dq)];
  }

  const give = (v: string): Piece[] => [seg(v, mode.dq, !mode.dq)];
  if (!op) {
    if (values && star) return listPieces(h, values, star, mode);
    if (scalar === undefined && h.nounset) unbound(index === undefined ? name : `${name}[${index}]`);
    return give(scalar ?? '');
  }

  if (op.type === 'Default') {
    const set = values ? values.length > 0 : scalar !== undefined;
    const empty = op.operator.startsWith(':') && (values ? values.join('') === '' : scalar === '');
    const usable = set && !empty;
    const kind = op.operator.at(-1);
    const current = (): Piece[] => (values && star ? listPieces(h, values, star, mode) : give(scalar ?? ''));
    const operand = async (): Promise<Piece[]> => {
      const pieces = await wordPieces(h, op.operand, mode);
      // The unquoted text of an operand is split like an expansion.
      return mode.dq ? pieces : pieces.map((p) => (p && !p.q ? { ...p, s: true } : p));
    };
    if (kind === '+') return usable ? operand() : [];
    if (usable) return current();
    if (kind === '-') return operand();
    const text = joinPieces(await operand());
    if (kind === '=') {
      if (!NAME.test(name)) throw new ExpandError(`$${name}: cannot assign in this way`);
      h.vars.set(name, text, index === undefined ? undefined : await subscript(h, name, index));
      return give(text);
    }
    throw new ExpandError(
      `${name}: ${text || (op.operator === ':?' ? 'parameter null or not set' : 'parameter not set')}`,
      127,
    );
  }

  if (op.type === 'Slice') {
    const off = Number(await arithText(h, op.offset.text));
    const len = op.length === undefined ? undefined : Number(await arithText(h, op.length.text));
    if (values && star) return listPieces(h, sliceList(h, name, values, keys, off, len), star, mode);
    const chars = [...(scalar ?? '')];
    const from = off < 0 ? chars.length + off : off;
    if (from < 0) return give('');
    const to = len === undefined ? chars.length : len < 0 ? chars.length + len : from + len;
    if (len !== undefined && len < 0 && to < from) throw new ExpandError(`${len}: substring expression < 0`);
    return give(chars.slice(from, to).join(''));
  }

  if (scalar === undefined && !values) {
    if (h.nounset) unbound(name);
    if (op.type === 'Transform') return op.operand.text === 'Q' ? [] : give('');
  }
  const apply = await operator(h, part, name, mode);
  if (values && star) return listPieces(h, await mapAll(values, apply), star, mode);
  return give(await apply(scalar ?? ''));
}

async function mapAll(values: readonly string[], f: (v: string) => string | Promise<string>): Promise<string[]> {
  const out: string[] = [];
  for (const v of values) out.push(await f(v));
  return out;
}

function sliceList(
  h: ExpandHost,
  name: string,
  values: readonly string[],
  keys: readonly string[] | null,
  off: number,
  len: number | undefined,
): string[] {
  if (!keys) {
    const all = [h.param('0') ?? '', ...values];
    const from = off < 0 ? all.length + off : off;
    if (from < 0) return [];
    return all.slice(from, len === undefined ? undefined : from + Math.max(0, len));
  }
  const indexed = h.vars.find(name)?.assoc ? keys.map((_, i) => i) : keys.map(Number);
  const max = indexed.at(-1) ?? -1;
  const from = off < 0 ? max + 1 + off : off;
  const picked = values.filter((_, i) => (indexed[i] ?? 0) >= from);
  return len === undefined ? picked : picked.slice(0, Math.max(0, len));
}

async function operator(
  h: ExpandHost,
  part: ParameterExpansionPart,
  name: string,
  mode: Mode,
): Promise<(v: string) => string | Promise<string>> {
  const op = part.operation;
  if (op?.type === 'Remove') {
    const pattern = await expandPattern(h, op.operand);
    return (v) => remove(v, pattern, op.operator);
  }
  if (op?.type === 'Replace') {
    const pattern = await expandPattern(h, op.pattern);
    const replacement = op.replacement.parts
      ? joinPieces(await wordPieces(h, op.replacement, PLAIN))
      : mode.dq
        ? op.replacement.text.replace(/\\([\\/&])/g, '$1')
        : await expandText(h, op.replacement);
    return (v) => replace(v, pattern, replacement, op.operator);
  }
  if (op?.type === 'CaseModification') {
    const pattern = op.operand ? await expandPattern(h, op.operand) : '?';
    const re = patternRegExp(pattern === '' ? '?' : pattern);
    const up = op.operator.startsWith('^');
    const change = (c: string): string => (re.test(c) ? (up ? c.toUpperCase() : c.toLowerCase()) : c);
    return (v) =>
      op.operator.length === 2 ? [...v].map(change).join('') : [...v].map((c, i) => (i === 0 ? change(c) : c)).join('');
  }
  if (op?.type === 'Transform') {
    const letter = op.operand.text;
    return (v) => {
      switch (letter) {
        case 'Q':
          return /[\x00-\x1f]/.test(v) ? shellQuote(v) : `'${v.replaceAll("'", "'\\''")}'`;
        case 'E':
          return ansiUnescape(v);
        case 'U':
          return v.toUpperCase();
        case 'u':
          return v.slice(0, 1).toUpperCase() + v.slice(1);
        case 'L':
          return v.toLowerCase();
        case 'P':
          return h.promptString(v);
        case 'a': {
          const variable = h.vars.find(name);
          return variable ? (/^declare -(\S+)/.exec(declaration(name, variable))?.[1] ?? '').replace(/^-$/, '') : '';
        }
        case 'A':
          return `${name}=${shellQuote(v)}`;
        default:
          throw new ExpandError(`${part.text}: bad substitution`);
      }
    };
  }
  throw new ExpandError(`${part.text}: bad substitution`);
}

function remove(v: string, pattern: string, op: string): string {
  const plain = !hasMagic(pattern);
  if (plain) {
    const p = unescapePattern(pattern);
    if (op.startsWith('#')) return v.startsWith(p) ? v.slice(p.length) : v;
    return p !== '' && v.endsWith(p) ? v.slice(0, -p.length) : v;
  }
  const re = patternRegExp(pattern);
  const lengths = Array.from({ length: v.length + 1 }, (_, i) => i);
  if (op === '##' || op === '%%') lengths.reverse();
  for (const n of lengths) {
    if (op.startsWith('#') ? re.test(v.slice(0, n)) : re.test(v.slice(v.length - n)))
      return op.startsWith('#') ? v.slice(n) : v.slice(0, v.length - n);
  }
  return v;
}

function replace(v: string, pattern: string, by: string, op: string): string {
  if (pattern === '') return op === '/#' ? by + v : op === '/%' ? v + by : v;
  const re = patternRegExp(pattern);
  const longest = (at: number): number => {
    for (let end = v.length; end >= at; end--) if (re.test(v.slice(at, end))) return end;
    return -1;
  };
  if (op === '/#') {
    const end = longest(0);
    return end < 0 ? v : by + v.slice(end);
  }
  if (op === '/%') {
    for (let at = 0; at <= v.length; at++) if (re.test(v.slice(at))) return v.slice(0, at) + by;
    return v;
  }
  let out = '';
  for (let at = 0; at <= v.length; ) {
    const end = at < v.length || v === '' ? longest(at) : -1;
    if (end > at || (end === at && v === '')) {
      out += by;
      at = end;
      if (op === '/') return out + v.slice(at);
      if (v === '') break;
    } else {
      out += v[at] ?? '';
      at++;
    }
  }
  return out;
}
