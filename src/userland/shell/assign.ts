/** Assignments: scalars, elements, whole arrays, `+=`. */
import { expandText, subscript } from './expand.ts';
import { expandWords } from './fields.ts';
import type { Assignment, Word } from './parse.ts';
import { parseWord } from './parse.ts';
import type { Shell } from './shell.ts';
import { traceAssignment } from './trace.ts';
import { AssignError, type Variable } from './vars.ts';

/** `local` writes into the innermost scope; `exported` marks the variable for the environment. */
export async function runAssignment(sh: Shell, a: Assignment, scope: 'local' | null, exported = false): Promise<void> {
  const value = a.value;
  const v = scope === 'local' ? sh.vars.local(a.name) : sh.vars.ensure(a.name);
  if (value?.type === 'ArrayValue') {
    if (!exported) await traceAssignment(sh, a, null);
    await assignArray(sh, v, a);
    return;
  }
  const text = value ? await expandText(sh, value as Word, true) : '';
  const index = a.index ? await subscript(sh, a.name, a.index.text) : undefined;
  if (scope === 'local') sh.vars.assign(v, a.name, text, index, a.append === true);
  else sh.vars.set(a.name, text, index, a.append === true);
  if (exported || sh.options.has('allexport')) v.exported = true;
  if (!exported) await traceAssignment(sh, a, text);
}

/** Splits `[key]=value` of an array element at its closing bracket; null for a plain element. */
function keyed(text: string): { key: string; value: string; append: boolean } | null {
  if (!text.startsWith('[')) return null;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']' && --depth === 0) {
      const m = /^(\+?)=/.exec(text.slice(i + 1));
      return m ? { key: text.slice(1, i), value: text.slice(i + 1 + m[0].length), append: m[1] === '+' } : null;
    }
  }
  return null;
}

export async function assignArray(sh: Shell, v: Variable, a: Assignment): Promise<void> {
  if (a.value?.type !== 'ArrayValue') return;
  if (v.readonly) throw new AssignError(`${a.name}: readonly variable`);
  const elements = a.value.elements;
  if (v.assoc) {
    const map = new Map(a.append ? v.assoc : []);
    for (let i = 0; i < elements.length; i++) {
      const text = elements[i]?.text ?? '';
      const pair = keyed(text);
      if (pair) {
        const key = await expandText(
          sh,
          parseWord(/\s/.test(pair.key) && !/["'$\\]/.test(pair.key) ? `"${pair.key}"` : pair.key),
        );
        map.set(
          key,
          (pair.append ? (map.get(key) ?? '') : '') +
            (pair.value === '' ? '' : await expandText(sh, parseWord(pair.value), true)),
        );
      } else {
        const [key = ''] = await expandWords(sh, [parseWord(text)]);
        const next = elements[++i];
        map.set(key, next ? await expandText(sh, next) : '');
      }
    }
    v.assoc = map;
    return;
  }
  const map = new Map<number, string>(a.append ? sh.vars.toArray(v) : []);
  let next = a.append ? Math.max(-1, ...map.keys()) + 1 : 0;
  const put = (value: string): void => {
    map.set(next++, v.integer ? sh.arith(value).toString() : value);
  };
  for (const element of elements) {
    const pair = keyed(element.text);
    if (pair) {
      next = Number(sh.arith(await expandText(sh, parseWord(pair.key))));
      const value = pair.value === '' ? '' : await expandText(sh, parseWord(pair.value), true);
      put(pair.append ? (map.get(next) ?? '') + value : value);
    } else for (const value of await expandWords(sh, [element])) put(value);
  }
  v.array = map;
  v.value = undefined;
}
