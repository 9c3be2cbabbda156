/**
 * The system-call table of one process (fs/read_write.c, fs/open.c, kernel/exit.c …): arguments checked, the kernel's
 * own functions called with this process current. Process calls are in syscalls-process.ts.
 */
import type { Hva } from '../../base/addr.ts';
import { present } from '../../base/assert.ts';
import { bytesToHex } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import type { IoctlArgument } from '../../state/schema.ts';
import { EventfdCtx } from '../fs/eventfd.ts';
import { OpenFile } from '../fs/file.ts';
import { KernfsNode } from '../fs/kernfs.ts';
import { Pipe, pipe_path } from '../fs/pipe.ts';
import {
  EFD_SEMAPHORE,
  MAP_ANONYMOUS,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  S_IFCHR,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from '../uapi/constants.ts';
import type { PtraceEvent } from '../uapi/ptrace.ts';
import type { KvmCpu, KvmExits, SpawnOptions, Sys, SyslogAction, Uname, UserMemory, WaitResult } from '../uapi/sys.ts';
import { VFIO_TYPE } from '../uapi/vfio.ts';
import { kvm_run, kvm_stop } from '../virt/kvm/kvm.ts';
import type { Linux } from './linux.ts';
import { SysNames } from './syscalls-names.ts';
import { ProcessCalls } from './syscalls-process.ts';
import type { Task } from './task.ts';

/** Sites of the spans system calls open; one set a kernel. */
export class SyscallSites {
  readonly openat;
  readonly pread;
  readonly pwrite;
  readonly ioctl;
  readonly argument;
  readonly mmap;
  readonly sysfs;
  constructor(kernel: Linux) {
    this.openat = kernel.site('openat', ['fd'], 'open(2)');
    this.pread = kernel.site('pread64', ['offset', 'length'], 'pread(2)');
    this.pwrite = kernel.site('pwrite64', ['offset', 'length'], 'pwrite(2)');
    this.ioctl = kernel.site('ioctl', ['request', 'fd'], 'ioctl(2)');
    this.argument = kernel.site('argument of the ioctl', ['request', 'json'], 'ioctl(2)');
    this.mmap = kernel.site('mmap', ['offset', 'length'], 'mmap(2)');
    this.sysfs = kernel.site('kernfs_fop_write_iter', ['length'], 'fs/kernfs/file.c');
  }
}

/** All calls but the tracer's own (syscalls-traced.ts). */
export abstract class SysImpl extends SysNames implements Sys {
  abstract ptraceSeize(pid: number, follow: boolean): number;
  abstract ptraceDetach(pid: number): number;
  abstract ptraceNext(): Promise<PtraceEvent | number>;
  private readonly calls: ProcessCalls;
  private memory: UserMemory | null = null;

  constructor(kernel: Linux, task: Task) {
    super(kernel, task);
    this.calls = new ProcessCalls(kernel, task);
  }

  get pid(): number {
    return this.task.pid;
  }

  /** The return to user mode of a call that slept: caught signals are handled, probes that became due have run. */
  private async slept(result: Promise<number>): Promise<number> {
    const value = await result;
    this.enter();
    return value;
  }

  // --- files --------------------------------------------------------------------------------------------------------

  open(path: string, flags: number, mode = 0o666): number {
    return this.within(() => {
      const { log } = this.kernel;
      const span = path.startsWith('/dev/') ? log.begin(this.kernel.sites.openat) : -1;
      let fd: number = -E.EIO;
      try {
        const file = this.kernel.vfs.open(this.task, path, flags, mode);
        if (typeof file === 'number') fd = file;
        else fd = this.task.files.install(file, (flags & O_CLOEXEC) !== 0);
        return fd;
      } finally {
        if (span >= 0) log.end(span, fd);
      }
    });
  }
  close(fd: number): number {
    return this.within(() => (this.task.files.close(fd) ? 0 : -E.EBADF));
  }

  read(fd: number, into: Uint8Array): number | Promise<number> {
    const file = this.task.files.get(fd);
    if (!file || (file.flags & O_ACCMODE) === O_WRONLY) return this.bad(fd);
    const result = this.vfsRead(file, into, file.position, this.kernel.sites.pread);
    if (typeof result !== 'number') return this.slept(result);
    if (result > 0 && file.fops.seekable !== false) file.position += result;
    return result;
  }
  write(fd: number, from: Uint8Array): number | Promise<number> {
    const file = this.task.files.get(fd);
    if (!file || (file.flags & O_ACCMODE) === O_RDONLY) return this.bad(fd);
    if (file.flags & O_APPEND && file.fops.size) file.position = file.fops.size(file);
    const result = this.vfsWrite(file, from, file.position);
    const advance = (written: number): number => {
      if (written > 0 && file.fops.seekable !== false) file.position += written;
      return written;
    };
    if (typeof result !== 'number') return this.slept(result.then(advance));
    advance(result);
    if (this.task.fatal) throw this.task.fatal;
    return result;
  }
  pread(fd: number, into: Uint8Array, offset: number): number {
    const file = this.task.files.get(fd);
    if (!file || (file.flags & O_ACCMODE) === O_WRONLY) return this.bad(fd);
    // A stream has no positions; a file without the operation fails further down.
    if (file.fops.seekable === false && file.fops.read) return -E.ESPIPE;
    if (offset < 0) return -E.EINVAL;
    const result = this.vfsRead(file, into, offset, this.kernel.sites.pread);
    return typeof result === 'number' ? result : -E.EAGAIN;
  }
  pwrite(fd: number, from: Uint8Array, offset: number): number {
    const file = this.task.files.get(fd);
    if (!file || (file.flags & O_ACCMODE) === O_RDONLY) return this.bad(fd);
    if (file.fops.seekable === false && file.fops.write) return -E.ESPIPE;
    if (offset < 0) return -E.EINVAL;
    const result = this.vfsWrite(file, from, offset);
    return typeof result === 'number' ? result : -E.EAGAIN;
  }
  private bad(fd: number): number {
    this.enter();
    return this.task.files.get(fd)?.inode.isDir ? -E.EISDIR : -E.EBADF;
  }

  private vfsRead(file: OpenFile, into: Uint8Array, offset: number, site: number): number | Promise<number> {
    this.enter();
    if (file.inode.isDir) return -E.EISDIR;
    if (!file.fops.read) return -E.EINVAL;
    const { tasks, log } = this.kernel;
    const before = tasks.switchTo(this.task);
    const span = isDevice(file) ? log.begin(site, offset, into.length) : -1;
    let result: number | Promise<number> = -E.EIO;
    try {
      result = file.fops.read(file, into, offset);
      return result;
    } finally {
      if (span >= 0) log.end(span, typeof result === 'number' ? result : 0);
      tasks.switchTo(before);
    }
  }
  private vfsWrite(file: OpenFile, from: Uint8Array, offset: number): number | Promise<number> {
    this.enter();
    if (!file.fops.write) return -E.EINVAL;
    const { tasks, log, sites } = this.kernel;
    const before = tasks.switchTo(this.task);
    const attribute = file.inode instanceof KernfsNode;
    let span = -1;
    if (attribute) span = log.begin(sites.sysfs, from.length);
    else if (isDevice(file)) span = log.begin(sites.pwrite, offset, from.length);
    let result: number | Promise<number> = -E.EIO;
    try {
      result = file.fops.write(file, from, offset);
      if (!attribute) return result;
      if (typeof result === 'number') this.kernel.drivers.flush_async_probes();
      else return result.finally(() => tasks.within(this.task, () => this.kernel.drivers.flush_async_probes()));
      return result;
    } finally {
      if (span >= 0) log.end(span, typeof result === 'number' ? result : 0);
      tasks.switchTo(before);
    }
  }

  lseek(fd: number, offset: number, whence: number): number {
    this.enter();
    const file = this.task.files.get(fd);
    if (!file) return -E.EBADF;
    if (file.fops.llseek) return file.fops.llseek(file, offset, whence);
    if (file.fops.seekable === false) return -E.ESPIPE;
    let base = 0;
    if (whence === SEEK_CUR) base = file.position;
    else if (whence === SEEK_END) base = file.fops.size?.(file) ?? 0;
    else if (whence !== SEEK_SET) return -E.EINVAL;
    if (base + offset < 0) return -E.EINVAL;
    file.position = base + offset;
    return file.position;
  }
  ftruncate(fd: number, length: number): number {
    return this.within(() => {
      const file = this.task.files.get(fd);
      if (!file) return -E.EBADF;
      if ((file.flags & O_ACCMODE) === O_RDONLY || !file.inode.isFile || length < 0) return -E.EINVAL;
      return file.inode.truncate(length);
    });
  }
  ioctl(fd: number, request: number, arg: Uint8Array | number = 0): number | Promise<number> {
    this.enter();
    const file = this.task.files.get(fd);
    if (!file) return -E.EBADF;
    if (!file.fops.unlocked_ioctl) return -E.ENOTTY;
    const { tasks, log, sites } = this.kernel;
    const before = tasks.switchTo(this.task);
    // Terminal ioctls (0x54xx and the lab's own) are a shell's small talk, not worth a span each.
    const span = isDevice(file) ? log.begin(sites.ioctl, request, fd) : -1;
    const given = span >= 0 && typeof arg !== 'number' && isVfio(request) ? bytesToHex(arg) : null;
    let result: number | Promise<number> = -E.EIO;
    try {
      result = file.fops.unlocked_ioctl(file, request, arg);
      if (given !== null && typeof arg !== 'number') {
        const argument: IoctlArgument = { path: file.path, given, left: bytesToHex(arg) };
        log.noteValue(sites.argument, request, { ...argument });
      }
    } finally {
      if (span >= 0) log.end(span, typeof result === 'number' ? result : 0);
      tasks.switchTo(before);
    }
    return typeof result === 'number' ? result : this.slept(result);
  }
  dup2(oldFd: number, newFd: number): number {
    return this.within(() => {
      const file = this.task.files.get(oldFd);
      if (!file || newFd < 0) return -E.EBADF;
      if (oldFd === newFd) return newFd;
      this.task.files.close(newFd);
      this.task.files.set(newFd, file.get(), false);
      return newFd;
    });
  }
  dup(fd: number, from = 0): number {
    return this.within(() => {
      const file = this.task.files.get(fd);
      return file ? this.task.files.install(file.get(), false, from) : -E.EBADF;
    });
  }
  setCloexec(fd: number, on: boolean): number {
    this.enter();
    return this.task.files.setCloexec(fd, on) ? 0 : -E.EBADF;
  }
  pipe(): readonly [number, number] | number {
    return this.within(() => {
      const pipe = new Pipe(this.kernel);
      const at = pipe_path(this.kernel.vfs.pipefs, pipe);
      const reader = new OpenFile(at.name, O_RDONLY, this.task, at);
      reader.fops = pipe.readEnd;
      const writer = new OpenFile(at.name, O_WRONLY, this.task, at);
      writer.fops = pipe.writeEnd;
      return [this.task.files.install(reader, false), this.task.files.install(writer, false)] as const;
    });
  }

  eventfd(initval: number, flags: number): number {
    return this.within(() => {
      if (flags & ~(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC)) return -E.EINVAL;
      const ctx = new EventfdCtx(this.kernel, initval, flags);
      return this.kernel.vfs.anon_fd(this.task, '[eventfd]', ctx.fops, ctx, flags);
    });
  }

  async pollIn(fds: readonly number[], timeoutNs: number | null): Promise<readonly number[]> {
    const { scheduler, tasks, pollers } = this.kernel;
    const deadline = timeoutNs === null ? Infinity : scheduler.now + timeoutNs;
    for (;;) {
      this.enter();
      const ready = fds.filter((fd) => {
        const file = this.task.files.get(fd);
        return !file?.fops.poll || file.fops.poll(file);
      });
      if (ready.length > 0 || scheduler.now >= deadline) return ready;
      const waiter = deadline === Infinity ? pollers.wait() : scheduler.sleep(deadline - scheduler.now);
      for (const fd of fds) {
        const file = this.task.files.get(fd);
        if (file) pollers.arm(file, waiter);
      }
      const interrupted = await tasks.wait(this.task, waiter);
      if (interrupted < 0) {
        this.enter();
        return [];
      }
    }
  }

  // --- processes ----------------------------------------------------------------------------------------------------

  spawn(path: string, argv: readonly string[], options: SpawnOptions = {}): number {
    return this.within(() => this.calls.spawn(path, argv, options));
  }
  fork(child: (sys: Sys) => Promise<number>): number {
    return this.within(() => this.calls.fork(child));
  }
  exec(path: string, argv: readonly string[], env: Readonly<Record<string, string>>): Promise<number> | number {
    const ret = this.within(() => this.calls.exec(path, argv, env));
    if (typeof ret !== 'number') this.memory = null;
    return ret;
  }
  waitpid(
    pid: number,
    options: { readonly nohang?: boolean; readonly untraced?: boolean } = {},
  ): Promise<WaitResult | number> {
    this.enter();
    return this.calls.waitpid(pid, options);
  }
  kill(pid: number, signal: number): number {
    const ret = this.within(() => this.calls.kill(pid, signal));
    this.enter();
    return ret;
  }
  onSignal(signal: number, handler: (() => void) | null | 'ignore'): void {
    this.enter();
    if (handler === null) this.task.handlers.delete(signal);
    else this.task.handlers.set(signal, handler);
  }
  setpgid(pid: number, pgid: number): number {
    return this.within(() => this.calls.setpgid(pid, pgid));
  }
  thread(run: () => Promise<void>): number {
    return this.within(() => this.kernel.tasks.thread(this.task, run));
  }
  getpgid(pid: number): number {
    return this.within(() => (pid === 0 ? this.task : this.kernel.tasks.find(pid))?.pgid ?? -E.ESRCH);
  }
  getppid(): number {
    this.enter();
    return this.task.ppid;
  }
  setsid(): number {
    return this.within(() => this.calls.setsid());
  }
  async nanosleep(ns: number): Promise<number> {
    this.enter();
    const ret = await this.kernel.tasks.wait(this.task, this.kernel.scheduler.sleep(Math.max(0, ns)));
    this.enter();
    return ret;
  }
  clockGettime(clock: 'realtime' | 'monotonic'): number {
    this.enter();
    return clock === 'realtime' ? this.kernel.bootTimeNs + this.kernel.now() : this.kernel.now();
  }
  uname(): Uname {
    this.enter();
    const { release, version } = this.kernel.build;
    return { sysname: 'Linux', nodename: this.kernel.hostname, release, version, machine: 'x86_64' };
  }
  getuid(): number {
    return 0;
  }
  reboot(command: 'restart' | 'poweroff' | 'halt'): number {
    const ret = this.within(() => this.kernel.reboot(command));
    this.enter();
    return ret;
  }
  syslog(action: SyslogAction, into: Uint8Array = new Uint8Array(0)): number | Promise<number> {
    return this.within(() => this.calls.syslog(action, into));
  }
  sync(): void {
    this.enter();
  }
  tick(): Promise<void> | undefined {
    this.enter();
    if (this.task.state === 'stopped') return this.kernel.tasks.whileStopped(this.task);
    return this.kernel.scheduler.tick();
  }

  // --- modules ------------------------------------------------------------------------------------------------------

  finitModule(fd: number, params: string): number {
    return this.within(() => {
      const file = this.task.files.get(fd);
      return file ? this.kernel.modules.finit_module(file, params) : -E.EBADF;
    });
  }
  deleteModule(name: string, flags: number): number {
    return this.within(() => this.kernel.modules.delete_module(name, flags));
  }

  // --- virtualization and memory --------------------------------------------------------------------------------------

  kvmRun(vcpuFd: number, exits: KvmExits, cpu: KvmCpu): Promise<number> {
    return this.within(() => kvm_run(this.kernel, this.task, vcpuFd, exits, cpu));
  }
  kvmStop(vcpuFd: number): number {
    return this.within(() => kvm_stop(this.kernel, this.task, vcpuFd));
  }
  mmap(addr: Hva, length: number, prot: number, flags: number, fd: number, offset: number): Hva {
    return this.within(() => {
      const { log, sites, mm } = this.kernel;
      if (flags & MAP_ANONYMOUS) return mm.mmap(this.task, addr, length, prot, flags, null, 0);
      const file = this.task.files.get(fd);
      if (!file) return -E.EBADF;
      const span = log.begin(sites.mmap, offset, length);
      let ret: number = -E.EIO;
      try {
        ret = mm.mmap(this.task, addr, length, prot, flags, file, offset);
        return ret;
      } finally {
        log.end(span, ret);
      }
    });
  }
  prctlSetVmaName(addr: Hva, name: string): number {
    return this.within(() => this.kernel.mm.set_anon_name(this.task, addr, name));
  }
  munmap(addr: Hva, length: number): number {
    return this.within(() => this.kernel.mm.munmap(this.task, addr, length));
  }
  get mem(): UserMemory {
    this.memory ??= this.kernel.mm.userMemory(this.task);
    return present(this.memory, 'user memory');
  }
}

/** VFIO's and iommufd's requests, whose structures are worth keeping. */
function isVfio(request: number): boolean {
  return Math.floor(request / 0x100) % 0x100 === VFIO_TYPE;
}

/** Device files and anonymous inodes (VFIO, KVM), but not terminals. */
function isDevice(file: OpenFile): boolean {
  const { type } = file.inode;
  if (type === 0) return true;
  return type === S_IFCHR && !(file.fops.seekable === false && /^\/dev\/(tty|console|pts\/)/.test(file.path));
}
