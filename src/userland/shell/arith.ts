/** Shell arithmetic on 64-bit two's complement integers: recursive descent over already expanded text. */

export class ArithError extends Error {
  constructor(
    message: string,
    /** The expression's text is in the message already. */
    readonly named = false,
  ) {
    super(message);
  }
}

/** How names are read and written. `subscript` is the text between brackets, if any. */
export interface ArithScope {
  get(name: string, subscript?: string): string | undefined;
  set(name: string, value: string, subscript?: string): void;
}

type Node =
  | { k: 'num'; v: bigint }
  | { k: 'var'; name: string; sub: string | undefined }
  | { k: 'un'; op: string; a: Node }
  | { k: 'step'; op: '++' | '--'; prefix: boolean; a: Node }
  | { k: 'bin'; op: string; a: Node; b: Node; at: string }
  | { k: 'cond'; c: Node; a: Node; b: Node }
  | { k: 'set'; op: string; a: Node; b: Node };

const wrap = (v: bigint): bigint => BigInt.asIntN(64, v);

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const ASSIGN = ['<<=', '>>=', '+=', '-=', '*=', '/=', '%=', '&=', '^=', '|=', '='];

class Parser {
  at = 0;
  /** Where the last operator stands: what an unexpected end is blamed on. */
  operatorAt = 0;
  constructor(readonly text: string) {}

  skip(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }
  peek(op: string): boolean {
    this.skip();
    return this.text.startsWith(op, this.at);
  }
  take(op: string): boolean {
    if (!this.peek(op)) return false;
    this.at += op.length;
    return true;
  }
  error(why: string): never {
    this.skip();
    const rest = this.text.slice(this.at).trim() === '' ? this.text.slice(this.operatorAt) : this.text.slice(this.at);
    throw new ArithError(`${why} (error token is "${rest}")`);
  }

  comma(): Node {
    let a = this.assignment();
    while (this.take(',')) a = { k: 'bin', op: ',', a, b: this.assignment(), at: '' };
    return a;
  }
  assignment(): Node {
    const a = this.ternary();
    this.skip();
    for (const op of ASSIGN)
      if (this.text.startsWith(op, this.at) && !(op === '=' && this.text[this.at + 1] === '=')) {
        if (a.k !== 'var') this.error('attempted assignment to non-variable');
        this.at += op.length;
        return { k: 'set', op: op.slice(0, -1), a, b: this.assignment() };
      }
    return a;
  }
  ternary(): Node {
    const c = this.binary(0);
    if (!this.take('?')) return c;
    const a = this.comma();
    if (!this.take(':')) this.error("`:' expected for conditional expression");
    return { k: 'cond', c, a, b: this.assignment() };
  }
  binary(level: number): Node {
    const ops = LEVELS[level];
    if (!ops) return this.power();
    let a = this.binary(level + 1);
    for (;;) {
      this.skip();
      const op = ops.find((o) => this.text.startsWith(o, this.at));
      const next = op === undefined ? '' : (this.text[this.at + op.length] ?? '');
      if (op === undefined) return a;
      // `a | b` is not the start of `||` or `|=`, `<` not of `<<`; `==` is no assignment.
      if (next === '=' && !['==', '!=', '<=', '>='].includes(op)) return a;
      if (['|', '&', '<', '>', '*'].includes(op) && next === op) return a;
      this.operatorAt = this.at;
      this.at += op.length;
      this.skip();
      const at = this.text.slice(this.at);
      a = { k: 'bin', op, a, b: this.binary(level + 1), at };
    }
  }
  power(): Node {
    const a = this.unary();
    if (!this.take('**')) return a;
    return { k: 'bin', op: '**', a, b: this.power(), at: this.text.slice(this.at) };
  }
  unary(): Node {
    this.skip();
    for (const op of ['++', '--'] as const)
      if (this.text.startsWith(op, this.at)) {
        const save = this.at;
        this.at += 2;
        const a = this.unary();
        if (a.k === 'var') return { k: 'step', op, prefix: true, a };
        this.at = save;
        break;
      }
    const c = this.text[this.at] ?? '';
    if ('+-!~'.includes(c) && c !== '') {
      this.at++;
      return { k: 'un', op: c, a: this.unary() };
    }
    const a = this.primary();
    if (a.k === 'var')
      for (const op of ['++', '--'] as const) if (this.take(op)) return { k: 'step', op, prefix: false, a };
    return a;
  }
  primary(): Node {
    this.skip();
    if (this.take('(')) {
      const a = this.comma();
      if (!this.take(')')) this.error("missing `)'");
      return a;
    }
    const rest = this.text.slice(this.at);
    const number = /^(\d+#[0-9A-Za-z@_]*|0[xX][0-9A-Fa-f]*|\d[0-9A-Za-z_]*)/.exec(rest)?.[1];
    if (number !== undefined) {
      const v = parseNumber(number, rest);
      this.at += number.length;
      return { k: 'num', v };
    }
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (name === undefined)
      this.error(rest.trim() === '' ? 'syntax error: operand expected' : 'syntax error: operand expected');
    this.at += name.length;
    if (this.text[this.at] !== '[') return { k: 'var', name, sub: undefined };
    let depth = 0;
    const start = this.at + 1;
    for (; this.at < this.text.length; this.at++) {
      if (this.text[this.at] === '[') depth++;
      else if (this.text[this.at] === ']' && --depth === 0) break;
    }
    const sub = this.text.slice(start, this.at);
    this.at++;
    return { k: 'var', name, sub };
  }
}

/** A constant as bash reads it: decimal, 0octal, 0xhex, base#digits. Wraps at 64 bits. */
function parseNumber(token: string, rest = token): bigint {
  const hash = token.indexOf('#');
  if (hash >= 0) {
    const base = Number(token.slice(0, hash));
    if (base < 2 || base > 64) throw new ArithError(`invalid arithmetic base (error token is "${rest}")`);
    return digits(token.slice(hash + 1), base, rest);
  }
  if (/^0[xX]/.test(token)) return digits(token.slice(2), 16, rest);
  if (token.length > 1 && token.startsWith('0')) return digits(token.slice(1), 8, rest);
  return digits(token, 10, rest);
}

function digits(text: string, base: number, rest: string): bigint {
  let v = 0n;
  for (const c of text) {
    let d: number;
    if (c >= '0' && c <= '9') d = c.charCodeAt(0) - 48;
    else if (c >= 'a' && c <= 'z') d = c.charCodeAt(0) - 87;
    else if (c >= 'A' && c <= 'Z') d = c.charCodeAt(0) - (base <= 36 ? 55 : 29);
    else d = c === '@' ? 62 : 63;
    if (d >= base) throw new ArithError(`value too great for base (error token is "${rest}")`);
    v = v * BigInt(base) + BigInt(d);
  }
  return wrap(v);
}

const cache = new Map<string, Node>();

/** Evaluates an expression; empty text is 0. Errors name the expression they are in. */
export function evaluateArith(text: string, scope: ArithScope, depth = 0): bigint {
  try {
    return evaluate(text, scope, depth);
  } catch (error) {
    if (!(error instanceof ArithError) || error.named) throw error;
    throw new ArithError(`${text.trimStart()}: ${error.message}`, true);
  }
}

function evaluate(text: string, scope: ArithScope, depth: number): bigint {
  const trimmed = text.trim();
  if (trimmed === '') return 0n;
  if (/^[1-9]\d{0,17}$|^0$/.test(trimmed)) return BigInt(trimmed);
  if (depth > 1000) throw new ArithError(`expression recursion level exceeded (error token is "${text}")`);
  let node = cache.get(text);
  if (!node) {
    const parser = new Parser(text);
    node = parser.comma();
    parser.skip();
    if (parser.at < text.length)
      parser.error(
        /^[\w)]/.test(text.slice(parser.at))
          ? 'syntax error in expression'
          : 'syntax error: invalid arithmetic operator',
      );
    if (cache.size > 2000) cache.clear();
    cache.set(text, node);
  }
  return run(node, scope, depth);
}

function read(node: Node, scope: ArithScope, depth: number): bigint {
  if (node.k !== 'var') return run(node, scope, depth);
  const value = scope.get(node.name, node.sub);
  return value === undefined ? 0n : evaluateArith(value, scope, depth + 1);
}

function store(node: Node, value: bigint, scope: ArithScope): bigint {
  if (node.k === 'var') scope.set(node.name, value.toString(), node.sub);
  return value;
}

function run(node: Node, scope: ArithScope, depth: number): bigint {
  switch (node.k) {
    case 'num':
      return node.v;
    case 'var':
      return read(node, scope, depth);
    case 'un': {
      const a = run(node.a, scope, depth);
      if (node.op === '-') return wrap(-a);
      if (node.op === '!') return a === 0n ? 1n : 0n;
      return node.op === '~' ? wrap(~a) : a;
    }
    case 'step': {
      const old = read(node.a, scope, depth);
      const now = wrap(node.op === '++' ? old + 1n : old - 1n);
      store(node.a, now, scope);
      return node.prefix ? now : old;
    }
    case 'cond':
      return run(run(node.c, scope, depth) !== 0n ? node.a : node.b, scope, depth);
    case 'set': {
      const b = run(node.b, scope, depth);
      if (node.op === '') return store(node.a, b, scope);
      return store(node.a, operate(node.op, read(node.a, scope, depth), b, ''), scope);
    }
    case 'bin': {
      const a = run(node.a, scope, depth);
      if (node.op === '&&') return a !== 0n && run(node.b, scope, depth) !== 0n ? 1n : 0n;
      if (node.op === '||') return a !== 0n || run(node.b, scope, depth) !== 0n ? 1n : 0n;
      return operate(node.op, a, run(node.b, scope, depth), node.at);
    }
  }
}

function operate(op: string, a: bigint, b: bigint, at: string): bigint {
  const yes = (v: boolean): bigint => (v ? 1n : 0n);
  switch (op) {
    case ',':
      return b;
    case '+':
      return wrap(a + b);
    case '-':
      return wrap(a - b);
    case '*':
      return wrap(a * b);
    case '/':
    case '%':
      if (b === 0n) throw new ArithError(`division by 0 (error token is "${at}")`);
      return wrap(op === '/' ? a / b : a % b);
    case '**': {
      if (b < 0n) throw new ArithError(`exponent less than 0 (error token is "${at}")`);
      let result = 1n;
      for (let base = a, e = b; e > 0n; e >>= 1n, base = wrap(base * base)) if (e & 1n) result = wrap(result * base);
      return result;
    }
    case '<<':
      return wrap(a << (b & 63n));
    case '>>':
      return a >> (b & 63n);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '==':
      return yes(a === b);
    case '!=':
      return yes(a !== b);
    case '<':
      return yes(a < b);
    case '>':
      return yes(a > b);
    case '<=':
      return yes(a <= b);
    default:
      return yes(a >= b);
  }
}
