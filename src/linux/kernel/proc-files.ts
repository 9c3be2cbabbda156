/** fs/proc: the global files and the directory of each process. Left out: most of them; none here is invented. */
import { hex } from '../../base/addr.ts';
import { utf8 } from '../../base/bytes.ts';
import { gzip_stored } from '../fs/gzip.ts';
import type { Inode } from '../fs/inode.ts';
import { ComputedLink, FopsInode, type ProcDir, TextInode } from '../fs/procfs.ts';
import type { FileOperations } from '../include/fs.ts';
import type { Linux } from './linux.ts';
import { proc_pid_make_base } from './proc-pid.ts';
import { proc_stat_init } from './proc-stat.ts';
import type { Task } from './task.ts';

export class ProcFiles {
  /** Directories of live processes, made on first use. */
  private readonly dirs = new WeakMap<Task, ProcDir>();
  constructor(private readonly kernel: Linux) {}

  lookup(name: string): Inode | null {
    const { tasks } = this.kernel;
    if (!/^[1-9]\d*$/.test(name)) return null;
    const task = tasks.find(Number(name));
    if (!task) return null;
    let dir = this.dirs.get(task);
    if (!dir) {
      dir = proc_pid_make_base(this.kernel, task);
      this.dirs.set(task, dir);
    }
    return dir;
  }
  list(): string[] {
    return [...this.kernel.tasks.processes.keys()].sort((a, b) => a - b).map(String);
  }

  init(): void {
    const { kernel } = this;
    const { proc } = kernel.vfs;
    const file = (name: string, show: () => string, write?: (text: string) => number): void =>
      proc.put(name, new TextInode(proc.sb, show, write ?? null));
    file('iomem', () => kernel.iomem.show());
    file('modules', () => kernel.modules.show());
    file('cmdline', () => `${kernel.boot.cmdline}\n`);
    file('version', () => `Linux version ${kernel.build.release} (root@cxlab) ${kernel.build.version}\n`);
    file('uptime', () => {
      const up = (kernel.now() / 1e9).toFixed(2);
      return `${up} ${up}\n`;
    });
    proc_stat_init(kernel, file);
    file('interrupts', () => kernel.tty.showInterrupts());
    proc.put('mounts', new ComputedLink(proc.sb, () => 'self/mounts'));
    file('filesystems', () =>
      ['sysfs', 'tmpfs', 'proc', 'devtmpfs', 'debugfs', 'tracefs', 'ramfs'].map((fs) => `nodev\t${fs}\n`).join(''),
    );
    file('cpuinfo', () => {
      const { model, vendor, hypervisor } = kernel.cpu.features;
      const one = (n: number): string =>
        `processor\t: ${n}\nvendor_id\t: ${vendor}\nmodel name\t: ${model}\nflags\t\t: fpu pae lm${hypervisor ? ' hypervisor' : ''}\n\n`;
      return Array.from({ length: kernel.cpu.count }, (_, n) => one(n)).join('');
    });
    file('meminfo', () => {
      const usable = (map: Linux['e820']): number =>
        map.filter((entry) => entry.type === 'usable').reduce((sum, entry) => sum + entry.size, 0);
      const total = usable(kernel.e820) + kernel.mm.totalBytes - usable(kernel.boot.e820);
      const line = (name: string, bytes: number): string =>
        `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
      // Whole pages.
      return (
        line('MemTotal', Math.floor(total / 4096) * 4096) +
        line('MemFree', kernel.mm.freeBytes) +
        line('MemAvailable', kernel.mm.freeBytes)
      );
    });
    file('devices', () => {
      const rows = [...kernel.vfs.chrdevs].sort((a, b) => a[0] - b[0]);
      return `Character devices:\n${rows.map(([major, dev]) => `${String(major).padStart(3)} ${dev.name}\n`).join('')}\nBlock devices:\n`;
    });
    file(
      'sys/kernel/hostname',
      () => `${kernel.hostname}\n`,
      (text) => {
        kernel.hostname = text.trim();
        return 0;
      },
    );
    // proc_do_uuid: a new random one at each look
    file('sys/kernel/random/uuid', () => {
      const bytes = Array.from({ length: 16 }, () => kernel.platform.random.below(256));
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const all = bytes.map((byte) => hex(byte, 2)).join('');
      return `${all.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}\n`;
    });
    file('sys/kernel/pid_max', () => '32768\n');
    file('sys/kernel/osrelease', () => `${kernel.build.release}\n`);
    file('sys/kernel/version', () => `${kernel.build.version}\n`);
    file(
      'sys/kernel/printk',
      () => `${kernel.log_buf.console_loglevel}\t4\t1\t7\n`,
      (text) => {
        const level = Number(text.trim().split(/\s+/)[0]);
        if (!Number.isInteger(level)) return -22;
        kernel.log_buf.console_loglevel = level;
        return 0;
      },
    );
    if (kernel.config('IKCONFIG_PROC') !== 'n') {
      const { config, notes = [], release } = kernel.build;
      const options = [
        `#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 ${release} Kernel Configuration\n#\n`,
        // What options were asked for is what follows.
        ...notes.filter((note) => !note.startsWith('options ')).map((note) => `# ${note}\n`),
        ...Object.entries(config).map(([key, value]) => `CONFIG_${key}=${value}\n`),
      ];
      proc.put('config.gz', new FopsInode(proc.sb, 0o444, bytesFile(gzip_stored(utf8(options.join(''))))));
    }
    const control = (text: string): number => (kernel.dyndbg.exec(text) ? 0 : -22);
    kernel.vfs.debugfs_create('dynamic_debug/control', () => kernel.dyndbg.show(), control);
    file('dynamic_debug/control', () => kernel.dyndbg.show(), control);
    // No swap and no block device, as of machines that run from their initramfs.
    file('swaps', () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n');
    file('partitions', () => '');
    proc.put('self', new ComputedLink(proc.sb, () => String(kernel.tasks.current?.pid ?? 1)));
    proc.put('kmsg', new FopsInode(proc.sb, 0o400, this.kmsg()));
  }

  /** /proc/kmsg: SYSLOG_ACTION_READ as a file. */
  private kmsg() {
    const log = this.kernel.log_buf;
    const { tasks } = this.kernel;
    return {
      seekable: false,
      read: (_file: unknown, into: Uint8Array): number | Promise<number> => {
        if (log.unread) return log.readNew(into);
        const process = tasks.current;
        return (async () => {
          while (!log.unread) {
            const ret = await tasks.wait(process, log.changed.wait());
            if (ret < 0) return ret;
          }
          return log.readNew(into);
        })();
      },
      poll: () => log.unread,
      wait: () => log.changed.wait().promise,
    };
  }
}

/** A file of fixed bytes. */
function bytesFile(bytes: Uint8Array): FileOperations {
  return {
    size: () => bytes.length,
    read: (_file, into, offset) => {
      const part = bytes.subarray(Math.min(offset, bytes.length), offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}
