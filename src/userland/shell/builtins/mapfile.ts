/** mapfile, readarray: lines into an array. */
import { LineReader } from '../../misc/io.ts';
import type { Builtin } from '../shell.ts';
import { NAME, shellQuote } from '../vars.ts';
import { options } from './options.ts';

export const mapfile: Builtin = async (sh, args) => {
  const o = await options(
    sh,
    'mapfile',
    args,
    'd:n:O:s:tu:C:c:',
    'mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]',
  );
  if (!o) return 2;
  const name = o.rest[0] ?? 'MAPFILE';
  if (!NAME.test(name)) {
    await sh.error(`mapfile: \`${name}': not a valid identifier`);
    return 1;
  }
  const d = o.has('d') ? o.get('d') || '\0' : '\n';
  const reader = new LineReader(sh.sys, Number(o.get('u') ?? 0), d.charCodeAt(0), o.has('n') ? 1 : undefined);
  const v = sh.vars.ensure(name);
  if (!o.has('O') || !v.array) {
    v.array = new Map();
    v.value = undefined;
  }
  let at = Number(o.get('O') ?? 0);
  let skip = Number(o.get('s') ?? 0);
  const count = Number(o.get('n') ?? 0) || Number.POSITIVE_INFINITY;
  const quantum = Number(o.get('c') ?? 5000) || 5000;
  for (let n = 0; n < count; ) {
    const line = await reader.next();
    if (line === null) break;
    if (skip-- > 0) continue;
    const text = o.has('t') || !reader.terminated ? line : line + d;
    n++;
    const callback = o.get('C');
    if (callback !== undefined && n % quantum === 0) await sh.evalText(`${callback} ${at} ${shellQuote(text)}`);
    v.array.set(at++, text);
  }
  return 0;
};
