/** strace's -e trace=SET: names, %classes, `all`, `none`, and `!` for the opposite. */
import type { SyscallName } from '../../linux/uapi/ptrace.ts';

/** exit_group has no end: it is known from the process's exit. */
export type CallName = SyscallName | 'exit_group';

const CLASSES: Readonly<Record<CallName, readonly string[]>> = {
  openat: ['desc', 'file'],
  close: ['desc'],
  read: ['desc'],
  write: ['desc'],
  pread64: ['desc'],
  pwrite64: ['desc'],
  ioctl: ['desc'],
  mmap: ['desc', 'memory'],
  munmap: ['memory'],
  lseek: ['desc'],
  dup2: ['desc'],
  pipe2: ['desc'],
  eventfd2: ['desc'],
  getdents64: ['desc'],
  newfstatat: ['desc', 'file', 'stat'],
  readlink: ['file'],
  access: ['file'],
  chdir: ['file'],
  unlink: ['file'],
  rmdir: ['file'],
  execve: ['file', 'process'],
  exit_group: ['process'],
  vfork: ['process'],
  fork: ['process'],
  clone3: ['process'],
  wait4: ['process'],
  kill: ['signal', 'process'],
  finit_module: ['desc'],
  delete_module: [],
};
export const SYSCALLS = Object.keys(CLASSES) as readonly CallName[];

/** Calls of x86-64 that exist but that no program of the lab makes: naming them is no mistake. */
const OTHERS = new Set(
  (
    'open stat lstat fstat poll mprotect brk rt_sigaction rt_sigprocmask readv writev pipe select madvise dup nanosleep socket connect ' +
    'clone exit fcntl ftruncate getcwd mkdir rename link symlink chmod mount umount2 reboot init_module ppoll epoll_wait ' +
    'epoll_create1 epoll_ctl futex prctl preadv pwritev mkdirat unlinkat renameat2 faccessat2 dup3 statx uname getpid'
  ).split(' '),
);

/** The calls `set` selects, or the word strace does not know. */
export function selectCalls(set: string): ReadonlySet<CallName> | { readonly unknown: string } {
  const negative = set.startsWith('!');
  const chosen = new Set<CallName>();
  for (const word of (negative ? set.slice(1) : set).split(',')) {
    if (word === 'all') for (const name of SYSCALLS) chosen.add(name);
    else if (word === 'none') continue;
    else if (word.startsWith('%') || ['file', 'desc', 'memory', 'process', 'signal'].includes(word)) {
      const wanted = word.replace('%', '');
      const found = SYSCALLS.filter((name) => CLASSES[name].includes(wanted));
      if (found.length === 0) return { unknown: word };
      for (const name of found) chosen.add(name);
    } else {
      const known = SYSCALLS.find((name) => name === word);
      if (known) chosen.add(known);
      else if (!OTHERS.has(word.replace(/^\?/, ''))) return { unknown: word };
    }
  }
  return negative ? new Set(SYSCALLS.filter((name) => !chosen.has(name))) : chosen;
}
