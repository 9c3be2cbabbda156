/** Brace expansion on the source text of a word: `a{b,c}{1..3}`; quotes, `$` constructs and backslashes shield. */

/** End of the quoted or `$` construct that starts at `i` (exclusive), or `i` if none does. */
function skipShielded(text: string, i: number): number {
  const c = text[i];
  if (c === '\\') return i + 2;
  if (c === '$' && text[i + 1] === "'") {
    for (let j = i + 2; j < text.length; j++) {
      if (text[j] === '\\') j++;
      else if (text[j] === "'") return j + 1;
    }
    return text.length;
  }
  if (c === "'") {
    const end = text.indexOf("'", i + 1);
    return end < 0 ? text.length : end + 1;
  }
  if (c === '"') {
    for (let j = i + 1; j < text.length; ) {
      if (text[j] === '"') return j + 1;
      const next = text[j] === "'" ? j : skipShielded(text, j);
      j = next > j ? next : j + 1;
    }
    return text.length;
  }
  if (c === '`') {
    for (let j = i + 1; j < text.length; j++) {
      if (text[j] === '\\') j++;
      else if (text[j] === '`') return j + 1;
    }
    return text.length;
  }
  const open = text[i + 1];
  if ((c === '$' && (open === '{' || open === '(')) || ((c === '<' || c === '>') && open === '(')) {
    const close = open === '{' ? '}' : ')';
    let depth = 0;
    for (let j = i + 1; j < text.length; ) {
      if (text[j] === open) depth++;
      else if (text[j] === close && --depth === 0) return j + 1;
      const next = text[j] === open || text[j] === close ? j : skipShielded(text, j);
      j = next > j ? next : j + 1;
    }
    return text.length;
  }
  return i;
}

export function braceExpand(text: string): string[] {
  for (let i = 0; i < text.length; i++) {
    const skip = skipShielded(text, i);
    if (skip > i) {
      i = skip - 1;
      continue;
    }
    if (text[i] !== '{') continue;
    const commas: number[] = [];
    let depth = 0;
    let close = -1;
    for (let j = i; j < text.length; ) {
      const c = text[j];
      if (c === '{') depth++;
      else if (c === '}' && --depth === 0) {
        close = j;
        break;
      } else if (c === ',' && depth === 1) commas.push(j);
      const next = skipShielded(text, j);
      j = next > j ? next : j + 1;
    }
    if (close < 0) continue;
    const head = text.slice(0, i);
    const tails = braceExpand(text.slice(close + 1));
    let middle: string[] | null = null;
    if (commas.length > 0) {
      const cuts = [i, ...commas, close];
      middle = cuts.slice(0, -1).flatMap((cut, n) => braceExpand(text.slice(cut + 1, cuts[n + 1])));
    } else middle = sequence(text.slice(i + 1, close));
    if (!middle) continue;
    return middle.flatMap((m) => tails.map((t) => head + m + t));
  }
  return [text];
}

function sequence(body: string): string[] | null {
  const m = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(body);
  if (!m) return null;
  const [, from = '', to = '', by] = m;
  const letters = /[A-Za-z]/.test(from);
  if (letters !== /[A-Za-z]/.test(to)) return null;
  const a = letters ? from.charCodeAt(0) : Number(from);
  const b = letters ? to.charCodeAt(0) : Number(to);
  const step = Math.max(1, Math.abs(Number(by ?? 1))) * (a <= b ? 1 : -1);
  const padded = !letters && (/^-?0\d/.test(from) || /^-?0\d/.test(to));
  const width = padded ? Math.max(from.length, to.length) : 0;
  const out: string[] = [];
  for (let v = a; step > 0 ? v <= b : v >= b; v += step) {
    if (letters) out.push(String.fromCharCode(v));
    else out.push(v < 0 ? `-${String(-v).padStart(width - 1, '0')}` : String(v).padStart(width, '0'));
    if (out.length > 100_000) break;
  }
  return out;
}
