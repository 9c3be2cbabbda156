/**
 * A pasted command line as words that know where they came from. Left out of the shell's language: expansions (a `$NAME` stays as
 * it is written), redirections (dropped) and everything after the first command.
 */
export interface Span {
  /** Offsets into the line as it was given. */
  readonly start: number;
  readonly end: number;
}

export interface Word extends Span {
  readonly text: string;
  /** Where each character of `text` stands in the line; one more for its end. */
  readonly at: readonly number[];
}

/** A part of a word's text as a place in the line. */
export function spanOf(word: Word, from = 0, to = word.text.length): Span {
  return { start: word.at[from] ?? word.end, end: to > from ? (word.at[to - 1] ?? word.end - 1) + 1 : word.end };
}

export interface Words {
  readonly words: readonly Word[];
  /** A quote that is never closed. */
  readonly open: Span | null;
}

const BLANK = /[ \t\r\n]/;
const ENDS = /[;&|\n]/;

export function shellWords(line: string): Words {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    const char = line[at] as string;
    if (char === '\\' && /^\\\r?\n/.test(line.slice(at, at + 3))) at = line.indexOf('\n', at) + 1;
    else if (char === '#') at = endOfLine(line, at);
    else if (ENDS.test(char)) {
      if (words.length > 0) break;
      at++;
    } else if (BLANK.test(char)) at++;
    else if (/^\d*[<>]/.test(line.slice(at, at + 4))) at = afterRedirection(line, at);
    else {
      const word = readWord(line, at);
      words.push(word.word);
      if (word.open) return { words, open: { start: word.open - 1, end: line.length } };
      at = word.word.end;
    }
  }
  return { words, open: null };
}

function endOfLine(line: string, at: number): number {
  const end = line.indexOf('\n', at);
  return end < 0 ? line.length : end;
}

/** `>file`, `2>&1`, `< file`: the operator and the word behind it. */
function afterRedirection(line: string, at: number): number {
  const match = /^\d*[<>]+&?[ \t]*/.exec(line.slice(at));
  const from = at + (match?.[0].length ?? 1);
  return from < line.length && !BLANK.test(line[from] as string) ? readWord(line, from).word.end : from;
}

/** @returns the word, and for a quote that stays open one more than its place */
function readWord(line: string, from: number): { word: Word; open: number } {
  let text = '';
  const at: number[] = [];
  let pos = from;
  const take = (index: number) => {
    text += line[index];
    at.push(index);
  };
  while (pos < line.length && !BLANK.test(line[pos] as string) && !ENDS.test(line[pos] as string)) {
    const char = line[pos];
    if (char === "'" || char === '"') {
      const begin = pos++;
      while (pos < line.length && line[pos] !== char) {
        if (char === '"' && line[pos] === '\\' && /["\\$`\n]/.test(line[pos + 1] ?? '')) pos++;
        if (line[pos] !== '\n' || char === "'") take(pos);
        pos++;
      }
      if (pos >= line.length) return { word: { text, at: [...at, pos], start: from, end: pos }, open: begin + 1 };
      pos++;
    } else if (char === '\\') {
      const next = /^\\\r?\n/.exec(line.slice(pos, pos + 3));
      if (next) pos += next[0].length;
      else {
        if (pos + 1 < line.length) take(pos + 1);
        pos += 2;
      }
    } else take(pos++);
  }
  return { word: { text, at: [...at, pos], start: from, end: Math.min(pos, line.length) }, open: 0 };
}
