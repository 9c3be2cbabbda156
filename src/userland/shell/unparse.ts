/** Commands back to text, laid out as bash does for `declare -f`, `type` and BASH_COMMAND. */
import type * as Ast from './parse.ts';
import type { Source } from './parse.ts';

const pad = (depth: number): string => '    '.repeat(depth);

interface Where {
  readonly source: Source;
}

/** A simple command on one line. */
export function commandText(where: Where, node: Ast.Command): string {
  const parts = [...node.prefix, ...(node.name ? [node.name] : []), ...node.suffix];
  const redirects = parts.filter((part): part is Ast.Redirection => isRedirection(part));
  const words = parts.filter((part) => !isRedirection(part)).map((part) => ('text' in part ? part.text : ''));
  return [...words, ...redirects.map((r) => redirection(where, r))].join(' ');
}

const isRedirection = (part: { readonly type: string }): boolean =>
  part.type === 'Redirect' || part.type === 'HereString' || part.type === 'HereDoc';

function redirection({ source }: Where, r: Ast.Redirection): string {
  const fd = r.descriptor ? source.text.slice(r.descriptor.pos, r.descriptor.end) : '';
  if (r.type === 'HereDoc') {
    const mark = r.delimiter?.value ?? '';
    const shown = r.delimiter?.quoted ? `'${mark}'` : mark;
    return `${fd}${r.operator}${shown}\n${r.body.text}${mark}\n`;
  }
  const target = r.target?.text ?? '';
  if (r.type === 'HereString') return `${fd}<<< ${target}`;
  if (r.operator === '>&' || r.operator === '<&')
    return `${fd || (r.operator === '>&' ? '1' : '0')}${r.operator}${target}`;
  return `${fd}${r.operator} ${target}`;
}

/** `name () ` and its body. */
export function functionText(where: Where, name: string, body: Ast.Function['body']): string {
  if (body.type === 'BraceGroup') return `${name} () \n${group(where, body.body, 0)}`;
  if (body.type === 'Redirected' && body.command.type === 'BraceGroup') {
    const rest = body.redirects.map((r) => redirection(where, r)).join(' ');
    return `${name} () \n${group(where, body.command.body, 0)} ${rest}`;
  }
  if (body.type === 'CompoundList') return `${name} () \n${group(where, body, 0)}`;
  return `${name} () \n{ \n${pad(1)}${node(where, body, 1)}\n}`;
}

function group(where: Where, body: Ast.CompoundList, depth: number): string {
  return `{ \n${list(where, body, depth + 1)}\n${pad(depth)}}`;
}

/** Statements one under the other, `;` between them. */
function list(where: Where, body: Ast.CompoundList, depth: number): string {
  let out = '';
  body.commands.forEach((statement, n) => {
    const text = statementText(where, statement, depth);
    const last = n === body.commands.length - 1;
    const after = body.commands[n - 1]?.background === true;
    out += (after ? '' : pad(depth)) + text + (last ? '' : statement.background ? ' ' : ';\n');
  });
  return out;
}

function statementText(where: Where, statement: Ast.Statement, depth: number): string {
  return node(where, statement.command, depth) + (statement.background ? ' &' : '');
}

/** Statements on the line of a keyword. */
function inline(where: Where, body: Ast.CompoundList, depth: number): string {
  return body.commands.map((s) => statementText(where, s, depth)).join('; ');
}

/** Any command as it stands inside others `depth` deep. */
export function node(where: Where, n: Ast.PipelineNode | Ast.AndOr, depth = 0): string {
  const block = (body: Ast.CompoundList): string => `${list(where, body, depth + 1)};\n${pad(depth)}`;
  switch (n.type) {
    case 'Command':
      return commandText(where, n);
    case 'AndOr':
      return n.commands.map((c, i) => (i ? ` ${n.operators[i - 1]} ` : '') + node(where, c, depth)).join('');
    case 'Pipeline': {
      const head = n.prefixes.map((p) => (p.type === 'Negation' ? '! ' : 'time ')).join('');
      return head + n.commands.map((c, i) => (i ? ` ${n.operators[i - 1]} ` : '') + node(where, c, depth)).join('');
    }
    case 'BraceGroup':
      return group(where, n.body, depth);
    case 'Subshell':
      return `( ${inline(where, n.body, depth)} )`;
    case 'If': {
      let out = `if ${inline(where, n.clause, depth)}; then\n${block(n.then)}`;
      for (const branch of n.elif) out += `elif ${inline(where, branch.clause, depth)}; then\n${block(branch.then)}`;
      if (n.else) out += `else\n${block(n.else)}`;
      return `${out}fi`;
    }
    case 'While':
      return `${n.kind} ${inline(where, n.clause, depth)}; do\n${block(n.body)}done`;
    case 'For': {
      const words = n.wordlist ? n.wordlist.map((w) => w.text).join(' ') : '"$@"';
      return `for ${n.name.text} in ${words};\n${pad(depth)}do\n${block(n.body)}done`;
    }
    case 'Select': {
      const words = n.wordlist ? n.wordlist.map((w) => w.text).join(' ') : '"$@"';
      return `select ${n.name.text} in ${words};\n${pad(depth)}do\n${block(n.body)}done`;
    }
    case 'ArithmeticFor': {
      const head = where.source.text.slice(n.pos, n.body.pos);
      const inner = head.slice(head.indexOf('((') + 2, head.lastIndexOf('))'));
      const [a = '', b = '', c = ''] = inner.split(';').map((s) => s.trim());
      return `for ((${a || '1'}; ${b || '1'}; ${c || '1'}))\n${pad(depth)}do\n${block(n.body)}done`;
    }
    case 'Case': {
      const items = n.items.map((item) => {
        const patterns = item.pattern.map((p) => p.text).join(' | ');
        const body = item.body.commands.length ? `${list(where, item.body, depth + 2)}\n` : '';
        return `${pad(depth + 1)}${patterns})\n${body}${pad(depth + 1)}${item.terminator ?? ';;'}\n`;
      });
      return `case ${n.word.text} in \n${items.join('')}${pad(depth)}esac`;
    }
    case 'TestCommand':
      return `[[ ${test(n.expression)} ]]`;
    case 'ArithmeticCommand':
      return `((${n.body}))`;
    case 'Redirected':
      return `${node(where, n.command, depth)} ${n.redirects.map((r) => redirection(where, r)).join(' ')}`;
    case 'Function':
      return functionText(where, n.name.text, n.body).replaceAll('\n', `\n${pad(depth)}`);
    default:
      return where.source.text.slice(n.pos, n.end);
  }
}

function test(e: Ast.TestExpression): string {
  switch (e.type) {
    case 'TestGroup':
      return `( ${test(e.expression)} )`;
    case 'TestNot':
      return `${'! '.repeat(e.negations.length)}${test(e.operand)}`;
    case 'TestLogical':
      return e.operands.map(test).join(` ${e.operator} `);
    case 'TestUnary':
      return `${e.operator} ${e.operand.text}`;
    case 'TestBinary':
      return `${e.left.text} ${e.operator} ${e.right.text}`;
  }
}
