/** A small kernel for tests of programs: tree of files, descriptors, pipes, processes, one terminal. Virtual time. */
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
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  SIGPIPE,
} from '../../linux/uapi/constants.ts';
import { type Dirent, ProcessExit, type Program, type Stat, type Sys, type WaitResult } from '../../linux/uapi/sys.ts';

export interface Node {
  kind: 'dir' | 'file' | 'link' | 'dev';
  ino: number;
  mode: number;
  mtimeNs: number;
  data: Uint8Array;
  target: string;
  program: string | null;
  children: Map<string, Node>;
  /** Attribute behaviour: text on read, negated errno or 0 on write. */
  show: (() => string | number) | null;
  store: ((text: string) => number) | null;
  dev: Device | null;
}
export interface Device {
  read?(into: Uint8Array): number | Promise<number>;
  write?(from: Uint8Array): number | Promise<number>;
  ioctl?(request: number, arg: Uint8Array | number | undefined): number;
  ready?(): boolean;
}
interface Pipe {
  parts: Uint8Array[];
  size: number;
  readers: number;
  writers: number;
}
interface OpenFile {
  refs: number;
  flags: number;
  pos: number;
  node: Node | null;
  pipe: Pipe | null;
  end: 'r' | 'w' | null;
  /** Attribute text fixed at the first read. */
  snapshot: Uint8Array | null;
}
interface Proc {
  pid: number;
  ppid: number;
  pgid: number;
  cwd: string;
  umask: number;
  fds: Map<number, { file: OpenFile; cloexec: boolean }>;
  handlers: Map<number, (() => void) | 'ignore'>;
  status: WaitResult | null;
  pending: number;
  /** Taken signals whose handler must still run. */
  queue: number[];
  argv: readonly string[];
}

export class FakeKernel {
  readonly root: Node = this.node('dir');
  readonly procs = new Map<number, Proc>();
  readonly programs = new Map<string, Program>();
  now = 0;
  foreground = 0;
  private inos = 1;
  private pids = 0;
  private waiters: (() => void)[] = [];
  private timers: { due: number; wake: () => void }[] = [];
  private ops = 0;

  constructor() {
    for (const dir of ['/bin', '/dev', '/tmp', '/root', '/etc', '/proc', '/sys']) this.mkdir(dir);
    this.device('/dev/null', { read: () => 0, write: (b) => b.length, ready: () => true });
    this.device('/dev/zero', { read: (b) => b.fill(0).length, write: (b) => b.length, ready: () => true });
    this.device('/dev/full', { read: () => 0, write: () => -E.ENOSPC, ready: () => true });
  }

  private node(kind: Node['kind']): Node {
    const mode = { dir: S_IFDIR | 0o755, file: S_IFREG | 0o644, link: S_IFLNK | 0o777, dev: S_IFCHR | 0o666 }[kind];
    return {
      kind,
      ino: this.inos++ || 1,
      mode,
      mtimeNs: 0,
      data: new Uint8Array(0),
      target: '',
      program: null,
      children: new Map(),
      show: null,
      store: null,
      dev: null,
    };
  }
  mkdir(path: string): Node {
    let at = this.root;
    for (const part of path.split('/').filter(Boolean)) {
      let next = at.children.get(part);
      if (!next) {
        next = this.node('dir');
        at.children.set(part, next);
      }
      at = next;
    }
    return at;
  }
  private put(path: string, node: Node): Node {
    const cut = path.lastIndexOf('/');
    this.mkdir(path.slice(0, cut)).children.set(path.slice(cut + 1), node);
    return node;
  }
  file(path: string, content: string | Uint8Array = '', mode = 0o644): Node {
    const node = this.put(path, this.node('file'));
    node.data = typeof content === 'string' ? utf8(content) : content;
    node.mode = S_IFREG | mode;
    return node;
  }
  link(path: string, target: string): Node {
    const node = this.put(path, this.node('link'));
    node.target = target;
    return node;
  }
  attribute(path: string, show: (() => string | number) | null, store: ((text: string) => number) | null = null): Node {
    const node = this.put(path, this.node('file'));
    node.show = show ?? (() => -E.EIO);
    node.store = store;
    return node;
  }
  device(path: string, dev: Device): Node {
    const node = this.put(path, this.node('dev'));
    node.dev = dev;
    return node;
  }
  program(path: string, name: string, program: Program): void {
    this.programs.set(name, program);
    const node = this.file(path, `\x7fELF ${name}\n`, 0o755);
    node.program = name;
  }

  wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const w of waiters) w();
  }
  private sleep(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }
  private timer(ns: number): Promise<void> {
    return new Promise((resolve) => {
      this.timers.push({ due: this.now + ns, wake: resolve });
      setTimeout(() => {
        this.timers.sort((a, b) => a.due - b.due);
        const next = this.timers.shift();
        if (!next) return;
        this.now = Math.max(this.now, next.due);
        next.wake();
        this.wake();
      }, 1);
    });
  }

  resolve(
    cwd: string,
    path: string,
    follow: boolean,
    depth = 0,
  ): { dir: Node; name: string; node: Node | null; path: string } | number {
    if (depth > 20) return -E.ELOOP;
    if (path === '') return -E.ENOENT;
    const stack: { node: Node; name: string }[] = [{ node: this.root, name: '' }];
    const parts = (path.startsWith('/') ? path : `${cwd}/${path}`).split('/').filter((p) => p !== '' && p !== '.');
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] ?? '';
      const at = stack.at(-1);
      if (!at) return -E.ENOENT;
      if (part === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      if (at.node.kind !== 'dir') return -E.ENOTDIR;
      const next = at.node.children.get(part) ?? null;
      const last = i === parts.length - 1;
      const here = `/${stack
        .slice(1)
        .map((s) => s.name)
        .join('/')}`;
      if (next?.kind === 'link' && (!last || follow || path.endsWith('/'))) {
        const rest = parts.slice(i + 1).join('/');
        return this.resolve(here, next.target + (rest ? `/${rest}` : ''), follow, depth + 1);
      }
      if (!next)
        return last ? { dir: at.node, name: part, node: null, path: `${here === '/' ? '' : here}/${part}` } : -E.ENOENT;
      if (last && path.endsWith('/') && next.kind !== 'dir') return -E.ENOTDIR;
      if (last) return { dir: at.node, name: part, node: next, path: `${here === '/' ? '' : here}/${part}` };
      stack.push({ node: next, name: part });
    }
    const top = stack.at(-1)?.node ?? this.root;
    return {
      dir: stack.at(-2)?.node ?? this.root,
      name: stack.at(-1)?.name ?? '',
      node: top,
      path: `/${stack
        .slice(1)
        .map((s) => s.name)
        .join('/')}`,
    };
  }

  start(
    program: Program,
    argv: readonly string[],
    env: Record<string, string>,
    fds: Map<number, { file: OpenFile; cloexec: boolean }>,
    ppid = 0,
  ): Proc {
    const proc: Proc = {
      pid: ++this.pids,
      ppid,
      pgid: this.pids,
      cwd: '/root',
      umask: 0o22,
      fds,
      handlers: new Map(),
      status: null,
      pending: 0,
      queue: [],
      argv,
    };
    this.procs.set(proc.pid, proc);
    void this.run(proc, () => program(this.sys(proc), argv, env));
    return proc;
  }
  private async run(proc: Proc, body: () => Promise<number>): Promise<void> {
    let status = 0;
    let signal = 0;
    try {
      await Promise.resolve();
      status = await body();
    } catch (error) {
      if (!(error instanceof ProcessExit)) {
        this.crash(error);
        status = 255;
      } else {
        status = error.status;
        signal = error.signal;
      }
    }
    for (const fd of [...proc.fds.keys()]) this.close(proc, fd);
    proc.status = { pid: proc.pid, status: status & 255, signal };
    const parent = this.procs.get(proc.ppid);
    if (!parent || parent.status) this.procs.delete(proc.pid);
    this.wake();
  }
  crash: (error: unknown) => void = (error) => {
    throw error;
  };

  private close(proc: Proc, fd: number): number {
    const entry = proc.fds.get(fd);
    if (!entry) return -E.EBADF;
    proc.fds.delete(fd);
    const { file } = entry;
    if (--file.refs === 0 && file.pipe) {
      if (file.end === 'r') file.pipe.readers--;
      else file.pipe.writers--;
      this.wake();
    }
    return 0;
  }
  signal(pid: number, number: number): number {
    const targets = pid > 0 ? [this.procs.get(pid)] : [...this.procs.values()].filter((p) => p.pgid === -pid);
    let hit = false;
    for (const p of targets) {
      if (!p || p.status) continue;
      hit = true;
      const handler = p.handlers.get(number);
      if (number === 0 || handler === 'ignore' || (!handler && [17, 18, 28].includes(number))) continue;
      if (handler && number !== 9) p.queue.push(number);
      else p.pending = number;
    }
    this.wake();
    return hit ? 0 : -E.ESRCH;
  }
  openFile(node: Node, flags = 2): OpenFile {
    return { refs: 1, flags, pos: 0, node, pipe: null, end: null, snapshot: null };
  }
  pipe(): [OpenFile, OpenFile, Pipe] {
    const pipe: Pipe = { parts: [], size: 0, readers: 1, writers: 1 };
    const end = (e: 'r' | 'w'): OpenFile => ({
      refs: 1,
      flags: e === 'r' ? 0 : 1,
      pos: 0,
      node: null,
      pipe,
      end: e,
      snapshot: null,
    });
    return [end('r'), end('w'), pipe];
  }

  sys(proc: Proc): Sys {
    const kernel = this;
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
    const stat = (node: Node): Stat => ({
      ino: node.ino,
      dev: 1,
      mode: node.mode,
      nlink: node.kind === 'dir' ? 2 : 1,
      uid: 0,
      gid: 0,
      size: node.kind === 'link' ? node.target.length : node.show ? 4096 : node.data.length,
      rdev: node.kind === 'dev' ? 259 : 0,
      blocks: Math.ceil(node.data.length / 512),
      mtimeNs: node.mtimeNs,
    });
    const statPath = (path: string, follow: boolean): Stat | number => {
      const r = at(path, follow);
      if (typeof r === 'number') return r;
      return r.node ? stat(r.node) : -E.ENOENT;
    };
    const interruptible = async (): Promise<number> => {
      await kernel.sleep();
      const had = proc.queue.length > 0;
      entry();
      return had ? -E.EINTR : 0;
    };
    const readPipe = async (pipe: Pipe, into: Uint8Array): Promise<number> => {
      while (pipe.size === 0) {
        if (pipe.writers === 0) return 0;
        if ((await interruptible()) < 0) return -E.EINTR;
      }
      const first = pipe.parts[0] ?? new Uint8Array(0);
      const n = Math.min(into.length, first.length);
      into.set(first.subarray(0, n));
      if (n === first.length) pipe.parts.shift();
      else pipe.parts[0] = first.subarray(n);
      pipe.size -= n;
      kernel.wake();
      return n;
    };
    const writePipe = async (pipe: Pipe, from: Uint8Array): Promise<number> => {
      for (;;) {
        if (pipe.readers === 0) {
          if (proc.handlers.get(SIGPIPE) === 'ignore') return -E.EPIPE;
          throw new ProcessExit(128 + SIGPIPE, SIGPIPE);
        }
        if (pipe.size < 65536) break;
        await interruptible();
      }
      pipe.parts.push(from.slice());
      pipe.size += from.length;
      kernel.wake();
      return from.length;
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
        return file.node ? stat(file.node) : -E.EBADF;
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
      mount: () => -E.ENODEV,
      umount: () => -E.EINVAL,
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
      tick() {
        entry();
        if (++kernel.ops % 64) return undefined;
        return new Promise<void>((resolve) => setImmediate(resolve)).then(entry);
      },
      ptraceSeize: () => -E.ENOSYS,
      ptraceDetach: () => -E.ENOSYS,
      ptraceNext: async () => -E.ECHILD,
      finitModule: () => -E.ENODEV,
      deleteModule: () => -E.ENOENT,
      kvmRun: async () => -E.ENODEV,
      kvmStop: () => -E.ENODEV,
      mmap: () => -E.ENODEV,
      munmap: () => 0,
      prctlSetVmaName: () => 0,
      mem: { hi: 0, load: () => 0, store() {}, read() {}, write() {} },
    };
    return sys;
  }

  /** Runs a program to its end with `stdin` text; gives what it wrote. */
  async execute(
    program: Program,
    argv: readonly string[],
    stdin = '',
    env: Record<string, string> = {},
  ): Promise<{ status: number; stdout: string; stderr: string; signal: number }> {
    const sink = () => {
      const parts: Uint8Array[] = [];
      const n = this.node('dev');
      n.dev = {
        write: (b) => {
          parts.push(b.slice());
          return b.length;
        },
        ready: () => false,
      };
      return { parts, file: this.openFile(n, O_WRONLY) };
    };
    const out = sink();
    const err = sink();
    const input = this.node('file');
    input.data = utf8(stdin);
    let crash: unknown = null;
    this.crash = (error) => {
      crash = error;
    };
    const fds = new Map([
      [0, { file: this.openFile(input, 0), cloexec: false }],
      [1, { file: out.file, cloexec: false }],
      [2, { file: err.file, cloexec: false }],
    ]);
    const proc = this.start(program, argv, { PATH: '/bin', HOME: '/root', ...env }, fds);
    while (!proc.status) await this.sleep();
    if (crash) throw crash;
    return {
      status: proc.status.status,
      signal: proc.status.signal,
      stdout: text(concat(out.parts)),
      stderr: text(concat(err.parts)),
    };
  }
}
