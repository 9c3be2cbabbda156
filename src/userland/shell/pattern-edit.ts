/** What `${x#p}`, `${x%p}` and `${x/p/r}` do to a value. */

import { hasMagic, patternRegExp, unescapePattern } from './pattern.ts';
import type { Piece } from './segments.ts';

export function removePattern(v: string, pattern: string, op: string): string {
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

/** Text of a replacement, made for each match: an unquoted `&` is the match, `\\&` a plain one. */
export type Replacement = (match: string) => string;

export function replacement(pieces: readonly Piece[]): Replacement {
  const parts: (string | null)[] = [];
  for (const piece of pieces) {
    if (piece === null) parts.push(' ');
    else if (piece.q && !piece.s) parts.push(piece.t);
    else
      for (const [text] of piece.t.matchAll(/\\[&\\]|&|[^&\\]+|\\/g))
        parts.push(text === '&' ? null : text.replace(/^\\(?=.)/, ''));
  }
  return (match) => parts.map((part) => part ?? match).join('');
}

export function replacePattern(v: string, pattern: string, by: Replacement, op: string): string {
  if (pattern === '') return op === '/#' ? by('') + v : op === '/%' ? v + by('') : v;
  const re = patternRegExp(pattern);
  const longest = (at: number): number => {
    for (let end = v.length; end >= at; end--) if (re.test(v.slice(at, end))) return end;
    return -1;
  };
  if (op === '/#') {
    const end = longest(0);
    return end < 0 ? v : by(v.slice(0, end)) + v.slice(end);
  }
  if (op === '/%') {
    for (let at = 0; at <= v.length; at++) if (re.test(v.slice(at))) return v.slice(0, at) + by(v.slice(at));
    return v;
  }
  let out = '';
  for (let at = 0; at <= v.length; ) {
    const end = at < v.length || v === '' ? longest(at) : -1;
    if (end > at || (end === at && v === '')) {
      out += by(v.slice(at, end));
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
