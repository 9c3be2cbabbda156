/** getopts: the options of a script or function, one a call. */
import { complain } from '../../misc/io.ts';
import type { Builtin } from '../shell.ts';

export const getopts: Builtin = async (sh, args) => {
  const [spec = '', name = '', ...given] = args;
  if (args.length < 2) {
    await sh.error('getopts: usage: getopts optstring name [arg ...]');
    return 2;
  }
  const words = given.length ? given : sh.positional;
  const silent = spec.startsWith(':');
  let at = Number(sh.vars.get('OPTIND') ?? '1');
  if (at !== sh.optind) sh.optchar = 0;
  const word = words[at - 1];
  const end = (): number => {
    sh.vars.set(name, '?');
    sh.optind = at;
    sh.vars.set('OPTIND', String(at));
    return 1;
  };
  if (word === undefined || !word.startsWith('-') || word === '-') return end();
  if (word === '--') {
    at++;
    return end();
  }
  const pos = sh.optchar || 1;
  const letter = word[pos] ?? '';
  const where = letter === ':' ? -1 : spec.indexOf(letter);
  const advance = () => {
    if (pos + 1 < word.length) sh.optchar = pos + 1;
    else {
      sh.optchar = 0;
      at++;
    }
  };
  sh.vars.unsetRaw('OPTARG');
  if (where < 0) {
    advance();
    if (silent) sh.vars.set('OPTARG', letter);
    else await complain(sh.sys, `${sh.name}: illegal option -- ${letter}`);
    sh.vars.set(name, '?');
  } else if (spec[where + 1] !== ':') {
    advance();
    sh.vars.set(name, letter);
  } else {
    sh.optchar = 0;
    const rest = word.slice(pos + 1);
    const value = rest !== '' ? rest : words[at];
    at += rest !== '' ? 1 : 2;
    if (value === undefined) {
      at = words.length + 1;
      if (silent) sh.vars.set('OPTARG', letter);
      else await complain(sh.sys, `${sh.name}: option requires an argument -- ${letter}`);
      sh.vars.set(name, silent ? ':' : '?');
    } else {
      sh.vars.set('OPTARG', value);
      sh.vars.set(name, letter);
    }
  }
  sh.optind = at;
  sh.vars.set('OPTIND', String(at));
  return 0;
};
