/** Values of the x86-64 user-space ABI that programs use (asm-generic/fcntl.h, linux/stat.h, asm/signal.h, mman-common.h). */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const EFD_SEMAPHORE = 1;
export const O_SYNC = 0o4010000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_CLOEXEC = 0o2000000;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

export const X_OK = 1;
export const F_OK = 0;

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGWINCH = 28;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_ANONYMOUS = 0x20;

/** tty ioctls (asm-generic/ioctls.h). TCGETS/TCSETS carry a 36-byte struct termios; only c_lflag and c_oflag are looked at. */
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
/** c_lflag bits at byte 12, c_oflag at byte 4, c_iflag at byte 0. */
export const ISIG = 1;
export const ICANON = 2;
export const ECHO = 8;
export const OPOST = 1;
export const ICRNL = 0o400;

/** The lab's own ioctl on a terminal file: tags this open file's output for the lab's taps (0 stdout, 1 stderr, 2 line editing). Not in Linux; see fidelity.md. */
export const TIOCLABTAG = 0x1ab0;
/** Likewise: tells the lab that this terminal's shell shows its prompt or starts a command line; the bytes are the JSON of a `CommandEvent` without machine and tty. */
export const TIOCLABCMD = 0x1ab1;
