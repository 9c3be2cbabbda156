import type { Hva, Width } from '../../base/addr.ts';
import type { RamRef } from '../../hw/bus/cpu-bus.ts';
import type { PtraceEvent } from './ptrace.ts';

/**
 * The system calls of the kernel, as one process sees them: the only thing `userland/` and `qemu/` may know of `linux/`.
 *
 * Conventions of the real ABI: results are numbers, failures are negated errno (`-E.ENODEV`). A call that can sleep gives
 * `number | Promise<number>`: a plain number when it did not have to sleep. When a fatal signal arrives, a sleeping or
 * later call throws `ProcessExit`; programs let it pass through.
 */
export interface Sys {
  readonly pid: number;

  // files
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): number;
  /** 0 at end of file. */
  read(fd: number, into: Uint8Array): number | Promise<number>;
  write(fd: number, from: Uint8Array): number | Promise<number>;
  pread(fd: number, into: Uint8Array, offset: number): number;
  pwrite(fd: number, from: Uint8Array, offset: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  ftruncate(fd: number, length: number): number;
  /** `arg` is the structure's bytes (read and filled in place), or the plain integer argument. */
  ioctl(fd: number, request: number, arg?: Uint8Array | number): number | Promise<number>;
  dup2(oldFd: number, newFd: number): number;
  /** Lowest free descriptor ≥ `from`. */
  dup(fd: number, from?: number): number;
  setCloexec(fd: number, on: boolean): number;
  /** Gives [read end, write end] or a negated errno. */
  pipe(): readonly [number, number] | number;
  /** eventfd2(2) */
  eventfd(initval: number, flags: number): number;
  /** Resolves with the descriptors that can be read without sleeping (poll(2) with POLLIN); `timeoutNs` null waits for ever. */
  pollIn(fds: readonly number[], timeoutNs: number | null): Promise<readonly number[]>;

  // names
  stat(path: string): Stat | number;
  lstat(path: string): Stat | number;
  fstat(fd: number): Stat | number;
  statfs(path: string): StatFs | number;
  /** Names in the kernel's own order, without `.` and `..`. */
  getdents(fd: number): readonly Dirent[] | number;
  readlink(path: string): string | number;
  symlink(target: string, path: string): number;
  /** mkfifo(3): a named pipe. Its readers sleep while it is empty, even with no writer (opened O_RDWR by the owner). */
  mkfifo(path: string, mode?: number): number;
  link(target: string, path: string): number;
  unlink(path: string): number;
  mkdir(path: string, mode?: number): number;
  rmdir(path: string): number;
  rename(from: string, to: string): number;
  chmod(path: string, mode: number): number;
  utimes(path: string, atimeNs: number, mtimeNs: number): number;
  access(path: string, mode: number): number;
  chdir(path: string): number;
  getcwd(): string;
  umask(mask: number): number;
  mount(source: string, target: string, type: string): number;
  umount(target: string): number;

  // processes
  /** posix_spawn: runs the program at `path` (an executable file) in a child. `fds[n]` becomes descriptor n. */
  spawn(path: string, argv: readonly string[], options?: SpawnOptions): number;
  /** fork: a child that shares the program text: same cwd, umask and descriptors (copied), running `child`. */
  fork(child: (sys: Sys) => Promise<number>): number;
  /** Replaces this process by the program; the promise is its exit status. Failures are negated errno. */
  exec(path: string, argv: readonly string[], env: Readonly<Record<string, string>>): Promise<number> | number;
  /** pid > 0: that child; -1: any child; -pgid: any child of the group. `nohang` gives pid 0 when none has changed. */
  waitpid(
    pid: number,
    options?: { readonly nohang?: boolean; readonly untraced?: boolean },
  ): Promise<WaitResult | number>;
  kill(pid: number, signal: number): number;
  /** Handler for a catchable signal; `null` default action, `'ignore'` ignore it. Called between system calls. */
  onSignal(signal: number, handler: (() => void) | null | 'ignore'): void;
  /**
   * clone(CLONE_VM | CLONE_FILES | CLONE_THREAD): one more thread of this process, which may sleep in calls of its own (QEMU's
   * vCPU thread beside its main loop). Gives the thread id. It ends with the process; the process ends when the main thread does.
   */
  thread(run: () => Promise<void>): number;
  setpgid(pid: number, pgid: number): number;
  getpgid(pid: number): number;
  getppid(): number;
  setsid(): number;
  nanosleep(ns: number): Promise<number>;
  /** Nanoseconds; `realtime` since 1970 (the lab's fixed start date + virtual time), otherwise since this machine's boot. */
  clockGettime(clock: 'realtime' | 'monotonic'): number;
  uname(): Uname;
  getuid(): number;
  reboot(command: 'restart' | 'poweroff' | 'halt'): number;
  syslog(action: SyslogAction, into?: Uint8Array): number | Promise<number>;
  sync(): void;
  /** Cooperative break for long loops in user code. */
  tick(): Promise<void> | undefined;

  // tracing (ptrace(2), see uapi/ptrace.ts for how it differs)
  /** PTRACE_SEIZE; with `follow` children too. */
  ptraceSeize(pid: number, follow: boolean): number;
  ptraceDetach(pid: number): number;
  /** waitpid of a tracer: its next event, -ECHILD when nothing is traced any more, -EINTR on a signal. */
  ptraceNext(): Promise<PtraceEvent | number>;

  // modules
  /** Loads the module whose file is open as `fd`; parameters as in `modprobe name key=value …`. */
  finitModule(fd: number, params: string): number;
  deleteModule(name: string, flags: number): number;

  // virtualization
  /**
   * ioctl(KVM_RUN) in a loop on a vCPU file. Control is inverted with respect to the real call: guest code runs as the
   * lab's own code, and every exit calls `exits` synchronously; the promise resolves when `kvmStop` was called or the
   * process ends. Only after VM, memory slots and vCPU were made by the ordinary ioctls.
   */
  kvmRun(vcpuFd: number, exits: KvmExits, cpu: KvmCpu): Promise<number>;
  /** Leaves guest mode for good: the guest's tasks end, `kvmRun` resolves. Call it from an exit handler or from outside. */
  kvmStop(vcpuFd: number): number;

  // memory
  /** Gives the address, or a negated errno (addresses are positive). `addr` 0 lets the kernel choose. */
  mmap(addr: Hva, length: number, prot: number, flags: number, fd: number, offset: number): Hva;
  munmap(addr: Hva, length: number): number;
  /** prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME): names a whole anonymous mapping (`[anon:name]`). */
  prctlSetVmaName(addr: Hva, name: string): number;
  /** Loads and stores of this process's own virtual memory. */
  readonly mem: UserMemory;
}

/** User-space loads and stores; a bad address gives SIGSEGV/SIGBUS (throws `ProcessExit`). No allocation. */
export interface UserMemory {
  /** High half of the last 8-byte load. */
  hi: number;
  load(addr: Hva, width: Width): number;
  store(addr: Hva, width: Width, lo: number, hi?: number): void;
  read(addr: Hva, into: Uint8Array): void;
  write(addr: Hva, from: Uint8Array): void;
  /** Ours, for caches of translations only: where a writable byte finally lives if it is plain memory all the way down. */
  resolve?(addr: Hva, out: RamRef): boolean;
  /** Ours: what `resolve` gave holds as long as this number stands. */
  readonly epoch?: { readonly value: number };
}

/** What KVM_RUN exits to: the VMM's dispatch of accesses that no memory slot answers. Nothing here may allocate per access. */
export interface KvmExits {
  /** High half of the last 8-byte `mmioRead`. */
  hi: number;
  mmioRead(gpa: number, width: Width): number;
  mmioWrite(gpa: number, width: Width, lo: number, hi: number): void;
  pioRead(port: number, width: 1 | 2 | 4): number;
  pioWrite(port: number, width: 1 | 2 | 4, value: number): void;
  pioOuts(port: number, bytes: Uint8Array): void;
  pioIns(port: number, into: Uint8Array): void;
  /** One string instruction on memory no slot answers, as one exit; without them every element exits by itself. */
  mmioReadBytes?(gpa: number, into: Uint8Array): void;
  mmioWriteBytes?(gpa: number, from: Uint8Array): void;
  /** A loop of 4-byte loads (`CpuBus.loadLoop`): as many exits, reported as one. */
  mmioReadLoop?(gpa: number, into: Uint32Array): void;
  /** Ours, on the host only: ranges that stand for silicon, where real hardware would not leave the guest. Counted, not logged one by one. */
  readonly windows?: ExitWindows;
  /** Inspector access to guest-physical memory no slot answers: no side effects, no events; null if unknown. */
  peek(gpa: number, length: number): Uint8Array | null;
}

/** The exits that are answered as memory is. */
export interface ExitWindows {
  /** Grows whenever `find` may answer differently from before. */
  readonly generation: number;
  /** Fills `out` and gives true if such a window holds `gpa`. */
  find(gpa: number, out: WindowRef): boolean;
}
export interface WindowRef {
  port: WindowPort | null;
  /** Guest address of the byte the port knows as offset 0. */
  base: number;
  /** The part of guest memory the port answers: first address, and the first one past it. */
  first: number;
  past: number;
}
/** Loads and stores of 1 to 8 bytes by offset, aligned or not. */
export interface WindowPort {
  /** High half of the last 8-byte read. */
  hi: number;
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, lo: number, hi: number): void;
  /** Where the byte finally lives if that is plain memory, as long as the generation and the map epoch stay. */
  resolve?(offset: number, out: RamRef): boolean;
}

/** What KVM_SET_CPUID2 tells the guest. */
export interface KvmCpu {
  readonly model: string;
  readonly vendor: string;
  readonly hypervisor: boolean;
  /** The hypervisor bit is QEMU's own (TCG), not KVM's. */
  readonly tcg?: boolean;
  readonly count: number;
}

export interface Stat {
  readonly ino: number;
  readonly dev: number;
  /** S_IFMT type bits and permissions. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Device number for device nodes: major * 256 + minor. */
  readonly rdev: number;
  readonly blocks: number;
  readonly mtimeNs: number;
}

/** struct statfs: sizes in blocks of `bsize` bytes; all 0 where a file system has no storage (proc, sysfs). */
export interface StatFs {
  /** f_type: the magic number of the super block. */
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly files: number;
  readonly ffree: number;
  readonly namelen: number;
}

export interface Dirent {
  readonly name: string;
  /** S_IFMT type bits. */
  readonly type: number;
  readonly ino: number;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptor n of the child is fds[n] of the parent; default [0, 1, 2]. Others are inherited unless close-on-exec. */
  readonly fds?: readonly number[];
  readonly cwd?: string;
  /** Put the child in this process group (0: a new one of its own). */
  readonly pgid?: number;
}

export interface WaitResult {
  readonly pid: number;
  /** Exit code, or 128 + signal when killed. */
  readonly status: number;
  readonly signal: number;
  /** With `untraced`: the child is not gone, this signal stopped it. */
  readonly stopped?: number;
}

export interface Uname {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

export type SyslogAction =
  | 'read-all'
  | 'read'
  | 'clear'
  | 'console-off'
  | 'console-on'
  | { readonly consoleLevel: number };

/** A program: gets its system calls and argument vector, gives its exit status. Found by the name in its file (`execve`). */
export type Program = (sys: Sys, argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<number>;

/** A process that waits for a lock nobody will give back: it never ends (state D). Thrown where it would wait, caught where processes run. */
export class TaskHung extends Error {
  override name = 'TaskHung';
}

/** Thrown out of system calls when the process has to end; carries what `waitpid` reports. */
export class ProcessExit extends Error {
  override name = 'ProcessExit';
  constructor(
    readonly status: number,
    readonly signal = 0,
  ) {
    super(`exit ${status}`);
  }
}
