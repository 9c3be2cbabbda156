/** shuf: lines, arguments or numbers in random order. The order comes from the kernel's random numbers, so from the seed. */
import { LineReader, openPath, readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

async function pool(t: Tool): Promise<string[] | null> {
  if (t.has('e')) return [...t.args];
  const range = t.get('i');
  if (range !== undefined) {
    const m = /^(\d+)-(\d+)$/.exec(range);
    if (!m || Number(m[1]) > Number(m[2]) + 1) {
      await t.fail(`invalid input range: '${range}'`);
      return null;
    }
    return Array.from({ length: Number(m[2]) - Number(m[1]) + 1 }, (_, n) => String(Number(m[1]) + n));
  }
  const name = t.args[0] ?? '-';
  const fd = name === '-' ? 0 : openPath(t.sys, name);
  if (fd < 0) {
    await t.failErrno(name, fd);
    return null;
  }
  const reader = new LineReader(t.sys, fd, t.has('z') ? 0 : 10);
  const lines: string[] = [];
  for (let line = await reader.next(); line !== null; line = await reader.next()) lines.push(line);
  if (fd !== 0) t.sys.close(fd);
  return lines;
}

export const shuf = defineTool(
  {
    name: 'shuf',
    usage: '[OPTION]... [FILE]',
    about: 'Writes lines in random order.',
    options: [
      ['-e, --echo', 'the operands are the lines'],
      ['-i, --input-range=LO-HI', 'the numbers from LO to HI are the lines'],
      ['-n, --head-count=COUNT', 'at most COUNT lines'],
      ['-r, --repeat', 'a line may come again'],
      ['-z, --zero-terminated', 'lines end with NUL'],
    ],
  },
  async (t) => {
    const lines = await pool(t);
    if (!lines) return 1;
    const uuid = await readFileText(t.sys, '/proc/sys/kernel/random/uuid');
    let state = 1;
    for (const c of typeof uuid === 'string' ? uuid : String(t.sys.pid))
      state = (Math.imul(state, 31) + c.charCodeAt(0)) >>> 0;
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % n;
    };
    const count = t.has('n') ? Number(t.get('n')) : t.has('r') ? Number.POSITIVE_INFINITY : lines.length;
    if (Number.isNaN(count)) {
      await t.fail(`invalid line count: '${t.get('n')}'`);
      return 1;
    }
    const end = t.has('z') ? '\0' : '\n';
    for (let n = 0; n < count && lines.length > 0; n++) {
      const at = below(lines.length);
      t.out.put((lines[at] as string) + end);
      if (!t.has('r')) lines.splice(at, 1);
      await t.out.step();
      if (t.out.error) return 1;
    }
    return 0;
  },
);
