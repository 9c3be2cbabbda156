/** Linux errno values (asm-generic/errno-base.h, errno.h) with the texts glibc's strerror gives. */
const TABLE = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  ESRCH: [3, 'No such process'],
  EINTR: [4, 'Interrupted system call'],
  EIO: [5, 'Input/output error'],
  ENXIO: [6, 'No such device or address'],
  E2BIG: [7, 'Argument list too long'],
  ENOEXEC: [8, 'Exec format error'],
  EBADF: [9, 'Bad file descriptor'],
  ECHILD: [10, 'No child processes'],
  EAGAIN: [11, 'Resource temporarily unavailable'],
  ENOMEM: [12, 'Cannot allocate memory'],
  EACCES: [13, 'Permission denied'],
  EFAULT: [14, 'Bad address'],
  EBUSY: [16, 'Device or resource busy'],
  EEXIST: [17, 'File exists'],
  EXDEV: [18, 'Invalid cross-device link'],
  ENODEV: [19, 'No such device'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  ENFILE: [23, 'Too many open files in system'],
  EMFILE: [24, 'Too many open files'],
  ENOTTY: [25, 'Inappropriate ioctl for device'],
  EFBIG: [27, 'File too large'],
  ENOSPC: [28, 'No space left on device'],
  ESPIPE: [29, 'Illegal seek'],
  EROFS: [30, 'Read-only file system'],
  EPIPE: [32, 'Broken pipe'],
  EDOM: [33, 'Numerical argument out of domain'],
  ERANGE: [34, 'Numerical result out of range'],
  EDEADLK: [35, 'Resource deadlock avoided'],
  ENAMETOOLONG: [36, 'File name too long'],
  ENOSYS: [38, 'Function not implemented'],
  ENOTEMPTY: [39, 'Directory not empty'],
  ELOOP: [40, 'Too many levels of symbolic links'],
  ENODATA: [61, 'No data available'],
  EPROTO: [71, 'Protocol error'],
  EBADMSG: [74, 'Bad message'],
  EOVERFLOW: [75, 'Value too large for defined data type'],
  EBADFD: [77, 'File descriptor in bad state'],
  EOPNOTSUPP: [95, 'Operation not supported'],
  ETIMEDOUT: [110, 'Connection timed out'],
  EALREADY: [114, 'Operation already in progress'],
  ECANCELED: [125, 'Operation canceled'],
  EPROBE_DEFER: [517, 'Driver requests probe retry'],
} as const;

export type ErrnoName = keyof typeof TABLE;

/** Positive errno numbers by name: `E.ENODEV` is 19. Kernel code returns them negated. */
export const E = Object.freeze(Object.fromEntries(Object.entries(TABLE).map(([name, [number]]) => [name, number]))) as {
  readonly [N in ErrnoName]: (typeof TABLE)[N][0];
};

const BY_NUMBER = new Map<number, readonly [ErrnoName, string]>(
  Object.entries(TABLE).map(([name, [number, text]]) => [number, [name as ErrnoName, text]]),
);

/** glibc's text for an errno, given positive or negated (`Unknown error N` if not in the table). */
export function strerror(errno: number): string {
  const n = Math.abs(errno);
  return BY_NUMBER.get(n)?.[1] ?? `Unknown error ${n}`;
}

/** `ENODEV` for 19 or -19; the plain number as text if not in the table. */
export function errnoName(errno: number): string {
  const n = Math.abs(errno);
  return BY_NUMBER.get(n)?.[0] ?? String(n);
}
