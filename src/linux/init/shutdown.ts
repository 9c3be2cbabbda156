/**
 * How init brings a machine down: SIGTERM to every process, time to end, SIGKILL, sync, reboot(2), as busybox' init does for the signals
 * it takes its orders by. Left out: messages on the console, unmounting, commands of an inittab.
 */
import { O_RDONLY, SIGKILL, SIGTERM } from '../uapi/constants.ts';
import { type PowerCommand, SHUTDOWN_SIGNAL, signalIn } from '../uapi/init.ts';
import type { Sys } from '../uapi/sys.ts';
import { slurp } from './slurp.ts';

/** What process 1 was asked for last. */
export interface ShutdownRequest {
  command: PowerCommand | null;
}

export function shutdownRequests(sys: Sys): ShutdownRequest {
  const request: ShutdownRequest = { command: null };
  for (const command of ['halt', 'poweroff', 'restart'] as const)
    sys.onSignal(SHUTDOWN_SIGNAL[command], () => {
      request.command = command;
    });
  return request;
}

/** Processes are looked at this often, and are given so long to end. */
const LOOK_NS = 20e6;
const TERM_NS = 5e9;
const KILL_NS = 1e9;

/** Is any process left that `signal` can end? Shells of a terminal ignore SIGTERM: nobody waits for those. */
async function anyLeft(sys: Sys, signal: number): Promise<boolean> {
  const dir = sys.open('/proc', O_RDONLY);
  const entries = dir < 0 ? [] : sys.getdents(dir);
  if (dir >= 0) sys.close(dir);
  for (const { name } of typeof entries === 'number' ? [] : entries) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 2) continue;
    const status = await slurp(sys, `/proc/${pid}/status`);
    if (status === '' || /^State:\s*Z/m.test(status)) continue;
    if (signal === SIGKILL || !signalIn(status, 'SigIgn', signal)) return true;
  }
  return false;
}

/** Comes back only when the machine is still there, halted. */
export async function shutdown(sys: Sys, command: PowerCommand): Promise<number> {
  for (const [signal, ns] of [
    [SIGTERM, TERM_NS],
    [SIGKILL, KILL_NS],
  ] as const) {
    sys.kill(-1, signal);
    for (let waited = 0; waited < ns && (await anyLeft(sys, signal)); waited += LOOK_NS) await sys.nanosleep(LOOK_NS);
    sys.sync();
  }
  sys.reboot(command);
  for (;;) await sys.nanosleep(1e9);
}
