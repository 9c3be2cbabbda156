/** Processes: ps pgrep pkill kill free. */
import { O_DIRECTORY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, readFileText, strerror, windowSize, writeText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { signalNumber } from '../shell/control.ts';
import { posixRegExp } from '../shell/pattern.ts';

interface ProcInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly state: string;
  readonly comm: string;
  readonly tty: string;
  readonly cmd: string;
}

async function processes(sys: Sys): Promise<ProcInfo[]> {
  const fd = sys.open('/proc', O_DIRECTORY);
  const entries = fd < 0 ? fd : sys.getdents(fd);
  if (fd >= 0) sys.close(fd);
  const list: ProcInfo[] = [];
  for (const e of typeof entries === 'number' ? [] : entries) {
    if (!/^\d+$/.test(e.name)) continue;
    const stat = await readFileText(sys, `/proc/${e.name}/stat`);
    const status = typeof stat === 'number' ? await readFileText(sys, `/proc/${e.name}/status`) : '';
    const cmdline = await readFileText(sys, `/proc/${e.name}/cmdline`);
    const commFile = typeof stat === 'number' ? await readFileText(sys, `/proc/${e.name}/comm`) : '';
    const m = typeof stat === 'string' ? /^\d+ \((.*)\) (\S) (\d+) \d+ \d+ (\d+)/s.exec(stat) : null;
    const field = (name: string): string =>
      typeof status === 'string' ? (new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '') : '';
    const comm = m?.[1] ?? (field('Name') || (typeof commFile === 'string' ? commFile.trim() : '?'));
    const cmd = typeof cmdline === 'string' ? cmdline.replaceAll('\0', ' ').trim() : '';
    list.push({
      pid: Number(e.name),
      ppid: Number(m?.[3] ?? (field('PPid') || 0)),
      state: m?.[2] ?? (field('State') || 'S'),
      comm,
      tty: Number(m?.[4] ?? 0) ? 'ttyS0' : '?',
      cmd: cmd || `[${comm}]`,
    });
  }
  return list.sort((a, b) => a.pid - b.pid);
}

export const ps: Program = async (sys, argv) => {
  const flags = argv.slice(1).join('');
  if (argv.includes('--help')) {
    await writeText(sys, 1, 'Usage: ps [aux] [-e] [-f] [-A]\nShows processes, from /proc.\n');
    return 0;
  }
  let list = await processes(sys);
  if (!/[aeAx]/.test(flags)) {
    const tree = new Set([sys.pid, sys.getppid()]);
    list = list.filter((p) => tree.has(p.pid) || tree.has(p.ppid));
  }
  const { columns } = await windowSize(sys, 1);
  let out: string;
  if (/u/.test(flags))
    out = `USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n${list.map((p) => `root     ${String(p.pid).padStart(7)}  0.0  0.0      0     0 ${p.tty.padEnd(8)} ${p.state.padEnd(4)} 00:00   0:00 ${p.cmd}`.slice(0, columns > 0 ? Math.max(columns, 80) : undefined)).join('\n')}\n`;
  else if (/f/.test(flags))
    out = `UID          PID    PPID  C STIME TTY          TIME CMD\n${list.map((p) => `root     ${String(p.pid).padStart(7)} ${String(p.ppid).padStart(7)}  0 00:00 ${p.tty.padEnd(8)} 00:00:00 ${p.cmd}`).join('\n')}\n`;
  else
    out = `    PID TTY          TIME CMD\n${list.map((p) => `${String(p.pid).padStart(7)} ${p.tty.padEnd(8)} 00:00:00 ${p.comm}`).join('\n')}\n`;
  await writeText(sys, 1, out);
  return 0;
};

/** Pattern of pgrep and pkill, or what is wrong with it. */
function processPattern(text: string | undefined, exact: boolean): RegExp | string {
  if (text === undefined) return 'no matching criteria specified';
  try {
    return posixRegExp(exact ? `^(${text})$` : text);
  } catch {
    return `invalid regular expression: ${text}`;
  }
}

/** Processes that the pattern names, but this one; null after a complaint. */
async function matching(t: Tool): Promise<readonly ProcInfo[] | null> {
  const re = processPattern(t.args[0], t.has('x'));
  if (typeof re === 'string') {
    await t.fail(re, 2);
    return null;
  }
  return (await processes(t.sys)).filter((p) => p.pid !== t.sys.pid && re.test(t.has('f') ? p.cmd : p.comm));
}

export const pgrep = defineTool(
  {
    name: 'pgrep',
    usage: 'PATTERN',
    about: 'Shows processes whose name matches.',
    options: [
      ['-f, --full', 'match the command line'],
      ['-l', 'names too'],
      ['-x, --exact', 'exactly'],
    ],
  },
  async (t) => {
    const hits = await matching(t);
    if (!hits) return 2;
    for (const p of hits) t.out.line(t.has('l') ? `${p.pid} ${p.comm}` : String(p.pid));
    return hits.length ? 0 : 1;
  },
);

export const pkill = defineTool(
  {
    name: 'pkill',
    usage: '[-SIGNAL] PATTERN',
    about: 'Signals processes whose name matches.',
    digits: 's',
    options: [
      ['-f, --full', 'match the command line'],
      ['-x, --exact', 'exactly'],
      ['-s SIGNAL', 'the signal'],
    ],
  },
  async (t) => {
    const hits = await matching(t);
    if (!hits) return 2;
    for (const p of hits) t.sys.kill(p.pid, signalNumber(t.get('s') ?? '15') ?? 15);
    return hits.length ? 0 : 1;
  },
);

export const kill: Program = async (sys, argv) => {
  let signal = 15;
  let args = argv.slice(1);
  const first = args[0] ?? '';
  if (first === '-s' || first === '-n') {
    signal = signalNumber(args[1] ?? '') ?? 15;
    args = args.slice(2);
  } else if (/^-\w+$/.test(first)) {
    signal = signalNumber(first.slice(1)) ?? 15;
    args = args.slice(1);
  }
  let status = 0;
  for (const a of args) {
    const r = sys.kill(Number(a), signal);
    if (r < 0) {
      await complain(sys, `kill: sending signal to ${a} failed: ${strerror(r)}`);
      status = 1;
    }
  }
  return status;
};

export const free = defineTool(
  {
    name: 'free',
    usage: '[OPTION]',
    about: 'Shows memory, from /proc/meminfo.',
    options: [
      ['-b', 'bytes'],
      ['-k', 'KiB'],
      ['-m', 'MiB'],
      ['-g', 'GiB'],
      ['-h, --human', 'with units'],
    ],
  },
  async (t) => {
    const text = await readFileText(t.sys, '/proc/meminfo');
    if (typeof text === 'number') {
      await t.failErrno('/proc/meminfo', text);
      return 1;
    }
    const kb = (n: string): number => Number(new RegExp(`^${n}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const [total, free, buffers, cached, shared] = ['MemTotal', 'MemFree', 'Buffers', 'Cached', 'Shmem'].map(kb) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const available = kb('MemAvailable') || free;
    const show = (v: number): string =>
      t.has('b')
        ? String(v * 1024)
        : t.has('m')
          ? String(Math.floor(v / 1024))
          : t.has('g')
            ? String(Math.floor(v / 1048576))
            : t.has('h')
              ? v >= 1048576
                ? `${(v / 1048576).toFixed(1)}Gi`
                : v >= 1024
                  ? `${Math.round(v / 1024)}Mi`
                  : `${v}Ki`
              : String(v);
    const row = (name: string, cells: readonly number[]): string =>
      name.padEnd(8) + cells.map((c) => show(c).padStart(12)).join('');
    t.out.line('               total        used        free      shared  buff/cache   available');
    t.out.line(row('Mem:', [total, total - free - buffers - cached, free, shared, buffers + cached, available]));
    t.out.line(row('Swap:', [kb('SwapTotal'), kb('SwapTotal') - kb('SwapFree'), kb('SwapFree')]));
    return 0;
  },
);
