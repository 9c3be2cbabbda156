/** Word expansion to one text: tilde, parameters, commands, arithmetic, quote removal (in bash's order). */
import { parameterPieces, type WordExpander } from './parameter.ts';
import type { Word, WordPart } from './parse.ts';
import { parseTemplate, parseWord } from './parse.ts';
import { escapePattern } from './pattern.ts';
import { DQ, type ExpandHost, joinPieces, type Mode, type Piece, PLAIN, seg, valuePieces } from './segments.ts';

const SIMPLE = /^[A-Za-z0-9_/.,:=+@%^-]+$/;

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

/** Key of an associative array or number of an indexed one, as text for `Vars`. */
export async function subscript(h: ExpandHost, name: string, index: string): Promise<string> {
  if (h.vars.find(name)?.assoc)
    return expandText(h, parseWord(/\s/.test(index) && !/["'$]/.test(index) ? `"${index}"` : index));
  return expandTemplate(h, index);
}
export async function wordPieces(h: ExpandHost, word: Word, mode: Mode): Promise<Piece[]> {
  const parts = word.parts ?? [
    { type: 'Literal', pos: word.pos, end: word.end, text: word.text, value: word.value } as const,
  ];
  return partsPieces(h, parts, mode);
}

export async function partsPieces(h: ExpandHost, parts: readonly WordPart[], mode: Mode): Promise<Piece[]> {
  const out: Piece[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part) await partPieces(h, part, mode, out, i === 0);
  }
  return out;
}

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
      out.push(...(await parameterPieces(h, EXPANDER, part, mode)));
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
      out.push(seg(await h.processSubstitution(part.operator, part.script, part.text), true));
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

const EXPANDER: WordExpander = { wordPieces, expandPattern, arithText, subscript };
