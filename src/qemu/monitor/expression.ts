/** Integer expressions of the monitor (monitor/hmp.c get_expr): + - * / % & | ^, parentheses, decimal, octal and 0x numbers. Registers ($rip) are not modelled. */

/** The value, or the message the monitor prints. */
export function evaluate(text: string): number | string {
  const tokens = text.match(/0[xX][0-9a-fA-F]+|\d+|[-+*/%&|^()~]|\S/g) ?? [];
  let at = 0;
  class Bad extends Error {}
  const fail = (message: string): never => {
    throw new Bad(message);
  };
  const unary = (): bigint => {
    const token = tokens[at++];
    if (token === undefined) return fail('unexpected end of expression\n');
    if (token === '+') return unary();
    if (token === '-') return -unary();
    if (token === '~') return ~unary();
    if (token === '(') {
      const value = sum();
      if (tokens[at++] !== ')') return fail("')' expected\n");
      return value;
    }
    if (/^0[0-7]+$/.test(token)) return BigInt(`0o${token.slice(1)}`);
    if (/^\d/.test(token)) return BigInt(token);
    if (token === '$') return fail('unknown register\n');
    return fail('invalid char in expression\n');
  };
  const product = (): bigint => {
    let value = unary();
    for (;;) {
      const op = tokens[at];
      if (op !== '*' && op !== '/' && op !== '%') return value;
      at++;
      const right = unary();
      if (op === '*') value *= right;
      else if (right === 0n) return fail('division by zero\n');
      else value = op === '/' ? value / right : value % right;
    }
  };
  const logic = (): bigint => {
    let value = product();
    for (;;) {
      const op = tokens[at];
      if (op !== '&' && op !== '|' && op !== '^') return value;
      at++;
      const right = product();
      value = op === '&' ? value & right : op === '|' ? value | right : value ^ right;
    }
  };
  const sum = (): bigint => {
    let value = logic();
    for (;;) {
      const op = tokens[at];
      if (op !== '+' && op !== '-') return value;
      at++;
      const right = logic();
      value = op === '+' ? value + right : value - right;
    }
  };
  try {
    const value = BigInt.asUintN(64, sum());
    if (at < tokens.length) return 'invalid char in expression\n';
    return Number(value);
  } catch (error) {
    if (error instanceof Bad) return error.message;
    throw error;
  }
}
