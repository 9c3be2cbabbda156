/** Tools about the machine: date uname hostname id whoami ps uptime free nproc mount umount sleep env timeout which sync reboot … */
import { O_DIRECTORY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, join, readFileText, strerror, windowSize, writeText } from '../misc/io.ts';
import { daysFromCivil, strftime } from '../misc/time.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { signalNumber } from '../shell/control.ts';
import { posixRegExp } from '../shell/pattern.ts';

/** Path of a command as execvp finds it, or null. */
export function which(sys: Sys, name: string, env: Readonly<Record<string, string>>): string[] {
  if (name.includes('/')) return sys.access(name, 1) === 0 ? [name] : [];
  return (env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    .split(':')
    .map((d) => join(d || '.', name))
    .filter((p) => {
      const s = sys.stat(p);
      return typeof s !== 'number' && (s.mode & 0o170000) === 0o100000 && sys.access(p, 1) === 0;
    });
}

export const date = defineTool(
  {
    name: 'date',
    usage: '[OPTION]... [+FORMAT]',
    about: "Shows the machine's time (UTC).",
    options: [
      ['-d, --date=TEXT', '@SECONDS, now, or YYYY-MM-DD [HH:MM:SS]'],
      ['-I, --iso-8601[=SPEC]', 'date, or with hours, minutes, seconds'],
      ['-R, --rfc-email', 'as in mail'],
      ['-u, --utc', 'UTC (always)'],
      ['-r, --reference=FILE', 'time of FILE'],
    ],
  },
  async (t) => {
    let ns = t.sys.clockGettime('realtime');
    const text = t.get('d');
    const reference = t.get('r');
    if (reference !== undefined) {
      const s = t.sys.stat(reference);
      if (typeof s === 'number') {
        await t.failErrno(reference, s);
        return 1;
      }
      ns = s.mtimeNs;
    } else if (text !== undefined && text !== 'now') {
      const at = /^@(-?\d+)/.exec(text);
      const c = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?/.exec(text);
      if (at) ns = Number(at[1]) * 1e9;
      else if (c)
        ns =
          (daysFromCivil(Number(c[1]), Number(c[2]), Number(c[3])) * 86400 +
            Number(c[4] ?? 0) * 3600 +
            Number(c[5] ?? 0) * 60 +
            Number(c[6] ?? 0)) *
          1e9;
      else {
        await t.fail(`invalid date '${text}'`);
        return 1;
      }
    }
    if (t.args[0] !== undefined && !t.args[0].startsWith('+')) {
      await t.fail(`invalid date '${t.args[0]}'`);
      return 1;
    }
    const format = t.args[0]?.startsWith('+')
      ? t.args[0].slice(1)
      : t.has('R')
        ? '%a, %d %b %Y %H:%M:%S %z'
        : t.has('I')
          ? t.get('I') === 'seconds'
            ? '%FT%T+00:00'
            : '%F'
          : '%a %b %e %H:%M:%S UTC %Y';
    t.out.line(strftime(format, ns));
    return 0;
  },
);

export const uname = defineTool(
  {
    name: 'uname',
    operands: 0,
    usage: '[OPTION]...',
    about: 'Shows the kernel.',
    options: [
      ['-a, --all', 'everything'],
      ['-s, --kernel-name', 'name'],
      ['-n, --nodename', 'host name'],
      ['-r, --kernel-release', 'release'],
      ['-v, --kernel-version', 'version'],
      ['-m, --machine', 'machine'],
      ['-p, --processor', 'processor'],
      ['-i, --hardware-platform', 'platform'],
      ['-o, --operating-system', 'system'],
    ],
  },
  async (t) => {
    const u = t.sys.uname();
    const all: [string, string][] = [
      ['s', u.sysname],
      ['n', u.nodename],
      ['r', u.release],
      ['v', u.version],
      ['m', u.machine],
      ['o', 'GNU/Linux'],
    ];
    if (t.has('a')) t.out.line(all.map(([, v]) => v).join(' '));
    else {
      const picked = all.filter(([k]) => t.has(k)).map(([, v]) => v);
      if (t.has('p') || t.has('i')) picked.push('unknown');
      t.out.line(picked.length ? picked.join(' ') : u.sysname);
    }
    return 0;
  },
);

export const hostname = defineTool(
  {
    name: 'hostname',
    usage: '[OPTION]',
    about: 'Shows the host name.',
    options: [
      ['-s, --short', 'up to the first dot'],
      ['-f, --fqdn', 'whole'],
      ['-i', 'address'],
    ],
  },
  async (t) => {
    t.out.line(t.has('i') ? '127.0.1.1' : t.sys.uname().nodename);
    return 0;
  },
);
/** man: the images hold no manual pages, and it says so. */
export const man: Program = async (sys, argv, env) => {
  const names = argv.slice(1).filter((word) => !word.startsWith('-') && !/^[1-9]$/.test(word));
  if (names.length === 0) {
    await complain(
      sys,
      'What manual page do you want?\nThere are none in this image; commands tell their options with --help.',
    );
    return 1;
  }
  for (const name of names)
    await complain(
      sys,
      which(sys, name, env).length > 0
        ? `No manual entry for ${name}: this image holds no manual pages; '${name} --help' tells its options.`
        : `No manual entry for ${name}`,
    );
  return 16;
};
export const whoami = defineTool(
  { name: 'whoami', operands: 0, usage: '', about: 'Shows the user.', options: [] },
  async (t) => {
    t.out.line(t.sys.getuid() === 0 ? 'root' : String(t.sys.getuid()));
    return 0;
  },
);
export const id = defineTool(
  {
    name: 'id',
    usage: '[OPTION]...',
    about: 'Shows user and groups.',
    options: [
      ['-u, --user', 'user'],
      ['-g, --group', 'group'],
      ['-G, --groups', 'groups'],
      ['-n, --name', 'names'],
      ['-r, --real', 'real ones'],
    ],
  },
  async (t) => {
    const uid = t.sys.getuid();
    const name = uid === 0 ? 'root' : String(uid);
    if (t.has('u') || t.has('g') || t.has('G')) t.out.line(t.has('n') ? name : String(uid));
    else t.out.line(`uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`);
    return 0;
  },
);
export const nproc = defineTool(
  {
    name: 'nproc',
    operands: 0,
    usage: '',
    about: 'Shows the number of processors.',
    options: [['--all', 'installed ones']],
  },
  async (t) => {
    const text = await readFileText(t.sys, '/proc/cpuinfo');
    const n = typeof text === 'string' ? [...text.matchAll(/^processor\s*:/gm)].length : 0;
    t.out.line(String(n || 1));
    return 0;
  },
);

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
    const re = processPattern(t.args[0], t.has('x'));
    if (typeof re === 'string') {
      await t.fail(re, 2);
      return 2;
    }
    const hits = (await processes(t.sys)).filter((p) => p.pid !== t.sys.pid && re.test(t.has('f') ? p.cmd : p.comm));
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
    const re = processPattern(t.args[0], t.has('x'));
    if (typeof re === 'string') {
      await t.fail(re, 2);
      return 2;
    }
    const hits = (await processes(t.sys)).filter((p) => p.pid !== t.sys.pid && re.test(t.has('f') ? p.cmd : p.comm));
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

export const uptime: Program = async (sys) => {
  const up = Math.floor(sys.clockGettime('monotonic') / 60e9);
  const hours = Math.floor(up / 60);
  const text = hours ? `${hours}:${String(up % 60).padStart(2, '0')}` : `${up} min`;
  const load = await readFileText(sys, '/proc/loadavg');
  const l = typeof load === 'string' ? load.split(' ').slice(0, 3).join(', ') : '0.00, 0.00, 0.00';
  await writeText(
    sys,
    1,
    ` ${strftime('%T', sys.clockGettime('realtime'))} up ${text},  1 user,  load average: ${l}\n`,
  );
  return 0;
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

/** Seconds of `10`, `1.5`, `2m`, `1h`, `infinity`; null if malformed. */
export function duration(text: string): number | null {
  if (/^inf(inity)?$/.test(text)) return 1e9;
  const m = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  return m ? Number(m[1]) * ({ s: 1, m: 60, h: 3600, d: 86400 }[m[2] || 's'] ?? 1) : null;
}

export const sleep = defineTool(
  { name: 'sleep', usage: 'NUMBER[SUFFIX]...', about: 'Waits; s, m, h or d after the number.', options: [] },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    let total = 0;
    for (const a of t.args) {
      const s = duration(a);
      if (s === null) {
        await t.fail(`invalid time interval '${a}'\nTry 'sleep --help' for more information.`);
        return 1;
      }
      total += s;
    }
    await t.sys.nanosleep(Math.round(total * 1e9));
    return 0;
  },
);

/** Spawns a command found in PATH; its status, 127 or 126 with `who`'s message. */
export async function runCommand(
  sys: Sys,
  who: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const path = which(sys, command[0] ?? '', env)[0];
  if (path === undefined) {
    await complain(
      sys,
      `${who}: ${who === 'env' || who === 'timeout' ? (who === 'env' ? `'${command[0]}'` : `failed to run command '${command[0]}'`) : command[0]}: No such file or directory`,
    );
    return 127;
  }
  const pid = sys.spawn(path, command, { env });
  if (pid < 0) {
    await complain(sys, `${who}: ${command[0]}: ${strerror(pid)}`);
    return 126;
  }
  for (;;) {
    const r = await sys.waitpid(pid);
    if (typeof r !== 'number') return r.status;
    if (r !== -4) return 127;
  }
}

export const env = defineTool(
  {
    name: 'env',
    usage: '[OPTION]... [NAME=VALUE]... [COMMAND [ARG]...]',
    about: 'Shows the environment or runs a command in a changed one.',
    posix: true,
    options: [
      ['-i, --ignore-environment', 'start empty'],
      ['-u, --unset=NAME', 'without NAME'],
      ['-C, --chdir=DIR', 'in DIR'],
      ['-S, --split-string=TEXT', 'words of TEXT as arguments'],
    ],
  },
  async (t) => {
    const vars: Record<string, string> = t.has('i') ? {} : { ...t.env };
    for (const [k, v] of t.order) if (k === 'u') delete vars[v];
    const args = [...(t.get('S')?.split(/\s+/) ?? []), ...t.args];
    while (args[0]?.includes('=')) {
      const a = args.shift() ?? '';
      vars[a.slice(0, a.indexOf('='))] = a.slice(a.indexOf('=') + 1);
    }
    const dir = t.get('C');
    if (dir !== undefined) t.sys.chdir(dir);
    if (args.length > 0) return runCommand(t.sys, 'env', args, vars);
    for (const [k, v] of Object.entries(vars)) t.out.line(`${k}=${v}`);
    return 0;
  },
);
export const printenv = defineTool(
  { name: 'printenv', usage: '[NAME]...', about: 'Shows environment variables.', options: [] },
  async (t) => {
    if (t.args.length === 0) for (const [k, v] of Object.entries(t.env)) t.out.line(`${k}=${v}`);
    for (const n of t.args) {
      const v = t.env[n];
      if (v === undefined) t.status = 1;
      else t.out.line(v);
    }
    return t.status;
  },
);
export const whichTool = defineTool(
  { name: 'which', usage: '[-a] NAME...', about: 'Shows where commands are.', options: [['-a', 'all of them']] },
  async (t) => {
    for (const n of t.args) {
      const found = which(t.sys, n, t.env);
      if (found.length === 0) t.status = 1;
      for (const p of t.has('a') ? found : found.slice(0, 1)) t.out.line(p);
    }
    return t.status;
  },
);
export const timeout = defineTool(
  {
    name: 'timeout',
    usage: '[OPTION] DURATION COMMAND [ARG]...',
    about: 'Runs a command and ends it after a time.',
    posix: true,
    misuse: 125,
    options: [
      ['-s, --signal=SIGNAL', 'which signal (TERM)'],
      ['-k, --kill-after=DURATION', 'KILL if still there'],
      ['--preserve-status', "the command's own status"],
      ['--foreground', 'nothing here'],
    ],
  },
  async (t) => {
    const [time, ...command] = t.args;
    const seconds = duration(time ?? '');
    if (time === undefined || command.length === 0) return missingOperand(t).then(() => 125);
    if (seconds === null) {
      await t.fail(`invalid time interval '${time}'\nTry 'timeout --help' for more information.`, 125);
      return 125;
    }
    const path = which(t.sys, command[0] ?? '', t.env)[0];
    if (path === undefined) {
      await t.fail(`failed to run command '${command[0]}': No such file or directory`);
      return 127;
    }
    const pid = t.sys.spawn(path, command, { env: t.env });
    let fired = false;
    const guard =
      seconds === 0
        ? -1
        : t.sys.fork(async (child) => {
            await child.nanosleep(Math.round(seconds * 1e9));
            child.kill(pid, signalNumber(t.get('s') ?? 'TERM') ?? 15);
            const again = duration(t.get('k') ?? '');
            if (again !== null) {
              await child.nanosleep(again * 1e9);
              child.kill(pid, 9);
            }
            return 0;
          });
    const r = await t.sys.waitpid(pid);
    if (guard > 0) {
      const g = await t.sys.waitpid(guard, { nohang: true });
      fired = typeof g !== 'number' && g.pid > 0;
      if (!fired) {
        t.sys.kill(guard, 9);
        await t.sys.waitpid(guard);
      }
    }
    const status = typeof r === 'number' ? 125 : r.status;
    return fired && typeof r !== 'number' && r.signal && !t.has('preserve-status') ? 124 : status;
  },
);

export const mount = defineTool(
  {
    name: 'mount',
    usage: '[-t TYPE] [SOURCE] [DIRECTORY]',
    about: 'Shows or makes mounts.',
    options: [
      ['-t, --types=TYPE', 'file system'],
      ['-o, --options=LIST', 'nothing here'],
      ['-a, --all', 'nothing to do here'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      const text = await readFileText(t.sys, '/proc/mounts');
      for (const line of typeof text === 'string' ? text.trim().split('\n') : []) {
        const [source, target, type, options] = line.split(' ');
        t.out.line(`${source} on ${target} type ${type} (${options})`);
      }
      return 0;
    }
    const [source = '', target = source] = t.args;
    const r = t.sys.mount(source, target, t.get('t') ?? 'auto');
    if (r < 0) {
      await t.fail(
        `${target}: ${r === -19 ? `unknown filesystem type '${t.get('t') ?? 'auto'}'` : r === -2 ? 'mount point does not exist' : strerror(r)}.`,
        32,
      );
      return 32;
    }
    return 0;
  },
);
export const umount = defineTool(
  {
    name: 'umount',
    usage: 'DIRECTORY...',
    about: 'Ends mounts.',
    options: [
      ['-l, --lazy', 'nothing here'],
      ['-f, --force', 'nothing here'],
    ],
  },
  async (t) => {
    for (const target of t.args) {
      const r = t.sys.umount(target);
      if (r < 0)
        await t.fail(`${target}: ${r === -22 ? 'not mounted' : r === -16 ? 'target is busy' : strerror(r)}.`, 32);
    }
    return t.status;
  },
);

const power =
  (name: string, command: 'restart' | 'poweroff' | 'halt'): Program =>
  async (sys, argv) => {
    if (argv.includes('--help')) {
      await writeText(sys, 1, `Usage: ${name} [-f]\nStops the machine: ${command}.\n`);
      return 0;
    }
    let how = command;
    if (name === 'shutdown')
      how = argv.some((a) => a === '-r' || a === '--reboot')
        ? 'restart'
        : argv.some((a) => a === '-H')
          ? 'halt'
          : 'poweroff';
    if (argv.includes('-p')) how = 'poweroff';
    sys.sync();
    const r = sys.reboot(how);
    if (r < 0) {
      await complain(sys, `${name}: ${strerror(r)}`);
      return 1;
    }
    // The kernel ends every process; until then there is nothing left to do.
    for (;;) await sys.nanosleep(1e9);
  };
export const reboot = power('reboot', 'restart');
export const poweroff = power('poweroff', 'poweroff');
export const halt = power('halt', 'halt');
export const shutdown = power('shutdown', 'poweroff');

export const clear: Program = async (sys) => {
  await writeText(sys, 1, '\x1b[H\x1b[2J\x1b[3J');
  return 0;
};
export const reset: Program = async (sys) => {
  await writeText(sys, 1, '\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>');
  return 0;
};
export const sync: Program = async (sys) => {
  sys.sync();
  return 0;
};
export const tty: Program = async (sys) => {
  const r = sys.readlink('/proc/self/fd/0');
  await writeText(sys, 1, `${typeof r === 'string' && r.startsWith('/dev/') ? r : 'not a tty'}\n`);
  return typeof r === 'string' && r.startsWith('/dev/') ? 0 : 1;
};
export const pwd: Program = async (sys) => {
  await writeText(sys, 1, `${sys.getcwd()}\n`);
  return 0;
};
export const uuidgen: Program = async (sys) => {
  const text = await readFileText(sys, '/proc/sys/kernel/random/uuid');
  if (typeof text === 'number') {
    await complain(sys, `uuidgen: /proc/sys/kernel/random/uuid: ${strerror(text)}`);
    return 1;
  }
  await writeText(sys, 1, `${text.trim()}\n`);
  return 0;
};
/** Device events are handled at once here, so there is never anything to settle. */
export const udevadm: Program = async (sys, argv) => {
  if (argv[1] === 'settle' || argv[1] === 'trigger' || argv[1] === 'control') return 0;
  await complain(sys, `udevadm: ${argv[1] ?? ''}: only settle, trigger and control are available`);
  return 1;
};
