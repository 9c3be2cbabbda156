/** less and more (a small interactive pager), watch. */
import { O_RDWR } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, decode, isatty, openPath, readAll, strerror, windowSize, writeAll, writeText } from '../misc/io.ts';
import { rawMode } from '../misc/raw-mode.ts';
import { strftime } from '../misc/time.ts';
import { defineTool } from '../misc/tool.ts';
import { which } from './run.ts';

async function key(sys: Sys, fd: number): Promise<string> {
  const one = new Uint8Array(1);
  let text = '';
  for (;;) {
    const r = sys.read(fd, one);
    const n = typeof r === 'number' ? r : await r;
    if (n <= 0) return n === -4 ? '' : 'q';
    text += String.fromCharCode(one[0] ?? 0);
    if (text[0] !== '\x1b' || /^\x1b(\[[0-9;]*[A-Za-z~]|[^[])$/.test(text)) return text;
  }
}

export const less = defineTool(
  {
    name: 'less',
    usage: '[OPTION]... [FILE]...',
    about: 'Shows text a screen at a time. Keys: space b j k d u g G /text n N q.',
    options: [
      ['-N, --LINE-NUMBERS', 'line numbers'],
      ['-F, --quit-if-one-screen', 'just write it if it fits'],
      ['-R, --RAW-CONTROL-CHARS', 'colours (always)'],
      ['-S, --chop-long-lines', 'cut long lines (always)'],
      ['-X, --no-init', 'nothing here'],
      ['-i, --ignore-case', 'search without case'],
      ['-r', 'as -R'],
      ['-E', 'nothing here'],
    ],
  },
  async (t) => {
    const { sys } = t;
    let text = '';
    for (const path of t.args.length ? t.args : ['-']) {
      const fd = path === '-' ? 0 : openPath(sys, path);
      const data = fd < 0 ? fd : await readAll(sys, fd);
      if (typeof data === 'number') {
        await complain(sys, `${path}: ${strerror(data)}`);
        t.status = 1;
      } else text += decode(data);
    }
    if (!(await isatty(sys, 1))) {
      await writeText(sys, 1, text);
      return t.status;
    }
    if (text === '' && t.status) return t.status;
    const lines = text.replace(/\n$/, '').split('\n');
    const tty = openPath(sys, '/dev/tty', O_RDWR);
    const { rows, columns } = await windowSize(sys, 1);
    const page = Math.max(1, rows - 1);
    if (t.has('F') && lines.length <= page) {
      await writeText(sys, 1, text);
      return 0;
    }
    await rawMode(sys, tty >= 0 ? tty : 0, async () => {
      let top = 0;
      let pattern: RegExp | null = null;
      let note = '';
      const last = Math.max(0, lines.length - page);
      const seek = (from: number, step: number): void => {
        for (let i = from; pattern && i >= 0 && i < lines.length; i += step)
          if (pattern.test(lines[i] ?? '')) {
            top = Math.min(i, last);
            return;
          }
        note = 'Pattern not found';
      };
      for (;;) {
        top = Math.max(0, Math.min(top, last));
        let out = '\x1b[H\x1b[2J';
        for (let i = 0; i < page; i++) {
          const line = lines[top + i];
          const number = t.has('N') && line !== undefined ? `${String(top + i + 1).padStart(7)} ` : '';
          const shown =
            line === undefined
              ? '~'
              : (number + line.replaceAll('\t', '        ')).slice(0, columns + (line.includes('\x1b') ? 200 : 0));
          out += `${pattern && line !== undefined ? shown.replace(new RegExp(pattern.source, `${pattern.flags}g`), (m) => (m ? `\x1b[7m${m}\x1b[27m` : m)) : shown}\r\n`;
        }
        out += `\x1b[7m${note || (top >= last ? '(END)' : ':')}\x1b[27m`;
        note = '';
        await writeText(sys, 1, out);
        const k = await key(sys, tty >= 0 ? tty : 0);
        if (k === 'q' || k === 'Q') break;
        if (k === ' ' || k === 'f' || k === '\x06' || k === '\x1b[6~') top += page;
        else if (k === 'b' || k === '\x02' || k === '\x1b[5~') top -= page;
        else if (k === 'j' || k === '\r' || k === '\n' || k === 'e' || k === '\x1b[B') top++;
        else if (k === 'k' || k === 'y' || k === '\x1b[A') top--;
        else if (k === 'd' || k === '\x04') top += page >> 1;
        else if (k === 'u' || k === '\x15') top -= page >> 1;
        else if (k === 'g' || k === '<' || k === '\x1b[H') top = 0;
        else if (k === 'G' || k === '>' || k === '\x1b[F') top = last;
        else if (k === 'n') seek(top + 1, 1);
        else if (k === 'N') seek(top - 1, -1);
        else if (k === '/' || k === '?') {
          await writeText(sys, 1, `\r\x1b[K${k}`);
          let query = '';
          for (;;) {
            const c = await key(sys, tty >= 0 ? tty : 0);
            if (c === '\r' || c === '\n') break;
            if (c === '\x7f') query = query.slice(0, -1);
            else query += c;
            await writeText(sys, 1, `\r\x1b[K${k}${query}`);
          }
          if (query !== '') {
            try {
              pattern = new RegExp(query, t.has('i') ? 'i' : '');
            } catch {
              pattern = new RegExp(query.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
            }
          }
          seek(k === '/' ? top + 1 : top - 1, k === '/' ? 1 : -1);
        }
      }
    });
    await writeText(sys, 1, '\r\x1b[K');
    return t.status;
  },
);

export const watch = defineTool(
  {
    name: 'watch',
    usage: '[OPTION]... COMMAND',
    about: 'Runs a command again and again and shows its output. Ctrl-C ends it.',
    posix: true,
    options: [
      ['-n, --interval=SECONDS', 'pause (2)'],
      ['-t, --no-title', 'no head line'],
      ['-x, --exec', 'without sh -c'],
      ['-d, --differences', 'nothing here'],
      ['-e, --errexit', 'end when the command fails'],
      ['-g, --chgexit', 'end when the output changes'],
      ['-c, --color', 'nothing here'],
    ],
  },
  async (t) => {
    const { sys } = t;
    if (t.args.length === 0) {
      await complain(sys, "Usage: watch [OPTION]... COMMAND\nTry 'watch --help' for more information.");
      return 1;
    }
    const given = t.get('n');
    if (given !== undefined && !/^\d*[.,]?\d+$/.test(given)) {
      await t.fail(`failed to parse argument: '${given}': Invalid argument`);
      return 1;
    }
    const pause = Math.max(0.1, Number(t.get('n') ?? 2) || 2);
    const command = t.args.join(' ');
    let before: string | null = null;
    for (;;) {
      const ends = sys.pipe();
      if (typeof ends === 'number') return 1;
      const argv = t.has('x') ? [...t.args] : ['sh', '-c', command];
      const path = which(sys, argv[0] ?? '', t.env)[0] ?? '/bin/sh';
      sys.setCloexec(ends[0], true);
      const pid = sys.spawn(path, argv, { env: t.env, fds: [0, ends[1], ends[1]] });
      sys.close(ends[1]);
      const data = await readAll(sys, ends[0]);
      sys.close(ends[0]);
      const r = pid < 0 ? pid : await sys.waitpid(pid);
      const { rows, columns } = await windowSize(sys, 1);
      const when = strftime('%a %b %e %H:%M:%S %Y', sys.clockGettime('realtime'));
      const left = `Every ${pause.toFixed(1)}s: ${command}`;
      const right = `${sys.uname().nodename}: ${when}`;
      const title = t.has('t')
        ? ''
        : `${left.slice(0, Math.max(0, columns - right.length - 1)).padEnd(Math.max(0, columns - right.length))}${right}\r\n\r\n`;
      const text = typeof data === 'number' ? '' : decode(data);
      const shown = text
        .replace(/\n$/, '')
        .split('\n')
        .slice(0, Math.max(1, rows - (title ? 2 : 0)))
        .map((l) => l.slice(0, columns))
        .join('\r\n');
      await writeAll(sys, 1, new TextEncoder().encode(`\x1b[H\x1b[2J${title}${shown}\r\n`));
      if (t.has('e') && typeof r !== 'number' && r.status !== 0) return r.status;
      if (t.has('g') && before !== null && before !== text) return 0;
      before = text;
      await sys.nanosleep(Math.round(pause * 1e9));
    }
  },
);

export const driverctl: Program = async (sys, argv) => {
  const [, command, device, driver] = argv;
  const put = async (path: string, text: string): Promise<number> => {
    const fd = sys.open(path, 1);
    if (fd < 0) return fd;
    const r = await writeAll(sys, fd, new TextEncoder().encode(text));
    sys.close(fd);
    return r;
  };
  if ((command === 'set-override' && device && driver) || (command === 'unset-override' && device)) {
    const dir = `/sys/bus/pci/devices/${device}`;
    if (typeof sys.stat(dir) === 'number') {
      await complain(sys, `driverctl: no such device: ${device}`);
      return 1;
    }
    const steps: [string, string][] = [[`${dir}/driver_override`, `${command === 'set-override' ? driver : ''}\n`]];
    if (typeof sys.stat(`${dir}/driver`) !== 'number') steps.push([`${dir}/driver/unbind`, device]);
    steps.push(['/sys/bus/pci/drivers_probe', device]);
    for (const [path, text] of steps) {
      const r = await put(path, text);
      if (r < 0) {
        await complain(sys, `driverctl: ${path}: ${strerror(r)}`);
        return 1;
      }
    }
    return 0;
  }
  await complain(sys, 'Usage: driverctl set-override DEVICE DRIVER | unset-override DEVICE');
  return 1;
};
