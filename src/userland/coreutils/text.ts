import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, LineReader, openPath, readSome, strerror, writeAll } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { eachInput } from './inputs.ts';

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
