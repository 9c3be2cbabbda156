/** Options of builtins: `-abc -d VALUE`, told off in bash's words. */
import { complain } from '../../misc/io.ts';
import type { Shell } from '../shell.ts';

export interface Parsed {
  readonly has: (letter: string) => boolean;
  readonly get: (letter: string) => string | undefined;
  readonly rest: readonly string[];
}

/** `spec` as for getopts (`ab:`); null after the complaint (status 2). `plus` accepts `+x` too (as letter `+x`). */
export async function options(
  sh: Shell,
  name: string,
  args: readonly string[],
  spec: string,
  usage: string,
  plus = false,
): Promise<Parsed | null> {
  const found = new Map<string, string>();
  let i = 0;
  for (; i < args.length; i++) {
    const word = args[i] ?? '';
    if (word === '--') {
      i++;
      break;
    }
    const on = word.startsWith('-');
    if (word.length < 2 || !(on || (plus && word.startsWith('+')))) break;
    for (let j = 1; j < word.length; j++) {
      const letter = word[j] ?? '';
      const at = letter === ':' ? -1 : spec.indexOf(letter);
      if (at < 0) {
        await sh.error(`${name}: ${word[0]}${letter}: invalid option`);
        await complain(sh.sys, `${name}: usage: ${usage}`);
        return null;
      }
      const key = on ? letter : `+${letter}`;
      if (spec[at + 1] !== ':') found.set(key, '');
      else {
        const value = j + 1 < word.length ? word.slice(j + 1) : args[++i];
        if (value === undefined) {
          await sh.error(`${name}: -${letter}: option requires an argument`);
          await complain(sh.sys, `${name}: usage: ${usage}`);
          return null;
        }
        found.set(key, value);
        break;
      }
    }
  }
  return { has: (l) => found.has(l), get: (l) => found.get(l), rest: args.slice(i) };
}
