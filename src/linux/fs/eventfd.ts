import { E } from '../../base/errno.ts';
import { WaitQueue } from '../../base/scheduler.ts';
import type { File, FileOperations } from '../include/fs.ts';
import type { Kernel } from '../include/kernel.ts';
import { EFD_SEMAPHORE, O_NONBLOCK } from '../uapi/constants.ts';

/** fs/eventfd.c: a counter that reads as 8 bytes. Left out: a writer that would overflow it (EAGAIN instead of sleeping). */
export class EventfdCtx {
  private count: number;
  private readonly wqh: WaitQueue;
  /** Kernel code that takes each event itself, before any reader (vfio's virqfd). */
  readonly takers = new Set<() => void>();

  constructor(
    private readonly kernel: Kernel,
    initval: number,
    private readonly flags: number,
  ) {
    this.count = initval;
    this.wqh = new WaitQueue(kernel.scheduler);
  }

  /** eventfd_signal */
  signal(by = 1): void {
    this.count += by;
    if (this.takers.size > 0) {
      this.count = 0;
      for (const taker of this.takers) taker();
      return;
    }
    this.wqh.wakeAll();
  }

  private take(into: Uint8Array): number {
    const taken = this.flags & EFD_SEMAPHORE ? 1 : this.count;
    this.count -= taken;
    const view = new DataView(into.buffer, into.byteOffset, 8);
    view.setUint32(0, taken % 2 ** 32, true);
    view.setUint32(4, Math.floor(taken / 2 ** 32), true);
    return 8;
  }
  private async read_slow(into: Uint8Array): Promise<number> {
    const { tasks } = this.kernel;
    const process = tasks.current;
    while (this.count === 0) {
      const ret = await tasks.wait(process, this.wqh.wait());
      if (ret < 0) return ret;
    }
    return this.take(into);
  }

  readonly fops: FileOperations = {
    seekable: false,
    read: (file, into) => {
      if (into.length < 8) return -E.EINVAL;
      if (this.count > 0) return this.take(into);
      return file.flags & O_NONBLOCK ? -E.EAGAIN : this.read_slow(into);
    },
    write: (_file, from) => {
      if (from.length < 8) return -E.EINVAL;
      const view = new DataView(from.buffer, from.byteOffset, 8);
      const value = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
      if (this.count + value > Number.MAX_SAFE_INTEGER) return -E.EAGAIN;
      this.signal(value);
      return 8;
    },
    poll: () => this.count > 0,
    wait: () => this.wqh.wait().promise,
  };
}

/** eventfd_ctx_fdget: -EBADF without a file, -EINVAL when it is no eventfd. */
export function eventfd_ctx_fileget(file: File | null): EventfdCtx | number {
  if (!file) return -E.EBADF;
  return file.private_data instanceof EventfdCtx ? file.private_data : -E.EINVAL;
}
