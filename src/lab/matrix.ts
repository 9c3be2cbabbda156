import { choiceToText } from '../protocol/choice-text.ts';
import type { Climb, MatrixSwitch } from '../protocol/ladder.ts';
import { attemptOf } from './build-choice.ts';
import { Lab, type LabHost } from './lab.ts';
import { type Attempt, climb, type LadderStep } from './ladder.ts';
import { SWITCHES } from './switches.ts';

/**
 * Every build with one thing changed, booted towards L2 in a lab of its own: how far it came and who said what. A switch
 * without which nothing links is tried a second time, made to link (`kbuild --soft`, or the driver left out too).
 */
interface Tried extends Climb {
  /** The build as a link's text. */
  readonly choice: string;
  /** What was typed on the host to make it so. */
  readonly builds: readonly string[];
}

export interface MatrixRow extends Tried, MatrixSwitch {
  /** The second attempt, made to link. */
  readonly linked?: Tried;
}

export type MatrixProgress =
  | {
      readonly kind: 'step';
      readonly id: string;
      readonly index: number;
      readonly count: number;
      readonly step: LadderStep;
    }
  | { readonly kind: 'row'; readonly index: number; readonly count: number; readonly row: MatrixRow };

/** One attempt in a fresh lab; gives the lines typed, and its outcome at the end. The lab is gone afterwards. */
async function* attempted(host: LabHost, seed: number, attempt: Attempt): AsyncGenerator<LadderStep, Climb> {
  const lab = await Lab.start({ seed, host });
  try {
    return yield* climb(lab, attempt);
  } finally {
    lab.stop();
  }
}

/**
 * Runs the switches one by one. A consumer that leaves its `for await` loop cancels the rest; every typed line is a
 * moment to do so.
 */
export async function* matrix(
  host: LabHost,
  options: { readonly seed?: number; readonly only?: readonly string[] } = {},
): AsyncGenerator<MatrixProgress> {
  const { seed = 1, only } = options;
  const chosen = SWITCHES.filter(({ id }) => only === undefined || only.includes(id));
  const count = chosen.length;
  for (const [index, { id, title, kind, choices }] of chosen.entries()) {
    const tried: Tried[] = [];
    for (const choice of choices) {
      const attempt = attemptOf(choice);
      const run = attempted(host, seed, attempt);
      let next = await run.next();
      while (!next.done) {
        yield { kind: 'step', id, index, count, step: next.value };
        next = await run.next();
      }
      tried.push({ ...next.value, choice: choiceToText(choice), builds: attempt.builds });
      const failed = next.value.failure?.rung;
      if (failed !== 'build' && failed !== 'bind') break;
    }
    const [first, linked] = tried;
    if (first) yield { kind: 'row', index, count, row: { id, title, kind, ...first, ...(linked ? { linked } : {}) } };
  }
}
