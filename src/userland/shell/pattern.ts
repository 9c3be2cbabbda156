/** Shell patterns (`* ? [..]` and extended globs) as regular expressions. A backslash quotes the next character. */

const cache = new Map<string, RegExp>();

/** Anchored expression for a whole text. `path`: `*` and `?` stop at `/`. */
export function patternRegExp(pattern: string, flags = ''): RegExp {
  const key = `${flags}:${pattern}`;
  let re = cache.get(key);
  if (!re) {
    re = new RegExp(`^(?:${patternSource(pattern)})$`, `su${flags}`);
    if (cache.size > 2000) cache.clear();
    cache.set(key, re);
  }
  return re;
}

export function patternSource(pattern: string): string {
  return translate(pattern, 0, '').source;
}

const literal = (c: string): string => (/[\\^$.*+?()[\]{}|/-]/.test(c) ? `\\${c === '-' ? 'x2d' : c}` : c);

function translate(p: string, start: number, stop: string): { source: string; end: number } {
  let out = '';
  let i = start;
  while (i < p.length) {
    const c = String.fromCodePoint(p.codePointAt(i) ?? 0);
    if (stop && (c === ')' || c === '|')) return { source: out, end: i };
    if (c === '\\') {
      const next = p[i + 1];
      out += next === undefined ? '\\\\' : literal(next);
      i += 2;
    } else if ('?*+@!'.includes(c) && p[i + 1] === '(' && closes(p, i + 1)) {
      const parts: string[] = [];
      let at = i + 2;
      for (;;) {
        const part = translate(p, at, ')');
        parts.push(part.source);
        at = part.end + 1;
        if (p[part.end] !== '|') break;
      }
      const group = `(?:${parts.join('|')})`;
      if (c === '!') {
        // Everything that is not one of the alternatives, up to what follows: only exact when the group ends the pattern.
        const rest = translate(p, at, stop);
        return { source: `${out}(?:(?!${group}${rest.source}$).*)${rest.source}`, end: rest.end };
      }
      out += c === '@' ? group : `${group}${c}`;
      i = at;
    } else if (c === '*') {
      while (p[i + 1] === '*') i++;
      out += '.*';
      i++;
    } else if (c === '?') {
      out += '.';
      i++;
    } else if (c === '[') {
      const set = bracket(p, i);
      if (set) {
        out += set.source;
        i = set.end;
      } else {
        out += '\\[';
        i++;
      }
    } else {
      out += literal(c);
      i += c.length;
    }
  }
  return { source: out, end: i };
}

function closes(p: string, at: number): boolean {
  let depth = 0;
  for (; at < p.length; at++) {
    if (p[at] === '\\') at++;
    else if (p[at] === '(') depth++;
    else if (p[at] === ')' && --depth === 0) return true;
  }
  return false;
}

const CLASSES: Record<string, string> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

function bracket(p: string, start: number): { source: string; end: number } | null {
  let i = start + 1;
  let out = '[';
  if (p[i] === '!' || p[i] === '^') {
    out += '^';
    i++;
  }
  let first = true;
  for (; i < p.length; first = false) {
    const c = p[i] ?? '';
    if (c === ']' && !first) return { source: `${out}]`, end: i + 1 };
    const named = /^\[:(\w+):\]/.exec(p.slice(i));
    if (named) {
      out += CLASSES[named[1] ?? ''] ?? '';
      i += named[0].length;
      continue;
    }
    if (c === '\\' && i + 1 < p.length) {
      out += inSet(p[i + 1] ?? '');
      i += 2;
      continue;
    }
    const range = p[i + 1] === '-' && p[i + 2] !== undefined && p[i + 2] !== ']';
    if (range && c <= (p[i + 2] ?? '')) {
      out += `${inSet(c)}-${inSet(p[i + 2] ?? '')}`;
      i += 3;
      continue;
    }
    out += inSet(c);
    i++;
  }
  return null;
}

function inSet(c: string): string {
  return /[\\\]^[/{}()|.*+?$-]/.test(c) ? `\\${c === '-' ? 'x2d' : c}` : c;
}

/** Has the pattern any unquoted magic? */
export function hasMagic(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? '';
    if (c === '\\') i++;
    else if (c === '*' || c === '?') return true;
    else if (c === '[' && bracket(pattern, i)) return true;
    else if ('+@!'.includes(c) && pattern[i + 1] === '(') return true;
  }
  return false;
}

/** Quotes a text so that as a pattern it matches only itself. */
export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]()|!@+^-]/g, '\\$&');
}

export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** POSIX extended regular expression to ours: bracket classes, literal braces. */
export function posixRegExp(source: string, flags = ''): RegExp {
  let out = '';
  for (let i = 0; i < source.length; ) {
    const c = source[i] ?? '';
    if (c === '\\') {
      const next = source[i + 1] ?? '\\';
      out +=
        next === '<' || next === '>'
          ? '\\b'
          : /[a-zA-Z0-9]/.test(next)
            ? /[wWsSbB1-9]/.test(next)
              ? `\\${next}`
              : next
            : `\\${next}`;
      i += 2;
    } else if (c === '[') {
      let j = i + 1;
      let set = '[';
      if (source[j] === '^') {
        set += '^';
        j++;
      }
      let first = true;
      for (; j < source.length && (source[j] !== ']' || first); first = false) {
        const named = /^\[:(\w+):\]/.exec(source.slice(j));
        if (named) {
          set += CLASSES[named[1] ?? ''] ?? '';
          j += named[0].length;
        } else {
          set += /[\\[\]]/.test(source[j] ?? '') ? `\\${source[j]}` : (source[j] ?? '');
          j++;
        }
      }
      if (j >= source.length) throw new SyntaxError('Unmatched [');
      out += `${set}]`;
      i = j + 1;
    } else if (c === '{' && !/^\{\d+(,\d*)?\}/.test(source.slice(i))) {
      out += '\\{';
      i++;
    } else {
      out += c;
      i++;
    }
  }
  return new RegExp(out, flags);
}
