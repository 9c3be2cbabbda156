/**
 * bc: decimal arithmetic of any size with `scale`, `ibase` and `obase`, variables, comparisons and the functions sqrt and
 * length. Control structures, functions of one's own and `-l` are not there.
 */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, decode, readAll, readFileText, writeText } from './io.ts';

/** A value: digits × 10^-scale. */
interface Num {
  readonly digits: bigint;
  readonly scale: number;
}

class BcError extends Error {}

const shift = (n: Num, scale: number): bigint =>
  scale >= n.scale ? n.digits * 10n ** BigInt(scale - n.scale) : n.digits / 10n ** BigInt(n.scale - scale);

class Bc {
  private readonly vars = new Map<string, Num>([
    ['scale', { digits: 0n, scale: 0 }],
    ['ibase', { digits: 10n, scale: 0 }],
    ['obase', { digits: 10n, scale: 0 }],
    ['last', { digits: 0n, scale: 0 }],
  ]);
  private tokens: string[] = [];
  private at = 0;
  /** The statement so far is an assignment: nothing is printed. */
  private silent = false;

  private setting(name: string): number {
    return Number(shift(this.vars.get(name) ?? { digits: 0n, scale: 0 }, 0));
  }

  /** Runs one statement; what it prints. */
  statement(text: string): string {
    const string = /^\s*"([^"]*)"\s*$/.exec(text);
    if (string) return string[1] ?? '';
    const printed = /^\s*print\s+(.*)$/s.exec(text);
    if (printed)
      return (printed[1] ?? '')
        .split(',')
        .map((part) => this.printPart(part.trim()))
        .join('');
    this.tokens =
      text.match(/[A-Z0-9]*\.?[A-Z0-9]+|[a-z_][a-z0-9_]*|\+\+|--|[-+*/%^]=|[=!<>]=|&&|\|\||[-+*/%^()=<>!,]|\S/g) ?? [];
    this.at = 0;
    this.silent = false;
    const value = this.assignment();
    if (this.at < this.tokens.length) throw new BcError('syntax error');
    this.vars.set('last', value);
    return this.silent ? '' : `${this.format(value)}\n`;
  }

  private printPart(text: string): string {
    const string = /^"([^"]*)"$/.exec(text);
    if (string) return (string[1] ?? '').replace(/\\n/g, '\n').replace(/\\t/g, '\t');
    const shown = this.statement(text);
    return shown.replace(/\n$/, '');
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private assignment(): Num {
    const name = this.tokens[this.at] ?? '';
    const operator = this.tokens[this.at + 1] ?? '';
    if (/^[a-z_]/.test(name) && /^[-+*/%^]?=$/.test(operator)) {
      this.at += 2;
      const right = this.assignment();
      const old = this.vars.get(name) ?? { digits: 0n, scale: 0 };
      const value = operator === '=' ? right : this.operate(operator[0] as string, old, right);
      this.vars.set(name, value);
      this.silent = true;
      return value;
    }
    return this.either();
  }
  private either(): Num {
    let a = this.both();
    while (this.take('||')) {
      const b = this.both();
      a = this.truth(a.digits !== 0n || b.digits !== 0n);
    }
    return a;
  }
  private both(): Num {
    let a = this.relation();
    while (this.take('&&')) {
      const b = this.relation();
      a = this.truth(a.digits !== 0n && b.digits !== 0n);
    }
    return a;
  }
  private truth(value: boolean): Num {
    return { digits: value ? 1n : 0n, scale: 0 };
  }
  private relation(): Num {
    if (this.take('!')) return this.truth(this.relation().digits === 0n);
    const a = this.sum();
    const operator = this.tokens[this.at] ?? '';
    if (!/^([=!<>]=|[<>])$/.test(operator)) return a;
    this.at++;
    const b = this.sum();
    const scale = Math.max(a.scale, b.scale);
    const [x, y] = [shift(a, scale), shift(b, scale)];
    const results: Readonly<Record<string, boolean>> = {
      '==': x === y,
      '!=': x !== y,
      '<=': x <= y,
      '>=': x >= y,
      '<': x < y,
      '>': x > y,
    };
    return this.truth(results[operator] === true);
  }
  private sum(): Num {
    let a = this.product();
    while (this.tokens[this.at] === '+' || this.tokens[this.at] === '-')
      a = this.operate(this.tokens[this.at++] as string, a, this.product());
    return a;
  }
  private product(): Num {
    let a = this.power();
    while (/^[*/%]$/.test(this.tokens[this.at] ?? ''))
      a = this.operate(this.tokens[this.at++] as string, a, this.power());
    return a;
  }
  private power(): Num {
    const a = this.unary();
    return this.take('^') ? this.operate('^', a, this.power()) : a;
  }
  private unary(): Num {
    if (this.take('-')) {
      const a = this.unary();
      return { digits: -a.digits, scale: a.scale };
    }
    if (this.take('(')) {
      const a = this.assignment();
      if (!this.take(')')) throw new BcError('syntax error');
      this.silent = false;
      return a;
    }
    const token = this.tokens[this.at++];
    if (token === undefined) throw new BcError('syntax error');
    if (/^[A-Z0-9.]/.test(token)) return this.literal(token);
    if (!/^[a-z_]/.test(token)) throw new BcError('syntax error');
    if (this.take('(')) {
      const a = this.assignment();
      if (!this.take(')')) throw new BcError('syntax error');
      return this.call(token, a);
    }
    return this.vars.get(token) ?? { digits: 0n, scale: 0 };
  }

  private call(name: string, a: Num): Num {
    if (name === 'length') return { digits: BigInt(String(a.digits < 0n ? -a.digits : a.digits).length), scale: 0 };
    if (name === 'scale') return { digits: BigInt(a.scale), scale: 0 };
    if (name !== 'sqrt') throw new BcError(`Function ${name} not defined.`);
    if (a.digits < 0n) throw new BcError('Square root of a negative number');
    const scale = Math.max(this.setting('scale'), a.scale);
    const square = shift(a, scale * 2);
    let root = 0n;
    for (let bit = 1n << BigInt(square.toString(2).length >> 1); bit > 0n; bit >>= 1n)
      if ((root + bit) * (root + bit) <= square) root += bit;
    return { digits: root, scale };
  }

  private literal(token: string): Num {
    const base = BigInt(this.setting('ibase'));
    const digit = (c: string): bigint => {
      const v = BigInt(Number.parseInt(c, 36));
      return token.length > 1 && v >= base ? base - 1n : v;
    };
    const [whole = '', fraction = ''] = token.split('.');
    let value = 0n;
    for (const c of whole) value = value * base + digit(c);
    if (fraction === '') return { digits: value, scale: 0 };
    const scale = fraction.length;
    let part = 0n;
    for (const c of fraction) part = part * base + digit(c);
    return { digits: value * 10n ** BigInt(scale) + (part * 10n ** BigInt(scale)) / base ** BigInt(scale), scale };
  }

  private operate(operator: string, a: Num, b: Num): Num {
    const setting = this.setting('scale');
    switch (operator) {
      case '+':
      case '-': {
        const scale = Math.max(a.scale, b.scale);
        return { digits: shift(a, scale) + (operator === '+' ? 1n : -1n) * shift(b, scale), scale };
      }
      case '*': {
        const scale = Math.min(a.scale + b.scale, Math.max(setting, a.scale, b.scale));
        return { digits: shift({ digits: a.digits * b.digits, scale: a.scale + b.scale }, scale), scale };
      }
      case '/':
        if (b.digits === 0n) throw new BcError('Divide by zero');
        return { digits: shift(a, setting + b.scale) / b.digits, scale: setting };
      case '%': {
        const quotient = this.operate('/', a, b);
        const scale = Math.max(setting + b.scale, a.scale);
        const product = shift({ digits: quotient.digits * b.digits, scale: quotient.scale + b.scale }, scale);
        return { digits: shift(a, scale) - product, scale };
      }
      default: {
        const exponent = shift(b, 0);
        if (exponent < 0n) {
          const inverse = this.operate('^', a, { digits: -exponent, scale: 0 });
          return this.operate('/', { digits: 1n, scale: 0 }, inverse);
        }
        const full = { digits: a.digits ** exponent, scale: a.scale * Number(exponent) };
        const scale = Math.min(full.scale, Math.max(setting, a.scale));
        return { digits: shift(full, scale), scale };
      }
    }
  }

  private format({ digits, scale }: Num): string {
    const base = this.setting('obase');
    const sign = digits < 0n ? '-' : '';
    const size = digits < 0n ? -digits : digits;
    const unit = 10n ** BigInt(scale);
    const whole = size / unit;
    if (base === 10) {
      const fraction = scale > 0 ? `.${String(size % unit).padStart(scale, '0')}` : '';
      if (size === 0n) return '0';
      return `${sign}${whole === 0n && fraction !== '' ? '' : whole}${fraction}`;
    }
    if (base <= 16) return sign + whole.toString(base).toUpperCase();
    const groups: string[] = [];
    const width = String(base - 1).length;
    for (let rest = whole; rest > 0n; rest /= BigInt(base))
      groups.unshift(String(rest % BigInt(base)).padStart(width, '0'));
    return `${sign} ${groups.join(' ') || '0'.padStart(width, '0')}`;
  }
}

export const bc: Program = async (sys, argv) => {
  const files = argv.slice(1).filter((word) => !word.startsWith('-'));
  let text = '';
  for (const name of files) {
    const content = await readFileText(sys, name);
    if (typeof content === 'number') {
      await complain(sys, `File ${name} is unavailable.`);
      return 1;
    }
    text += content;
  }
  const input = await readAll(sys, 0);
  if (typeof input !== 'number') text += decode(input);
  const calculator = new Bc();
  const lines = text
    .replace(/\\\n/g, '')
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .split('\n');
  for (let n = 0; n < lines.length; n++)
    for (const statement of (lines[n] ?? '').replace(/#.*$/, '').split(';')) {
      if (statement.trim() === '') continue;
      if (/^\s*(quit|halt)\s*$/.test(statement)) return 0;
      try {
        const said = calculator.statement(statement);
        if (said !== '') await writeText(sys, 1, said);
      } catch (error) {
        if (!(error instanceof BcError)) throw error;
        const where =
          error.message === 'syntax error' ? `(standard_in) ${n + 1}: ` : 'Runtime error (func=(main), adr=0): ';
        await complain(sys, where + error.message);
      }
    }
  return 0;
};
