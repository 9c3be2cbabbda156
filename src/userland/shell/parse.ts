/** The one place that knows unbash: source text to syntax tree, completeness, and where a line number comes from. */
import { forEachChild, type ParsedScript, parse, type SyntaxNode, type Word, type WordPart } from 'unbash';

export type * from 'unbash';

/** A piece of source with what `$LINENO` and messages need. */
export class Source {
  private starts: number[] | null = null;

  /** Every position is on the first line. */
  readonly fixed: boolean;
  /** Text of `eval` or of a trap. */
  readonly evaluated: boolean;

  constructor(
    readonly text: string,
    readonly name: string,
    readonly firstLine = 1,
    how: { readonly fixed?: boolean; readonly evaluated?: boolean } = {},
  ) {
    this.fixed = how.fixed === true;
    this.evaluated = how.evaluated === true;
  }

  /** The same place with another text (aliases replaced). */
  with(text: string): Source {
    return new Source(text, this.name, this.firstLine, this);
  }
  /** What is left of `text` from a line on. */
  from(text: string, line: number): Source {
    const rest = text
      .split('\n')
      .slice(line - this.firstLine)
      .join('\n');
    return new Source(rest, this.name, line, this);
  }

  line(pos: number): number {
    if (this.fixed) return this.firstLine;
    if (!this.starts) {
      this.starts = [0];
      for (let i = this.text.indexOf('\n'); i >= 0; i = this.text.indexOf('\n', i + 1)) this.starts.push(i + 1);
    }
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if ((this.starts[mid] ?? 0) <= pos) low = mid;
      else high = mid - 1;
    }
    return this.firstLine + low;
  }
}

/**
 * The source of a command substitution. bash prints the parsed commands and reads that text again, numbering its lines
 * from where the command stands: line breaks count between statements and inside compound commands only.
 */
export class NestedSource extends Source {
  constructor(
    text: string,
    name: string,
    line: number,
    private readonly script: ParsedScript,
  ) {
    super(text, name, line);
  }

  override line(pos: number): number {
    const { commands } = this.script;
    let line = this.firstLine;
    for (let n = 0; n < commands.length; n++) {
      const statement = commands[n];
      const before = commands[n - 1];
      if (!statement) continue;
      if (before && this.text.slice(before.end, statement.pos).includes('\n')) line++;
      if (pos > statement.end) continue;
      const simple = /^(Command|Pipeline|AndOr)$/.test(statement.command.type);
      return simple ? line : line + this.text.slice(statement.pos, pos).split('\n').length - 1;
    }
    return line;
  }
}

export function parseScript(text: string): ParsedScript {
  const script = parse(text);
  if (!/[A-Za-z0-9_]\s*\(/.test(text)) return script;
  const found = openFunction(script, text);
  const first = script.errors?.[0];
  return found && (!first || first.pos >= found.pos) ? { ...script, errors: [found] } : script;
}

/** unbash takes `word (` for words; for bash it begins a function definition and wants the `)`. */
function openFunction(node: SyntaxNode, text: string): { message: string; pos: number } | null {
  let found: { message: string; pos: number } | null = null;
  const visit = (n: SyntaxNode): void => {
    if (found) return;
    if (n.type === 'Command' && n.name && n.prefix.length === 0) {
      const m = /^[ \t]*\([ \t]*([^\s)(;&|<>]*)/.exec(text.slice(n.name.end));
      if (m && text.slice(n.name.pos, n.name.end) === n.name.text && /^\w+$/.test(n.name.text))
        found = {
          message: `unexpected token '${m[1] || 'newline'}'`,
          pos: n.name.end + m[0].length - (m[1]?.length ?? 0),
        };
    }
    forEachChild(n, visit);
  };
  visit(node);
  return found;
}

/** Does the text want more lines before it can run (open quote, `do` without `done`, here-document, trailing backslash or operator)? */
export function isIncomplete(text: string): boolean {
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true;
  const script = parseScript(text);
  for (const error of script.errors ?? [])
    if (/^unterminated|^expected .*(to close|after)/.test(error.message) && !/^unexpected/.test(error.message)) {
      // "expected command after 'do'" in the middle of a line is a true error, at the end it asks for more.
      if (text.slice(error.pos).trim() === '' || /^unterminated|to close/.test(error.message)) return !hasFatal(script);
    }
  return openHereDoc(script);
}

function hasFatal(script: ParsedScript): boolean {
  return (script.errors ?? []).some((e) => e.message.startsWith('unexpected'));
}

function openHereDoc(node: SyntaxNode): boolean {
  if (node.type === 'HereDoc') return node.closing === undefined;
  let open = false;
  forEachChild(node, (child) => {
    if (!open && openHereDoc(child)) open = true;
  });
  return open;
}

/** bash's words for a syntax error. */
export function syntaxMessage(error: { readonly message: string; readonly pos: number }, text: string): string {
  const m = /^unexpected token '(.*)'/.exec(error.message);
  if (m) return `syntax error near unexpected token \`${m[1]}'`;
  const quote = /^unterminated (single|double) quote/.exec(error.message);
  if (quote) return `unexpected EOF while looking for matching \`${quote[1] === 'single' ? "'" : '"'}'`;
  if (/^unterminated (command substitution|arithmetic)/.test(error.message))
    return "unexpected EOF while looking for matching `)'";
  if (/^unterminated parameter/.test(error.message)) return "unexpected EOF while looking for matching `}'";
  const rest = text.slice(error.pos).trimStart();
  if (rest === '') return 'syntax error: unexpected end of file';
  const token = /^(;;|&&|\|\||[;&|()<>]|[^\s;&|()<>]+)/.exec(rest)?.[1] ?? 'newline';
  return `syntax error near unexpected token \`${token}'`;
}

const words = new Map<string, Word>();

/** A word out of its source text. */
export function parseWord(text: string): Word {
  let word = words.get(text);
  if (word) return word;
  const command = parse(`: ${text}`).commands[0]?.command;
  const first = command?.type === 'Command' ? command.suffix[0] : undefined;
  word =
    first?.type === 'Word' && first.end === text.length + 2
      ? first
      : { type: 'Word', text, value: text, pos: 0, end: text.length, parts: undefined };
  if (words.size > 2000) words.clear();
  words.set(text, word);
  return word;
}

const templates = new Map<string, readonly WordPart[] | undefined>();
/** Parts of a text in which only `$`, backquote and backslash are special (as in a here-document); undefined: plain. */
export function parseTemplate(text: string): readonly WordPart[] | undefined {
  if (!/[$`\\]/.test(text)) return undefined;
  if (templates.has(text)) return templates.get(text);
  let mark = 'E_O_F';
  while (text.includes(mark)) mark += '_';
  const command = parse(`: <<${mark}\n${text}\n${mark}\n`).commands[0]?.command;
  let parts: readonly WordPart[] | undefined;
  if (command?.type === 'Command') for (const r of command.redirects) if (r.type === 'HereDoc') parts = r.body.parts;
  if (parts) parts = trimNewline(parts);
  if (templates.size > 2000) templates.clear();
  templates.set(text, parts);
  return parts;
}

/** The here-document adds one newline at the end that was not in the text. */
function trimNewline(parts: readonly WordPart[]): readonly WordPart[] {
  const last = parts.at(-1);
  if (last?.type !== 'Literal' || !last.value.endsWith('\n')) return parts;
  const value = last.value.slice(0, -1);
  return value === '' ? parts.slice(0, -1) : [...parts.slice(0, -1), { ...last, value, text: last.text.slice(0, -1) }];
}

/** Replaces command names that are aliases; repeated so that aliases of aliases work, each name once. */
export function expandAliases(text: string, aliases: ReadonlyMap<string, string>): string {
  if (aliases.size === 0) return text;
  const done = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const hits: { pos: number; end: number; value: string; name: string }[] = [];
    const visit = (node: SyntaxNode): void => {
      if (node.type === 'Command' && node.name && !node.name.parts) {
        const value = aliases.get(node.name.text);
        if (
          value !== undefined &&
          !done.has(node.name.text) &&
          text.slice(node.name.pos, node.name.end) === node.name.text
        )
          hits.push({ pos: node.name.pos, end: node.name.end, value, name: node.name.text });
      }
      forEachChild(node, visit);
    };
    visit(parse(text));
    if (hits.length === 0) return text;
    for (const hit of hits.sort((a, b) => b.pos - a.pos)) {
      text = text.slice(0, hit.pos) + hit.value + text.slice(hit.end);
      done.add(hit.name);
    }
  }
  return text;
}
