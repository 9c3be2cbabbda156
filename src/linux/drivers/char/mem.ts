/** drivers/char/mem.c: /dev/mem null zero full random urandom kmsg. Left out: the high_memory limit of read and write (see fidelity). */
import { alignDown, PAGE_SIZE } from '../../../base/addr.ts';
import { text } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { Device } from '../../include/device.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import type { Linux } from '../../kernel/linux.ts';
import { kmsgLine } from '../../kernel/printk.ts';
import { O_ACCMODE, O_NONBLOCK, O_WRONLY, SEEK_DATA, SEEK_END, SEEK_SET } from '../../uapi/constants.ts';

/** devmem_is_allowed under STRICT_DEVMEM and IO_STRICT_DEVMEM: 0 no, 1 yes, 2 reads give zeros. */
function devmem_is_allowed(kernel: Linux, addr: number): 0 | 1 | 2 {
  const last = addr + PAGE_SIZE - 1;
  const low = addr < 1024 * 1024;
  if (kernel.iomem.intersects(addr, last, (res) => res.name === 'System RAM')) return low ? 2 : 0;
  if (kernel.param('iomem') === 'relaxed' || low) return 1;
  return kernel.iomem.intersects(addr, last, (res) => res.busy) ? 0 : 1;
}

function mem(kernel: Linux): FileOperations {
  const each = (
    offset: number,
    length: number,
    run: (addr: number, at: number, count: number, ok: 1 | 2) => void,
  ): number => {
    let done = 0;
    while (done < length) {
      const addr = offset + done;
      const count = Math.min(length - done, PAGE_SIZE - (addr % PAGE_SIZE));
      const allowed = devmem_is_allowed(kernel, alignDown(addr, PAGE_SIZE));
      if (allowed === 0) return done > 0 ? done : -E.EPERM;
      run(addr, done, count, allowed);
      done += count;
    }
    return done;
  };
  return {
    read: (_file, into, offset) =>
      each(offset, into.length, (addr, at, count, ok) => {
        const part = into.subarray(at, at + count);
        if (ok === 2) part.fill(0);
        else kernel.cpu.bus.copyFrom(addr, part);
      }),
    write: (_file, from, offset) =>
      each(offset, from.length, (addr, at, count, ok) => {
        if (ok === 1) kernel.cpu.bus.copyTo(addr, from.subarray(at, at + count));
      }),
    mmap: (_file, vma) => {
      for (let page = alignDown(vma.offset, PAGE_SIZE); page < vma.offset + vma.length; page += PAGE_SIZE)
        if (devmem_is_allowed(kernel, page) === 0) return -E.EPERM;
      vma.label = { kind: 'devmem', name: '/dev/mem' };
      vma.fault = (offset) => vma.offset + offset;
      return 0;
    },
  };
}

function kmsg(kernel: Linux): FileOperations {
  const log = kernel.log_buf;
  const next = (file: File): number => (typeof file.private_data === 'number' ? file.private_data : 0);
  const take = (file: File, into: Uint8Array): number => {
    const record = log.records[next(file)];
    if (!record) return 0;
    const line = new TextEncoder().encode(kmsgLine(record));
    if (line.length > into.length) return -E.EINVAL;
    file.private_data = next(file) + 1;
    into.set(line);
    return line.length;
  };
  return {
    seekable: false,
    // devkmsg_llseek: the first record, the first after a clear, or what is yet to come.
    llseek: (file, offset, whence) => {
      if (offset !== 0) return -E.ESPIPE;
      if (whence === SEEK_SET) file.private_data = 0;
      else if (whence === SEEK_DATA) file.private_data = log.clearSeq;
      else if (whence === SEEK_END) file.private_data = log.records.length;
      else return -E.EINVAL;
      return 0;
    },
    read: (file, into) => {
      if (next(file) < log.records.length) return take(file, into);
      if (file.flags & O_NONBLOCK) return -E.EAGAIN;
      const process = kernel.tasks.current;
      return (async () => {
        while (next(file) >= log.records.length) {
          const ret = await kernel.tasks.wait(process, log.changed.wait());
          if (ret < 0) return ret;
        }
        return take(file, into);
      })();
    },
    write: (file, from) => {
      if ((file.flags & O_ACCMODE) === O_WRONLY || from.length > 0) {
        const [, level = '4', line = ''] = /^(?:<(\d+)>)?([\s\S]*)$/.exec(text(from)) ?? [];
        kernel.printk(Number(level) & 7, line.replace(/\n$/, ''));
      }
      return from.length;
    },
    poll: (file) => next(file) < log.records.length,
    wait: () => log.changed.wait().promise,
  };
}

export function chr_dev_init(kernel: Linux): void {
  const random: FileOperations = {
    seekable: false,
    read: (_file, into) => {
      for (let n = 0; n < into.length; n++) into[n] = kernel.platform.random.below(256);
      return into.length;
    },
    write: (_file, from) => from.length,
  };
  const zero = (_file: File, into: Uint8Array): number => {
    into.fill(0);
    return into.length;
  };
  const sink = (_file: File, from: Uint8Array): number => from.length;
  const devices: readonly (readonly [minor: number, name: string, mode: number, fops: FileOperations])[] = [
    [1, 'mem', 0o600, mem(kernel)],
    [3, 'null', 0o666, { read: () => 0, write: sink }],
    [5, 'zero', 0o666, { read: zero, write: sink }],
    [7, 'full', 0o666, { read: zero, write: () => -E.ENOSPC }],
    [8, 'random', 0o666, random],
    [9, 'urandom', 0o666, random],
    [11, 'kmsg', 0o644, kmsg(kernel)],
  ];
  kernel.vfs.register_chrdev(1, 'mem', (minor) => devices.find(([number]) => number === minor)?.[3] ?? null);
  kernel.drivers.class_register('mem');
  for (const [minor, name] of devices) {
    const dev = new Device(kernel, name, null, null);
    dev.class = 'mem';
    dev.devt = [1, minor];
    dev.devname = name;
    kernel.drivers.device_add(dev);
  }
}
