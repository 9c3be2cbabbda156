/** Simple commands: assignments, expansion, functions and builtins in this process, programs in another. */
import { ArithError } from './arith.ts';
import { runAssignment } from './assign.ts';
import { DiscardSignal, ReturnSignal } from './control.ts';
import { expandTemplate, expandText } from './expand.ts';
import { external } from './external.ts';
import { expandWords } from './fields.ts';
import type * as Ast from './parse.ts';
import { parseWord } from './parse.ts';
import { Redirections } from './redirect.ts';
import type { Builtin, RunOptions, Shell } from './shell.ts';
import type { FunctionDef } from './state.ts';
import { traceText, traceWords } from './trace.ts';
import { beforeCommand, withFunctionTraps } from './traps.ts';
import { commandText } from './unparse.ts';
import { AssignError, singleQuote } from './vars.ts';

/** Builtins whose arguments `name=value` are assignments (no splitting, arrays allowed). */
const DECLARERS = new Set(['declare', 'typeset', 'local', 'export', 'readonly']);
/** Those of them that say each assignment again under `set -x`. */
const SAYING = new Set(['export', 'readonly']);

/**
 * The line a simple command is known by: the parser notes it when it has looked one token past the first word (which
 * might have been a function's name).
 */
export function commandLine(sh: Shell, node: Ast.Command): number {
  const parts = [...node.prefix, ...(node.name ? [node.name] : []), ...node.suffix];
  const [first, second] = parts;
  const seen = first?.type === 'Word' && second ? second : first;
  if (!seen) return sh.source.line(node.pos);
  const end = seen.type === 'HereDoc' || seen.type === 'Redirect' || seen.type === 'HereString' ? seen.pos : seen.end;
  return sh.source.line(end);
}

export async function runSimple(sh: Shell, node: Ast.Command, options: RunOptions): Promise<void> {
  const line = commandLine(sh, node);
  const text = commandText(sh, node);
  await beforeCommand(sh, line, text);
  sh.endLine = sh.source.line(node.end);
  const assignments = node.prefix.filter((p): p is Ast.Assignment => p.type === 'Assignment');
  sh.substituted = null;
  const words = await commandWords(sh, node);
  if (words.length === 0) {
    const redirections = new Redirections(sh, false);
    const ok = await sh.redirect(redirections, node.redirects);
    redirections.undo();
    if (!ok) return;
    for (const a of assignments) await runAssignment(sh, a, null);
    sh.status = sh.substituted ?? 0;
    sh.pipestatus = [sh.status];
    return;
  }
  const name = words[0] ?? '';
  if (sh.options.has('xtrace')) {
    for (const a of assignments) await traceText(sh, a.text);
    await traceWords(sh, words);
  }
  const def = sh.functions.get(name);
  const builtin = def ? undefined : sh.builtins.get(name);
  if (def || builtin) {
    const permanent = name === 'exec' && words.length === 1;
    const redirections = new Redirections(sh, false);
    if (!(await sh.redirect(redirections, node.redirects))) return;
    const scoped = assignments.length > 0 && name !== 'exec';
    if (scoped) sh.vars.scopes.push(new Map());
    try {
      for (const a of assignments) await runAssignment(sh, a, scoped ? 'local' : null, true);
      sh.status = def ? await callFunction(sh, def, words) : await runBuiltin(sh, name, words, builtin);
      // After eval and source it is they that failed.
      if (builtin && !sh.trapping) Object.assign(sh, { line, commandText: text });
      sh.pipestatus = [sh.status];
    } finally {
      if (scoped) sh.vars.scopes.pop();
      if (permanent) redirections.commit();
      else redirections.undo();
    }
  } else await external(sh, node, assignments, words, options);
  sh.lastArg = words.at(-1) ?? '';
}

async function commandWords(sh: Shell, node: Ast.Command): Promise<string[]> {
  if (!node.name) return [];
  const words = await expandWords(sh, [node.name]);
  const second = node.suffix[0];
  const name =
    words[0] === 'builtin' || words[0] === 'command' ? (second && 'text' in second ? second.text : '') : words[0];
  const declarer = DECLARERS.has(name ?? '');
  for (const item of node.suffix) {
    if (item.type === 'Word') words.push(...(await expandWords(sh, [item])));
    else if (item.type === 'Assignment') {
      if (declarer) words.push(await declarationArgument(sh, item, SAYING.has(name ?? '')));
      else words.push(...(await expandWords(sh, [parseWord(item.text)])));
    }
  }
  return words;
}

/** Text of a declaration argument: `name=value` expanded, arrays kept in a form `declare` reads back. */
async function declarationArgument(sh: Shell, a: Ast.Assignment, said: boolean): Promise<string> {
  if (a.value?.type === 'ArrayValue') {
    if (sh.options.has('xtrace') && !said) await traceText(sh, await arrayTrace(sh, a, a.value.elements));
    const key = `\u0001${sh.pendingArrays.push(a) - 1}`;
    return `${a.name}${a.append ? '+' : ''}=${key}`;
  }
  const value = a.value ? await expandText(sh, a.value, true) : '';
  const index = a.index ? `[${await expandTemplate(sh, a.index.text)}]` : '';
  return `${a.name}${index}${a.append ? '+' : ''}=${value}`;
}

/** `name=('x' 'y')`. Commands inside are not run for this: then the source text stands. */
async function arrayTrace(sh: Shell, a: Ast.Assignment, elements: readonly Ast.Word[]): Promise<string> {
  if (/[`]|\$\(/.test(a.text)) return a.text;
  const shown: string[] = [];
  for (const element of elements) {
    const m = /^\[([^\]]*)\]=(.*)$/s.exec(element.text);
    if (m) {
      const value = await expandText(sh, parseWord(m[2] || "''"));
      shown.push(`[${singleQuote(await expandText(sh, parseWord(m[1] || "''")))}]=${singleQuote(value)}`);
    } else for (const word of await expandWords(sh, [element])) shown.push(singleQuote(word));
  }
  return `${a.name}${a.append ? '+' : ''}=(${shown.join(' ')})`;
}

async function runBuiltin(
  sh: Shell,
  name: string,
  words: readonly string[],
  builtin: Builtin | undefined,
): Promise<number> {
  try {
    return (await builtin?.(sh, words.slice(1))) ?? 127;
  } catch (error) {
    if (!(error instanceof AssignError || error instanceof ArithError)) throw error;
    await sh.error(`${name}: ${error.message}`);
    return 1;
  }
}

async function callFunction(sh: Shell, def: FunctionDef, words: readonly string[]): Promise<number> {
  if (sh.frames.length > 500) {
    await sh.error(`${def.name}: maximum function nesting level exceeded (500)`);
    throw new DiscardSignal(1);
  }
  const { positional, source, line, loops } = sh;
  sh.positional = words.slice(1);
  sh.frames.push({ name: def.name, source: def.source.name, callLine: line });
  sh.vars.scopes.push(new Map());
  sh.source = def.source;
  sh.loops = 0;
  try {
    return await withFunctionTraps(sh, def, async () => {
      try {
        if (def.body.type === 'CompoundList') return await sh.runList(def.body);
        return await sh.command(def.body, {});
      } catch (error) {
        if (error instanceof ReturnSignal) return error.status;
        throw error;
      }
    });
  } finally {
    Object.assign(sh, { positional, source, loops, line });
    sh.frames.pop();
    sh.vars.scopes.pop();
  }
}
