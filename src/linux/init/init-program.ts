/**
 * The program behind /init: what a small init(1) with gettys does, with system calls only. As pid 1 it keeps a login
 * shell on the console, after setting the host name and loading the modules of /etc/modules-load.d; as `getty TTY` (argv[0] `getty`) it does the same for
 * another terminal. As pid 1 it also brings the machine down when a signal asks for it (shutdown.ts).
 */
import { utf8 } from '../../base/bytes.ts';
import { O_RDONLY, O_RDWR, O_WRONLY, TIOCLABTAG, TIOCSCTTY } from '../uapi/constants.ts';
import type { Program, Sys } from '../uapi/sys.ts';
import { type ShutdownRequest, shutdown, shutdownRequests } from './shutdown.ts';
import { slurp } from './slurp.ts';

/** Exit statuses of a session that never began. */
const NO_TERMINAL = 126;
const NO_SHELL = 127;
const SHELLS = ['/bin/bash', '/bin/sh'];

/** What systemd's hostname, modules-load and tmpfiles steps do. */
async function setup(sys: Sys): Promise<void> {
  const links = { fd: 'self/fd', stdin: 'self/fd/0', stdout: 'self/fd/1', stderr: 'self/fd/2' };
  for (const [name, target] of Object.entries(links)) sys.symlink(`/proc/${target}`, `/dev/${name}`);
  const hostname = (await slurp(sys, '/etc/hostname')).trim();
  if (hostname !== '') {
    const fd = sys.open('/proc/sys/kernel/hostname', O_WRONLY);
    if (fd >= 0) await sys.write(fd, utf8(`${hostname}\n`));
    sys.close(fd);
  }
  const dir = sys.open('/etc/modules-load.d', O_RDONLY);
  const entries = dir < 0 ? [] : sys.getdents(dir);
  if (dir >= 0) sys.close(dir);
  const files =
    typeof entries === 'number' ? [] : entries.map((entry) => entry.name).filter((name) => name.endsWith('.conf'));
  const lists = ['/etc/modules', ...files.sort().map((name) => `/etc/modules-load.d/${name}`)];
  for (const path of lists) {
    for (const line of (await slurp(sys, path)).split('\n')) {
      const name = line.trim();
      if (name === '' || name.startsWith('#') || name.startsWith(';')) continue;
      const pid = sys.spawn('/sbin/modprobe', ['modprobe', name]);
      if (pid > 0) await sys.waitpid(pid);
    }
  }
}

/** A session of its own on the terminal: descriptors 0, 1 and 2 apart, so that errors can be told from output. */
async function session(sys: Sys, device: string): Promise<number> {
  sys.setsid();
  for (const fd of [0, 1, 2]) sys.close(fd);
  for (const channel of [0, 0, 1]) {
    const fd = sys.open(device, O_RDWR);
    if (fd < 0) return NO_TERMINAL;
    await sys.ioctl(fd, TIOCLABTAG, channel);
  }
  await sys.ioctl(0, TIOCSCTTY, 0);
  await sys.write(1, utf8(await slurp(sys, '/etc/motd')));
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
  return NO_SHELL;
}

/** Keeps a login shell on a terminal, until none can start there (hung up, no shell), or the machine is to go down. */
async function keep(sys: Sys, device: string, down: ShutdownRequest | null): Promise<number> {
  for (;;) {
    const began = sys.clockGettime('monotonic');
    const shell = sys.fork((child) => session(child, device));
    if (shell < 0) return 1;
    for (;;) {
      const gone = await sys.waitpid(-1);
      if (down?.command) return shutdown(sys, down.command);
      if (typeof gone === 'number' || gone.pid !== shell) continue;
      if (gone.status === NO_TERMINAL || gone.status === NO_SHELL) return 1;
      break;
    }
    // A shell that ends at once does not get the processor for itself.
    if (sys.clockGettime('monotonic') - began < 1e9) await sys.nanosleep(1e9);
    if (down?.command) return shutdown(sys, down.command);
  }
}

export const init: Program = async (sys, argv) => {
  const [, terminal] = argv;
  if (argv[0] === 'getty' && terminal !== undefined) return keep(sys, `/dev/${terminal}`, null);
  await setup(sys);
  return keep(sys, '/dev/console', shutdownRequests(sys));
};
