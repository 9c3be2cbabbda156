/** Compound commands: if, loops, case, groups, subshells, `[[ ]]`, `(( ))`. */

import { complain, LineReader } from '../misc/io.ts';
import { ArithError } from './arith.ts';
import { BreakSignal } from './control.ts';
import { arithText, ExpandError, expandPattern, expandRegex, expandText, expandWords } from './expand.ts';
import type * as Ast from './parse.ts';
import { patternRegExp, posixRegExp } from './pattern.ts';
import type { RunOptions, Shell } from './shell.ts';
import { compareNumbers, fileTest, unaryTest } from './test.ts';

export async function runCompound(sh: Shell, node: Ast.CompoundCommand, options: RunOptions): Promise<void> {
  switch (node.type) {
    case 'BraceGroup':
      await sh.runList(node.body, options);
      return;
    case 'Subshell': {
      if (options.last && sh.traps.size === 0) {
        await sh.runList(node.body, options);
        return;
      }
      const monitor = sh.options.has('monitor');
      const pid = sh.fork(
        async (child) => {
          child.interactive = false;
          child.options.delete('monitor');
          return child.runList(node.body, { last: true });
        },
        monitor ? { pgid: 0, keepTested: true } : { keepTested: true },
      );
      if (monitor) sh.sys.setpgid(pid, pid);
      sh.status = (await sh.waitPipeline([pid], monitor ? pid : 0, ''))[0] ?? 0;
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
          await sh.traceText(`for ${name}${head}`);
          sh.vars.set(name, word);
          if (!(await body(node.body))) break;
        }
      });
      return;
    }
    case 'ArithmeticFor': {
      const header = forHeader(sh.source.text.slice(node.pos, node.body.pos));
      if (header[0]) await arithText(sh, header[0]);
      sh.status = 0;
      await loop(sh, async (body) => {
        while (!header[1] || (await arithText(sh, header[1])) !== 0n) {
          if (!(await body(node.body))) break;
          if (header[2]) await arithText(sh, header[2]);
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
      sh.line = sh.source.line(node.pos);
      await sh.traceText(`(( ${node.body} ))`);
      sh.status = 1;
      try {
        sh.status = (await arithText(sh, node.body)) === 0n ? 1 : 0;
      } catch (error) {
        if (!(error instanceof ArithError)) throw error;
        await sh.error(`((: ${error.message}`);
      }
      return;
    }
    case 'TestCommand':
      sh.line = sh.source.line(node.pos);
      sh.status = (await test(sh, node.expression)) ? 0 : 1;
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
      if (sh.pendingSignals.length > 0) await sh.signals();
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
  await sh.traceText(`case ${node.word.text} in`);
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

async function test(sh: Shell, e: Ast.TestExpression): Promise<boolean> {
  switch (e.type) {
    case 'TestGroup':
      return test(sh, e.expression);
    case 'TestNot': {
      const v = await test(sh, e.operand);
      return e.negations.length % 2 === 1 ? !v : v;
    }
    case 'TestLogical':
      for (const operand of e.operands) {
        const v = await test(sh, operand);
        if (v !== (e.operator === '&&')) return v;
      }
      return e.operator === '&&';
    case 'TestUnary': {
      const arg = await expandText(sh, e.operand);
      await sh.traceText(`[[ ${e.operator} ${arg} ]]`);
      return unaryTest(sh, e.operator, arg);
    }
    case 'TestBinary':
      return binary(sh, e);
  }
}

async function binary(sh: Shell, e: Ast.TestBinaryExpression): Promise<boolean> {
  const left = await expandText(sh, e.left);
  const nocase = sh.shopts.has('nocasematch') ? 'i' : '';
  switch (e.operator) {
    case '=':
    case '==':
    case '!=': {
      const pattern = await expandPattern(sh, e.right);
      await sh.traceText(`[[ ${left} ${e.operator} ${pattern} ]]`);
      return patternRegExp(pattern, nocase).test(left) === (e.operator !== '!=');
    }
    case '=~': {
      const source = await expandRegex(sh, e.right);
      await sh.traceText(`[[ ${left} =~ ${source} ]]`);
      let re: RegExp;
      try {
        re = posixRegExp(source, nocase);
      } catch {
        throw new ExpandError('syntax error in regular expression', 2, false);
      }
      const m = re.exec(left);
      const v = sh.vars.ensure('BASH_REMATCH');
      v.value = undefined;
      v.array = new Map(m ? [...m].map((t, i) => [i, t ?? '']) : []);
      return m !== null;
    }
    case '<':
    case '>': {
      const right = await expandText(sh, e.right);
      return e.operator === '<' ? left < right : left > right;
    }
    case '-nt':
    case '-ot':
    case '-ef':
      return fileTest(sh.sys, e.operator, left, await expandText(sh, e.right));
    default: {
      const right = await expandText(sh, e.right);
      await sh.traceText(`[[ ${left} ${e.operator} ${right} ]]`);
      return compareNumbers(e.operator, sh.arith(left), sh.arith(right));
    }
  }
}
