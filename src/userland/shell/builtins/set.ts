/** Builtins about the shell's own settings: set, shopt, shift, let, resize. */
import { windowSize } from '../../misc/io.ts';
import type { Builtin, Shell } from '../shell.ts';
import { SET_OPTIONS, SHOPT_OPTIONS } from '../state.ts';
import { declaration, shellQuote } from '../vars.ts';
import { options } from './options.ts';

const set: Builtin = async (sh, args) => {
  if (args.length === 0) {
    let text = '';
    for (const name of sh.vars.names()) {
      const v = sh.vars.raw(name);
      if (v)
        text +=
          v.array || v.assoc
            ? `${declaration(name, v).replace(/^declare \S+ /, '')}\n`
            : `${name}=${shellQuote(v.value ?? '')}\n`;
    }
    return sh.out('set', text);
  }
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (word === '--' || word === '-') {
      sh.positional = args.slice(i + 1);
      return 0;
    }
    const m = /^([-+])(.+)$/.exec(word);
    if (!m) {
      sh.positional = args.slice(i);
      return 0;
    }
    const on = m[1] === '-';
    for (const letter of m[2] ?? '') {
      if (letter === 'o') {
        const name = args[++i];
        if (name === undefined) {
          const rows = SET_OPTIONS.map(([n]) =>
            on ? `${n.padEnd(15)}\t${sh.options.has(n) ? 'on' : 'off'}` : `set ${sh.options.has(n) ? '-' : '+'}o ${n}`,
          );
          return sh.out('set', `${rows.join('\n')}\n`);
        }
        if (!SET_OPTIONS.some(([n]) => n === name)) {
          await sh.error(`set: ${name}: invalid option name`);
          return 2;
        }
        setOption(sh, name, on);
        continue;
      }
      const option = SET_OPTIONS.find(([, l]) => l === letter)?.[0];
      if (!option) {
        await sh.error(`set: ${m[1]}${letter}: invalid option`);
        return 2;
      }
      setOption(sh, option, on);
    }
  }
  return 0;
};

export function setOption(sh: Shell, name: string, on: boolean): void {
  if (on) sh.options.add(name);
  else sh.options.delete(name);
}

const shopt: Builtin = async (sh, args) => {
  const o = await options(sh, 'shopt', args, 'pqsuo', 'shopt [-pqsu] [-o] [optname ...]');
  if (!o) return 2;
  const known: readonly string[] = o.has('o') ? SET_OPTIONS.map(([n]) => n) : SHOPT_OPTIONS;
  const table = o.has('o') ? sh.options : sh.shopts;
  let status = 0;
  let text = '';
  for (const name of o.rest.length ? o.rest : known) {
    if (!known.includes(name)) {
      await sh.error(`shopt: ${name}: invalid shell option name`);
      status = 1;
    } else if (o.rest.length && o.has('s')) {
      table.add(name);
      if (name === 'expand_aliases') sh.aliasStamp++;
    } else if (o.rest.length && o.has('u')) table.delete(name);
    else {
      const on = table.has(name);
      if ((o.has('s') && !on) || (o.has('u') && on)) continue;
      if (o.rest.length && !on) status = 1;
      text += o.has('p')
        ? o.has('o')
          ? `set ${on ? '-' : '+'}o ${name}\n`
          : `shopt ${on ? '-s' : '-u'} ${name}\n`
        : `${name.padEnd(15)}\t${on ? 'on' : 'off'}\n`;
    }
  }
  return o.has('q') ? status : (await sh.out('shopt', text)) || status;
};

const shift: Builtin = async (sh, args) => {
  const n = args[0] === undefined ? 1 : Number(args[0]);
  if (!Number.isInteger(n) || n < 0) {
    await sh.error(
      `shift: ${args[0]}: ${Number.isInteger(n) ? 'shift count out of range' : 'numeric argument required'}`,
    );
    return 1;
  }
  if (n > sh.positional.length) return 1;
  sh.positional = sh.positional.slice(n);
  return 0;
};

const letBuiltin: Builtin = async (sh, args) => {
  if (args.length === 0) {
    await sh.error('let: expression expected');
    return 1;
  }
  let value = 0n;
  for (const arg of args) value = sh.arith(arg);
  return value === 0n ? 1 : 0;
};

const checkwinsize: Builtin = async (sh) => {
  const { rows, columns } = await windowSize(sh.sys, 0);
  sh.vars.set('LINES', String(rows));
  sh.vars.set('COLUMNS', String(columns));
  return 0;
};

export const SET_BUILTINS: Record<string, Builtin> = { set, shopt, shift, let: letBuiltin, resize: checkwinsize };
