/** A small kernel for tests of programs: tree of files, descriptors, pipes, processes, one terminal. Virtual time. */
import { concat, text, utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import { O_WRONLY, S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG } from '../../linux/uapi/constants.ts';
import { ProcessExit, type Program, type Sys, type WaitResult } from '../../linux/uapi/sys.ts';
import { fakeSys } from './fake-sys.ts';

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
export interface Pipe {
  parts: Uint8Array[];
  size: number;
  readers: number;
  writers: number;
}
export interface OpenFile {
  refs: number;
  flags: number;
  pos: number;
  node: Node | null;
  pipe: Pipe | null;
  end: 'r' | 'w' | null;
  /** Attribute text fixed at the first read. */
  snapshot: Uint8Array | null;
}
export interface Proc {
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
  inos = 1;
  pids = 0;
  waiters: (() => void)[] = [];
  timers: { due: number; wake: () => void }[] = [];
  ops = 0;

  constructor() {
    for (const dir of ['/bin', '/dev', '/tmp', '/root', '/etc', '/proc', '/sys']) this.mkdir(dir);
    this.device('/dev/null', { read: () => 0, write: (b) => b.length, ready: () => true });
    this.device('/dev/zero', { read: (b) => b.fill(0).length, write: (b) => b.length, ready: () => true });
    this.device('/dev/full', { read: () => 0, write: () => -E.ENOSPC, ready: () => true });
  }

  node(kind: Node['kind']): Node {
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
  put(path: string, node: Node): Node {
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
  sleep(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }
  timer(ns: number): Promise<void> {
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
  async run(proc: Proc, body: () => Promise<number>): Promise<void> {
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

  close(proc: Proc, fd: number): number {
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
    return fakeSys(this, proc);
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
