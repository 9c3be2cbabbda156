/**
 * A second worker for labs of their own, beside the one on the page: single builds tried out, the matrix of all switches, the
 * museum's pairs, the ownership of registers. One job at a time; a newer one ends the one before. A lab that somebody watches
 * sends its log as the session's does, and is kept after its job for questions about its memory.
 */
import { expose, transfer } from 'comlink';
import { MUSEUM } from '../content/museum.ts';
import walkthrough from '../content/walkthrough.transcript?raw';
import { attemptOf, transcriptOf } from '../lab/build-choice.ts';
import { exhibitRun, type TypedLine } from '../lab/exhibit-run.ts';
import type { Lab } from '../lab/lab.ts';
import { climb, type LadderStep } from '../lab/ladder.ts';
import { type MatrixProgress, type MatrixRow, matrix } from '../lab/matrix.ts';
import { exhibitLines } from '../lab/museum.ts';
import { copiesOf, type SessionMoment } from '../lab/ownership/of-session.ts';
import { type OwnershipRow, ownership, type Wanted } from '../lab/ownership/ownership.ts';
import { SWITCHES } from '../lab/switches.ts';
import { type VfioAnswer, vfioAnswers } from '../lab/vfio-structs.ts';
import type { BuildChoice } from '../protocol/build-choice.ts';
import type { BytesSpace, SessionRecord } from '../protocol/client.ts';
import type { Climb, MatrixSwitch } from '../protocol/ladder.ts';
import { type ExhibitSetting, SETTINGS } from '../protocol/museum.ts';
import { host, Job, type Watch, watched } from './side-job.ts';

export type {
  Climb,
  ExhibitSetting,
  LadderStep,
  MatrixProgress,
  MatrixRow,
  OwnershipRow,
  SessionMoment,
  VfioAnswer,
  Wanted,
  Watch,
};

/** A line typed in one of the two labs, and what it printed. */
export interface ExhibitStep extends TypedLine {
  readonly setting: ExhibitSetting;
}

/** Both runs of an exhibit; `stopped`: why one ended before its last line. */
export interface ExhibitRuns {
  readonly steps: readonly ExhibitStep[];
  readonly stopped: Readonly<Record<ExhibitSetting, string | null>>;
}

/** The line of the walkthrough with which L2's driver is loaded. */
const LAST_BOOT_LINE = 'modprobe cxl-accel';

let job = new Job();
function newJob(): Job {
  job.end();
  job = new Job();
  return job;
}

async function walked(job: Job): Promise<Lab> {
  const lab = await job.lab(null);
  await lab.type(walkthrough, LAST_BOOT_LINE);
  return lab;
}

const api = {
  /** Ends whatever runs. */
  cancel(): void {
    job.end();
  },
  /** The memory of a watched lab; null when it has none there. */
  bytes(key: number, space: BytesSpace, offset: number, length: number, cursor: number): Uint8Array | null {
    const bytes = watched.get(key)?.bytes(space, offset, length, cursor) ?? null;
    return bytes ? transfer(bytes, [bytes.buffer]) : null;
  },
  /** Nobody watches that lab any more. */
  release(key: number): void {
    watched.delete(key);
  },
  /** The lines a build's boot types. */
  transcript(choice: BuildChoice): string {
    return transcriptOf(choice);
  },
  /** Boots one build towards L2's store; null when it was cancelled. */
  async climb(choice: BuildChoice, onStep: (step: LadderStep) => void, watch: Watch | null): Promise<Climb | null> {
    const mine = newJob();
    const lab = await mine.lab(watch);
    const run = climb(lab, attemptOf(choice));
    try {
      for (;;) {
        const next = await mine.unless(run.next());
        if (!next) return null;
        if (next.done) return next.value;
        onStep(next.value);
      }
    } finally {
      mine.end();
    }
  },
  /** What the matrix can try. */
  switches(): readonly MatrixSwitch[] {
    return SWITCHES.map(({ id, title, kind }) => ({ id, title, kind }));
  },
  /** Switches off, one at a time; null when it was cancelled. News may come late: the answer holds all rows. */
  async matrix(
    only: readonly string[],
    onProgress: (progress: MatrixProgress) => void | Promise<void>,
  ): Promise<readonly MatrixRow[] | null> {
    const mine = newJob();
    const rows: MatrixRow[] = [];
    for await (const progress of matrix(host, { only })) {
      if (mine.over) return null;
      if (progress.kind === 'row') rows.push(progress.row);
      // The page sets the pace: what it shows is where this is, and cancelling ends it there.
      await onProgress(progress);
      if (mine.over) return null;
    }
    return rows;
  },
  /** An exhibit as posted and as intended, in two labs that take turns; null when it was cancelled. */
  async exhibit(
    id: string,
    onStep: (step: ExhibitStep) => void,
    watch: Readonly<Record<ExhibitSetting, Watch>> | null,
  ): Promise<ExhibitRuns | null> {
    const mine = newJob();
    const exhibit = MUSEUM.find((one) => one.id === id);
    if (!exhibit) throw new Error(`There is no exhibit "${id}".`);
    const steps: ExhibitStep[] = [];
    const stopped: Record<ExhibitSetting, string | null> = { posted: null, intended: null };
    try {
      const runs = [];
      for (const setting of SETTINGS)
        runs.push({ setting, run: exhibitRun(await mine.lab(watch?.[setting] ?? null), exhibit, setting) });
      while (runs.length > 0)
        for (const one of [...runs]) {
          const { setting } = one;
          const next = await mine.unless(one.run.next());
          if (!next) return null;
          if (next.done) {
            stopped[setting] = next.value;
            runs.splice(runs.indexOf(one), 1);
            continue;
          }
          const step = { ...next.value, setting };
          steps.push(step);
          onStep(step);
        }
      return { steps, stopped };
    } finally {
      mine.end();
    }
  },
  /** The exhibit's lines in one setting, to be typed where one can watch. */
  exhibitTranscript(id: string, setting: 'posted' | 'intended'): string {
    const exhibit = MUSEUM.find((one) => one.id === id);
    return exhibit ? `${exhibitLines(exhibit, setting).join('\n')}\n` : '';
  },
  /** What VFIO tells L1's VMM of the device, in a lab where L2 has it. */
  async vfioAnswers(): Promise<readonly VfioAnswer[]> {
    const mine = newJob();
    const answers = await vfioAnswers(await walked(mine));
    mine.end();
    return answers;
  },
  /** The inputs of a watched lab up to a row of its log; null when it is not kept any more. */
  record(key: number, cursor: number): SessionRecord | null {
    return watched.get(key)?.record(cursor) ?? null;
  },
  /** Who owns each register of a session's device, or of the walkthrough's (`moment` null); null when it was cancelled. */
  async ownership(
    moment: SessionMoment | null,
    wanted: Omit<Wanted, 'counted'>,
    onRow: (row: OwnershipRow, of: number) => void,
  ): Promise<readonly OwnershipRow[] | null> {
    const mine = newJob();
    const rows: OwnershipRow[] = [];
    let registers = 0;
    const counted = (count: number) => {
      registers = count;
    };
    const copies = moment ? copiesOf(moment, (options) => mine.lab(null, options)) : () => walked(mine);
    const run = ownership(copies, { ...wanted, counted });
    try {
      for (;;) {
        const next = await mine.unless(run.next());
        if (!next) return null;
        if (next.done) return rows;
        rows.push(next.value);
        onRow(next.value, registers);
      }
    } finally {
      mine.end();
    }
  },
};

export type SideApi = typeof api;

expose(api);
