/** Compound commands: if, loops, case, groups, subshells, `[[ ]]`, `(( ))`. */

import { complain, LineReader } from '../misc/io.ts';
import { ArithError } from './arith.ts';
import { runTest } from './cond.ts';
import { BreakSignal } from './control.ts';
import { expandPattern, expandTemplate, expandText } from './expand.ts';
import { expandWords } from './fields.ts';
import type * as Ast from './parse.ts';
import { patternRegExp } from './pattern.ts';
import { fork, waitPipeline } from './processes.ts';
import type { RunOptions, Shell } from './shell.ts';
import { traceText } from './trace.ts';
import { beforeCommand, runSignalTraps } from './traps.ts';
import { node as nodeText } from './unparse.ts';

export async function runCompound(sh: Shell, node: Ast.CompoundCommand, options: RunOptions): Promise<void> {
  switch (node.type) {
    case 'BraceGroup':
      await sh.runList(node.body, options);
      return;
    case 'Subshell': {
      sh.line = sh.source.line(node.pos);
      if (!sh.trapping) sh.commandText = nodeText(sh, node);
      if (options.last && sh.traps.size === 0) {
        await sh.runList(node.body, options);
        return;
      }
      const monitor = sh.options.has('monitor');
      const pid = fork(
        sh,
        async (child) => {
          child.interactive = false;
          child.loops = 0;
          child.options.delete('monitor');
          return child.runList(node.body, { last: true });
        },
        monitor ? { pgid: 0, keepTested: true } : { keepTested: true },
      );
      if (monitor) sh.sys.setpgid(pid, pid);
      sh.status = (await waitPipeline(sh, [pid], monitor ? pid : 0, ''))[0] ?? 0;
      return;
    }
    case 'If': {
      if (await condition(sh, node.clause)) {
        await sh.runList(node.then);
        return;
      }
      for (const branch of node.elif)
        if (await condition(sh, branch.clause)) {
          await sh.runList(branch.then);
          return;
        }
      if (node.else) await sh.runList(node.else);
      else sh.status = 0;
      return;
    }
    case 'While': {
      let status = 0;
      await loop(sh, async (body) => {
        while ((await condition(sh, node.clause)) === (node.kind === 'while')) {
          if (!(await body(node.body))) break;
          status = sh.status;
        }
        sh.status = status;
      });
      return;
    }
    case 'For': {
      const words = node.wordlist ? await expandWords(sh, node.wordlist) : [...sh.positional];
      const name = node.name.text;
      sh.status = 0;
      await loop(sh, async (body) => {
        const head = node.wordlist ? ` in ${node.wordlist.map((w) => w.text).join(' ')}` : ' in "$@"';
        for (const word of words) {
          await beforeCommand(sh, sh.source.line(node.pos), `for ${name}${head}`);
          await traceText(sh, `for ${name}${head}`);
          sh.vars.set(name, word);
          if (!(await body(node.body))) break;
        }
      });
      return;
    }
    case 'ArithmeticFor': {
      const header = forHeader(sh.source.text.slice(node.pos, node.body.pos));
      const line = sh.source.line(node.pos);
      const step = async (text: string | undefined): Promise<bigint> => {
        if (!text) return 1n;
        await beforeCommand(sh, line, `((${text}))`);
        const expanded = await expandTemplate(sh, text);
        await traceText(sh, `(( ${expanded} ))`);
        return sh.arith(expanded.replaceAll('"', ''));
      };
      await step(header[0]);
      sh.status = 0;
      await loop(sh, async (body) => {
        while ((await step(header[1])) !== 0n) {
          if (!(await body(node.body))) break;
          await step(header[2]);
        }
      });
      return;
    }
    case 'Select':
      await select(sh, node);
      return;
    case 'Case':
      await runCase(sh, node);
      return;
    case 'ArithmeticCommand': {
      await beforeCommand(sh, sh.source.line(node.pos), nodeText(sh, node));
      sh.status = 1;
      try {
        const text = await expandTemplate(sh, node.body);
        await traceText(sh, `(( ${text} ))`);
        sh.status = sh.arith(text.replaceAll('"', '')) === 0n ? 1 : 0;
      } catch (error) {
        if (!(error instanceof ArithError)) throw error;
        await sh.error(`((: ${error.message}`);
      }
      return;
    }
    case 'TestCommand':
      await beforeCommand(sh, sh.source.line(node.pos), nodeText(sh, node));
      sh.status = (await runTest(sh, node.expression)) ? 0 : 1;
      return;
  }
}

/** `for ((a; b; c))` text to its three expressions. */
function forHeader(text: string): string[] {
  const open = text.indexOf('((');
  const close = text.lastIndexOf('))');
  return text
    .slice(open + 2, close)
    .split(';')
    .map((s) => s.trim());
}

async function condition(sh: Shell, list: Ast.CompoundList): Promise<boolean> {
  sh.tested++;
  try {
    return (await sh.runList(list)) === 0;
  } finally {
    sh.tested--;
  }
}

/** Runs a loop; the body function says whether to go on. */
async function loop(
  sh: Shell,
  run: (body: (list: Ast.CompoundList) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  sh.loops++;
  try {
    await run(async (list) => {
      await sh.sys.tick();
      if (sh.pendingSignals.length > 0) await runSignalTraps(sh);
      try {
        await sh.runList(list);
        return true;
      } catch (error) {
        if (!(error instanceof BreakSignal)) throw error;
        sh.status = 0;
        if (--error.levels > 0 && sh.loops > 1) throw error;
        return error.kind === 'continue';
      }
    });
  } finally {
    sh.loops--;
  }
}

async function runCase(sh: Shell, node: Ast.Case): Promise<void> {
  await beforeCommand(sh, sh.source.line(node.pos), `case ${node.word.text} in `);
  await traceText(sh, `case ${node.word.text} in`);
  const word = await expandText(sh, node.word);
  sh.status = 0;
  let fall = false;
  const flags = sh.shopts.has('nocasematch') ? 'i' : '';
  for (const item of node.items) {
    let hit = fall;
    for (const pattern of item.pattern) {
      if (hit) break;
      hit = patternRegExp(await expandPattern(sh, pattern), flags).test(word);
    }
    if (!hit) continue;
    await sh.runList(item.body);
    if (item.terminator === ';;' || item.terminator === undefined) return;
    fall = item.terminator === ';&';
  }
}

async function select(sh: Shell, node: Ast.Select): Promise<void> {
  const words = node.wordlist ? await expandWords(sh, node.wordlist) : [...sh.positional];
  const reader = new LineReader(sh.sys, 0);
  const menu = words.map((w, i) => `${i + 1}) ${w}`).join('\n');
  await complain(sh.sys, menu);
  await loop(sh, async (body) => {
    for (;;) {
      await sh.sys.write(2, new TextEncoder().encode(await sh.promptString(sh.vars.get('PS3') ?? '#? ')));
      const line = await reader.next();
      if (line === null) break;
      if (line.trim() === '') {
        await complain(sh.sys, menu);
        continue;
      }
      sh.vars.set('REPLY', line);
      sh.vars.set(node.name.text, words[Number(line.trim()) - 1] ?? '');
      if (!(await body(node.body))) break;
    }
  });
}
