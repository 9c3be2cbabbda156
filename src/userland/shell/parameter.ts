/** `${…}`: indirection, lengths, defaults, slices and the operators on values. */
import type { ParameterExpansionPart, Word } from './parse.ts';
import { patternRegExp } from './pattern.ts';
import { removePattern, replacement, replacePattern } from './pattern-edit.ts';
import { ansiUnescape } from './printf.ts';
import {
  ExpandError,
  type ExpandHost,
  joinPieces,
  listPieces,
  type Mode,
  type Piece,
  PLAIN,
  seg,
  unbound,
} from './segments.ts';
import { declaration, doubleQuote, NAME, shellQuote, singleQuote, type Variable } from './vars.ts';

/** Expansion of the words inside the braces, which may hold parameters again. */
export interface WordExpander {
  wordPieces(h: ExpandHost, word: Word, mode: Mode): Promise<Piece[]>;
  expandPattern(h: ExpandHost, word: Word): Promise<string>;
  arithText(h: ExpandHost, text: string): Promise<bigint>;
  subscript(h: ExpandHost, name: string, index: string): Promise<string>;
}

export async function parameterPieces(
  h: ExpandHost,
  e: WordExpander,
  part: ParameterExpansionPart,
  mode: Mode,
): Promise<Piece[]> {
  const op = part.operation;
  let name = part.parameter;
  const toggle = /^\$\{(\w+)~(~?)\}$/.exec(part.text);
  if (toggle) {
    const flip = (c: string): string => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase());
    const text = h.param(toggle[1] ?? '') ?? '';
    const flipped = toggle[2] ? [...text].map(flip).join('') : flip(text.slice(0, 1)) + text.slice(1);
    return [seg(flipped, mode.dq, !mode.dq)];
  }
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
    const at = index === undefined ? undefined : await e.subscript(h, name, index);
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
    const at = await e.subscript(h, name, index);
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
      const pieces = await e.wordPieces(h, op.operand, mode);
      // The unquoted text of an operand is split like an expansion.
      return mode.dq ? pieces : pieces.map((p) => (p && !p.q ? { ...p, s: true } : p));
    };
    if (kind === '+') return usable ? operand() : [];
    if (usable) return current();
    if (kind === '-') return operand();
    const text = joinPieces(await operand());
    if (kind === '=') {
      if (!NAME.test(name)) throw new ExpandError(`$${name}: cannot assign in this way`);
      h.vars.set(name, text, index === undefined ? undefined : await e.subscript(h, name, index));
      return give(text);
    }
    throw new ExpandError(
      `${name}: ${text || (op.operator === ':?' ? 'parameter null or not set' : 'parameter not set')}`,
      127,
    );
  }

  if (op.type === 'Slice') {
    const off = Number(await e.arithText(h, op.offset.text));
    const len = op.length === undefined ? undefined : Number(await e.arithText(h, op.length.text));
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
  if (op.type === 'Transform' && star && keys && /^[AKka]$/.test(op.operand.text)) {
    const variable = h.vars.find(name);
    if (variable) return wholeArray(h, name, variable, op.operand.text, star, mode);
  }
  const apply = await operator(h, e, part, name, mode);
  if (values && star) return listPieces(h, await mapAll(values, apply), star, mode);
  return give(await apply(scalar ?? ''));
}

/** `${a[@]@A}` and its like speak of the array as a whole. */
function wholeArray(
  h: ExpandHost,
  name: string,
  variable: Variable,
  letter: string,
  star: '@' | '*',
  mode: Mode,
): Piece[] {
  const keys = h.vars.keys(name);
  const values = h.vars.values(name);
  if (letter === 'A') return [seg(declaration(name, variable), mode.dq, !mode.dq)];
  const flags = (/^declare -(\S+)/.exec(declaration(name, variable))?.[1] ?? '').replace(/^-$/, '');
  if (letter === 'a')
    return listPieces(
      h,
      values.map(() => flags),
      star,
      mode,
    );
  const pairs = keys.flatMap((key, n) => [key, values[n] ?? '']);
  if (letter === 'k') return listPieces(h, pairs, star, mode);
  const text = keys.map((key, n) => `${key} ${doubleQuote(values[n] ?? '')}`).join(' ');
  return [seg(text + (variable.assoc ? ' ' : ''), mode.dq, !mode.dq)];
}

const quoted = (v: string): string => (/[\x00-\x1f]/.test(v) ? shellQuote(v) : singleQuote(v));

/** In double quotes backslashes stay, for `&` to be told from `\\&`. */
async function replacementPieces(h: ExpandHost, e: WordExpander, word: Word, mode: Mode): Promise<Piece[]> {
  if (word.parts) return e.wordPieces(h, word, PLAIN);
  if (mode.dq) return [seg(word.text.replaceAll('\\/', '/'), false)];
  return e.wordPieces(h, word, PLAIN);
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
  e: WordExpander,
  part: ParameterExpansionPart,
  name: string,
  mode: Mode,
): Promise<(v: string) => string | Promise<string>> {
  const op = part.operation;
  if (op?.type === 'Remove') {
    const pattern = await e.expandPattern(h, op.operand);
    return (v) => removePattern(v, pattern, op.operator);
  }
  if (op?.type === 'Replace') {
    const pattern = await e.expandPattern(h, op.pattern);
    const by = replacement(await replacementPieces(h, e, op.replacement, mode));
    return (v) => replacePattern(v, pattern, by, op.operator);
  }
  if (op?.type === 'CaseModification') {
    const pattern = op.operand ? await e.expandPattern(h, op.operand) : '?';
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
          return quoted(v);
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
        case 'A': {
          const variable = h.vars.find(name);
          const flags = variable ? /^declare -(\S+)/.exec(declaration(name, variable))?.[1] : '-';
          return `${flags === '-' ? '' : `declare -${flags} `}${name}=${quoted(v)}`;
        }
        case 'K':
        case 'k':
          return quoted(v);
        default:
          throw new ExpandError(`${part.text}: bad substitution`);
      }
    };
  }
  throw new ExpandError(`${part.text}: bad substitution`);
}
