/** pmap and pwdx of procps-ng 4.0.2: /proc/PID/maps and cwd. Left out: smaps (-x, -X): the kernels keep no pages' state a mapping. */
import { baseName } from '../coreutils/paths.ts';
import { complain, readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { commandLine, procEntries } from './processes.ts';

/** Process ids of the operands; null after a complaint. */
async function pids(t: Tool): Promise<readonly number[] | null> {
  const wrong = t.args.find((word) => !/^(\/proc\/)?\d+$/.test(word));
  if (t.args.length > 0 && wrong === undefined) return t.args.map((word) => Number(word.replace('/proc/', '')));
  if (wrong === undefined) await t.fail(`argument missing\nTry '${t.name} --help' for more information.`);
  else await t.fail(t.name === 'pwdx' ? `invalid process id: ${wrong}` : `failed to parse argument: '${wrong}'`);
  return null;
}

export const pmap = defineTool(
  {
    name: 'pmap',
    usage: '[options] PID...',
    about: 'Shows what processes have mapped.',
    options: [
      ['-d, --device', 'offsets and devices too'],
      ['-p, --show-path', 'whole paths'],
      ['-q, --quiet', 'no head and sum'],
    ],
  },
  async (t) => {
    const wanted = await pids(t);
    if (!wanted) return 1;
    const all = await procEntries(t.sys);
    for (const pid of wanted) {
      const entry = all.find((one) => one.pid === pid);
      const maps = entry ? await readFileText(t.sys, `/proc/${pid}/maps`) : -3;
      if (!entry || typeof maps === 'number') {
        t.status = 42;
        continue;
      }
      if (!t.has('q')) t.out.line(`${pid}:   ${commandLine(entry)}`);
      if (t.has('d') && !t.has('q')) t.out.line('Address           Kbytes Mode  Offset           Device    Mapping');
      let [total, writable, shared] = [0, 0, 0];
      for (const line of maps.split('\n')) {
        const m = /^([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) (\w+):(\w+) \d+ *(.*)$/.exec(line);
        if (!m) continue;
        const [, start = '', end = '', rights = '', offset = '', major = '', minor = '', name = ''] = m;
        const kib = (Number.parseInt(end, 16) - Number.parseInt(start, 16)) / 1024;
        const mode = `${rights.slice(0, 3)}${rights[3] === 's' ? 's' : '-'}-`;
        const what = name === '' ? '  [ anon ]' : name.startsWith('/') && !t.has('p') ? baseName(name) : name;
        const address = start.padStart(16, '0');
        if (t.has('d'))
          t.out.line(
            `${address} ${String(kib).padStart(7)} ${mode} ${offset.padStart(16, '0')} ${major.padStart(3, '0')}:${minor.padStart(5, '0')} ${what}`,
          );
        else t.out.line(`${address} ${`${kib}K`.padStart(7)} ${mode} ${what}`);
        total += kib;
        if (rights[3] === 's') shared += kib;
        else if (rights[1] === 'w') writable += kib;
      }
      if (t.has('q')) continue;
      t.out.line(
        t.has('d')
          ? `mapped: ${total}K    writeable/private: ${writable}K    shared: ${shared}K`
          : ` total ${`${total}K`.padStart(16)}`,
      );
    }
    return t.status;
  },
);

export const pwdx = defineTool(
  { name: 'pwdx', usage: 'PID...', about: 'Shows the working directories of processes.', options: [] },
  async (t) => {
    const wanted = await pids(t);
    if (!wanted) return 1;
    for (const pid of wanted) {
      const target = t.sys.readlink(`/proc/${pid}/cwd`);
      if (typeof target === 'string') t.out.line(`${pid}: ${target}`);
      else {
        await t.out.flush();
        await complain(t.sys, `${pid}: No such process`);
        t.status = 1;
      }
    }
    return t.status;
  },
);
