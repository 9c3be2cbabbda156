/** Builtins that print: echo, printf, pwd, test. */
import { strftime } from '../../misc/time.ts';
import { printf, unescapeText } from '../printf.ts';
import type { Builtin, Shell } from '../shell.ts';
import { evaluateTest, TestError } from '../test.ts';
import { backslashQuote, shellQuote, type Variable } from '../vars.ts';

export function doubleQuoteReady(name: string, v: Variable): string {
  return `${name}=${shellQuote(v.value ?? '')}`;
}

export function echoText(args: readonly string[], escapes = false): string {
  let newline = true;
  let i = 0;
  for (; i < args.length && /^-[neE]+$/.test(args[i] ?? ''); i++)
    for (const c of (args[i] ?? '').slice(1)) {
      if (c === 'n') newline = false;
      else escapes = c === 'e';
    }
  const text = args.slice(i).join(' ');
  if (!escapes) return text + (newline ? '\n' : '');
  const r = unescapeText(text, true);
  return r.text + (newline && !r.stop ? '\n' : '');
}

const echo: Builtin = (sh, args) => sh.out('echo', echoText(args, sh.shopts.has('xpg_echo')));

const printfBuiltin: Builtin = async (sh, args) => {
  let rest = args;
  let variable: string | null = null;
  if (rest[0] === '-v') {
    variable = rest[1] ?? '';
    rest = rest.slice(2);
  }
  if (rest[0] === '--') rest = rest.slice(1);
  if (rest.length === 0) {
    await sh.error('printf: usage: printf [-v var] format [arguments]');
    return 2;
  }
  const now = sh.sys.clockGettime('realtime');
  const r = printf(rest[0] ?? '', rest.slice(1), backslashQuote, (format, seconds) =>
    strftime(
      format,
      seconds < 0n ? now - (seconds === -2n ? sh.sys.clockGettime('monotonic') : 0) : Number(seconds) * 1e9,
    ),
  );
  let status = 0;
  for (const error of r.errors) {
    await sh.error(`printf: ${error}`);
    if (!error.startsWith('warning')) status = 1;
  }
  if (variable === null) return (await sh.out('printf', r.text)) || status;
  const m = /^([A-Za-z_]\w*)(?:\[(.*)\])?$/s.exec(variable);
  if (!m) {
    await sh.error(`printf: \`${variable}': not a valid identifier`);
    return 2;
  }
  sh.vars.set(m[1] ?? '', r.text, m[2]);
  return status;
};

async function runTest(sh: Shell, name: string, args: readonly string[]): Promise<number> {
  try {
    return (await evaluateTest(sh, args)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await sh.error(`${name}: ${error.message}`);
    return 2;
  }
}

const bracket: Builtin = async (sh, args) => {
  if (args.at(-1) !== ']') {
    await sh.error("[: missing `]'");
    return 2;
  }
  return runTest(sh, '[', args.slice(0, -1));
};

const pwd: Builtin = (sh, args) => sh.out('pwd', `${args[0] === '-P' ? sh.sys.getcwd() : logicalPwd(sh)}\n`);

/** $PWD if it still names the current directory. */
export function logicalPwd(sh: Shell): string {
  const cwd = sh.sys.getcwd();
  const pwd = sh.vars.get('PWD');
  if (pwd === undefined || pwd === cwd || !pwd.startsWith('/')) return cwd;
  const a = sh.sys.stat(pwd);
  const b = sh.sys.stat('.');
  return typeof a !== 'number' && typeof b !== 'number' && a.ino === b.ino && a.dev === b.dev ? pwd : cwd;
}

export const PRINT_BUILTINS: Record<string, Builtin> = {
  echo,
  printf: printfBuiltin,
  pwd,
  test: (sh, args) => runTest(sh, 'test', args),
  '[': bracket,
};
