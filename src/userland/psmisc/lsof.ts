/** lsof 4.95 for files: working and root directories, programs, mappings and descriptors out of /proc. Left out: sockets, -F, +D, repeat mode. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG } from '../../linux/uapi/constants.ts';
import type { Stat, Sys } from '../../linux/uapi/sys.ts';
import { listDir } from '../coreutils/paths.ts';
import { complain, readFileText, strerror } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { type ProcEntry, procEntries } from '../procps/processes.ts';

interface Row {
  readonly entry: ProcEntry;
  readonly fd: string;
  readonly stat: Stat;
  readonly name: string;
  /** Position in the file, of descriptors. */
  readonly position: number | null;
}

const TYPES: Readonly<Record<number, string>> = {
  [S_IFREG]: 'REG',
  [S_IFDIR]: 'DIR',
  [S_IFCHR]: 'CHR',
  [S_IFBLK]: 'BLK',
  [S_IFIFO]: 'FIFO',
  0: 'a_inode',
};

async function rowsOf(sys: Sys, entry: ProcEntry): Promise<Row[]> {
  const dir = `/proc/${entry.pid}`;
  const out: Row[] = [];
  const link = (file: string, fd: string, position: number | null): void => {
    const stat = sys.stat(`${dir}/${file}`);
    const name = sys.readlink(`${dir}/${file}`);
    if (typeof stat !== 'number' && typeof name === 'string') out.push({ entry, fd, stat, name, position });
  };
  link('cwd', 'cwd', null);
  link('root', 'rtd', null);
  link('exe', 'txt', null);
  const maps = await readFileText(sys, `${dir}/maps`);
  const mapped = new Set<string>();
  for (const line of typeof maps === 'string' ? maps.split('\n') : []) {
    const name = /^\S+ \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line)?.[1];
    if (name === undefined || mapped.has(name)) continue;
    mapped.add(name);
    const stat = sys.stat(name);
    if (typeof stat !== 'number') out.push({ entry, fd: 'mem', stat, name, position: null });
  }
  const fds = listDir(sys, `${dir}/fd`);
  for (const fd of typeof fds === 'number' ? [] : fds.sort((a, b) => Number(a) - Number(b))) {
    const mode = sys.lstat(`${dir}/fd/${fd}`);
    const info = await readFileText(sys, `${dir}/fdinfo/${fd}`);
    const rights = typeof mode === 'number' ? 0 : (mode.mode >> 6) & 6;
    const position = Number(/^pos:\s*(\d+)/.exec(typeof info === 'string' ? info : '')?.[1] ?? 0);
    link(`fd/${fd}`, `${fd}${{ 4: 'r', 2: 'w', 6: 'u' }[rights] ?? ' '}`, position);
  }
  return out;
}

function device({ stat }: Row): string {
  const type = stat.mode & S_IFMT;
  const number = type === S_IFCHR || type === S_IFBLK ? stat.rdev : stat.dev;
  return `${Math.floor(number / 256)},${number % 256}`;
}

function size({ stat, position }: Row): string {
  const type = stat.mode & S_IFMT;
  if (type === S_IFREG || type === S_IFDIR) return String(stat.size);
  return position === null ? '' : `0t${position}`;
}

/** Pipes are called `pipe`, anonymous inodes by what is in brackets. */
function nameOf({ name, stat }: Row): string {
  if ((stat.mode & S_IFMT) === 0)
    return name.replace(/^anon_inode:(.*)$/, (_, what: string) => (what.startsWith('[') ? what : `[${what}]`));
  return /^pipe:\[/.test(name) ? 'pipe' : name;
}

export const lsof = defineTool(
  {
    name: 'lsof',
    usage: '[-atV] [-c NAME] [-d FDS] [-p PIDS] [FILE...]',
    about: 'Shows open files.',
    options: [
      ['-a', 'all conditions must hold'],
      ['-c NAME', 'programs whose name begins so'],
      ['-d FDS', 'these descriptors'],
      ['-n', 'nothing here'],
      ['-P', 'nothing here'],
      ['-p PIDS', 'these processes'],
      ['-t', 'process ids only'],
      ['-u USER', 'processes of a user'],
      ['-w', 'no warnings'],
    ],
  },
  async (t) => {
    const files: Stat[] = [];
    for (const path of t.args) {
      const stat = t.sys.stat(path);
      if (typeof stat !== 'number') files.push(stat);
      else {
        await complain(t.sys, `lsof: status error on ${path}: ${strerror(stat)}`);
        t.status = 1;
      }
    }
    const list = (key: string): string[] | undefined => t.get(key)?.split(',');
    const [pids, fds] = [list('p'), list('d')];
    const prefix = t.get('c');
    const byProcess = pids !== undefined || prefix !== undefined;
    const processHit = ({ entry }: Row): boolean =>
      (pids?.includes(String(entry.pid)) ?? false) || (prefix !== undefined && entry.comm.startsWith(prefix));
    const fileHit = ({ stat }: Row): boolean =>
      files.some((one) =>
        (stat.mode & S_IFMT) === S_IFCHR
          ? one.rdev === stat.rdev && (one.mode & S_IFMT) === S_IFCHR
          : one.dev === stat.dev && one.ino === stat.ino,
      );
    const wanted = (row: Row): boolean => {
      if (fds && !fds.includes(row.fd.replace(/[ruw ]$/, '')) && !fds.includes(row.fd)) return false;
      const tests = [...(byProcess ? [processHit(row)] : []), ...(t.args.length > 0 ? [fileHit(row)] : [])];
      return tests.length === 0 || (t.has('a') ? tests.every(Boolean) : tests.some(Boolean));
    };
    const rows: Row[] = [];
    for (const entry of await procEntries(t.sys)) rows.push(...(await rowsOf(t.sys, entry)).filter(wanted));
    if (rows.length === 0) return 1;
    if (t.has('t')) {
      for (const pid of new Set(rows.map((row) => row.entry.pid))) t.out.line(String(pid));
      return t.status;
    }
    const cells = [
      ['COMMAND', 'PID', 'USER', 'FD', 'TYPE', 'DEVICE', 'SIZE/OFF', 'NODE', 'NAME'],
      ...rows.map((row) => [
        ...[
          row.entry.comm.slice(0, 9),
          String(row.entry.pid),
          'root',
          row.fd,
          TYPES[row.stat.mode & S_IFMT] ?? 'unknown',
        ],
        ...[device(row), size(row), String(row.stat.ino), nameOf(row)],
      ]),
    ];
    const width = (n: number): number => Math.max(...cells.map((row) => (row[n] ?? '').length));
    // Descriptors are right-aligned up to their letter, which hangs over.
    const hang = (fd: string, head: boolean): string =>
      (head ? 'FD  ' : /^\d+[ruw ]$/.test(fd) ? `${fd} ` : `${fd}  `).padStart(6);
    for (const [n, row] of cells.entries()) {
      const [command = '', pid = '', user = '', fd = '', type = '', dev = '', bytes = '', node = '', name = ''] = row;
      t.out.line(
        `${command.padEnd(Math.max(width(0), 7))} ${pid.padStart(width(1))} ${user.padStart(width(2))} ${hang(fd, n === 0)} ${type.padStart(width(4))} ${dev.padStart(width(5))} ${bytes.padStart(width(6))} ${node.padStart(width(7))} ${name}`,
      );
    }
    return t.status;
  },
);
