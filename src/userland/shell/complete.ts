/** Tab completion: commands, variables, options from the tools' own tables, paths, PCI addresses, modules, CXL objects. */

import { COMPLETIONS } from '../misc/completion.ts';
import { join } from '../misc/io.ts';
import { TOOL_OPTIONS } from '../misc/tool.ts';
import { compareNames, list } from './glob.ts';
import type { Shell } from './shell.ts';

export interface Completion {
  /** What stands before the cursor as typed, to be replaced. */
  readonly word: string;
  /** The longest text all candidates agree on (with what ends a single one). */
  readonly text: string;
  readonly candidates: readonly string[];
}

export function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? '';
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/** Candidates in columns. */
export function listing(candidates: readonly string[], columns: number): string[] {
  const width = Math.max(...candidates.map((c) => c.length)) + 2;
  const per = Math.max(1, Math.floor(columns / width));
  const rows = Math.ceil(candidates.length / per);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: per }, (_, c) => (candidates[c * rows + r] ?? '').padEnd(width))
      .join('')
      .trimEnd(),
  );
}

/** Words of the simple command the cursor is in; the last one is being typed. */
export function commandWords(text: string): { words: string[]; quote: string } {
  let words: string[] = [];
  let word = '';
  let any = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (quote) {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === '\\') word += text[++i] ?? '';
    else if (c === '"' || c === "'") {
      quote = c;
      any = true;
    } else if (/[;|&(\n`]/.test(c) || (c === '{' && word === '')) {
      words = [];
      word = '';
      any = false;
    } else if (/[\s<>]/.test(c)) {
      if (word !== '' || any) words.push(word);
      word = '';
      any = false;
    } else word += c;
  }
  words.push(word);
  return { words, quote };
}

const escapeWord = (text: string): string => text.replace(/[\s"'\\$&;|<>()`*?[\]!#~]/g, '\\$&');

export function complete(sh: Shell, before: string): Completion {
  const { words, quote } = commandWords(before);
  while (/^[A-Za-z_]\w*=/.test(words[0] ?? '') && words.length > 1) words.shift();
  while (
    /^(sudo|exec|command|time|then|do|else|if|while|until|!|nohup|watch|xargs)$/.test(words[0] ?? '') &&
    words.length > 1
  )
    words.shift();
  const current = words.at(-1) ?? '';
  const typed = rawTail(before, quote);
  const done = (names: readonly string[], base = ''): Completion =>
    finish(typed, base, current.slice(base.length), names, quote);
  const redirect = /[<>]\s*[^\s<>|;&]*$/.test(before);
  if (/^\$\{?\w*$/.test(current)) {
    const open = current.startsWith('${') ? '${' : '$';
    const names = sh.vars.names().filter((n) => n.startsWith(current.slice(open.length)));
    return {
      word: typed,
      candidates: names,
      text:
        names.length === 0
          ? typed
          : typed.slice(0, typed.length - current.length) +
            open +
            commonPrefix(names) +
            (names.length === 1 && open === '${' ? '}' : ''),
    };
  }
  if (words.length === 1 && !redirect && !current.includes('/')) return done(commands(sh, current));
  const name = (words[0] ?? '').replace(/.*\//, '');
  if (!redirect && words.length > 1) {
    const spec = COMPLETIONS.get(name);
    const special = spec?.(sh.sys, words);
    if (special) {
      const base = special.base ?? '';
      const names = special.words.filter((w) => w.startsWith(current.slice(base.length)));
      if (names.length > 0) return done(names, base);
      if (special.only) return { word: typed, text: typed, candidates: [] };
    }
    if (current.startsWith('-')) {
      const options = TOOL_OPTIONS.get(name) ?? [];
      const hits = options.filter((o) => o.startsWith(current)).sort(compareNames);
      if (hits.length > 0) return done(hits);
    }
    if (['type', 'which', 'hash', 'man', 'help', 'timeout'].includes(name) && !current.includes('/'))
      return done(commands(sh, current));
    if (name === 'unset' || name === 'export') return done(sh.vars.names().filter((n) => n.startsWith(current)));
  }
  return paths(sh, current, typed, quote, name === 'cd' || name === 'rmdir' || name === 'pushd');
}

/** The raw text of the word under the cursor. */
function rawTail(before: string, quote: string): string {
  if (quote) return before.slice(before.lastIndexOf(quote));
  let i = before.length;
  while (i > 0 && (!/[\s;|&(<>`]/.test(before[i - 1] ?? '') || before[i - 2] === '\\')) i--;
  return before.slice(i);
}

function finish(typed: string, base: string, _rest: string, names: readonly string[], quote: string): Completion {
  const unique = [...new Set(names)].sort(compareNames);
  if (unique.length === 0) return { word: typed, text: typed, candidates: [] };
  const prefix = base + commonPrefix(unique);
  const text = quote ? quote + prefix : escapeWord(prefix).replaceAll('\\~', '~');
  if (unique.length > 1) return { word: typed, text: text.length >= typed.length ? text : typed, candidates: unique };
  const end = /[/=,]$/.test(prefix) ? '' : `${quote} `;
  return { word: typed, text: text + end, candidates: unique };
}

function commands(sh: Shell, prefix: string): string[] {
  const names = new Set<string>();
  for (const table of [sh.builtins.keys(), sh.functions.keys(), sh.aliases.keys()])
    for (const n of table) if (n.startsWith(prefix)) names.add(n);
  for (const word of [
    'if',
    'then',
    'else',
    'elif',
    'fi',
    'for',
    'while',
    'until',
    'do',
    'done',
    'case',
    'esac',
    'function',
    'select',
    'time',
  ])
    if (prefix !== '' && word.startsWith(prefix)) names.add(word);
  for (const dir of (sh.vars.get('PATH') ?? '').split(':'))
    for (const n of list(sh.sys, dir)) if (n.startsWith(prefix)) names.add(n);
  return [...names];
}

function paths(sh: Shell, current: string, typed: string, quote: string, dirsOnly: boolean): Completion {
  // `if=/dev/m`, `file=/x`: the path is what follows the last `=`.
  const eq = /^[\w-]+=/.exec(current)?.[0] ?? '';
  const path = current.slice(eq.length);
  const cut = path.lastIndexOf('/') + 1;
  const dir = path.slice(0, cut);
  const leaf = path.slice(cut);
  const real = dir.replace(/^~(?=\/)/, sh.home('') ?? '~') || '.';
  const names = list(sh.sys, real)
    .filter((n) => n.startsWith(leaf) && (leaf.startsWith('.') || !n.startsWith('.')))
    .map((n) => {
      const stat = sh.sys.stat(join(real, n));
      const isDir = typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000;
      return isDir ? `${n}/` : n;
    })
    .filter((n) => !dirsOnly || n.endsWith('/'));
  return finish(typed, eq + dir, leaf, names, quote);
}
