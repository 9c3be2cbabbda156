/** Words to arguments: braces, splitting by IFS, path names. */
import { braceExpand } from './brace.ts';
import { wordPieces } from './expand.ts';
import { glob } from './glob.ts';
import type { Word } from './parse.ts';
import { parseWord } from './parse.ts';
import { escapePattern, hasMagic } from './pattern.ts';
import { ExpandError, type ExpandHost, PLAIN } from './segments.ts';

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
