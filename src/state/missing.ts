/** The guest that is not there: what its VMM, or the kernel below, said when it ended. */
import { LAYERS } from '../log/index.ts';
import { endingOf, isFailure, wasKilled } from './attempt.ts';
import { type Evidence, evidenceIn } from './evidence.ts';
import type { RowReader } from './exits.ts';
import { publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import { type MachineState, paths } from './schema.ts';
import { type Run, type Trail, trailOf } from './trail.ts';

/** A guest that its VMM could not start, or that went with it. */
export interface Missing {
  readonly guest: 'l1' | 'l2';
  readonly pid: number;
  readonly comm: string;
  readonly evidence: Evidence;
}

/** The guest that should be there, when the last VMM of the machine below it ended by a fault. */
export function missingGuest(reader: StateReader, rows: RowReader, guest: 'l1' | 'l2'): Missing | null {
  const now = publishedAs<MachineState>(reader.object(paths.machine(guest)))?.state ?? 'off';
  if (now !== 'off') return null;
  const trail = trailOf(rows);
  const cursor = rows.length;
  const host = guest === 'l1' ? 'host' : 'l1';
  const booted = trail.bootOf(host, cursor);
  // The last that ended: another may have failed while the guest ran.
  let run: Run | null = null;
  for (const one of trail.runs)
    if (one.machine === host && one.end < cursor && one.end > (run?.end ?? 0) && isVmm(trail, one, guest)) run = one;
  if (!run || run.start < booted || !isFailure(run)) return null;
  const stretch = {
    from: run.start,
    to: run.end + 1,
    machine: host,
    vmm: host,
    died: true,
    killed: wasKilled(run),
  } as const;
  const evidence = evidenceIn(trail, stretch, `${run.comm}: ${endingOf(run)}`);
  return { guest, pid: run.pid, comm: run.comm, evidence };
}

/** A program is a VMM by what it did: it made the guest, or it complained as one. */
function isVmm(trail: Trail, run: Run, guest: 'l1' | 'l2'): boolean {
  const during = (row: number): boolean => row > run.start && row <= run.end;
  const layer = `${run.machine}.qemu`;
  return (
    trail.tells.some(({ row, pid, layer: of }) => pid === run.pid && LAYERS[of]?.id === layer && during(row)) ||
    trail.machine(guest, Number.POSITIVE_INFINITY).some(({ row, value }) => value?.vmm?.pid === run.pid && during(row))
  );
}
