/** cut: columns of bytes, characters or fields. Left out: -n. */
import { complain, decode, openPath, readAll, strerror, utf8, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

type Ranges = readonly (readonly [from: number, to: number])[];

const hint = (message: string): string => `${message}\nTry 'cut --help' for more information.`;

/** `1,3-5,-2,7-` to ranges, or what is wrong with it. */
function ranges(text: string, fields: boolean): Ranges | string {
  const found: [number, number][] = [];
  for (const part of text.split(/[, ]/)) {
    const m = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!m || part === '')
      return fields ? `invalid field value '${part}'` : `invalid byte/character position '${part}'`;
    const [, first = '', dash = '', last = ''] = m;
    if (dash && !first && !last) return 'invalid range with no endpoint: -';
    const from = first === '' ? 1 : Number(first);
    const to = dash === '' ? from : last === '' ? Number.POSITIVE_INFINITY : Number(last);
    if (from === 0 || to === 0) return `${fields ? 'fields' : 'byte/character positions'} are numbered from 1`;
    if (to < from) return 'invalid decreasing range';
    found.push([from, to]);
  }
  return found;
}

export const cut = defineTool(
  {
    name: 'cut',
    usage: 'OPTION... [FILE]...',
    about: 'Writes parts of lines.',
    options: [
      ['-b, --bytes=LIST', 'these bytes'],
      ['-c, --characters=LIST', 'these characters'],
      ['-d, --delimiter=C', 'what stands between fields (tab)'],
      ['-f, --fields=LIST', 'these fields'],
      ['-s, --only-delimited', 'no lines without a delimiter'],
      ['-z, --zero-terminated', 'lines end with NUL'],
      ['--complement', 'all but these'],
      ['--output-delimiter=TEXT', 'between the parts'],
    ],
  },
  async (t) => {
    const modes = ['b', 'c', 'f'].filter((key) => t.has(key));
    const mode = modes[0];
    const fail = async (message: string): Promise<number> => {
      await t.fail(hint(message));
      return 1;
    };
    if (mode === undefined) return fail('you must specify a list of bytes, characters, or fields');
    if (modes.length > 1) return fail('only one list may be specified');
    const delimiter = t.get('d') ?? '\t';
    if ([...delimiter].length > 1) return fail('the delimiter must be a single character');
    if (mode !== 'f' && t.has('d')) return fail('an input delimiter may be specified only when operating on fields');
    const wanted = ranges(t.get(mode) ?? '', mode === 'f');
    if (typeof wanted === 'string') return fail(wanted);
    const keep = (n: number): boolean => wanted.some(([from, to]) => n >= from && n <= to) !== t.has('complement');
    const between = t.get('output-delimiter');
    const end = t.has('z') ? '\0' : '\n';
    for (const path of t.args.length ? t.args : ['-']) {
      const data = await input(t, path);
      if (typeof data === 'number') {
        await complain(t.sys, `cut: ${path}: ${strerror(data)}`);
        t.status = 1;
        continue;
      }
      // One character a byte for -b, so that odd bytes stay whole.
      const text = mode === 'b' ? latin1(data) : decode(data);
      const lines = text.split(end);
      if (lines.at(-1) === '') lines.pop();
      let out = '';
      for (const line of lines) {
        if (mode === 'f') {
          if (!line.includes(delimiter)) {
            if (!t.has('s')) out += line + end;
            continue;
          }
          const fields = line.split(delimiter).filter((_, n) => keep(n + 1));
          out += fields.join(between ?? delimiter) + end;
        } else out += columns([...line], keep, between ?? '') + end;
      }
      const r = await writeAll(t.sys, 1, mode === 'b' ? Uint8Array.from(out, (c) => c.charCodeAt(0)) : utf8(out));
      if (r < 0) {
        await complain(t.sys, `cut: write error: ${strerror(r)}`);
        return 1;
      }
      await t.sys.tick();
    }
    return t.status;
  },
);

/** Kept characters; the output delimiter stands where something was left out. */
function columns(line: readonly string[], keep: (n: number) => boolean, between: string): string {
  let out = '';
  let last = 0;
  line.forEach((c, n) => {
    if (!keep(n + 1)) return;
    if (last > 0 && last !== n) out += between;
    out += c;
    last = n + 1;
  });
  return out;
}

async function input(t: Tool, path: string): Promise<Uint8Array | number> {
  if (path === '-') return readAll(t.sys, 0);
  const fd = openPath(t.sys, path);
  if (fd < 0) return fd;
  const data = await readAll(t.sys, fd);
  t.sys.close(fd);
  return data;
}

function latin1(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 8192) out += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return out;
}
