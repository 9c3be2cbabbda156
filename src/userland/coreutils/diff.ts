/** diff: normal and unified form of two files. Longest common subsequence by table after equal ends are cut off. */
import { decode, openPath, readAll } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

/** A changed stretch: lines a0…a1 of the old file became b0…b1 of the new one. */
interface Hunk {
  readonly a0: number;
  a1: number;
  readonly b0: number;
  b1: number;
}

export function changes(a: readonly string[], b: readonly string[]): Hunk[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const width = endB - start + 1;
  const table = new Uint32Array((endA - start + 1) * width);
  for (let i = endA - start - 1; i >= 0; i--)
    for (let j = endB - start - 1; j >= 0; j--)
      table[i * width + j] =
        a[start + i] === b[start + j]
          ? (table[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
  const hunks: Hunk[] = [];
  let [i, j] = [start, start];
  while (i < endA || j < endB) {
    if (i < endA && j < endB && a[i] === b[j]) {
      i++;
      j++;
      continue;
    }
    const last = hunks.at(-1);
    const hunk = last && last.a1 === i && last.b1 === j ? last : { a0: i, a1: i, b0: j, b1: j };
    if (hunk !== last) hunks.push(hunk);
    const at = (i - start) * width + (j - start);
    if (j >= endB || (i < endA && (table[at + width] ?? 0) >= (table[at + 1] ?? 0))) hunk.a1 = ++i;
    else hunk.b1 = ++j;
  }
  return hunks;
}

async function read(t: Tool, path: string): Promise<string | null> {
  const fd = path === '-' ? 0 : openPath(t.sys, path);
  const data = fd < 0 ? fd : await readAll(t.sys, fd);
  if (fd > 0) t.sys.close(fd);
  if (typeof data !== 'number') return decode(data);
  await t.failErrno(path, data, 2);
  return null;
}

export const diff = defineTool(
  {
    name: 'diff',
    usage: '[OPTION]... FILE1 FILE2',
    about: 'Shows how two files differ.',
    misuse: 2,
    options: [
      ['-b, --ignore-space-change', 'amounts of space do not count'],
      ['-i, --ignore-case', 'letters match both cases'],
      ['-q, --brief', 'only whether they differ'],
      ['-s, --report-identical-files', 'say so when they are equal'],
      ['-u', 'unified form'],
      ['-U, --unified=N', 'unified form with N lines around'],
      ['-w, --ignore-all-space', 'space does not count'],
      ['-N, --new-file', 'missing files are empty'],
    ],
  },
  async (t) => {
    const [one, two] = t.args;
    if (one === undefined || two === undefined || t.args.length > 2) {
      await t.fail(
        `${t.args.length > 2 ? `extra operand '${t.args[2]}'` : `missing operand after '${one ?? 'diff'}'`}\ndiff: Try 'diff --help' for more information.`,
        2,
      );
      return 2;
    }
    const a = await read(t, one);
    const b = await read(t, two);
    if (a === null || b === null) return 2;
    const lines = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
    const key = (line: string): string => {
      let k = t.has('w') ? line.replace(/\s+/g, '') : t.has('b') ? line.replace(/\s+/g, ' ').trimEnd() : line;
      if (t.has('i')) k = k.toLowerCase();
      return k;
    };
    // A missing newline at the end makes the last line a different one.
    const cut = (text: string): string => (text !== '' && !text.endsWith('\n') ? '\0' : '');
    const [x, y] = [lines(a), lines(b)];
    const mark = (list: readonly string[], end: string): string[] =>
      list.map((l, n) => key(l) + (n === list.length - 1 ? end : ''));
    const hunks = changes(mark(x, cut(a)), mark(y, cut(b)));
    if (hunks.length === 0) {
      if (t.has('s')) t.out.line(`Files ${one} and ${two} are identical`);
      return 0;
    }
    if (t.has('q')) {
      t.out.line(`Files ${one} and ${two} differ`);
      return 1;
    }
    const put = (sign: string, list: readonly string[], n: number, text: string): void => {
      t.out.line(sign + (list[n] ?? ''));
      if (n === list.length - 1 && cut(text)) t.out.line('\\ No newline at end of file');
    };
    if (!t.has('u') && !t.has('U')) {
      const range = (from: number, to: number): string =>
        to - from > 1 ? `${from + 1},${to}` : String(to - from === 1 ? from + 1 : from);
      for (const h of hunks) {
        const kind = h.a0 === h.a1 ? 'a' : h.b0 === h.b1 ? 'd' : 'c';
        t.out.line(range(h.a0, h.a1) + kind + range(h.b0, h.b1));
        for (let n = h.a0; n < h.a1; n++) put('< ', x, n, a);
        if (kind === 'c') t.out.line('---');
        for (let n = h.b0; n < h.b1; n++) put('> ', y, n, b);
      }
      return 1;
    }
    const around = t.has('U') ? Number(t.get('U')) || 0 : 3;
    const time = (path: string): string => {
      const s = t.sys.stat(path);
      return strftime('%Y-%m-%d %H:%M:%S.%N +0000', typeof s === 'number' ? t.sys.clockGettime('realtime') : s.mtimeNs);
    };
    t.out.line(`--- ${one}\t${time(one)}\n+++ ${two}\t${time(two)}`);
    const count = (from: number, n: number): string =>
      n === 1 ? String(from + 1) : `${n === 0 ? from : from + 1},${n}`;
    for (let first = 0; first < hunks.length; ) {
      let last = first;
      while ((hunks[last + 1]?.a0 ?? Number.POSITIVE_INFINITY) - (hunks[last]?.a1 ?? 0) <= 2 * around) last++;
      const [head, tail] = [hunks[first], hunks[last]];
      if (!head || !tail) break;
      const lead = Math.min(around, head.a0);
      const trail = Math.min(around, x.length - tail.a1);
      t.out.line(
        `@@ -${count(head.a0 - lead, tail.a1 + trail - head.a0 + lead)} +${count(head.b0 - lead, tail.b1 + trail - head.b0 + lead)} @@`,
      );
      let at = head.a0 - lead;
      for (const h of hunks.slice(first, last + 1)) {
        while (at < h.a0) put(' ', x, at++, a);
        for (; at < h.a1; at++) put('-', x, at, a);
        for (let n = h.b0; n < h.b1; n++) put('+', y, n, b);
      }
      for (const end = tail.a1 + trail; at < end; at++) put(' ', x, at, a);
      first = last + 1;
    }
    return 1;
  },
);
