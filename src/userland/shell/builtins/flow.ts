/** Builtins about the flow: break, return, exit, eval, source, exec, caller. */
import { strerror } from '../../../base/errno.ts';
import { readFileText } from '../../misc/io.ts';
import { BreakSignal, ExitSignal, ReturnSignal } from '../control.ts';
import { execute } from '../external.ts';
import { Source } from '../parse.ts';
import type { Builtin, Shell } from '../shell.ts';
import { options } from './options.ts';
import { trap } from './trap.ts';

const jump =
  (kind: 'break' | 'continue'): Builtin =>
  async (sh, args) => {
    if (sh.loops === 0) {
      await sh.error(`${kind}: only meaningful in a \`for', \`while', or \`until' loop`);
      return 0;
    }
    const n = Number(args[0] ?? 1);
    if (!Number.isInteger(n) || n < 1) {
      await sh.error(
        `${kind}: ${args[0]}: ${Number.isInteger(n) ? 'loop count out of range' : 'numeric argument required'}`,
      );
      throw new BreakSignal('break', sh.loops);
    }
    throw new BreakSignal(kind, Math.min(n, sh.loops));
  };

async function statusArg(sh: Shell, who: string, arg: string | undefined): Promise<number> {
  if (arg === undefined) return sh.status;
  if (/^[-+]?\d+$/.test(arg.trim())) return Number(BigInt.asUintN(8, BigInt(arg.trim().replace(/^\+/, ''))));
  await sh.error(`${who}: ${arg}: numeric argument required`);
  return 2;
}

const exit: Builtin = async (sh, args) => {
  if (sh.interactive && sh.depth === 0) await sh.sys.write(2, new TextEncoder().encode('exit\n'));
  throw new ExitSignal(await statusArg(sh, 'exit', args[0]));
};

const returnBuiltin: Builtin = async (sh, args) => {
  if (sh.frames.length === 0) {
    await sh.error("return: can only `return' from a function or sourced script");
    return 2;
  }
  throw new ReturnSignal(await statusArg(sh, 'return', args[0]));
};

const evalBuiltin: Builtin = async (sh, args) => {
  const text = args.join(' ');
  if (text.trim() === '') return 0;
  sh.indirection++;
  try {
    return await sh.runSource(new Source(text, sh.source.name, sh.endLine, { evaluated: true }));
  } finally {
    sh.indirection--;
  }
};

const source: Builtin = async (sh, args) => {
  const [file, ...rest] = args[0] === '--' ? args.slice(1) : args;
  if (file === undefined) {
    await sh.error('source: filename argument required');
    return 2;
  }
  let path = file;
  if (!file.includes('/'))
    for (const dir of (sh.vars.get('PATH') ?? '').split(':')) {
      const stat = sh.sys.stat(`${dir}/${file}`);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000) {
        path = `${dir}/${file}`;
        break;
      }
    }
  const text = await readFileText(sh.sys, path);
  if (typeof text === 'number') {
    await sh.error(`${file}: ${strerror(text)}`);
    return 1;
  }
  const { positional, line } = sh;
  if (rest.length) sh.positional = rest;
  sh.frames.push({ name: 'source', source: path, callLine: line });
  sh.indirection++;
  try {
    sh.status = 0;
    return await sh.runSource(new Source(text, path));
  } catch (error) {
    if (error instanceof ReturnSignal) return error.status;
    throw error;
  } finally {
    sh.frames.pop();
    sh.indirection--;
    if (rest.length) sh.positional = positional;
    sh.line = line;
  }
};

const exec: Builtin = async (sh, args) => {
  const o = await options(sh, 'exec', args, 'cla:', 'exec [-cl] [-a name] [command [argument ...]] [redirection ...]');
  if (!o) return 2;
  if (o.rest.length === 0) return 0;
  const argv0 = o.get('a') ?? (o.has('l') ? `-${o.rest[0]}` : undefined);
  const status = await execute(sh, o.rest, argv0);
  if (!sh.interactive) throw new ExitSignal(status);
  return status;
};

/** `caller`: line and file of the call; `caller N`: line, function and file of the Nth call outwards. */
const caller: Builtin = async (sh, args) => {
  const files = sh.callers((f) => f.source, sh.scriptFile);
  const lines = sh.callers((f) => String(f.callLine), '0');
  const names = sh.callers((f) => f.name, 'main');
  if (sh.frames.length === 0) return 1;
  if (args[0] === undefined) return sh.out('caller', `${lines[0]} ${files[1] ?? 'NULL'}\n`);
  if (!/^\d+$/.test(args[0])) {
    await sh.error(`caller: ${args[0]}: invalid number`);
    return 2;
  }
  const n = Number(args[0]);
  if (n + 1 >= names.length) return 1;
  return sh.out('caller', `${lines[n]} ${names[n + 1]} ${files[n + 1]}\n`);
};

export const FLOW_BUILTINS: Record<string, Builtin> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  break: jump('break'),
  continue: jump('continue'),
  exit,
  logout: exit,
  return: returnBuiltin,
  eval: evalBuiltin,
  source,
  '.': source,
  exec,
  caller,
  trap,
};
