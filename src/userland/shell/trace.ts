/** `set -x`: what is about to run, as bash writes it. */
import { writeText } from '../misc/io.ts';
import type * as Ast from './parse.ts';
import type { Shell } from './shell.ts';
import { ansiQuote, hasMetas, singleQuote } from './vars.ts';

/** One word so that it could be typed again. */
export function traceQuote(text: string): string {
  if (text === '') return "''";
  if (hasMetas(text)) return singleQuote(text);
  return /[\x00-\x1f\x7f]/.test(text) ? ansiQuote(text) : text;
}

/** PS4 with its first character once for every level of eval, trap and substitution; null when nothing is traced. */
async function head(sh: Shell): Promise<string | null> {
  if (!sh.options.has('xtrace')) return null;
  const { status } = sh;
  // What runs to make PS4 is not traced itself.
  sh.options.delete('xtrace');
  const ps4 = await sh.promptString(sh.vars.get('PS4') ?? '');
  sh.options.add('xtrace');
  sh.status = status;
  return (ps4[0] ?? '').repeat(Math.max(0, sh.indirection)) + ps4;
}

async function put(sh: Shell, text: string): Promise<void> {
  await writeText(sh.sys, Number(sh.vars.get('BASH_XTRACEFD') ?? 2), `${text}\n`);
}

export async function traceText(sh: Shell, text: string): Promise<void> {
  const start = await head(sh);
  if (start !== null) await put(sh, start + text);
}

export async function traceWords(sh: Shell, words: readonly string[]): Promise<void> {
  const start = await head(sh);
  if (start === null) return;
  // An array value of `declare` has had its line already.
  const shown = words.map((word) => traceQuote(word.replace(/\+?=\u0001\d+$/, '')));
  await put(sh, start + shown.join(' '));
}

export function traceAssignment(sh: Shell, a: Ast.Assignment, value: string | null): Promise<void> {
  const index = a.index ? `[${a.index.text}]` : '';
  return traceText(
    sh,
    value === null ? a.text : `${a.name}${index}${a.append ? '+' : ''}=${value === '' ? '' : traceQuote(value)}`,
  );
}

/** A term of `[[ ]]`. */
export function traceTest(sh: Shell, inverted: boolean, ...words: readonly string[]): Promise<void> {
  return traceText(sh, `[[ ${inverted ? '! ' : ''}${words.map((word) => word || "''").join(' ')} ]]`);
}
