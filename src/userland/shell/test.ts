/** The operators of `test`, `[` and `[[ ]]`. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { isatty } from '../misc/io.ts';

export interface TestHost {
  readonly sys: Sys;
  isSet(name: string): boolean;
  optionSet(name: string): boolean;
  isNameref(name: string): boolean;
}

const TYPES: Record<string, number> = { b: S_IFBLK, c: S_IFCHR, d: S_IFDIR, f: S_IFREG, p: S_IFIFO, S: S_IFSOCK };
export const UNARY = /^-[abcdefghknoprstuvwxzGLNORS]$/;
export const BINARY = /^(=|==|!=|<|>|=~|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

export async function unaryTest(h: TestHost, op: string, arg: string): Promise<boolean> {
  const letter = op.slice(1);
  const { sys } = h;
  if (letter === 'z') return arg === '';
  if (letter === 'n') return arg !== '';
  if (letter === 'v') return h.isSet(arg);
  if (letter === 'R') return h.isNameref(arg);
  if (letter === 'o') return h.optionSet(arg);
  if (letter === 't') return /^\d+$/.test(arg) && isatty(sys, Number(arg));
  if (letter === 'r') return arg !== '' && sys.access(arg, 4) === 0;
  if (letter === 'w') return arg !== '' && sys.access(arg, 2) === 0;
  if (letter === 'x') return arg !== '' && sys.access(arg, 1) === 0;
  const stat = letter === 'L' || letter === 'h' ? sys.lstat(arg) : sys.stat(arg);
  if (arg === '' || typeof stat === 'number') return false;
  if (letter === 'L' || letter === 'h') return (stat.mode & S_IFMT) === S_IFLNK;
  if (letter === 's') return stat.size > 0;
  if (letter === 'g') return (stat.mode & 0o2000) !== 0;
  if (letter === 'u') return (stat.mode & 0o4000) !== 0;
  if (letter === 'k') return (stat.mode & 0o1000) !== 0;
  if (letter === 'O' || letter === 'G') return stat.uid === sys.getuid();
  if (letter === 'N') return true;
  const type = TYPES[letter];
  return type === undefined ? true : (stat.mode & S_IFMT) === type;
}

/** File comparisons and string order; `=`, numbers and `=~` are the callers' (they differ between the three forms). */
export function fileTest(sys: Sys, op: string, a: string, b: string): boolean {
  const x = sys.stat(a);
  const y = sys.stat(b);
  if (op === '-ef') return typeof x !== 'number' && typeof y !== 'number' && x.ino === y.ino && x.dev === y.dev;
  const ta = typeof x === 'number' ? -1 : x.mtimeNs;
  const tb = typeof y === 'number' ? -1 : y.mtimeNs;
  return op === '-nt' ? ta > tb : ta < tb;
}

export function compareNumbers(op: string, a: bigint, b: bigint): boolean {
  switch (op) {
    case '-eq':
      return a === b;
    case '-ne':
      return a !== b;
    case '-lt':
      return a < b;
    case '-le':
      return a <= b;
    case '-gt':
      return a > b;
    default:
      return a >= b;
  }
}

export class TestError extends Error {}

function integer(text: string): bigint {
  const m = /^\s*([-+]?)(\d+)\s*$/.exec(text);
  if (!m) throw new TestError(`${text}: integer expression expected`);
  return BigInt.asIntN(64, (m[1] === '-' ? -1n : 1n) * BigInt(m[2] ?? '0'));
}

async function binary(h: TestHost, a: string, op: string, b: string): Promise<boolean> {
  if (op === '=' || op === '==') return a === b;
  if (op === '!=') return a !== b;
  if (op === '<') return a < b;
  if (op === '>') return a > b;
  if (op === '-nt' || op === '-ot' || op === '-ef') return fileTest(h.sys, op, a, b);
  return compareNumbers(op, integer(a), integer(b));
}

/** `test` with POSIX's rules by argument count; throws `TestError` for misuse (status 2). */
export async function evaluateTest(h: TestHost, args: readonly string[]): Promise<boolean> {
  const [a = '', b = '', c = '', d = ''] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (UNARY.test(a)) return unaryTest(h, a, b);
      throw new TestError(`${a}: unary operator expected`);
    case 3:
      if (BINARY.test(b) && b !== '=~') return binary(h, a, b, c);
      if (b === '-a') return a !== '' && c !== '';
      if (b === '-o') return a !== '' || c !== '';
      if (a === '!') return !(await evaluateTest(h, [b, c]));
      if (a === '(' && c === ')') return b !== '';
      throw new TestError(`${b}: binary operator expected`);
    case 4:
      if (a === '!') return !(await evaluateTest(h, [b, c, d]));
      if (a === '(' && d === ')') return evaluateTest(h, [b, c]);
  }
  const state = { at: 0 };
  const result = await either(h, args, state);
  if (state.at < args.length) throw new TestError('too many arguments');
  return result;
}

interface Cursor {
  at: number;
}
async function either(h: TestHost, args: readonly string[], s: Cursor): Promise<boolean> {
  let v = await both(h, args, s);
  while (args[s.at] === '-o') {
    s.at++;
    v = (await both(h, args, s)) || v;
  }
  return v;
}
async function both(h: TestHost, args: readonly string[], s: Cursor): Promise<boolean> {
  let v = await primary(h, args, s);
  while (args[s.at] === '-a') {
    s.at++;
    v = (await primary(h, args, s)) && v;
  }
  return v;
}
async function primary(h: TestHost, args: readonly string[], s: Cursor): Promise<boolean> {
  const a = args[s.at];
  if (a === undefined) throw new TestError('argument expected');
  if (a === '!') {
    s.at++;
    return !(await primary(h, args, s));
  }
  if (a === '(') {
    s.at++;
    const v = await either(h, args, s);
    if (args[s.at] !== ')') throw new TestError("`)' expected");
    s.at++;
    return v;
  }
  const op = args[s.at + 1];
  const c = args[s.at + 2];
  if (op !== undefined && c !== undefined && BINARY.test(op)) {
    s.at += 3;
    return binary(h, a, op, c);
  }
  if (UNARY.test(a) && op !== undefined) {
    s.at += 2;
    return unaryTest(h, a, op);
  }
  s.at++;
  return a !== '';
}
