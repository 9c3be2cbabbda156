import { UserError } from '../base/assert.ts';
import type { Exhibit } from '../content/museum.ts';
import type { Setting } from './build/kernel-build.ts';
import type { Lab } from './lab.ts';
import { exhibitLines } from './museum.ts';
import { runStep } from './run-step.ts';
import { parseTranscript, type TranscriptConsole } from './transcript.ts';

/** A line typed in a lab, what it printed, and which rows of the log it took. */
export interface TypedLine {
  readonly console: TranscriptConsole;
  readonly line: string;
  readonly output: string;
  /** One of the exhibit's own lines, not of the way there. */
  readonly own: boolean;
  readonly from: number;
  readonly to: number;
}

/** Plays an exhibit in one setting. Gives at the end why it stopped before its last line, or null. */
export async function* exhibitRun(
  lab: Lab,
  exhibit: Exhibit,
  setting: Setting,
): AsyncGenerator<TypedLine, string | null> {
  const steps = parseTranscript(`${exhibitLines(exhibit, setting).join('\n')}\n`, exhibit.id);
  // An exhibit that ends with its build is that build's line.
  const way = steps.length - (exhibit.until === 'build' ? 1 : exhibit.lines.length);
  const crashed = new Promise<{ readonly stopped: string }>((resolve) => {
    lab.onCrash = (message) => resolve({ stopped: `the engine stopped: ${message}` });
  });
  for (const [n, step] of steps.entries()) {
    const from = lab.log.length;
    const done = await Promise.race([crashed, typed(lab, step, exhibit.id)]);
    if ('stopped' in done) return `${step.console}# ${step.line}: ${done.stopped}`;
    const { console, line } = step;
    yield { console, line, output: done.output, own: n >= way, from, to: lab.log.length };
  }
  return null;
}

/** A machine that an earlier line brought down takes no line: that is how the exhibit ended, not a fault of ours. */
async function typed(
  lab: Lab,
  step: Parameters<typeof runStep>[1],
  id: string,
): Promise<{ readonly output: string } | { readonly stopped: string }> {
  try {
    return await runStep(lab, step, id);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { stopped: error.message.replace(/^[^ ]*:\d+: /, '') };
  }
}
