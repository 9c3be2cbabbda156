import { concat, text } from '../../base/bytes.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

const ENV = {
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  TERM: 'dumb',
};

/** A command of the guest's shell whose outputs go into pipes, as far as it has come. */
export class RunningCommand {
  /** Exit status, once it is known; 128 + signal for a shell that was killed. */
  status: number | null = null;
  /** What is to be killed if it does not end: the shell's process group and the reader of its outputs. */
  readonly started: number[] = [];
  private readonly parts: readonly Uint8Array[][] = [[], []];

  get out(): string {
    return text(concat(this.parts[0] ?? []));
  }
  get err(): string {
    return text(concat(this.parts[1] ?? []));
  }

  /** Runs `bash -c` until it has ended and nobody holds its outputs any more. Gives a negated errno if it cannot be started. */
  async run(sys: Sys, command: string): Promise<number> {
    const pipes = [sys.pipe(), sys.pipe()].filter((pipe) => typeof pipe !== 'number');
    const readers = pipes.map(([reader]) => reader);
    const fds = [sys.open('/dev/null', O_RDONLY), ...pipes.map(([, writer]) => writer)];
    for (const fd of [...readers, ...fds]) sys.setCloexec(fd, true);
    if (sys.chdir('/root') < 0) sys.chdir('/');
    const env = { ...ENV, HOSTNAME: sys.uname().nodename };
    const shell = sys.spawn('/bin/bash', ['bash', '-c', command], { fds, env, pgid: 0 });
    for (const fd of fds) sys.close(fd);
    if (shell < 0) return shell;
    const reader = sys.fork(async (child) => {
      await this.drain(child, readers);
      return 0;
    });
    this.started.push(-shell, reader);
    for (const fd of readers) sys.close(fd);
    const gone = await sys.waitpid(shell);
    this.status = typeof gone === 'number' ? 255 : gone.status;
    await sys.waitpid(reader);
    return 0;
  }

  private async drain(sys: Sys, readers: readonly number[]): Promise<void> {
    const open = new Set(readers);
    while (open.size > 0) {
      for (const fd of await sys.pollIn([...open], null)) {
        const buffer = new Uint8Array(65536);
        const count = await sys.read(fd, buffer);
        if (count > 0) this.parts[readers.indexOf(fd)]?.push(buffer.subarray(0, count));
        else open.delete(fd);
      }
    }
  }
}
