/** What expansion asks of the shell, and the pieces of text it works with. */
import type { Sys } from '../../linux/uapi/sys.ts';
import type { GlobOptions } from './glob.ts';
import type { ParsedScript } from './parse.ts';
import type { Vars } from './vars.ts';

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
  processSubstitution(operator: '<' | '>', script: ParsedScript | undefined, text: string): Promise<string>;
  arith(text: string): bigint;
  home(user: string): string | undefined;
  promptString(text: string): Promise<string>;
}

/** `q` quoted, `s` result of an unquoted expansion (to be split). */
export interface Seg {
  readonly t: string;
  readonly q: boolean;
  readonly s: boolean;
}
/** null separates the fields of `"$@"`. */
export type Piece = Seg | null;

export interface Mode {
  readonly dq: boolean;
  /** Keep backslashes of literals (regular expressions). */
  readonly raw?: boolean;
  /** Tilde after `=` and `:` as in assignments. */
  readonly assign?: boolean;
}

export const PLAIN: Mode = { dq: false };
export const DQ: Mode = { dq: true };

export const seg = (t: string, q: boolean, s = false): Seg => ({ t, q, s });
export const joinPieces = (pieces: readonly Piece[]): string => pieces.map((p) => (p === null ? ' ' : p.t)).join('');

export function unbound(name: string): never {
  throw new ExpandError(`${/^\d+$/.test(name) ? `$${name}` : name}: unbound variable`, 127);
}

/** `$x`, `$@`, `${a[i]}` without operators. */
export function valuePieces(h: ExpandHost, name: string, value: string | undefined, mode: Mode): Piece[] {
  if (name === '@' || name === '*') return listPieces(h, h.positional, name, mode);
  const v = value ?? h.param(name);
  if (v === undefined && h.nounset) unbound(name);
  return [seg(v ?? '', mode.dq, !mode.dq)];
}

export function listPieces(h: ExpandHost, values: readonly string[], kind: '@' | '*', mode: Mode): Piece[] {
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
