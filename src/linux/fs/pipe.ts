/** fs/pipe.c: 64 KiB of buffer, blocking both ways, SIGPIPE. Left out: packet mode, splice. */
import { E } from '../../base/errno.ts';
import { WaitQueue } from '../../base/scheduler.ts';
import type { File, FileOperations } from '../include/fs.ts';
import type { Kernel } from '../include/kernel.ts';
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFIFO, SIGPIPE } from '../uapi/constants.ts';
import { Inode, type Path, type SuperBlock } from './inode.ts';

const CAPACITY = 65536;

/** An inode of pipefs. */
class PipeInode extends Inode {
  constructor(
    sb: SuperBlock,
    private readonly pipe: Pipe,
  ) {
    super(sb, S_IFIFO | 0o600);
  }
  override open(file: File): FileOperations {
    return this.pipe.reopen(file.flags);
  }
}

export class Pipe {
  private chunks: Uint8Array[] = [];
  private held = 0;
  private readers = 1;
  private writers = 1;
  private readonly changed: WaitQueue;

  constructor(private readonly kernel: Kernel) {
    this.changed = new WaitQueue(kernel.scheduler);
  }

  readonly readEnd: FileOperations = {
    seekable: false,
    read: (file, into) => {
      if (this.held > 0 || into.length === 0) return this.take(into);
      if (this.writers === 0) return 0;
      if (file.flags & O_NONBLOCK) return -E.EAGAIN;
      return this.readSlow(into);
    },
    poll: () => this.held > 0 || this.writers === 0,
    wait: () => this.changed.wait().promise,
    release: () => {
      this.readers--;
      this.changed.wakeAll();
    },
  };

  readonly writeEnd: FileOperations = {
    seekable: false,
    write: (file, from) => {
      if (this.readers === 0) return this.broken();
      if (this.held + from.length <= CAPACITY) return this.put(from);
      if (file.flags & O_NONBLOCK) {
        const room = CAPACITY - this.held;
        return room === 0 ? -E.EAGAIN : this.put(from.subarray(0, room));
      }
      return this.writeSlow(from);
    },
    poll: () => false,
    release: () => {
      this.writers--;
      this.changed.wakeAll();
    },
  };

  /** fifo_open of a pipe that exists, through /proc/PID/fd/N. */
  reopen(flags: number): FileOperations {
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY) this.readers++;
    if (access !== O_RDONLY) this.writers++;
    if (access === O_RDONLY) return this.readEnd;
    if (access === O_WRONLY) return this.writeEnd;
    const release = (file: File): void => {
      this.readEnd.release?.(file);
      this.writeEnd.release?.(file);
    };
    return { ...this.writeEnd, ...this.readEnd, release };
  }

  /** Both ends of a named pipe: it never ends, whoever closes. */
  readonly fifo: FileOperations = {
    seekable: false,
    read: (file, into, offset) => this.readEnd.read?.(file, into, offset) ?? -E.EINVAL,
    write: (file, from, offset) => this.writeEnd.write?.(file, from, offset) ?? -E.EINVAL,
    poll: () => this.held > 0,
    wait: () => this.changed.wait().promise,
  };

  private async readSlow(into: Uint8Array): Promise<number> {
    const process = this.kernel.tasks.current;
    while (this.held === 0) {
      if (this.writers === 0) return 0;
      const ret = await this.kernel.tasks.wait(process, this.changed.wait());
      if (ret < 0) return ret;
    }
    return this.take(into);
  }

  private async writeSlow(from: Uint8Array): Promise<number> {
    const process = this.kernel.tasks.current;
    let done = 0;
    while (done < from.length) {
      if (this.readers === 0) {
        if (process) this.kernel.tasks.send(process.pid, SIGPIPE);
        return done > 0 ? done : -E.EPIPE;
      }
      const room = CAPACITY - this.held;
      if (room > 0) done += this.put(from.subarray(done, done + room));
      else {
        const ret = await this.kernel.tasks.wait(process, this.changed.wait());
        if (ret < 0) return done > 0 ? done : ret;
      }
    }
    return done;
  }

  private broken(): number {
    const { current } = this.kernel.tasks;
    if (current) this.kernel.tasks.send(current.pid, SIGPIPE);
    return -E.EPIPE;
  }

  private put(from: Uint8Array): number {
    if (from.length === 0) return 0;
    this.chunks.push(from.slice());
    this.held += from.length;
    this.changed.wakeAll();
    return from.length;
  }

  private take(into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const chunk = this.chunks[0];
      if (!chunk) break;
      const part = chunk.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      if (part.length === chunk.length) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(part.length);
    }
    this.held -= done;
    if (done > 0) this.changed.wakeAll();
    return done;
  }
}

/** create_pipe_files' inode: `pipe:[N]`. */
export function pipe_path(sb: SuperBlock, pipe: Pipe): Path {
  const inode = new PipeInode(sb, pipe);
  return { inode, name: `pipe:[${inode.ino}]`, parent: null };
}
