/** One finished system call as strace's line: `name(arguments) = result`. */
import { utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import * as c from '../../linux/uapi/constants.ts';
import type { TracedCall } from '../../linux/uapi/ptrace.ts';
import type { FileKind } from './ioctl-table.ts';
import { ioctlText } from './ioctls.ts';
import { address, type Bits, bits, outcome, quoted, type Style } from './values.ts';

const OPEN: Bits = [
  [c.O_SYNC, 'O_SYNC'],
  [c.O_CREAT, 'O_CREAT'],
  [c.O_EXCL, 'O_EXCL'],
  [c.O_NOCTTY, 'O_NOCTTY'],
  [c.O_TRUNC, 'O_TRUNC'],
  [c.O_APPEND, 'O_APPEND'],
  [c.O_NONBLOCK, 'O_NONBLOCK'],
  [c.O_DIRECTORY, 'O_DIRECTORY'],
  [c.O_NOFOLLOW, 'O_NOFOLLOW'],
  [c.O_CLOEXEC, 'O_CLOEXEC'],
];
const ACCESS_MODES = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'];
const PROT: Bits = [
  [c.PROT_READ, 'PROT_READ'],
  [c.PROT_WRITE, 'PROT_WRITE'],
];
const MAP: Bits = [
  [c.MAP_SHARED, 'MAP_SHARED'],
  [c.MAP_PRIVATE, 'MAP_PRIVATE'],
  [c.MAP_ANONYMOUS, 'MAP_ANONYMOUS'],
];
const EFD: Bits = [
  [c.EFD_SEMAPHORE, 'EFD_SEMAPHORE'],
  [c.O_CLOEXEC, 'EFD_CLOEXEC'],
  [c.O_NONBLOCK, 'EFD_NONBLOCK'],
];
const WHENCE = ['SEEK_SET', 'SEEK_CUR', 'SEEK_END', 'SEEK_DATA'];
const SIGNALS: Readonly<Record<number, string>> = {
  [c.SIGHUP]: 'SIGHUP',
  [c.SIGINT]: 'SIGINT',
  [c.SIGQUIT]: 'SIGQUIT',
  [c.SIGABRT]: 'SIGABRT',
  [c.SIGBUS]: 'SIGBUS',
  [c.SIGKILL]: 'SIGKILL',
  [c.SIGSEGV]: 'SIGSEGV',
  [c.SIGPIPE]: 'SIGPIPE',
  [c.SIGTERM]: 'SIGTERM',
  [c.SIGCHLD]: 'SIGCHLD',
  [c.SIGCONT]: 'SIGCONT',
  [c.SIGSTOP]: 'SIGSTOP',
};

export function signalName(signal: number): string {
  return SIGNALS[signal] ?? `SIG_${signal}`;
}

/** What descriptors are, as -y shows it; null when they are shown as plain numbers. */
export interface Descriptors {
  /** `10</dev/vfio/vfio>` or `10`. */
  show(fd: number): string;
  kind(fd: number): FileKind;
}

/** Arguments and result of one call. */
export function callText(call: TracedCall, result: number, style: Style, fds: Descriptors): string {
  const args = argumentsOf(call, result, style, fds);
  return `${call.name}(${args}) = ${outcome(result, call.name === 'mmap')}`;
}

function argumentsOf(call: TracedCall, result: number, style: Style, fds: Descriptors): string {
  const path = (name: string): string => quoted(utf8(name), { ...style, limit: Infinity });
  switch (call.name) {
    case 'openat': {
      const extra = bits(call.flags - (call.flags & c.O_ACCMODE), OPEN, '');
      const flags = `${ACCESS_MODES[call.flags & c.O_ACCMODE]}${extra === '' ? '' : `|${extra}`}`;
      const mode = call.flags & c.O_CREAT ? `, 0${call.mode.toString(8)}` : '';
      return `AT_FDCWD, ${path(call.path)}, ${flags}${mode}`;
    }
    case 'close':
      return fds.show(call.fd);
    case 'read':
    case 'write':
      return `${fds.show(call.fd)}, ${quoted(call.bytes, style)}, ${call.count}`;
    case 'pread64':
    case 'pwrite64':
      return `${fds.show(call.fd)}, ${quoted(call.bytes, style)}, ${call.count}, ${call.offset}`;
    case 'ioctl':
      return `${fds.show(call.fd)}, ${ioctlText(fds.kind(call.fd), call.request, call.before, call.after, result < 0)}`;
    case 'mmap': {
      const fd = call.flags & c.MAP_ANONYMOUS ? '-1' : fds.show(call.fd);
      const where = call.addr === 0 ? 'NULL' : address(call.addr);
      const prot = bits(call.prot, PROT, 'PROT_NONE');
      return `${where}, ${call.length}, ${prot}, ${bits(call.flags, MAP)}, ${fd}, ${address(call.offset)}`;
    }
    case 'munmap':
      return `${address(call.addr)}, ${call.length}`;
    case 'lseek':
      return `${fds.show(call.fd)}, ${call.offset}, ${WHENCE[call.whence] ?? call.whence}`;
    case 'dup2':
      return `${fds.show(call.oldFd)}, ${call.newFd}`;
    case 'pipe2':
      return `${call.fds ? `[${call.fds.join(', ')}]` : 'NULL'}, 0`;
    case 'eventfd2':
      return `${call.initval}, ${bits(call.flags, EFD)}`;
    case 'getdents64':
      return `${fds.show(call.fd)}, /* ${call.entries} entries */`;
    case 'newfstatat':
      return `AT_FDCWD, ${path(call.path)}`;
    case 'readlink':
    case 'access':
    case 'chdir':
    case 'unlink':
    case 'rmdir':
      return path(call.path);
    case 'execve': {
      const argv = call.argv.map((word) => quoted(utf8(word), style)).join(', ');
      return `${path(call.path)}, [${argv}], /* ${call.vars} vars */`;
    }
    case 'vfork':
    case 'fork':
    case 'clone3':
      return '';
    case 'wait4': {
      const status = result > 0 ? `[{WIFEXITED(s) && WEXITSTATUS(s) == ${call.status}}]` : 'NULL';
      return `${call.pid}, ${status}, 0, NULL`;
    }
    case 'kill':
      return `${call.pid}, ${signalName(call.signal)}`;
    case 'finit_module':
      return `${fds.show(call.fd)}, ${path(call.params)}, 0`;
    case 'delete_module':
      return `${path(call.module)}, ${call.flags === 0 ? '0' : bits(call.flags, [[c.O_NONBLOCK, 'O_NONBLOCK']])}`;
  }
}

/** -c's error column counts these; an interrupted call is started again. */
export function isError(result: number): boolean {
  return result < 0 && result !== -E.EINTR;
}
