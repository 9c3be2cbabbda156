/** grep, egrep, fgrep: line by line as input arrives. Basic patterns are turned into extended ones, those into ours. */
import { O_DIRECTORY } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, decode, isatty, join, LineReader, openPath, readFileText, strerror } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { patternRegExp, posixRegExp } from '../shell/pattern.ts';

/** Basic to extended: the backslashed operators become plain and the plain ones literal. */
export function basicToExtended(source: string): string {
  let out = '';
  for (let i = 0; i < source.length; i++) {
    const c = source[i] ?? '';
    if (c === '[') {
      const end = source.indexOf(']', source[i + 1] === '^' ? i + 3 : i + 2);
      const close = /^\[\^?\]?(?:\[:\w+:\]|[^\]])*\]/.exec(source.slice(i))?.[0];
      out += close ?? source.slice(i, end < 0 ? undefined : end + 1);
      i += (close?.length ?? (end < 0 ? source.length : end + 1 - i)) - 1;
    } else if (c === '\\') {
      const next = source[++i] ?? '';
      out += '+?|(){}'.includes(next) ? next : `\\${next}`;
    } else if ('+?|(){}'.includes(c)) out += `\\${c}`;
    else if (c === '*' && (out === '' || out.endsWith('(') || out.endsWith('|'))) out += '\\*';
    else out += c;
  }
  return out;
}

export const grep = defineTool(
  {
    name: 'grep',
    usage: '[OPTION]... PATTERNS [FILE]...',
    about: 'Writes the lines that match a pattern.',
    misuse: 2,
    digits: 'C',
    options: [
      ['-A, --after-context=NUM', 'NUM lines after'],
      ['-a, --text', 'treat all input as text'],
      ['-B, --before-context=NUM', 'NUM lines before'],
      ['-C, --context=NUM', 'NUM lines around'],
      ['-c, --count', 'only the number of matching lines'],
      ['--color[=WHEN], --colour[=WHEN]', 'colour matches: always, auto or never'],
      ['-E, --extended-regexp', 'extended regular expressions'],
      ['-e, --regexp=PATTERNS', 'a pattern (again for more)'],
      ['-F, --fixed-strings', 'patterns are plain text'],
      ['-f, --file=FILE', 'patterns from a file'],
      ['-G, --basic-regexp', 'basic regular expressions (default)'],
      ['-H, --with-filename', 'always file names'],
      ['-h, --no-filename', 'never file names'],
      ['-i, --ignore-case', 'letters match both cases'],
      ['--include=GLOB', 'only files with such names'],
      ['-L, --files-without-match', 'names of files without matches'],
      ['-l, --files-with-matches', 'names of files with matches'],
      ['--label=NAME', 'what standard input is called'],
      ['--line-buffered', 'nothing (output is never held back)'],
      ['-m, --max-count=NUM', 'stop after NUM lines'],
      ['-n, --line-number', 'line numbers'],
      ['-o, --only-matching', 'only the matching parts'],
      ['-P, --perl-regexp', 'regular expressions of JavaScript'],
      ['-q, --quiet, --silent', 'only the status'],
      ['-r, --recursive', 'directories below'],
      ['-R, --dereference-recursive', 'likewise, through links'],
      ['-s, --no-messages', 'no messages about files'],
      ['-v, --invert-match', 'lines that do not match'],
      ['-w, --word-regexp', 'only whole words'],
      ['-x, --line-regexp', 'only whole lines'],
      ['-z, --null-data', 'lines end with NUL'],
    ],
  },
  run,
);

/** `egrep` and `fgrep`: grep with an option before. */
export const egrep: Program = (sys, argv, env) => grep(sys, ['grep', '-E', ...argv.slice(1)], env);
export const fgrep: Program = (sys, argv, env) => grep(sys, ['grep', '-F', ...argv.slice(1)], env);

interface Job {
  readonly match: RegExp;
  readonly names: boolean;
  readonly color: boolean;
}

async function run(t: Tool): Promise<number> {
  const args = [...t.args];
  const patterns = t.order.filter(([k]) => k === 'e').map(([, v]) => v);
  const file = t.get('f');
  if (file !== undefined) {
    const text = await readFileText(t.sys, file);
    if (typeof text === 'number') {
      await t.fail(`${file}: ${strerror(text)}`, 2);
      return 2;
    }
    patterns.push(...text.replace(/\n$/, '').split('\n'));
  }
  if (patterns.length === 0 && file === undefined) {
    const first = args.shift();
    if (first === undefined) {
      await complain(t.sys, "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.");
      return 2;
    }
    patterns.push(first);
  }
  const style = t.order.findLast(([k]) => 'EFGP'.includes(k))?.[0] ?? 'G';
  let match: RegExp;
  try {
    const sources = patterns
      .flatMap((p) => p.split('\n'))
      .map((p) => {
        if (style === 'F') return p.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
        if (style === 'P') return p;
        return posixRegExp(style === 'E' ? p : basicToExtended(p)).source.replace(/^\(\?:\)$/, '');
      });
    let source = sources.map((s) => `(?:${s})`).join('|');
    if (t.has('w')) source = `(?<![\\w])(?:${source})(?![\\w])`;
    if (t.has('x')) source = `^(?:${source})$`;
    match = new RegExp(source, t.has('i') ? 'gi' : 'g');
  } catch {
    await t.fail(
      /^[^\\]*\[[^\]]*$/.test(patterns[0] ?? '') ? 'Unmatched [, [^, [:, [., or [=' : 'Invalid regular expression',
      2,
    );
    return 2;
  }
  const recursive = t.has('r') || t.has('R');
  const inputs = args.length ? args : [recursive ? '.' : '-'];
  const when = t.get('color');
  const color =
    t.has('color') &&
    (when === 'always' ||
      when === 'yes' ||
      when === 'force' ||
      ((when === '' || when === 'auto' || when === 'tty') && (await isatty(t.sys, 1))));
  const names = t.has('h') ? false : t.has('H') || inputs.length > 1 || recursive;
  let found = false;
  const job: Job = { match, names, color };
  const visit = async (path: string, top: boolean): Promise<void> => {
    if (found && t.has('q')) return;
    await t.sys.tick();
    if (path === '-') {
      if (await search(t, job, 0, t.get('label') ?? '(standard input)')) found = true;
      return;
    }
    const stat = t.has('r') && !top ? t.sys.lstat(path) : t.sys.stat(path);
    if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000) {
      if (!recursive) {
        if (!t.has('s')) await t.fail(`${path}: Is a directory`, 2);
        return;
      }
      const fd = t.sys.open(path, O_DIRECTORY);
      const entries = fd < 0 ? fd : t.sys.getdents(fd);
      if (fd >= 0) t.sys.close(fd);
      if (typeof entries === 'number') {
        if (!t.has('s')) await t.fail(`${path}: ${strerror(entries)}`, 2);
        return;
      }
      for (const e of entries)
        await visit(path === '.' && top && args.length === 0 ? e.name : join(path, e.name), false);
      return;
    }
    if (!top && typeof stat !== 'number' && (stat.mode & 0o170000) === 0o120000 && !t.has('R')) return;
    const glob = t.get('include');
    if (!top && glob !== undefined && !patternRegExp(glob).test(path.replace(/.*\//, ''))) return;
    const fd = openPath(t.sys, path);
    if (fd < 0) {
      if (!t.has('s')) await t.fail(`${path}: ${strerror(fd)}`, 2);
      return;
    }
    if (await search(t, job, fd, path)) found = true;
    t.sys.close(fd);
  };
  for (const path of inputs) await visit(path, true);
  if (t.has('q') && found) return 0;
  const status = t.status;
  t.status = 0;
  return status || (found ? 0 : 1);
}

async function search(t: Tool, job: Job, fd: number, name: string): Promise<boolean> {
  const reader = new LineReader(t.sys, fd, t.has('z') ? 0 : 10);
  const context = t.get('C');
  const after = Number(t.get('A') ?? context ?? 0);
  const before = Number(t.get('B') ?? context ?? 0);
  const limit = t.has('m') ? Number(t.get('m')) : Number.POSITIVE_INFINITY;
  const held: { n: number; line: string }[] = [];
  let [count, n, last, trailing] = [0, 0, 0, 0];
  const paint = (text: string, code: string): string => (job.color ? `\x1b[${code}m\x1b[K${text}\x1b[m\x1b[K` : text);
  const put = (line: string, number: number, sep: string): void => {
    const s = paint(sep, '36');
    t.out.line((job.names ? paint(name, '35') + s : '') + (t.has('n') ? paint(String(number), '32') + s : '') + line);
    last = number;
  };
  for (;;) {
    const bytes = await reader.nextBytes();
    if (bytes === null) break;
    n++;
    const line = decode(bytes);
    job.match.lastIndex = 0;
    const hit = job.match.test(line) !== t.has('v');
    if (hit && count < limit) {
      count++;
      if (t.has('q')) return true;
      if (t.has('l') || t.has('L')) break;
      if (!t.has('c')) {
        if ((before || after) && last > 0 && n - held.length > last + 1) t.out.line(paint('--', '36'));
        for (const h of held) put(h.line, h.n, '-');
        held.length = 0;
        trailing = after;
        if (t.has('o')) {
          job.match.lastIndex = 0;
          if (!t.has('v')) for (const m of line.matchAll(job.match)) if (m[0] !== '') put(paint(m[0], '01;31'), n, ':');
        } else
          put(
            job.color && !t.has('v') ? line.replace(job.match, (m) => (m === '' ? '' : paint(m, '01;31'))) : line,
            n,
            ':',
          );
      }
      if (count >= limit && trailing === 0) break;
    } else if (trailing > 0) {
      put(line, n, '-');
      if (--trailing === 0 && count >= limit) break;
    } else if (before > 0) {
      held.push({ n, line });
      if (held.length > before) held.shift();
    }
    if (!reader.buffered) await t.out.flush();
    await t.out.step();
  }
  if (reader.error && !t.has('s')) await t.fail(`${name}: ${strerror(reader.error)}`, 2);
  if (t.has('c')) t.out.line((job.names ? `${name}:` : '') + count);
  if (t.has('l') && count > 0) t.out.line(name);
  if (t.has('L') && count === 0) t.out.line(name);
  await t.out.flush();
  return t.has('L') ? count === 0 : count > 0;
}
