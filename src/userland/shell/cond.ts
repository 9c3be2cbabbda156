/** The `[[ ]]` command. */

import { expandPattern, expandRegex, expandText } from './expand.ts';
import type * as Ast from './parse.ts';
import { patternRegExp, posixRegExp } from './pattern.ts';
import { ExpandError } from './segments.ts';
import type { Shell } from './shell.ts';
import { compareNumbers, fileTest, unaryTest } from './test.ts';
import { traceTest } from './trace.ts';

export async function runTest(sh: Shell, e: Ast.TestExpression, inverted = false): Promise<boolean> {
  switch (e.type) {
    case 'TestGroup':
      return runTest(sh, e.expression, inverted);
    case 'TestNot': {
      const odd = e.negations.length % 2 === 1;
      const v = await runTest(sh, e.operand, odd);
      return odd ? !v : v;
    }
    case 'TestLogical':
      for (const operand of e.operands) {
        const v = await runTest(sh, operand);
        if (v !== (e.operator === '&&')) return v;
      }
      return e.operator === '&&';
    case 'TestUnary': {
      const arg = await expandText(sh, e.operand);
      await traceTest(sh, inverted, e.operator, arg);
      return unaryTest(sh, e.operator, arg);
    }
    case 'TestBinary':
      return binary(sh, e, inverted);
  }
}

async function binary(sh: Shell, e: Ast.TestBinaryExpression, inverted: boolean): Promise<boolean> {
  const left = await expandText(sh, e.left);
  const nocase = sh.shopts.has('nocasematch') ? 'i' : '';
  switch (e.operator) {
    case '=':
    case '==':
    case '!=': {
      const pattern = await expandPattern(sh, e.right);
      await traceTest(sh, inverted, left, e.operator, pattern);
      return patternRegExp(pattern, nocase).test(left) === (e.operator !== '!=');
    }
    case '=~': {
      const source = await expandRegex(sh, e.right);
      await traceTest(sh, inverted, left, '=~', source);
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
      await traceTest(sh, inverted, left, e.operator, right);
      return e.operator === '<' ? left < right : left > right;
    }
    case '-nt':
    case '-ot':
    case '-ef': {
      const right = await expandText(sh, e.right);
      await traceTest(sh, inverted, left, e.operator, right);
      return fileTest(sh.sys, e.operator, left, right);
    }
    default: {
      const right = await expandText(sh, e.right);
      await traceTest(sh, inverted, left, e.operator, right);
      return compareNumbers(e.operator, sh.arith(left), sh.arith(right));
    }
  }
}
