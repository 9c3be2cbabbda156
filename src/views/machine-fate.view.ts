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
      return lived ? [{ machine, state, well: false, text: `${name} is off${endOf(log, lived)}` }] : [];
    }
    if (oops !== undefined) return [{ machine, state, well: false, text: `${name} ${state} after an oops: ${oops}` }];
    return [{ machine, state, well: true, text: `${name} ${state}` }];
  });
}

/** What the machine last published of itself before it went down. */
function lastAlive(log: MirrorLog, machine: MachineId): MachineState | null {
  for (const value of pastValues(log, paths.machine(machine))) {
    const state = publishedAs<MachineState>(log.value(value));
    if (state && state.state !== 'off') return state;
  }
  return null;
}

/** The VMM that made the machine: gone with it, or still there with the guest shut down. */
function endOf(log: MirrorLog, lived: MachineState): string {
  if (!lived.vmm) return '';
  const path = paths.process(lived.vmm.machine, lived.vmm.pid);
  const vmm = publishedAs<ProcessState>(log.object(path));
  if (vmm && vmm.state !== 'zombie') return '';
  for (const value of pastValues(log, path)) {
    const was = publishedAs<ProcessState>(log.value(value));
    if (was) return `: its VMM, ${was.comm} (pid ${was.pid}) in ${NAMES[lived.vmm.machine]}, has ended`;
  }
  return '';
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
