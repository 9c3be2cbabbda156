/** kernel/fork.c, exit.c, fs/exec.c, printk's syslog: the calls about processes, for one process. */
import { text } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import type { Path } from '../fs/inode.ts';
import { RamInode } from '../fs/ramfs.ts';
import type { Program, SpawnOptions, Sys, SyslogAction, WaitResult } from '../uapi/sys.ts';
import type { Linux } from './linux.ts';
import type { Task } from './task.ts';

export interface Binary {
  readonly program: Program;
  readonly argv: readonly string[];
  readonly comm: string;
  /** The file the program is in; of a script its interpreter's. */
  readonly exe: Path;
}

/** search_binary_handler: our executables name their program; `#!` scripts name their interpreter. */
export function load_binary(
  kernel: Linux,
  cwd: Path,
  path: string,
  argv: readonly string[],
  depth = 0,
): Binary | number {
  const at = kernel.vfs.ns.walk(cwd, path, true);
  if (typeof at === 'number') return at;
  const { inode } = at;
  if (!inode.isFile || !(inode.mode & 0o111)) return -E.EACCES;
  if (!(inode instanceof RamInode)) return -E.EACCES;
  const head = text(inode.bytes().subarray(0, 4096)).split('\n', 1)[0] ?? '';
  const comm = (depth === 0 ? at.name : '').slice(0, 15);
  if (head.startsWith('#!cxlab ')) {
    const program = kernel.program(head.slice(8).trim());
    return program ? { program, argv, comm, exe: at } : -E.ENOEXEC;
  }
  if (!head.startsWith('#!')) return -E.ENOEXEC;
  if (depth >= 4) return -E.ELOOP;
  const [, interpreter, argument] = /^#!\s*(\S+)(?:\s+(.*\S))?/.exec(head) ?? [];
  if (interpreter === undefined) return -E.ENOEXEC;
  const args = [interpreter, ...(argument === undefined ? [] : [argument]), path, ...argv.slice(1)];
  const found = load_binary(kernel, cwd, interpreter, args, depth + 1);
  return typeof found === 'number' ? found : { ...found, comm: comm === '' ? found.comm : comm };
}

export class ProcessCalls {
  constructor(
    private readonly kernel: Linux,
    private readonly task: Task,
  ) {}

  spawn(path: string, argv: readonly string[], options: SpawnOptions): number {
    const { task, kernel } = this;
    let cwd = task.cwd;
    if (options.cwd !== undefined) {
      const at = kernel.vfs.ns.walk(task.cwd, options.cwd, true);
      if (typeof at === 'number') return at;
      if (!at.inode.isDir) return -E.ENOTDIR;
      cwd = at;
    }
    const binary = load_binary(kernel, cwd, path, argv);
    if (typeof binary === 'number') return binary;
    const files = task.files.copy();
    if (options.fds) {
      const wanted = options.fds.map((fd) => task.files.get(fd));
      if (wanted.some((file) => file === null)) {
        files.closeAll();
        return -E.EBADF;
      }
      wanted.forEach((file, fd) => {
        files.close(fd);
        if (file) files.set(fd, file.get(), false);
      });
    }
    files.closeOnExec();
    const child = kernel.tasks.create(task, binary.comm, binary.argv, cwd, files);
    child.exe = binary.exe;
    if (options.env) child.env = options.env;
    if (options.pgid !== undefined) child.pgid = options.pgid === 0 ? child.pid : options.pgid;
    kernel.scheduler.advance(300_000);
    kernel.tasks.start(child, () => binary.program(child.sys, binary.argv, child.env));
    return child.pid;
  }

  fork(body: (sys: Sys) => Promise<number>): number {
    const { task, kernel } = this;
    const child = kernel.tasks.create(task, task.comm, task.argv, task.cwd, task.files.copy());
    kernel.scheduler.advance(150_000);
    kernel.tasks.start(child, () => body(child.sys));
    return child.pid;
  }

  exec(path: string, argv: readonly string[], env: Readonly<Record<string, string>>): Promise<number> | number {
    const { task, kernel } = this;
    const binary = load_binary(kernel, task.cwd, path, argv);
    if (typeof binary === 'number') return binary;
    task.files.closeOnExec();
    for (const [signal, action] of [...task.handlers]) if (action !== 'ignore') task.handlers.delete(signal);
    task.comm = binary.comm;
    task.argv = binary.argv;
    task.exe = binary.exe;
    task.env = env;
    kernel.mm.exitProcess(task);
    kernel.tasks.publish(task);
    return binary.program(task.sys, binary.argv, env);
  }

  async waitpid(
    pid: number,
    options: { readonly nohang?: boolean; readonly untraced?: boolean },
  ): Promise<WaitResult | number> {
    const { task, kernel } = this;
    const wanted = (child: Task): boolean => {
      if (pid > 0) return child.pid === pid;
      if (pid === -1) return true;
      return child.pgid === (pid === 0 ? task.pgid : -pid);
    };
    for (;;) {
      const children = [...task.children].filter(wanted);
      if (children.length === 0) return -E.ECHILD;
      for (const child of children) {
        if (child.exit) {
          kernel.tasks.release_task(child);
          return { pid: child.pid, status: child.exit.status, signal: child.exit.signal };
        }
        if (options.untraced && child.state === 'stopped' && !child.stopReported) {
          child.stopReported = true;
          return { pid: child.pid, status: 128 + child.stopSignal, signal: 0, stopped: child.stopSignal };
        }
      }
      if (options.nohang) return { pid: 0, status: 0, signal: 0 };
      const ret = await kernel.tasks.wait(task, task.childEvent.wait());
      kernel.tasks.checkSignals(task);
      // SA_RESTART when the signal was a child's own SIGCHLD; otherwise the caller hears of it.
      const news = (child: Task): boolean => wanted(child) && (child.exit !== null || !child.stopReported);
      if (ret < 0 && ![...task.children].some(news)) return ret;
    }
  }

  kill(pid: number, signal: number): number {
    const { tasks } = this.kernel;
    if (signal < 0 || signal > 64) return -E.EINVAL;
    if (pid > 0) return tasks.send(pid, signal);
    if (pid === 0) return tasks.sendGroup(this.task.pgid, signal);
    if (pid < -1) return tasks.sendGroup(-pid, signal);
    let sent = 0;
    for (const other of [...tasks.processes.values()]) {
      if (other.pid === 1 || other === this.task) continue;
      tasks.deliver(other, signal);
      sent++;
    }
    return sent > 0 ? 0 : -E.ESRCH;
  }

  setpgid(pid: number, pgid: number): number {
    const target = pid === 0 ? this.task : this.kernel.tasks.find(pid);
    if (!target || (target !== this.task && target.parent !== this.task)) return -E.ESRCH;
    if (pgid < 0) return -E.EINVAL;
    if (target.sid === target.pid || target.sid !== this.task.sid) return -E.EPERM;
    const group = pgid === 0 ? target.pid : pgid;
    if (group !== target.pid) {
      const exists = [...this.kernel.tasks.processes.values()].some(
        (other) => other.pgid === group && other.sid === this.task.sid,
      );
      if (!exists) return -E.EPERM;
    }
    target.pgid = group;
    return 0;
  }
  setsid(): number {
    const { task } = this;
    if (
      [...this.kernel.tasks.processes.values()].some((other) => other.pgid === task.pid && other !== task) ||
      (task.pgid === task.pid && task.sid === task.pid)
    )
      return -E.EPERM;
    task.sid = task.pid;
    task.pgid = task.pid;
    task.tty = null;
    return task.pid;
  }

  syslog(action: SyslogAction, into: Uint8Array): number | Promise<number> {
    const log = this.kernel.log_buf;
    if (typeof action === 'object') {
      if (action.consoleLevel < 1 || action.consoleLevel > 8) return -E.EINVAL;
      log.console_loglevel = action.consoleLevel;
      return 0;
    }
    switch (action) {
      case 'read-all': {
        const all = log.readAll();
        // As the kernel: the newest whole records that fit.
        let from = Math.max(0, all.length - into.length);
        if (from > 0) from = all.indexOf(10, from - 1) + 1;
        into.set(all.subarray(from));
        return into.length === 0 ? all.length : all.length - from;
      }
      case 'read':
        return log.unread ? log.readNew(into) : this.readNew(into);
      case 'clear':
        log.clear();
        return 0;
      case 'console-off':
        log.consoleOff();
        return 0;
      case 'console-on':
        log.consoleOn();
        return 0;
    }
  }
  private async readNew(into: Uint8Array): Promise<number> {
    const log = this.kernel.log_buf;
    while (!log.unread) {
      const ret = await this.kernel.tasks.wait(this.task, log.changed.wait());
      if (ret < 0) return ret;
    }
    return log.readNew(into);
  }
}
