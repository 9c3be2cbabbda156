/**
 * The program behind /init: what a small init(1) with gettys does, with system calls only. As pid 1 it keeps a login
 * shell on the console; as `getty TTY` (argv[0] `getty`) it runs one login shell on that terminal.
 */
import { O_RDWR, TIOCLABTAG, TIOCSCTTY } from '../uapi/constants.ts';
import type { Program, Sys } from '../uapi/sys.ts';

const SHELLS = ['/bin/bash', '/bin/sh'];

/** A session of its own on the terminal: descriptors 0, 1 and 2 apart, so that errors can be told from output. */
async function session(sys: Sys, device: string): Promise<number> {
  sys.setsid();
  for (const fd of [0, 1, 2]) sys.close(fd);
  for (const channel of [0, 0, 1]) {
    const fd = sys.open(device, O_RDWR);
    if (fd < 0) return 1;
    await sys.ioctl(fd, TIOCLABTAG, channel);
  }
  await sys.ioctl(0, TIOCSCTTY, 0);
  sys.chdir('/root');
  const env = {
    HOME: '/root',
    USER: 'root',
    LOGNAME: 'root',
    SHELL: '/bin/bash',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TERM: 'xterm-256color',
    HOSTNAME: sys.uname().nodename,
  };
  for (const shell of SHELLS) {
    const run = sys.exec(shell, ['-bash'], env);
    if (typeof run !== 'number') return await run;
  }
  return 127;
}

export const init: Program = async (sys, argv) => {
  const [, terminal] = argv;
  if (argv[0] === 'getty' && terminal !== undefined) return session(sys, `/dev/${terminal}`);
  for (;;) {
    const shell = sys.fork((child) => session(child, '/dev/console'));
    if (shell < 0) return 1;
    for (;;) {
      const gone = await sys.waitpid(-1);
      if (typeof gone === 'number') continue;
      // A shell that could not even start is not tried for ever.
      if (gone.pid === shell && gone.status === 127) return 1;
      if (gone.pid === shell) break;
    }
  }
};
