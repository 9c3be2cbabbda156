import { type MachineId, Row } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import { publishedAs } from '../state/functions.ts';
import { type MachineState, type ProcessState, paths } from '../state/schema.ts';

/** How a guest is at the cursor, and when it is not well, why. */
export interface MachineFate {
  readonly machine: MachineId;
  readonly state: MachineState['state'];
  readonly well: boolean;
  readonly text: string;
}

const NAMES: Readonly<Record<MachineId, string>> = { host: 'host', l1: 'L1', l2: 'L2' };

const SIGNALS: Readonly<Record<number, string>> = {
  2: 'SIGINT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** Of the guests that run or ran before the cursor. */
export function machineFates(log: MirrorLog): readonly MachineFate[] {
  return (['l1', 'l2'] as const).flatMap((machine): readonly MachineFate[] => {
    const now = publishedAs<MachineState>(log.object(paths.machine(machine)));
    if (!now) return [];
    const { state, oops, reason } = now;
    const name = NAMES[machine];
    if (state === 'crashed')
      return [{ machine, state, well: false, text: `${name} crashed: ${reason ?? 'no word why'}` }];
    if (state === 'off') {
      const lived = lastAlive(log, machine);
      return lived ? [{ machine, state, ...endOf(log, lived, name) }] : [];
    }
    if (oops !== undefined) return [{ machine, state, well: false, text: `${name} ${state} after an oops: ${oops}` }];
    const asleep = sleepers(log, machine);
    return [{ machine, state, well: asleep === '', text: `${name} ${state}${asleep}` }];
  });
}

/** Processes that wait in the machine's kernel for what does not come. */
function sleepers(log: MirrorLog, machine: MachineId): string {
  const names = log.objectPaths(`proc/${machine}/`).flatMap((path) => {
    const process = publishedAs<ProcessState>(log.object(path));
    return process?.state === 'blocked' ? [`${process.comm} (pid ${process.pid})`] : [];
  });
  return names.length === 0 ? '' : `, ${names.join(', ')} asleep in its kernel`;
}

/** What the machine last published of itself before it went down. */
function lastAlive(log: MirrorLog, machine: MachineId): MachineState | null {
  for (const value of pastValues(log, paths.machine(machine))) {
    const state = publishedAs<MachineState>(log.value(value));
    if (state && state.state !== 'off') return state;
  }
  return null;
}

/** The VMM that made the machine: it ended, well or not, or it is still there with the guest shut down. */
function endOf(log: MirrorLog, lived: MachineState, name: string): { readonly well: boolean; readonly text: string } {
  const off = { well: true, text: `${name} is off` };
  if (!lived.vmm) return off;
  const path = paths.process(lived.vmm.machine, lived.vmm.pid);
  const vmm = publishedAs<ProcessState>(log.object(path));
  if (vmm && vmm.state !== 'zombie') return off;
  for (const value of pastValues(log, path)) {
    const was = publishedAs<ProcessState>(log.value(value));
    if (!was) continue;
    const who = `its VMM, ${was.comm} (pid ${was.pid}) in ${NAMES[lived.vmm.machine]},`;
    const { status = 0, signal = 0 } = was.exit ?? {};
    if (signal !== 0)
      return { well: false, text: `${off.text}: ${who} was killed by ${SIGNALS[signal] ?? `signal ${signal}`}` };
    return { well: status === 0, text: `${off.text}: ${who} ended${was.exit ? ` with status ${status}` : ''}` };
  }
  return off;
}

/** Values an object had before the cursor, the latest first. */
function* pastValues(log: MirrorLog, path: string): Generator<number> {
  const cell = log.find(path)?.first;
  if (cell === undefined) return;
  const { kind, a, b, c } = log.columns;
  for (let row = log.cursor - 1; row >= 0; row--)
    if (kind[row] === Row.OBJ && a[row] === cell) {
      yield c[row] as number;
      yield b[row] as number;
    }
}
