/** The system calls of the fake kernel, for one process. */
import { concat, text, utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
  S_IFIFO,
  S_IFREG,
  SIGPIPE,
} from '../../linux/uapi/constants.ts';
import { type Dirent, ProcessExit, type Stat, type Sys } from '../../linux/uapi/sys.ts';
import { pipeRead, pipeWrite, statOf } from './fake-files.ts';
import type { FakeKernel, OpenFile, Pipe, Proc } from './fake-kernel.ts';

/** What the fake machine has not, or always the same. */
const ABSENT = {
  statfs: () => -E.ENOSYS,
  mount: () => -E.ENODEV,
  umount: () => -E.EINVAL,
  uname: () => ({
    sysname: 'Linux',
    nodename: 'fake',
    release: '6.11.0-rc2',
    version: '#1 SMP',
    machine: 'x86_64',
  }),
  getuid: () => 0,
  reboot: () => 0,
  syslog: () => 0,
  sync() {},
  finitModule: () => -E.ENODEV,
  deleteModule: () => -E.ENOENT,
  kvmRun: async () => -E.ENODEV,
  kvmStop: () => -E.ENODEV,
  mmap: () => -E.ENODEV,
  munmap: () => 0,
  prctlSetVmaName: () => 0,
  mem: { hi: 0, load: () => 0, store() {}, read() {}, write() {} },
} satisfies Partial<Sys>;

export function fakeSys(kernel: FakeKernel, proc: Proc): Sys {
  const entry = () => {
    while (proc.queue.length) {
      const n = proc.queue.shift() ?? 0;
      const h = proc.handlers.get(n);
      if (typeof h === 'function') h();
    }
    if (proc.pending) throw new ProcessExit(128 + proc.pending, proc.pending);
  };
  const free = (from = 0): number => {
    let n = from;
    while (proc.fds.has(n)) n++;
    return n;
  };
  const install = (file: OpenFile): number => {
    const fd = free();
    proc.fds.set(fd, { file, cloexec: false });
    return fd;
  };
  const at = (path: string, follow = true) => kernel.resolve(proc.cwd, path, follow);
  const statPath = (path: string, follow: boolean): Stat | number => {
    const r = at(path, follow);
    if (typeof r === 'number') return r;
    return r.node ? statOf(r.node) : -E.ENOENT;
  };
  const interruptible = async (): Promise<number> => {
    await kernel.sleep();
    const had = proc.queue.length > 0;
    entry();
    return had ? -E.EINTR : 0;
  };
  const readPipe = (pipe: Pipe, into: Uint8Array) => pipeRead(pipe, into, interruptible, () => kernel.wake());
  const writePipe = async (pipe: Pipe, from: Uint8Array): Promise<number> => {
    const n = await pipeWrite(pipe, from, interruptible, () => kernel.wake());
    if (n !== -E.EPIPE || proc.handlers.get(SIGPIPE) === 'ignore') return n;
    throw new ProcessExit(128 + SIGPIPE, SIGPIPE);
  };
  const contents = (file: OpenFile): Uint8Array | number => {
    const node = file.node;
    if (!node) return -E.EINVAL;
    if (!node.show) return node.data;
    if (!file.snapshot || file.pos === 0) {
      const shown = node.show();
      if (typeof shown === 'number') return shown;
      file.snapshot = utf8(shown);
    }
    return file.snapshot;
  };
  const sys: Sys = {
    ...ABSENT,
    pid: proc.pid,
    open(path, flags, mode = 0o666) {
      entry();
      if (path === '/dev/tty' && !kernel.root.children.get('dev')?.children.has('tty')) return -E.ENXIO;
      const r = at(path);
      if (typeof r === 'number') return r;
      let node = r.node;
      if (!node) {
        if (!(flags & O_CREAT)) return -E.ENOENT;
        node = kernel.node('file');
        node.mode = S_IFREG | (mode & ~proc.umask);
        node.mtimeNs = kernel.now;
        r.dir.children.set(r.name, node);
      } else if (flags & O_CREAT && flags & O_EXCL) return -E.EEXIST;
      if (node.kind === 'dir' && (flags & O_ACCMODE) !== 0) return -E.EISDIR;
      if (node.kind !== 'dir' && flags & O_DIRECTORY) return -E.ENOTDIR;
      if (node.show && !node.store && (flags & O_ACCMODE) !== 0) return -E.EACCES;
      if (flags & O_TRUNC && node.kind === 'file' && !node.show) node.data = new Uint8Array(0);
      return install(kernel.openFile(node, flags));
    },
    close: (fd) => kernel.close(proc, fd),
    read(fd, into) {
      entry();
      const file = proc.fds.get(fd)?.file;
      if (!file || (file.flags & O_ACCMODE) === O_WRONLY) return -E.EBADF;
      if (file.pipe) return readPipe(file.pipe, into);
      if (file.node?.kind === 'dir') return -E.EISDIR;
      if (file.node?.dev) return file.node.dev.read?.(into) ?? -E.EINVAL;
      const data = contents(file);
      if (typeof data === 'number') return data;
      const part = data.subarray(file.pos, file.pos + into.length);
      into.set(part);
      file.pos += part.length;
      return part.length;
    },
    write(fd, from) {
      entry();
      const file = proc.fds.get(fd)?.file;
      if (!file || (file.flags & O_ACCMODE) === 0) return -E.EBADF;
      if (file.pipe) return writePipe(file.pipe, from);
      const node = file.node;
      if (node?.dev) return node.dev.write?.(from) ?? -E.EINVAL;
      if (!node) return -E.EBADF;
      if (node.store) {
        const r = node.store(text(from));
        return r < 0 ? r : from.length;
      }
      if (file.flags & O_APPEND) file.pos = node.data.length;
      const r = sys.pwrite(fd, from, file.pos);
      if (r > 0) file.pos += r;
      return r;
    },
    pread(fd, into, offset) {
      const file = proc.fds.get(fd)?.file;
      if (!file) return -E.EBADF;
      const data = contents(file);
      if (typeof data === 'number') return data;
      const part = data.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    pwrite(fd, from, offset) {
      const node = proc.fds.get(fd)?.file.node;
      if (!node) return -E.EBADF;
      if (offset + from.length > node.data.length)
        node.data = concat([node.data, new Uint8Array(offset + from.length - node.data.length)]);
      else node.data = node.data.slice();
      node.data.set(from, offset);
      node.mtimeNs = kernel.now;
      return from.length;
    },
    lseek(fd, offset, whence) {
      const file = proc.fds.get(fd)?.file;
      if (!file) return -E.EBADF;
      if (file.pipe) return -E.ESPIPE;
      file.pos = whence === 0 ? offset : whence === 1 ? file.pos + offset : (file.node?.data.length ?? 0) + offset;
      return file.pos;
    },
    ftruncate(fd, length) {
      const node = proc.fds.get(fd)?.file.node;
      if (!node) return -E.EBADF;
      const data = new Uint8Array(length);
      data.set(node.data.subarray(0, length));
      node.data = data;
      return 0;
    },
    ioctl: (fd, request, arg) => {
      const file = proc.fds.get(fd)?.file;
      if (!file) return -E.EBADF;
      return file.node?.dev?.ioctl?.(request, arg) ?? -E.ENOTTY;
    },
    dup2(oldFd, newFd) {
      const e = proc.fds.get(oldFd);
      if (!e) return -E.EBADF;
      if (oldFd === newFd) return newFd;
      kernel.close(proc, newFd);
      e.file.refs++;
      proc.fds.set(newFd, { file: e.file, cloexec: false });
      return newFd;
    },
    dup(fd, from = 0) {
      const e = proc.fds.get(fd);
      if (!e) return -E.EBADF;
      const n = free(from);
      e.file.refs++;
      proc.fds.set(n, { file: e.file, cloexec: false });
      return n;
    },
    setCloexec(fd, on) {
      const e = proc.fds.get(fd);
      if (!e) return -E.EBADF;
      e.cloexec = on;
      return 0;
    },
    eventfd: () => -E.ENOSYS,
    pipe() {
      const [r, w] = kernel.pipe();
      return [install(r), install(w)];
    },
    async pollIn(fds, timeoutNs) {
      const until = timeoutNs === null ? Number.POSITIVE_INFINITY : kernel.now + timeoutNs;
      for (;;) {
        entry();
        const ready = fds.filter((fd) => {
          const f = proc.fds.get(fd)?.file;
          return f?.pipe ? f.pipe.size > 0 || f.pipe.writers === 0 : (f?.node?.dev?.ready?.() ?? true);
        });
        if (ready.length || kernel.now >= until) return ready;
        if (timeoutNs === null) await kernel.sleep();
        else await kernel.timer(until - kernel.now);
      }
    },
    stat(path) {
      entry();
      return statPath(path, true);
    },
    lstat: (path) => statPath(path, false),
    fstat(fd) {
      const file = proc.fds.get(fd)?.file;
      if (!file) return -E.EBADF;
      if (file.pipe)
        return {
          ino: 0,
          dev: 0,
          mode: S_IFIFO | 0o600,
          nlink: 1,
          uid: 0,
          gid: 0,
          size: 0,
          rdev: 0,
          blocks: 0,
          mtimeNs: 0,
        };
      return file.node ? statOf(file.node) : -E.EBADF;
    },
    getdents(fd) {
      const node = proc.fds.get(fd)?.file.node;
      if (!node) return -E.EBADF;
      if (node.kind !== 'dir') return -E.ENOTDIR;
      return [...node.children].map(([name, n]): Dirent => ({ name, type: n.mode & 0o170000, ino: n.ino }));
    },
    readlink(path) {
      const r = at(path, false);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      return r.node.kind === 'link' ? r.node.target : -E.EINVAL;
    },
    mkfifo: () => -E.EPERM,
    thread: () => -E.ENOSYS,
    symlink(target, path) {
      const r = at(path, false);
      if (typeof r === 'number') return r;
      if (r.node) return -E.EEXIST;
      const n = kernel.node('link');
      n.target = target;
      r.dir.children.set(r.name, n);
      return 0;
    },
    link(target, path) {
      const a = at(target);
      const b = at(path, false);
      if (typeof a === 'number') return a;
      if (typeof b === 'number') return b;
      if (!a.node) return -E.ENOENT;
      if (b.node) return -E.EEXIST;
      b.dir.children.set(b.name, a.node);
      return 0;
    },
    unlink(path) {
      const r = at(path, false);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      if (r.node.kind === 'dir') return -E.EISDIR;
      r.dir.children.delete(r.name);
      return 0;
    },
    mkdir(path, mode = 0o777) {
      const r = at(path.replace(/\/+$/, '') || '/', false);
      if (typeof r === 'number') return r;
      if (r.node) return -E.EEXIST;
      const n = kernel.node('dir');
      n.mode = S_IFDIR | (mode & ~proc.umask);
      r.dir.children.set(r.name, n);
      return 0;
    },
    rmdir(path) {
      const r = at(path, false);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      if (r.node.kind !== 'dir') return -E.ENOTDIR;
      if (r.node.children.size) return -E.ENOTEMPTY;
      r.dir.children.delete(r.name);
      return 0;
    },
    rename(from, to) {
      const a = at(from, false);
      const b = at(to, false);
      if (typeof a === 'number') return a;
      if (typeof b === 'number') return b;
      if (!a.node) return -E.ENOENT;
      a.dir.children.delete(a.name);
      b.dir.children.set(b.name, a.node);
      return 0;
    },
    chmod(path, mode) {
      const r = at(path);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      r.node.mode = (r.node.mode & 0o170000) | mode;
      return 0;
    },
    utimes(path, _atime, mtime) {
      const r = at(path);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      r.node.mtimeNs = mtime;
      return 0;
    },
    access(path, mode) {
      const s = statPath(path, true);
      if (typeof s === 'number') return s;
      return mode & 1 && !(s.mode & 0o111) ? -E.EACCES : 0;
    },
    chdir(path) {
      const r = at(path);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      if (r.node.kind !== 'dir') return -E.ENOTDIR;
      proc.cwd = r.path;
      return 0;
    },
    getcwd: () => proc.cwd,
    umask(mask) {
      const old = proc.umask;
      proc.umask = mask;
      return old;
    },
    spawn(path, argv, options = {}) {
      return sys.fork(async (child) => {
        const fds = options.fds ?? [0, 1, 2];
        const high = fds.map((fd) => child.dup(fd, 100));
        high.forEach((h, n) => {
          child.dup2(h, n);
          child.close(h);
        });
        if (options.cwd) child.chdir(options.cwd);
        const r = await child.exec(path, argv, options.env ?? {});
        return r < 0 ? 127 : r;
      });
    },
    fork(child) {
      for (const entry of proc.fds.values()) entry.file.refs++;
      const fds = new Map([...proc.fds].map(([n, entry]) => [n, { ...entry }] as const));
      const c: Proc = {
        ...proc,
        pid: ++kernel.pids,
        ppid: proc.pid,
        fds,
        handlers: new Map(proc.handlers),
        status: null,
        pending: 0,
        queue: [],
      };
      kernel.procs.set(c.pid, c);
      void kernel.run(c, () => child(kernel.sys(c)));
      return c.pid;
    },
    exec(path, argv, env) {
      const r = at(path);
      if (typeof r === 'number') return r;
      if (!r.node) return -E.ENOENT;
      if (!(r.node.mode & 0o111)) return -E.EACCES;
      const program = r.node.program === null ? undefined : kernel.programs.get(r.node.program);
      if (!program) return -E.ENOEXEC;
      for (const [fd, e] of [...proc.fds]) if (e.cloexec) kernel.close(proc, fd);
      for (const [n, h] of [...proc.handlers]) if (h !== 'ignore') proc.handlers.delete(n);
      proc.argv = argv;
      return program(sys, argv, env);
    },
    async waitpid(pid, options = {}) {
      for (;;) {
        entry();
        const children = [...kernel.procs.values()].filter(
          (p) => p.ppid === proc.pid && (pid === -1 || p.pid === pid || (pid < -1 && p.pgid === -pid)),
        );
        if (children.length === 0) return -E.ECHILD;
        const done = children.find((p) => p.status);
        if (done?.status) {
          kernel.procs.delete(done.pid);
          return done.status;
        }
        if (options.nohang) return { pid: 0, status: 0, signal: 0 };
        if ((await interruptible()) < 0) return -E.EINTR;
      }
    },
    kill(pid, signal) {
      const r = kernel.signal(pid === 0 ? -proc.pgid : pid, signal);
      entry();
      return r;
    },
    onSignal(signal, handler) {
      if (handler === null) proc.handlers.delete(signal);
      else proc.handlers.set(signal, handler);
    },
    setpgid(pid, pgid) {
      const p = kernel.procs.get(pid || proc.pid);
      if (!p) return -E.ESRCH;
      p.pgid = pgid || p.pid;
      return 0;
    },
    getpgid: (pid) => kernel.procs.get(pid || proc.pid)?.pgid ?? -E.ESRCH,
    getppid: () => proc.ppid,
    setsid: () => (proc.pgid = proc.pid),
    async nanosleep(ns) {
      const until = kernel.now + ns;
      void kernel.timer(ns);
      while (kernel.now < until) if ((await interruptible()) < 0) return -E.EINTR;
      return 0;
    },
    clockGettime: (clock) => (clock === 'realtime' ? 1_725_000_000e9 : 0) + kernel.now,
    tick() {
      entry();
      if (++kernel.ops % 64) return undefined;
      return new Promise<void>((resolve) => setImmediate(resolve)).then(entry);
    },
    ptraceSeize: () => -E.ENOSYS,
    ptraceDetach: () => -E.ENOSYS,
    ptraceNext: async () => -E.ECHILD,
  };
  return sys;
}
