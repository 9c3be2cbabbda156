/** head and tail. */
import { LineReader, readSome, strerror, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { COUNT_OPTIONS, eachInput, parseSize } from './inputs.ts';

/** How much is wanted: lines or bytes, the text as given (its sign matters). */
interface Part {
  readonly bytes: boolean;
  readonly given: string;
  readonly count: number;
}
/** Null after a complaint. */
async function part(t: Tool): Promise<Part | null> {
  const bytes = t.has('c');
  const given = (bytes ? t.get('c') : t.get('n')) ?? '10';
  const count = parseSize(given.replace(/^[-+]/, ''));
  if (!Number.isNaN(count)) return { bytes, given, count };
  await t.fail(`invalid number of ${bytes ? 'bytes' : 'lines'}: '${given}'`);
  return null;
}

/** The line above each of several files. */
function title(t: Tool, name: string, first: boolean): void {
  if ((t.args.length > 1 && !t.has('q')) || t.has('v'))
    t.out.put(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`);
}

/** Runs `show` on each operand, with its title, as much as the options ask for. */
async function eachPart(t: Tool, show: (fd: number, name: string, wanted: Part) => Promise<void>): Promise<number> {
  const wanted = await part(t);
  if (!wanted) return 1;
  let first = true;
  await eachInput(
    t,
    async (fd, name) => {
      title(t, name, first);
      first = false;
      await show(fd, name, wanted);
    },
    (path, error) => `cannot open '${path}' for reading: ${strerror(error)}`,
  );
  return t.status;
}

export const head = defineTool(
  {
    name: 'head',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes the first lines of files.',
    options: [...COUNT_OPTIONS],
    digits: 'n',
  },
  (t) =>
    eachPart(t, async (fd, name, { bytes, given, count }) => {
      const butLast = given.startsWith('-');
      if (bytes) {
        let left = count;
        while (left > 0) {
          const data = await readSome(t.sys, fd, Math.min(left, 65536));
          if (typeof data === 'number') return t.fail(`error reading '${name}': ${strerror(data)}`);
          if (data.length === 0) break;
          t.out.bytes(data);
          left -= data.length;
          await t.out.flush();
        }
        return;
      }
      const reader = new LineReader(t.sys, fd);
      const held: { bytes: Uint8Array; end: string }[] = [];
      for (let n = 0; butLast || n < count; n++) {
        const line = await reader.nextBytes();
        if (line === null) break;
        const item = { bytes: line.slice(), end: reader.terminated ? '\n' : '' };
        if (butLast) {
          held.push(item);
          if (held.length <= count) continue;
        }
        const put = butLast ? held.shift() : item;
        if (put) {
          t.out.bytes(put.bytes);
          t.out.put(put.end);
        }
        if (!reader.buffered) await t.out.flush();
        await t.out.step();
      }
      if (reader.error) await t.fail(`error reading '${name}': ${strerror(reader.error)}`);
      await t.out.flush();
    }),
);

export const tail = defineTool(
  {
    name: 'tail',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes the last lines of files; +NUM counts from the start.',
    options: [
      ...COUNT_OPTIONS,
      ['-f, --follow', 'wait for more'],
      ['-F', 'as -f'],
      ['-s, --sleep-interval=N', 'seconds between looks (1)'],
    ],
    digits: 'n',
  },
  (t) =>
    eachPart(t, async (fd, name, { bytes, given, count }) => {
      const fromStart = given.startsWith('+');
      if (bytes) {
        let all = new Uint8Array(0);
        for (;;) {
          const data = await readSome(t.sys, fd);
          if (typeof data === 'number' || data.length === 0) break;
          const joined = new Uint8Array(all.length + data.length);
          joined.set(all);
          joined.set(data, all.length);
          all = fromStart ? joined : joined.slice(-count || joined.length);
          await t.sys.tick();
        }
        t.out.bytes(fromStart ? all.subarray(Math.max(0, count - 1)) : all);
      } else {
        const reader = new LineReader(t.sys, fd);
        const held: { bytes: Uint8Array; end: string }[] = [];
        for (let n = 1; ; n++) {
          const line = await reader.nextBytes();
          if (line === null) break;
          const item = { bytes: line.slice(), end: reader.terminated ? '\n' : '' };
          if (fromStart) {
            if (n < count) continue;
            t.out.bytes(item.bytes);
            t.out.put(item.end);
            await t.out.step();
          } else {
            held.push(item);
            if (held.length > count) held.shift();
            await t.sys.tick();
          }
        }
        for (const item of held) {
          t.out.bytes(item.bytes);
          t.out.put(item.end);
        }
        if (reader.error) await t.fail(`error reading '${name}': ${strerror(reader.error)}`);
      }
      await t.out.flush();
      if (t.has('f') || t.has('F')) await follow(t, fd);
    }),
);

async function follow(t: Tool, fd: number): Promise<void> {
  const pause = Number(t.get('s') ?? 1) * 1e9;
  for (;;) {
    const data = await readSome(t.sys, fd);
    if (typeof data === 'number') return;
    if (data.length > 0) await writeAll(t.sys, 1, data);
    else await t.sys.nanosleep(pause);
  }
}
