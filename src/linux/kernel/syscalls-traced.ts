/**
 * System calls of a process that may be traced: what syscall_trace_enter/exit (kernel/entry/common.c) add. Untraced processes pay one
 * comparison. Calls without an override are never seen by a tracer.
 */
import { E } from '../../base/errno.ts';
import type { TracedCall } from '../uapi/ptrace.ts';
import type { Dirent, SpawnOptions, Stat, Sys, WaitResult } from '../uapi/sys.ts';
import { ptrace_attach, ptrace_detach, type Tracer } from './ptrace.ts';
import { SysImpl } from './syscalls.ts';
import { load_binary } from './syscalls-process.ts';

const NO_BYTES = new Uint8Array(0);

export class TracedSys extends SysImpl {
  private report(tracer: Tracer, call: TracedCall, result: number, startNs: number): void {
    // Detached in between: nobody to tell.
    if (this.task.tracer === tracer) tracer.call(this.task, call, result, startNs);
  }
  /** Runs a call whose description is complete before it starts. */
  private simple<R>(call: TracedCall, run: () => R): R {
    const { tracer } = this.task;
    if (tracer === null) return run();
    const startNs = this.kernel.now();
    const result = run();
    this.report(tracer, call, typeof result === 'number' ? result : 0, startNs);
    return result;
  }
  private when(result: number | Promise<number>, done: (result: number) => void): number | Promise<number> {
    if (typeof result === 'number') {
      done(result);
      return result;
    }
    return result.then((value) => {
      done(value);
      return value;
    });
  }

  override open(path: string, flags: number, mode = 0o666): number {
    if (this.task.tracer === null) return super.open(path, flags, mode);
    return this.simple({ name: 'openat', path, flags, mode }, () => super.open(path, flags, mode));
  }
  override close(fd: number): number {
    if (this.task.tracer === null) return super.close(fd);
    return this.simple({ name: 'close', fd }, () => super.close(fd));
  }
  override read(fd: number, into: Uint8Array): number | Promise<number> {
    const { tracer } = this.task;
    if (tracer === null) return super.read(fd, into);
    const startNs = this.kernel.now();
    return this.when(super.read(fd, into), (result) => {
      const bytes = result > 0 ? into.slice(0, result) : NO_BYTES;
      this.report(tracer, { name: 'read', fd, bytes, count: into.length }, result, startNs);
    });
  }
  override write(fd: number, from: Uint8Array): number | Promise<number> {
    const { tracer } = this.task;
    if (tracer === null) return super.write(fd, from);
    const startNs = this.kernel.now();
    const bytes = from.slice();
    return this.when(super.write(fd, from), (result) =>
      this.report(tracer, { name: 'write', fd, bytes, count: bytes.length }, result, startNs),
    );
  }
  override pread(fd: number, into: Uint8Array, offset: number): number {
    const { tracer } = this.task;
    if (tracer === null) return super.pread(fd, into, offset);
    const startNs = this.kernel.now();
    const result = super.pread(fd, into, offset);
    const bytes = result > 0 ? into.slice(0, result) : NO_BYTES;
    this.report(tracer, { name: 'pread64', fd, bytes, count: into.length, offset }, result, startNs);
    return result;
  }
  override pwrite(fd: number, from: Uint8Array, offset: number): number {
    if (this.task.tracer === null) return super.pwrite(fd, from, offset);
    const call: TracedCall = { name: 'pwrite64', fd, bytes: from.slice(), count: from.length, offset };
    return this.simple(call, () => super.pwrite(fd, from, offset));
  }
  override ioctl(fd: number, request: number, arg: Uint8Array | number = 0): number | Promise<number> {
    const { tracer } = this.task;
    if (tracer === null) return super.ioctl(fd, request, arg);
    const startNs = this.kernel.now();
    const before = typeof arg === 'number' ? arg : arg.slice();
    return this.when(super.ioctl(fd, request, arg), (result) => {
      const after = typeof arg === 'number' ? arg : arg.slice();
      this.report(tracer, { name: 'ioctl', fd, request, before, after }, result, startNs);
    });
  }
  override mmap(addr: number, length: number, prot: number, flags: number, fd: number, offset: number): number {
    if (this.task.tracer === null) return super.mmap(addr, length, prot, flags, fd, offset);
    return this.simple({ name: 'mmap', addr, length, prot, flags, fd, offset }, () =>
      super.mmap(addr, length, prot, flags, fd, offset),
    );
  }
  override munmap(addr: number, length: number): number {
    return this.simple({ name: 'munmap', addr, length }, () => super.munmap(addr, length));
  }
  override lseek(fd: number, offset: number, whence: number): number {
    return this.simple({ name: 'lseek', fd, offset, whence }, () => super.lseek(fd, offset, whence));
  }
  override dup2(oldFd: number, newFd: number): number {
    return this.simple({ name: 'dup2', oldFd, newFd }, () => super.dup2(oldFd, newFd));
  }
  override pipe(): readonly [number, number] | number {
    const { tracer } = this.task;
    if (tracer === null) return super.pipe();
    const startNs = this.kernel.now();
    const fds = super.pipe();
    const failed = typeof fds === 'number';
    this.report(tracer, { name: 'pipe2', fds: failed ? null : fds }, failed ? fds : 0, startNs);
    return fds;
  }
  override eventfd(initval: number, flags: number): number {
    return this.simple({ name: 'eventfd2', initval, flags }, () => super.eventfd(initval, flags));
  }
  override getdents(fd: number): readonly Dirent[] | number {
    const { tracer } = this.task;
    if (tracer === null) return super.getdents(fd);
    const startNs = this.kernel.now();
    const entries = super.getdents(fd);
    const count = typeof entries === 'number' ? 0 : entries.length;
    this.report(tracer, { name: 'getdents64', fd, entries: count }, typeof entries === 'number' ? entries : 0, startNs);
    return entries;
  }
  override stat(path: string): Stat | number {
    return this.simple({ name: 'newfstatat', path }, () => super.stat(path));
  }
  override lstat(path: string): Stat | number {
    return this.simple({ name: 'newfstatat', path }, () => super.lstat(path));
  }
  override readlink(path: string): string | number {
    const { tracer } = this.task;
    if (tracer === null) return super.readlink(path);
    const startNs = this.kernel.now();
    const target = super.readlink(path);
    this.report(tracer, { name: 'readlink', path }, typeof target === 'number' ? target : target.length, startNs);
    return target;
  }
  override access(path: string, mode: number): number {
    return this.simple({ name: 'access', path }, () => super.access(path, mode));
  }
  override chdir(path: string): number {
    return this.simple({ name: 'chdir', path }, () => super.chdir(path));
  }
  override unlink(path: string): number {
    return this.simple({ name: 'unlink', path }, () => super.unlink(path));
  }
  override rmdir(path: string): number {
    return this.simple({ name: 'rmdir', path }, () => super.rmdir(path));
  }

  override spawn(path: string, argv: readonly string[], options: SpawnOptions = {}): number {
    const { tracer } = this.task;
    if (tracer === null) return super.spawn(path, argv, options);
    const startNs = this.kernel.now();
    const pid = super.spawn(path, argv, options);
    this.report(tracer, { name: 'vfork' }, pid, startNs);
    const child = pid > 0 ? this.kernel.tasks.find(pid) : null;
    if (child) {
      tracer.child(child);
      // posix_spawn's child calls execve itself, in the address space it shares with its parent.
      const vars = Object.keys(child.env).length;
      child.tracer?.call(child, { name: 'execve', path, argv, vars }, 0, startNs);
    }
    return pid;
  }
  override fork(child: (sys: Sys) => Promise<number>): number {
    const { tracer } = this.task;
    if (tracer === null) return super.fork(child);
    const startNs = this.kernel.now();
    const pid = super.fork(child);
    this.report(tracer, { name: 'fork' }, pid, startNs);
    const task = pid > 0 ? this.kernel.tasks.find(pid) : null;
    if (task) tracer.child(task);
    return pid;
  }
  override thread(run: () => Promise<void>): number {
    return this.simple({ name: 'clone3' }, () => super.thread(run));
  }
  override exec(
    path: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<number> | number {
    const { tracer } = this.task;
    if (tracer === null) return super.exec(path, argv, env);
    // The program runs inside the call: what becomes of it is known before.
    const startNs = this.kernel.now();
    const found = load_binary(this.kernel, this.task.cwd, path, argv);
    const failed = typeof found === 'number' ? found : 0;
    this.report(tracer, { name: 'execve', path, argv, vars: Object.keys(env).length }, failed, startNs);
    return super.exec(path, argv, env);
  }
  override waitpid(
    pid: number,
    options: { readonly nohang?: boolean; readonly untraced?: boolean } = {},
  ): Promise<WaitResult | number> {
    const { tracer } = this.task;
    if (tracer === null) return super.waitpid(pid, options);
    const startNs = this.kernel.now();
    return super.waitpid(pid, options).then((result) => {
      const failed = typeof result === 'number';
      this.report(
        tracer,
        { name: 'wait4', pid, status: failed ? 0 : result.status },
        failed ? result : result.pid,
        startNs,
      );
      return result;
    });
  }
  override kill(pid: number, signal: number): number {
    return this.simple({ name: 'kill', pid, signal }, () => super.kill(pid, signal));
  }
  override finitModule(fd: number, params: string): number {
    return this.simple({ name: 'finit_module', fd, params }, () => super.finitModule(fd, params));
  }
  override deleteModule(name: string, flags: number): number {
    return this.simple({ name: 'delete_module', module: name, flags }, () => super.deleteModule(name, flags));
  }

  override ptraceSeize(pid: number, follow: boolean): number {
    return this.within(() => ptrace_attach(this.kernel, this.task, pid, follow));
  }
  override ptraceDetach(pid: number): number {
    return this.within(() => ptrace_detach(this.kernel, this.task, pid));
  }
  override async ptraceNext() {
    this.enter();
    return (await this.task.tracing?.next()) ?? -E.ECHILD;
  }
}
