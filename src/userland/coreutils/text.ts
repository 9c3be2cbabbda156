/** cat, tac-free streaming text tools: cat, head, tail, wc, tee, seq, yes, echo, printf, nl-free. */
import { E } from '../../base/errno.ts';
import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, SEEK_END } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, encode, LineReader, openPath, readSome, strerror, writeAll } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, missingOperand, type Tool } from '../misc/tool.ts';
import { echoText } from '../shell/builtins/print.ts';
import { printf as format, formatFloat } from '../shell/printf.ts';
import { evaluateTest, TestError } from '../shell/test.ts';
import { backslashQuote } from '../shell/vars.ts';

/** Opens each operand (`-` or none: standard input) and hands it on; complains of those that cannot be opened. */
export async function eachInput(
  t: Tool,
  run: (fd: number, name: string) => Promise<void>,
  describe = (path: string, error: number): string => `${path}: ${strerror(error)}`,
): Promise<void> {
  for (const path of t.args.length ? t.args : ['-']) {
    if (path === '-') {
      await run(0, '-');
      continue;
    }
    const fd = openPath(t.sys, path);
    if (fd < 0) {
      await t.fail(describe(path, fd));
      continue;
    }
    await run(fd, path);
    t.sys.close(fd);
  }
}

export const cat = defineTool(
  {
    name: 'cat',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes files (standard input without any, or for -) one after the other.',
    options: [
      ['-A, --show-all', 'as -vET'],
      ['-b, --number-nonblank', 'number lines that are not empty'],
      ['-e', 'as -vE'],
      ['-E, --show-ends', '$ at line ends'],
      ['-n, --number', 'number lines'],
      ['-s, --squeeze-blank', 'one empty line for several'],
      ['-t', 'as -vT'],
      ['-T, --show-tabs', 'tabs as ^I'],
      ['-u', 'nothing (output is never held back)'],
      ['-v, --show-nonprinting', 'control characters as ^X and M-x'],
    ],
  },
  async (t) => {
    const plain = !['A', 'b', 'e', 'E', 'n', 's', 't', 'T', 'v'].some((k) => t.has(k));
    const has = (...keys: string[]): boolean => keys.some((k) => t.has(k));
    let number = 0;
    let blank = false;
    await eachInput(t, async (fd, name) => {
      if (plain) {
        for (;;) {
          const data = await readSome(t.sys, fd);
          if (typeof data === 'number') return t.fail(`${name}: ${strerror(data)}`);
          if (data.length === 0) return;
          const r = await writeAll(t.sys, 1, data);
          if (r < 0) return t.fail(`write error: ${strerror(r)}`);
          await t.sys.tick();
        }
      }
      const reader = new LineReader(t.sys, fd);
      for (;;) {
        const bytes = await reader.nextBytes();
        if (bytes === null) break;
        if (has('s') && bytes.length === 0 && blank) continue;
        blank = bytes.length === 0;
        let line = '';
        if (has('v', 'A', 'e', 't')) for (const b of bytes) line += visible(b, has('T', 'A', 't'));
        else line = new TextDecoder().decode(bytes);
        if (has('T', 'A', 't')) line = line.replaceAll('\t', '^I');
        const head = (has('b') ? !blank : has('n')) ? `${String(++number).padStart(6)}\t` : '';
        t.out.put(head + line + (reader.terminated ? `${has('E', 'A', 'e') ? '$' : ''}\n` : ''));
        if (!reader.buffered) await t.out.flush();
        await t.out.step();
      }
      if (reader.error) await t.fail(`${name}: ${strerror(reader.error)}`);
    });
    return t.status;
  },
);

function visible(b: number, tabs: boolean): string {
  const low = b & 0x7f;
  const c =
    low === 9 && !tabs && b < 128
      ? '\t'
      : low < 32
        ? `^${String.fromCharCode(low + 64)}`
        : low === 127
          ? '^?'
          : String.fromCharCode(low);
  return b >= 128 ? `M-${c}` : c;
}

/** A count with a multiplier (`10`, `2K`, `1MB`); NaN if malformed. */
export function parseSize(text: string): number {
  const m = /^(0[xX][0-9a-fA-F]+|\d+)(?:(c|w|b)|([kKMGTP])(i?B)?)?$/.exec(text);
  if (!m) return Number.NaN;
  const unit = m[2]
    ? ({ c: 1, w: 2, b: 512 }[m[2]] ?? 1)
    : m[3]
      ? (m[4] === 'B' ? 1000 : 1024) ** ('KMGTP'.indexOf(m[3].toUpperCase()) + 1)
      : 1;
  return Number(m[1]) * unit;
}

const COUNT_OPTIONS = [
  ['-c, --bytes=NUM', 'NUM bytes'],
  ['-n, --lines=NUM', 'NUM lines (10)'],
  ['-q, --quiet, --silent', 'no file names'],
  ['-v, --verbose', 'always file names'],
] as const;

export const head = defineTool(
  {
    name: 'head',
    usage: '[OPTION]... [FILE]...',
    about: 'Writes the first lines of files.',
    options: [...COUNT_OPTIONS],
    digits: 'n',
  },
  async (t) => {
    const bytes = t.has('c');
    const given = (bytes ? t.get('c') : t.get('n')) ?? '10';
    const count = parseSize(given.replace(/^[-+]/, ''));
    if (Number.isNaN(count)) {
      await t.fail(`invalid number of ${bytes ? 'bytes' : 'lines'}: '${given}'`);
      return 1;
    }
    const butLast = given.startsWith('-');
    let first = true;
    await eachInput(
      t,
      async (fd, name) => {
        if ((t.args.length > 1 && !t.has('q')) || t.has('v'))
          t.out.put(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`);
        first = false;
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
      },
      (path, error) => `cannot open '${path}' for reading: ${strerror(error)}`,
    );
    return t.status;
  },
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
  async (t) => {
    const bytes = t.has('c');
    const given = (bytes ? t.get('c') : t.get('n')) ?? '10';
    const count = parseSize(given.replace(/^[-+]/, ''));
    if (Number.isNaN(count)) {
      await t.fail(`invalid number of ${bytes ? 'bytes' : 'lines'}: '${given}'`);
      return 1;
    }
    const fromStart = given.startsWith('+');
    let first = true;
    await eachInput(
      t,
      async (fd, name) => {
        if ((t.args.length > 1 && !t.has('q')) || t.has('v'))
          t.out.put(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`);
        first = false;
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
      },
      (path, error) => `cannot open '${path}' for reading: ${strerror(error)}`,
    );
    return t.status;
  },
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

export const wc = defineTool(
  {
    name: 'wc',
    usage: '[OPTION]... [FILE]...',
    about: 'Counts lines, words and bytes.',
    options: [
      ['-c, --bytes', 'bytes'],
      ['-m, --chars', 'characters'],
      ['-l, --lines', 'newlines'],
      ['-L, --max-line-length', 'longest line'],
      ['-w, --words', 'words'],
    ],
  },
  async (t) => {
    const any = ['c', 'm', 'l', 'w', 'L'].some((k) => t.has(k));
    const rows: { counts: number[]; name: string }[] = [];
    await eachInput(t, async (fd, name) => {
      let [lines, words, chars, bytes, longest, now] = [0, 0, 0, 0, 0, 0];
      let inWord = false;
      for (;;) {
        const data = await readSome(t.sys, fd);
        if (typeof data === 'number') {
          await t.fail(`${name}: ${strerror(data)}`);
          break;
        }
        if (data.length === 0) break;
        bytes += data.length;
        for (const b of data) {
          if ((b & 0xc0) !== 0x80) chars++;
          if (b === 10) {
            lines++;
            longest = Math.max(longest, now);
            now = 0;
          } else if ((b & 0xc0) !== 0x80) now++;
          const space = b === 32 || (b >= 9 && b <= 13);
          if (!space && !inWord) words++;
          inWord = !space;
        }
        await t.sys.tick();
      }
      longest = Math.max(longest, now);
      const pick = [
        (!any || t.has('l')) && lines,
        (!any || t.has('w')) && words,
        t.has('m') && chars,
        (!any || t.has('c')) && bytes,
        t.has('L') && longest,
      ];
      rows.push({ counts: pick.filter((v) => v !== false), name: t.args.length ? name : '' });
    });
    if (rows.length > 1)
      rows.push({
        counts: rows[0]?.counts.map((_, i) => rows.reduce((n, r) => n + (r.counts[i] ?? 0), 0)) ?? [],
        name: 'total',
      });
    const single = rows.length === 1 && rows[0]?.counts.length === 1;
    // As wide as the sum of the files' sizes; 7 where something is no regular file.
    let [total, width] = [0, 1];
    for (const path of t.args.length ? t.args : ['-']) {
      const stat = path === '-' ? t.sys.fstat(0) : t.sys.stat(path);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000) total += stat.size;
      else if (typeof stat !== 'number') width = 7;
    }
    width = single ? 1 : Math.max(width, String(total).length);
    for (const r of rows)
      t.out.line(r.counts.map((c) => String(c).padStart(width)).join(' ') + (r.name ? ` ${r.name}` : ''));
    return t.status;
  },
);

export const tee = defineTool(
  {
    name: 'tee',
    usage: '[OPTION]... [FILE]...',
    about: 'Copies standard input to files and to standard output.',
    options: [
      ['-a, --append', 'add to the files'],
      ['-i, --ignore-interrupts', 'go on at Ctrl-C'],
    ],
  },
  async (t) => {
    if (t.has('i')) t.sys.onSignal(2, 'ignore');
    const outs: { fd: number; name: string }[] = [];
    for (const path of t.args) {
      const fd = openPath(t.sys, path, O_WRONLY | O_CREAT | (t.has('a') ? O_APPEND : O_TRUNC), 0o666);
      if (fd < 0) await t.failErrno(path, fd);
      else outs.push({ fd, name: path });
    }
    outs.push({ fd: 1, name: "'standard output'" });
    for (;;) {
      const data = await readSome(t.sys, 0);
      if (typeof data === 'number' || data.length === 0) break;
      for (const o of outs) {
        const r = await writeAll(t.sys, o.fd, data);
        if (r < 0) await t.failErrno(o.name, r);
      }
    }
    return t.status;
  },
);

export const seq = defineTool(
  {
    name: 'seq',
    usage: '[OPTION]... [FIRST [INCREMENT]] LAST',
    about: 'Writes numbers.',
    posix: true,
    options: [
      ['-f, --format=FORMAT', 'printf format of a floating number'],
      ['-s, --separator=TEXT', 'between numbers (newline)'],
      ['-w, --equal-width', 'pad with zeros'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    if (t.args.length > 3) {
      await t.fail(`extra operand '${t.args[3]}'\nTry 'seq --help' for more information.`);
      return 1;
    }
    for (const a of t.args)
      if (!/^[-+]?(\d+\.?\d*|\.\d+|0[xX][\da-fA-F]+)(e[-+]?\d+)?$/.test(a)) {
        await t.fail(`invalid floating point argument: '${a}'\nTry 'seq --help' for more information.`);
        return 1;
      }
    const texts =
      t.args.length === 1
        ? ['1', '1', t.args[0] ?? '']
        : t.args.length === 2
          ? [t.args[0] ?? '', '1', t.args[1] ?? '']
          : [...t.args];
    const [first = 0, step = 1, last = 0] = texts.map(Number);
    if (step === 0) {
      await t.fail(`invalid Zero increment value: '${texts[1]}'\nTry 'seq --help' for more information.`);
      return 1;
    }
    const places = Math.max(...texts.slice(0, 2).map((x) => (/\.(\d*)/.exec(x)?.[1] ?? '').length));
    const width = t.has('w') ? Math.max(first.toFixed(places).length, last.toFixed(places).length) : 0;
    const separator = t.get('s') ?? '\n';
    let any = false;
    for (let i = 0; ; i++) {
      const v = first + i * step;
      if (step > 0 ? v > last : v < last) break;
      const f = t.get('f');
      let text =
        f === undefined
          ? v.toFixed(places)
          : f.replace(
              /%([-+ 0#]*)(\d*)(?:\.(\d+))?([efg])/,
              (_, flags: string, w: string, p: string | undefined, c: string) =>
                formatFloat(v, c, p === undefined ? 6 : Number(p), flags).padStart(
                  Number(w || 0),
                  flags.includes('0') ? '0' : ' ',
                ),
            );
      if (width) text = text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
      t.out.put((any ? separator : '') + text);
      any = true;
      await t.out.step();
      if (t.out.error) return 1;
    }
    if (any) t.out.put('\n');
    return 0;
  },
);

export const yes: Program = async (sys, argv) => {
  const line = new TextEncoder().encode(`${argv.length > 1 ? argv.slice(1).join(' ') : 'y'}\n`);
  const block = new Uint8Array(line.length * Math.max(1, Math.floor(4096 / line.length)));
  for (let i = 0; i < block.length; i += line.length) block.set(line, i);
  for (;;) {
    await sys.tick();
    const r = await writeAll(sys, 1, block);
    if (r < 0) {
      await complain(sys, `yes: standard output: ${strerror(r)}`);
      return 1;
    }
  }
};

/** A program that writes one computed text. */
async function print(sys: Parameters<Program>[0], name: string, text: string): Promise<number> {
  const r = text === '' ? 0 : await writeAll(sys, 1, encode(text));
  if (r === 0) return 0;
  await complain(sys, `${name}: write error: ${strerror(r)}`);
  return 1;
}

export const echo: Program = (sys, argv) => print(sys, 'echo', echoText(argv.slice(1)));
export const printf: Program = async (sys, argv) => {
  if (argv[1] === undefined) {
    await complain(sys, "printf: missing operand\nTry 'printf --help' for more information.");
    return 1;
  }
  const r = format(argv[1], argv.slice(2), backslashQuote, (f, s) =>
    strftime(f, s < 0n ? sys.clockGettime('realtime') : Number(s) * 1e9),
  );
  for (const e of r.errors) await complain(sys, `printf: ${e}`);
  return (await print(sys, 'printf', r.text)) || (r.errors.length ? 1 : 0);
};
export const test: Program = async (sys, argv) => {
  let args = argv.slice(1);
  if (argv[0]?.endsWith('[')) {
    if (args.at(-1) !== ']') {
      await complain(sys, "[: missing ']'");
      return 2;
    }
    args = args.slice(0, -1);
  }
  try {
    return (await evaluateTest({ sys, isSet: () => false, optionSet: () => false, isNameref: () => false }, args))
      ? 0
      : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await complain(sys, `${argv[0]}: ${error.message}`);
    return 2;
  }
};

export { E, SEEK_END };
