/** What each descriptor of each traced process is: learned from the calls seen, otherwise read from /proc/PID/fd (as -y does). */
import type { TracedCall } from '../../linux/uapi/ptrace.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../linux/uapi/vfio.ts';
import type { Descriptors } from './calls.ts';
import type { FileKind } from './ioctl-table.ts';

export function kindOfFile(path: string): FileKind {
  if (path === '/dev/vfio/vfio') return 'container';
  if (/^\/dev\/vfio\/\d+$/.test(path)) return 'group';
  if (/vfio-device|^\/dev\/vfio\/devices\//.test(path)) return 'vfio-device';
  if (path === '/dev/iommu') return 'iommufd';
  if (/kvm/.test(path)) return 'kvm';
  return /^\/dev\/(tty|pts|console)/.test(path) ? 'tty' : 'other';
}

class ProcessFds implements Descriptors {
  /** A later descriptor of the same number replaces an earlier one: the trace runs behind the process. */
  private readonly paths = new Map<number, string>();

  constructor(
    private readonly sys: Sys,
    private readonly pid: number,
    private readonly named: boolean,
  ) {}

  show(fd: number): string {
    const path = this.named ? this.path(fd) : null;
    return path === null ? String(fd) : `${fd}<${path}>`;
  }
  kind(fd: number): FileKind {
    return kindOfFile(this.path(fd) ?? '');
  }

  seen(call: TracedCall, result: number): void {
    if (result < 0) return;
    if (call.name === 'openat') this.paths.set(result, call.path);
    else if (call.name === 'dup2') this.paths.set(call.newFd, this.path(call.oldFd) ?? '');
    else if (call.name === 'close') this.paths.delete(call.fd);
    else if (call.name === 'ioctl' && call.request === VFIO_GROUP_GET_DEVICE_FD)
      this.paths.set(result, 'anon_inode:[vfio-device]');
  }

  private path(fd: number): string | null {
    const known = this.paths.get(fd);
    if (known !== undefined) return known;
    const link = this.sys.readlink(`/proc/${this.pid}/fd/${fd}`);
    return typeof link === 'string' ? link : null;
  }
}

export class FdNames {
  private readonly processes = new Map<number, ProcessFds>();
  constructor(
    private readonly sys: Sys,
    private readonly named: boolean,
  ) {}

  of(pid: number): ProcessFds {
    let process = this.processes.get(pid);
    if (!process) {
      process = new ProcessFds(this.sys, pid, this.named);
      this.processes.set(pid, process);
    }
    return process;
  }
}
