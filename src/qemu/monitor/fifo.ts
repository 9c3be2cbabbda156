/**
 * A second monitor client for the lab's monitor tab: named pipes `/run/qemu-PID.monitor.in` (keys) and `.out` (what it
 * prints). Real QEMU would use `-monitor unix:…`; sockets are not modelled.
 */
import { O_CLOEXEC, O_RDWR } from '../../linux/uapi/constants.ts';
import { FdBackend } from '../chardev/fd-backend.ts';
import type { Vm } from '../system/vm.ts';
import { Monitor } from './hmp.ts';
import { terminalBytes } from './readline.ts';

export function monitorFifos(pid: number): { readonly input: string; readonly output: string } {
  return { input: `/run/qemu-${pid}.monitor.in`, output: `/run/qemu-${pid}.monitor.out` };
}

/** Makes the pipes and serves one client; without a writable /run there is just no second monitor. */
export function serveMonitorFifos(vm: Vm): void {
  const { sys } = vm;
  const { input, output } = monitorFifos(sys.pid);
  if (sys.mkfifo(input, 0o600) < 0) return;
  if (sys.mkfifo(output, 0o600) < 0) {
    sys.unlink(input);
    return;
  }
  const inFd = sys.open(input, O_RDWR | O_CLOEXEC);
  const outFd = sys.open(output, O_RDWR | O_CLOEXEC);
  vm.atExit(() => {
    sys.unlink(input);
    sys.unlink(output);
  });
  if (inFd < 0 || outFd < 0) return;
  const backend = new FdBackend(sys, outFd);
  const monitor = new Monitor(vm, (text) => backend.write(terminalBytes(text)));
  sys.thread(async () => {
    const buffer = new Uint8Array(1024);
    for (;;) {
      const got = await sys.read(inFd, buffer);
      if (got <= 0 || vm.ended) return;
      monitor.openOnce();
      // A lone NUL says only "somebody is there".
      const keys = buffer.slice(0, got).filter((byte) => byte !== 0);
      if (keys.length > 0) monitor.receive(keys);
    }
  });
}
