/**
 * The directory of a process in /proc: fs/proc/base.c, array.c, fd.c and task_mmu.c, proc_namespace.c. Left out: memory files (mem, smaps,
 * pagemap), namespaces, cgroups, io and scheduler statistics, limits. CPU times are 0: programs take no virtual time of their own.
 */
import { hex } from '../../base/addr.ts';
import { OpenFile } from '../fs/file.ts';
import type { Path } from '../fs/inode.ts';
import { MagicLink, ProcDir, TextInode } from '../fs/procfs.ts';
import { MAP_SHARED, O_ACCMODE, O_CLOEXEC, O_RDONLY, O_WRONLY } from '../uapi/constants.ts';
import type { Linux } from './linux.ts';
import type { Task } from './task.ts';

const kB = (bytes: number): string => `${String(bytes / 1024).padStart(8)} kB`;

/** proc_pid_make_base_inode with tgid_base_stuff. */
export function proc_pid_make_base(kernel: Linux, task: Task): ProcDir {
  const { sb } = kernel.vfs.proc;
  const dir = base(kernel, task, task.pid);
  dir.put('task', new ProcDir(sb, { lookup: (name) => thread(kernel, task, name), list: () => tids(task) }));
  return dir;
}

function tids(task: Task): string[] {
  return [task.pid, ...task.threads].map(String);
}
function thread(kernel: Linux, task: Task, name: string): ProcDir | null {
  return tids(task).includes(name) ? base(kernel, task, Number(name)) : null;
}

function base(kernel: Linux, task: Task, tid: number): ProcDir {
  const { sb } = kernel.vfs.proc;
  const dir = new ProcDir(sb);
  const file = (name: string, show: () => string, mode?: number): void =>
    dir.put(name, new TextInode(sb, show, null, mode));
  const link = (name: string, target: () => Path | null): void => dir.put(name, new MagicLink(sb, target));
  file('cmdline', () => (task.exit ? '' : task.argv.map((arg) => `${arg}\0`).join('')));
  file('comm', () => `${task.comm}\n`);
  const environ = (): string => Object.entries(task.env).reduce((all, [key, value]) => `${all}${key}=${value}\0`, '');
  file('environ', environ, 0o400);
  file('status', () => status(kernel, task, tid));
  file('stat', () => stat(kernel, task, tid));
  file('statm', () => {
    const pages = (bytes: number): number => bytes / 4096;
    return `${pages(vsize(kernel, task))} ${pages(kernel.mm.rss(task))} 0 0 0 ${pages(vsize(kernel, task))} 0\n`;
  });
  file('maps', () => maps(kernel, task));
  file('mounts', () =>
    kernel.vfs.ns.mounts.map((mount) => `${mount.source} ${mount.target} ${mount.type} rw,relatime 0 0\n`).join(''),
  );
  file('mountinfo', () => mountinfo(kernel));
  link('cwd', () => (task.exit ? null : task.cwd));
  link('root', () => (task.exit ? null : kernel.vfs.ns.root));
  link('exe', () => (task.exit ? null : task.exe));
  dir.put(
    'fd',
    perFile(kernel, task, (open) => fdLink(kernel, open)),
  );
  dir.put(
    'fdinfo',
    perFile(kernel, task, (open, fd) => new TextInode(sb, () => fdinfo(kernel, task, open, fd), null, 0o400)),
  );
  return dir;
}

function perFile(kernel: Linux, task: Task, make: (open: OpenFile, fd: number) => MagicLink | TextInode): ProcDir {
  return new ProcDir(kernel.vfs.proc.sb, {
    lookup: (name) => {
      const open = /^\d+$/.test(name) ? task.files.get(Number(name)) : null;
      return open && make(open, Number(name));
    },
    list: () => [...task.files.entries()].map(([fd]) => String(fd)),
  });
}

/** tid_fd_update_inode: the rights tell how the file is open. */
function fdLink(kernel: Linux, open: OpenFile): MagicLink {
  const access = open.flags & O_ACCMODE;
  const mode = 0o100 | (access === O_WRONLY ? 0 : 0o400) | (access === O_RDONLY ? 0 : 0o200);
  return new MagicLink(kernel.vfs.proc.sb, () => open.at, mode, 64);
}

/** seq_show of fd.c. */
function fdinfo(kernel: Linux, task: Task, open: OpenFile, fd: number): string {
  const flags = open.flags | (task.files.isCloexec(fd) ? O_CLOEXEC : 0);
  // Pipes and anonymous inodes are on mounts of the kernel's own, which have no number here.
  const mount = kernel.vfs.ns.mounts.findLastIndex((one) => one.root.sb === open.inode.sb) + 1;
  return `pos:\t${open.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${mount}\nino:\t${open.inode.ino}\n`;
}

function vsize(kernel: Linux, task: Task): number {
  return kernel.mm.vmas(task).reduce((sum, vma) => sum + (vma.end - vma.start), 0);
}

function signalMask(task: Task, kind: 'ignored' | 'caught'): string {
  const bits = Array.from({ length: 64 }, (_, n) => {
    const action = task.handlers.get(64 - n);
    return (kind === 'ignored' ? action === 'ignore' : typeof action === 'function') ? '1' : '0';
  }).join('');
  return hex(Number.parseInt(bits.slice(0, 32), 2), 8) + hex(Number.parseInt(bits.slice(32), 2), 8);
}

/** proc_pid_status. Credentials are root's, with all capabilities of the time (CAP_LAST_CAP 40). */
function status(kernel: Linux, task: Task, tid: number): string {
  const { threads, files } = task;
  const cpus = kernel.cpu.count;
  const pending = task.pending.reduce((bits, signal) => bits + 2 ** (signal - 1), 0);
  const none = '0000000000000000';
  const all = '000001ffffffffff';
  const memory = (): string => {
    const size = vsize(kernel, task);
    const rss = kernel.mm.rss(task);
    return `VmSize:\t${kB(size)}\nVmRSS:\t${kB(rss)}\nRssAnon:\t${kB(rss)}\nVmData:\t${kB(size)}\n`;
  };
  return (
    `Name:\t${task.comm}\nUmask:\t${task.umask.toString(8).padStart(4, '0')}\nState:\t${task.stateWord}\n` +
    `Tgid:\t${task.pid}\nNgid:\t0\nPid:\t${tid}\nPPid:\t${task.ppid}\nTracerPid:\t${task.tracer?.task.pid ?? 0}\n` +
    `Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t${task.exit ? 0 : files.size}\nGroups:\t0 \n` +
    `NStgid:\t${task.pid}\nNSpid:\t${tid}\nNSpgid:\t${task.pgid}\nNSsid:\t${task.sid}\n` +
    (task.exit ? '' : memory()) +
    `Threads:\t${1 + threads.size}\nSigPnd:\t${none}\nShdPnd:\t${hex(pending, 16)}\nSigBlk:\t${none}\n` +
    `SigIgn:\t${signalMask(task, 'ignored')}\nSigCgt:\t${signalMask(task, 'caught')}\n` +
    `CapInh:\t${none}\nCapPrm:\t${all}\nCapEff:\t${all}\nCapBnd:\t${all}\nCapAmb:\t${none}\n` +
    `Cpus_allowed:\t${hex(2 ** cpus - 1, 1)}\nCpus_allowed_list:\t${cpus > 1 ? `0-${cpus - 1}` : '0'}\n`
  );
}

/** new_encode_dev of the controlling terminal, 0 without one. */
function tty_nr(kernel: Linux, task: Task): number {
  if (task.tty === null) return 0;
  const at = kernel.vfs.ns.walk(kernel.vfs.ns.root, `/dev/${task.tty.name}`, true);
  return typeof at === 'number' ? 0 : at.inode.rdev;
}

/** do_task_stat: 52 fields; what is 0 is not counted here (faults, times, addresses of the program's parts). */
function stat(kernel: Linux, task: Task, tid: number): string {
  const fields = [
    tid,
    `(${task.comm})`,
    task.stateWord[0] ?? '?',
    task.ppid,
    task.pgid,
    task.sid,
    tty_nr(kernel, task),
  ];
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  fields.push(task.tty ? task.tty.pgrp : -1, ...zeros(9), 20, 0, 1 + task.threads.size, 0);
  fields.push(Math.floor(task.startNs / 1e7), vsize(kernel, task), kernel.mm.rss(task) / 4096, '18446744073709551615');
  return `${[...fields, ...zeros(12), 17, ...zeros(14)].slice(0, 52).join(' ')}\n`;
}

/** show_map_vma: names start in column 73. */
function maps(kernel: Linux, task: Task): string {
  const line = (vma: ReturnType<typeof kernel.mm.vmas>[number]): string => {
    const shared = (vma.flags & MAP_SHARED) !== 0;
    const rights = [vma.prot & 1 ? 'r' : '-', vma.prot & 2 ? 'w' : '-', vma.prot & 4 ? 'x' : '-', shared ? 's' : 'p'];
    const at = vma.file instanceof OpenFile ? vma.file.inode : null;
    const dev = at?.sb.dev ?? 0;
    const { label } = vma;
    const anon = label.kind === 'anon' && label.name !== '' ? `[anon${shared ? '_shmem' : ''}:${label.name}]` : '';
    const name = vma.file?.path ?? (anon === '' && shared ? '/dev/zero (deleted)' : anon);
    const head = `${hex(vma.start, 8)}-${hex(vma.end, 8)} ${rights.join('')} ${hex(vma.offset, 8)} ${hex(Math.floor(dev / 256), 2)}:${hex(dev % 256, 2)} ${at?.ino ?? 0} `;
    return name === '' ? head : `${head.padEnd(73)}${name}`;
  };
  return kernel.mm
    .vmas(task)
    .map((vma) => `${line(vma)}\n`)
    .join('');
}

/** show_mountinfo; all mounts are private and made by the kernel or by root, without options. */
function mountinfo(kernel: Linux): string {
  const { mounts } = kernel.vfs.ns;
  const covering = (target: string): number =>
    mounts.findLastIndex((m) => m.target !== target && (m.target === '/' || target.startsWith(`${m.target}/`)));
  return mounts
    .map(({ source, target, type, root }, n) => {
      const { dev } = root.sb;
      const parent = n === 0 ? 1 : Math.max(0, covering(target)) + 1;
      return `${n + 1} ${parent} ${Math.floor(dev / 256)}:${dev % 256} / ${target} rw,relatime - ${type} ${source} rw\n`;
    })
    .join('');
}
