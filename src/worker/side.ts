/**
 * A second worker for labs of their own, beside the one on the page: single builds tried out, the matrix of all switches, the
 * ownership of registers. One job at a time; a newer one ends the one before.
 */
import { expose } from 'comlink';
import { MUSEUM } from '../content/museum.ts';
import walkthrough from '../content/walkthrough.transcript?raw';
import { attemptOf, transcriptOf } from '../lab/build-choice.ts';
import { Lab, type LabHost } from '../lab/lab.ts';
import { type Climb, climb, type LadderStep } from '../lab/ladder.ts';
import { type MatrixProgress, type MatrixRow, matrix } from '../lab/matrix.ts';
import { exhibitLines } from '../lab/museum.ts';
import { type OwnershipRow, ownership } from '../lab/ownership/ownership.ts';
import { runStep } from '../lab/run-step.ts';
import { parseTranscript } from '../lab/transcript.ts';
import { type VfioAnswer, vfioAnswers } from '../lab/vfio-structs.ts';
import type { BuildChoice } from '../protocol/build-choice.ts';

export type { Climb, LadderStep, MatrixProgress, MatrixRow, OwnershipRow, VfioAnswer };

/** A line typed in one of the two labs, and what it printed. */
export interface ExhibitStep {
  readonly setting: 'posted' | 'intended';
  readonly console: string;
  readonly line: string;
  readonly output: string;
  /** One of the exhibit's own lines, not of the way there. */
  readonly own: boolean;
}

/** The line of the walkthrough with which L2's driver is loaded. */
const LAST_BOOT_LINE = 'modprobe cxl-accel';

const breath = new MessageChannel();
const waiting: (() => void)[] = [];
breath.port1.onmessage = () => waiting.shift()?.();
const host: LabHost = {
  yieldToHost: () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      breath.port2.postMessage(0);
    }),
  pace: () => Promise.resolve(),
};

let job = 0;

const api = {
  /** Ends whatever runs at its next step. */
  cancel(): void {
    job++;
  },
  /** The lines a build's boot types. */
  transcript(choice: BuildChoice): string {
    return transcriptOf(choice);
  },
  /** Boots one build towards L2's store; null when it was cancelled. */
  async climb(choice: BuildChoice, onStep: (step: LadderStep) => void): Promise<Climb | null> {
    const mine = ++job;
    const lab = await Lab.start({ seed: 1, host });
    try {
      const run = climb(lab, attemptOf(choice));
      for (;;) {
        const next = await run.next();
        if (next.done) return next.value;
        if (mine !== job) return null;
        onStep(next.value);
      }
    } finally {
      lab.stop();
    }
  },
  /** Every switch off, one at a time; null when it was cancelled. News may come late: the answer holds all rows. */
  async matrix(onProgress: (progress: MatrixProgress) => void): Promise<readonly MatrixRow[] | null> {
    const mine = ++job;
    const rows: MatrixRow[] = [];
    for await (const progress of matrix(host)) {
      if (mine !== job) return null;
      if (progress.kind === 'row') rows.push(progress.row);
      onProgress(progress);
    }
    return rows;
  },
  /** An exhibit as posted and as intended, in two labs that take turns; null when it was cancelled. */
  async exhibit(id: string, onStep: (step: ExhibitStep) => void): Promise<readonly ExhibitStep[] | null> {
    const mine = ++job;
    const exhibit = MUSEUM.find((one) => one.id === id);
    if (!exhibit) throw new Error(`There is no exhibit "${id}".`);
    const settings = ['posted', 'intended'] as const;
    const labs = await Promise.all(settings.map(() => Lab.start({ seed: 1, host })));
    const own = exhibit.lines.length;
    const scripts = settings.map((setting) => parseTranscript(`${exhibitLines(exhibit, setting).join('\n')}\n`, id));
    const told: ExhibitStep[] = [];
    try {
      for (let n = 0; n < Math.max(...scripts.map((steps) => steps.length)); n++)
        for (const [which, setting] of settings.entries()) {
          const steps = scripts[which] ?? [];
          const step = steps[n];
          const lab = labs[which];
          if (!step || !lab) continue;
          const { output } = await runStep(lab, step, id);
          if (mine !== job) return null;
          const said = { setting, console: step.console, line: step.line, output, own: n >= steps.length - own };
          told.push(said);
          onStep(said);
        }
      return told;
    } finally {
      for (const lab of labs) lab.stop();
    }
  },
  /** The exhibit's lines in one setting, to be typed where one can watch. */
  exhibitTranscript(id: string, setting: 'posted' | 'intended'): string {
    const exhibit = MUSEUM.find((one) => one.id === id);
    return exhibit ? `${exhibitLines(exhibit, setting).join('\n')}\n` : '';
  },
  /** What VFIO tells L1's VMM of the device, in a lab where L2 has it. */
  async vfioAnswers(): Promise<readonly VfioAnswer[]> {
    job++;
    const lab = await Lab.start({ seed: 1, host });
    await lab.type(walkthrough, LAST_BOOT_LINE);
    const answers = await vfioAnswers(lab);
    lab.stop();
    return answers;
  },
  /** Who owns each register; null when it was cancelled. */
  async ownership(onRow: (row: OwnershipRow) => void): Promise<readonly OwnershipRow[] | null> {
    const mine = ++job;
    const rows: OwnershipRow[] = [];
    const make = async () => {
      const lab = await Lab.start({ seed: 1, host });
      await lab.type(walkthrough, LAST_BOOT_LINE);
      return lab;
    };
    for await (const row of ownership(make)) {
      if (mine !== job) return null;
      rows.push(row);
      onRow(row);
    }
    return rows;
  },
};

export type SideApi = typeof api;

expose(api);
