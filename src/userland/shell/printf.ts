/** printf(1) and the escapes of echo -e, printf and $'…': bash's formats with exact 64-bit integers. */

export interface PrintfResult {
  readonly text: string;
  /** Complaints without the command's name. */
  readonly errors: readonly string[];
  /** Output was cut by \c. */
  readonly stop: boolean;
}

const SIMPLE: Record<string, string> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** Bytes of octal and hex escapes: characters where they form UTF-8 text, else one lone surrogate a byte (see `encode`). */
function byteText(bytes: number[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes));
  } catch {
    return bytes.map((b) => String.fromCharCode(b < 0x80 ? b : 0xdc00 + b)).join('');
  }
}

/** Backslash escapes. `echo`: `\0nnn` octal and `\c`; otherwise `\nnn`, `\"`, `\'`. */
export function unescapeText(text: string, echo: boolean): { text: string; stop: boolean } {
  let out = '';
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length) out += byteText(bytes);
    bytes = [];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c !== '\\') {
      flush();
      out += c;
      continue;
    }
    const rest = text.slice(i + 1);
    const octal = (echo ? /^0([0-7]{0,3})/ : /^([0-7]{1,3})/).exec(rest);
    const hexa = /^x([0-9A-Fa-f]{1,2})/.exec(rest);
    const uni = /^(?:u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))/.exec(rest);
    const next = rest[0] ?? '';
    if (octal || hexa) {
      const value = octal ? Number.parseInt(octal[1] || '0', 8) & 0xff : Number.parseInt(hexa?.[1] ?? '0', 16);
      bytes.push(value);
      i += (octal ?? hexa)?.[0].length ?? 0;
      continue;
    }
    flush();
    if (uni) {
      out += String.fromCodePoint(Number.parseInt(uni[1] ?? uni[2] ?? '0', 16));
      i += uni[0].length;
    } else if (next === 'c' && echo) return { text: out, stop: true };
    else if (SIMPLE[next] !== undefined) {
      out += SIMPLE[next];
      i++;
    } else if (!echo && (next === '"' || next === "'" || next === '?')) {
      out += next;
      i++;
    } else out += '\\';
  }
  flush();
  return { text: out, stop: false };
}

export const ansiUnescape = (text: string): string => unescapeText(text, false).text;

/** A number argument: decimal, octal, hex, or 'c. Out of range saturates with a complaint, as strtoimax does. */
export function parseInteger(arg: string, errors: string[]): bigint {
  if (arg === '') return 0n;
  if (/^['"]/.test(arg)) return BigInt(arg.codePointAt(1) ?? 0);
  const m = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)(.*)$/s.exec(arg);
  if (!m) {
    errors.push(`${arg}: invalid number`);
    return 0n;
  }
  const digits = m[2] ?? '0';
  let v = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (m[1] === '-') v = -v;
  if (m[3] !== '') errors.push(`${arg}: invalid number`);
  return v;
}

function clamp(v: bigint, signed: boolean, arg: string, errors: string[]): bigint {
  const max = signed ? (1n << 63n) - 1n : (1n << 64n) - 1n;
  const min = -(1n << 63n);
  if (v > max || v < min) {
    errors.push(`warning: ${arg}: Numerical result out of range`);
    return v > max ? max : signed ? min : max;
  }
  return signed ? v : BigInt.asUintN(64, v);
}

/** Formats with arguments, reusing the format while arguments are left. `quote` implements %q, `time` %(…)T. */
export function printf(
  format: string,
  args: readonly string[],
  quote: (text: string) => string,
  time: (format: string, seconds: bigint) => string = () => '',
): PrintfResult {
  const errors: string[] = [];
  let out = '';
  let next = 0;
  let used: boolean;
  do {
    used = false;
    const take = (): string | undefined => {
      used = true;
      return args[next++];
    };
    for (let i = 0; i < format.length; ) {
      const c = format[i] ?? '';
      if (c === '\\') {
        const m = /^\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|.|$)/s.exec(format.slice(i));
        const run = /^(?:\\[0-7]{1,3}|\\x[0-9A-Fa-f]{1,2})+/.exec(format.slice(i))?.[0] ?? m?.[0] ?? c;
        if (run === '\\c') return { text: out, errors, stop: true };
        out += unescapeText(run, false).text;
        i += run.length;
        continue;
      }
      if (c !== '%') {
        out += c;
        i++;
        continue;
      }
      const m = /^%([-+ #0']*)(\*|-?\d+)?(?:\.(\*|-?\d*))?(?:hh|h|ll|l|j|z|t|L|q)?(\([^)]*\)T|[a-zA-Z%])/.exec(
        format.slice(i),
      );
      const bare = /^%q/.test(format.slice(i)) ? (['%q', '', undefined, undefined, 'q'] as const) : null;
      const spec = bare ?? m;
      if (!spec) {
        errors.push(`\`${format.slice(i, i + 2)}': missing format character`);
        return { text: out, errors, stop: true };
      }
      i += spec[0].length;
      const conv = spec[4] ?? '';
      if (conv === '%') {
        out += '%';
        continue;
      }
      let flags = spec[1] ?? '';
      const number = (text: string | undefined): number | undefined =>
        text === undefined
          ? undefined
          : text === '*'
            ? Number(parseInteger(take() ?? '0', errors))
            : Number(text || '0');
      let width = number(spec[2]) ?? 0;
      if (width < 0) {
        flags += '-';
        width = -width;
      }
      const precision = number(spec[3]);
      const pad = (text: string, zero = false): string => {
        if (flags.includes('-')) return text.padEnd(width);
        if (!zero || !flags.includes('0')) return text.padStart(width);
        const sign = /^([-+ ]?(?:0[xX])?)(.*)$/s.exec(text);
        return (sign?.[1] ?? '') + (sign?.[2] ?? '').padStart(width - (sign?.[1]?.length ?? 0), '0');
      };
      if (conv.startsWith('(')) {
        const arg = take();
        out += pad(time(conv.slice(1, -2), arg === undefined ? -1n : parseInteger(arg, errors)));
        continue;
      }
      switch (conv) {
        case 's': {
          const arg = take() ?? '';
          out += pad(precision === undefined ? arg : [...arg].slice(0, Math.max(0, precision)).join(''));
          break;
        }
        case 'q':
          out += pad(quote(take() ?? ''));
          break;
        case 'b': {
          const r = unescapeText((take() ?? '').replace(/\\([1-7][0-7]{0,2})/g, '\\0$1'), true);
          out += pad(precision === undefined ? r.text : r.text.slice(0, precision));
          if (r.stop) return { text: out, errors, stop: true };
          break;
        }
        case 'c':
          out += pad((take() ?? '').slice(0, 1));
          break;
        case 'd':
        case 'i':
        case 'u':
        case 'o':
        case 'x':
        case 'X': {
          const arg = take() ?? '';
          const signed = conv === 'd' || conv === 'i';
          const v = clamp(parseInteger(arg, errors), signed, arg, errors);
          const base = conv === 'o' ? 8 : conv.toLowerCase() === 'x' ? 16 : 10;
          let text = (v < 0n ? -v : v).toString(base);
          if (precision !== undefined) text = text.padStart(precision, '0');
          if (flags.includes('#') && v !== 0n) text = base === 16 ? `0x${text}` : base === 8 ? `0${text}` : text;
          if (conv === 'X') text = text.toUpperCase();
          if (signed) text = (v < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + text;
          out += pad(text, precision === undefined);
          break;
        }
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G': {
          const arg = take() ?? '';
          let v = Number(arg.trim() || '0');
          if (Number.isNaN(v)) {
            errors.push(`${arg}: invalid number`);
            v = Number.parseFloat(arg) || 0;
          }
          out += pad(formatFloat(v, conv, precision ?? 6, flags), true);
          break;
        }
        default:
          errors.push(`\`${conv}': invalid format character`);
          return { text: out, errors, stop: true };
      }
    }
  } while (used && next < args.length);
  return { text: out, errors, stop: false };
}

/** C's %e %f %g. */
export function formatFloat(v: number, conv: string, precision: number, flags = ''): string {
  const lower = conv.toLowerCase();
  const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');
  let text: string;
  if (lower === 'f') text = v.toFixed(precision);
  else if (lower === 'e') text = exponent(v.toExponential(precision));
  else {
    const p = precision || 1;
    const x = v === 0 ? 0 : Math.floor(Math.log10(Math.abs(v)));
    const e = v === 0 ? 0 : Number(v.toExponential(p - 1).split('e')[1] ?? x);
    text = e < -4 || e >= p ? exponent(v.toExponential(p - 1)) : v.toFixed(Math.max(0, p - 1 - e));
    if (!flags.includes('#') && text.includes('.')) text = text.replace(/\.?0+(e|$)/, '$1');
  }
  if (v >= 0 && flags.includes('+')) text = `+${text}`;
  else if (v >= 0 && flags.includes(' ')) text = ` ${text}`;
  return conv === lower ? text : text.toUpperCase();
}
