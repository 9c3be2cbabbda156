import { isatty, strerror } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { FACILITIES, LEVELS, type Record, records } from './kmsg.ts';

export const dmesg = defineTool(
  {
    name: 'dmesg',
    usage: '[OPTION]...',
    about: "Shows the kernel's messages.",
    options: [
      ['-c, --read-clear', 'show, then clear'],
      ['-C, --clear', 'clear'],
      ['-d, --show-delta', 'time since the one before'],
      ['-D, --console-off', 'no messages on the console'],
      ['-E, --console-on', 'messages on the console'],
      ['-e, --reltime', 'times to read'],
      ['-f, --facility=LIST', 'only these facilities'],
      ['-H, --human', 'as -L -e'],
      ['-J, --json', 'JSON'],
      ['-k, --kernel', 'only of the kernel'],
      ['-L, --color[=WHEN]', 'colours: always, auto or never'],
      ['-l, --level=LIST', 'only these levels (warn, err, warn+ …)'],
      ['-n, --console-level=LEVEL', 'what reaches the console'],
      ['-P, --nopager', 'nothing here'],
      ['-r, --raw', 'with the raw prefix'],
      ['-S, --syslog', 'nothing here'],
      ['-t, --notime', 'no times'],
      ['-T, --ctime', 'dates'],
      ['-u, --userspace', 'only of programs'],
      ['-w, --follow', 'wait for more'],
      ['-W, --follow-new', 'only new ones'],
      ['-x, --decode', 'facility and level as words'],
      ['--time-format=X', 'ctime, reltime, delta, notime, iso, raw'],
    ],
  },
  async (t) => {
    const { sys } = t;
    if (t.args.length > 0) {
      await t.fail(`bad usage\nTry 'dmesg --help' for more information.`);
      return 1;
    }
    if (t.has('n')) {
      const text = t.get('n') ?? '';
      const at = LEVELS.indexOf(text);
      const level = /^\d$/.test(text) ? Number(text) : at + 1;
      if (level < 1 || level > 8) {
        await t.fail(`unknown level '${text}'`);
        return 1;
      }
      return done(t, await sys.syslog({ consoleLevel: level }), 'klogctl failed');
    }
    if (t.has('D') || t.has('E'))
      return done(t, await sys.syslog(t.has('D') ? 'console-off' : 'console-on'), 'klogctl failed');
    if (t.has('C')) return done(t, await sys.syslog('clear'), 'clear kernel buffer failed');
    const levels = new Set<number>();
    for (const word of (t.get('l') ?? '').split(',').filter(Boolean)) {
      const at = LEVELS.indexOf(word.replace(/\+/g, '').replace('warning', 'warn'));
      if (at < 0) {
        await t.fail(`unknown level '${word}'`);
        return 1;
      }
      for (let i = 0; i < 8; i++)
        if (i === at || (word.endsWith('+') && i < at) || (word.startsWith('+') && i > at)) levels.add(i);
    }
    const mode = t.get('L') ?? '';
    if (!['', 'always', 'auto', 'never'].includes(mode)) {
      await t.fail(`unsupported color mode: '${mode}'`);
      return 1;
    }
    const wanted = t.get('time-format');
    if (wanted !== undefined && !['ctime', 'reltime', 'delta', 'notime', 'iso', 'raw'].includes(wanted)) {
      await t.fail(`unknown time format: ${wanted}`);
      return 1;
    }
    const facilities = (t.get('f') ?? '').split(',').filter(Boolean);
    const strange = facilities.find((f) => !FACILITIES.includes(f));
    if (strange !== undefined) {
      await t.fail(`unknown facility '${strange}'`);
      return 1;
    }
    const format = wanted;
    const dates = t.has('T') || format === 'ctime';
    const plain = t.has('t') || format === 'notime';
    const when = t.get('L');
    const color =
      (t.has('L') && (when === 'always' || (when !== 'never' && (await isatty(sys, 1))))) ||
      (t.has('H') && (await isatty(sys, 1)));
    const boot = sys.clockGettime('realtime') - sys.clockGettime('monotonic');
    let before = 0;
    const follow = t.has('W') ? 'new' : t.has('w') ? 'all' : null;
    const json: string[] = [];
    const r = await records(sys, follow, async (m) => {
      if (levels.size && !levels.has(m.level)) return;
      if (t.has('k') && m.facility !== 0) return;
      if (t.has('u') && m.facility === 0) return;
      if (facilities.length && !facilities.includes(FACILITIES[m.facility] ?? '')) return;
      if (t.has('J')) {
        json.push(
          `      {\n         "pri": ${m.facility * 8 + m.level},\n         "time": ${(m.us / 1e6).toFixed(6).padStart(12)},\n         "msg": ${JSON.stringify(m.text)}\n      }`,
        );
        return;
      }
      const head = t.has('x')
        ? `${(FACILITIES[m.facility] ?? String(m.facility)).padEnd(6)}:${(LEVELS[m.level] ?? '').padEnd(6)}: `
        : t.has('r')
          ? `<${m.facility * 8 + m.level}>`
          : '';
      const seconds = `${String(Math.floor(m.us / 1e6)).padStart(5)}.${String(m.us % 1e6).padStart(6, '0')}`;
      const delta = ((m.us - before) / 1e6).toFixed(6).padStart(12);
      before = m.us;
      const time = plain
        ? ''
        : dates
          ? `[${strftime('%a %b %e %H:%M:%S %Y', boot + m.us * 1000)}] `
          : format === 'iso'
            ? `${strftime('%FT%T', boot + m.us * 1000)},${String(m.us % 1e6).padStart(6, '0')}+00:00 `
            : t.has('e') || t.has('H') || format === 'reltime'
              ? `[${strftime('%b%e %H:%M', boot + m.us * 1000)}] `
              : t.has('d') || format === 'delta'
                ? `[${seconds} <${delta}>] `
                : `[${seconds}] `;
      t.out.line(head + (color ? paint(m, time) : time + m.text));
      if (follow) await t.out.flush();
      else await t.out.step();
    });
    if (t.has('J')) t.out.put(`{\n   "dmesg": [\n${json.join(',')}\n   ]\n}\n`);
    if (r < 0) {
      await t.fail(`read kernel buffer failed: ${strerror(r)}`);
      return 1;
    }
    await t.out.flush();
    return t.has('c') ? done(t, await sys.syslog('clear'), 'clear kernel buffer failed') : 0;
  },
);

function paint(m: Record, time: string): string {
  const sub = /^([^:]{1,40}:)(.*)$/s.exec(m.text);
  const text =
    m.level <= 3
      ? `\x1b[31m${m.text}\x1b[0m`
      : m.level === 4
        ? `\x1b[1m${m.text}\x1b[0m`
        : sub
          ? `\x1b[33m${sub[1]}\x1b[0m${sub[2]}`
          : m.text;
  return `\x1b[32m${time}\x1b[0m${text}`;
}

async function done(t: Tool, r: number, what: string): Promise<number> {
  if (r >= 0) return 0;
  await t.fail(`${what}: ${strerror(r)}`);
  return 1;
}
