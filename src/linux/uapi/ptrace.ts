/**
 * What a tracer learns of one system call. The real interface is ptrace(2): the tracer reads registers and memory of a stopped
 * tracee at entry and exit. Here the kernel hands over the finished call with copies of the bytes it read and wrote.
 */
export type TracedCall =
  | { readonly name: 'openat'; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly name: 'close'; readonly fd: number }
  | { readonly name: 'read' | 'write'; readonly fd: number; readonly bytes: Uint8Array; readonly count: number }
  | {
      readonly name: 'pread64' | 'pwrite64';
      readonly fd: number;
      readonly bytes: Uint8Array;
      readonly count: number;
      readonly offset: number;
    }
  | {
      readonly name: 'ioctl';
      readonly fd: number;
      readonly request: number;
      /** The plain argument, or the structure as it was before and after the call. */
      readonly before: Uint8Array | number;
      readonly after: Uint8Array | number;
    }
  | {
      readonly name: 'mmap';
      readonly addr: number;
      readonly length: number;
      readonly prot: number;
      readonly flags: number;
      readonly fd: number;
      readonly offset: number;
    }
  | { readonly name: 'munmap'; readonly addr: number; readonly length: number }
  | { readonly name: 'lseek'; readonly fd: number; readonly offset: number; readonly whence: number }
  | { readonly name: 'dup2'; readonly oldFd: number; readonly newFd: number }
  | { readonly name: 'eventfd2'; readonly initval: number; readonly flags: number }
  | { readonly name: 'pipe2'; readonly fds: readonly [number, number] | null }
  | { readonly name: 'getdents64'; readonly fd: number; readonly entries: number }
  | { readonly name: 'newfstatat' | 'readlink' | 'access' | 'chdir' | 'unlink' | 'rmdir'; readonly path: string }
  | { readonly name: 'execve'; readonly path: string; readonly argv: readonly string[]; readonly vars: number }
  | { readonly name: 'vfork' | 'fork' | 'clone3' }
  | { readonly name: 'wait4'; readonly pid: number; readonly status: number }
  | { readonly name: 'kill'; readonly pid: number; readonly signal: number }
  | { readonly name: 'finit_module'; readonly fd: number; readonly params: string }
  | { readonly name: 'delete_module'; readonly module: string; readonly flags: number };

export type SyscallName = TracedCall['name'];

export type PtraceEvent =
  | {
      readonly kind: 'call';
      readonly pid: number;
      readonly call: TracedCall;
      /** What the call returned: a value, or a negated errno. */
      readonly result: number;
      /** ns since boot, at entry and at exit. */
      readonly startNs: number;
      readonly endNs: number;
    }
  /** PTRACE_EVENT_VFORK, _FORK: a child that is traced from its first call. */
  | { readonly kind: 'attached'; readonly pid: number }
  | { readonly kind: 'exited'; readonly pid: number; readonly status: number; readonly signal: number };
