import { Lab } from '../lab/lab.ts';
import { type CommandResult, runStep } from '../lab/run-step.ts';
import { parseTranscript, type TranscriptStep } from '../lab/transcript.ts';
import { nodeHost } from './node-host.ts';

/** Boots a fresh lab and types the transcript into it. @throws UserError for a transcript that cannot be typed */
export async function playTranscript(
  text: string,
  file: string,
  seed: number,
  onStep: (step: TranscriptStep, result: CommandResult) => void,
): Promise<Lab> {
  const steps = parseTranscript(text, file);
  const lab = await Lab.start({ seed, host: nodeHost() });
  for (const step of steps) onStep(step, await runStep(lab, step, file));
  return lab;
}

/** Output as lines, without the empty one after the last newline. */
export function outputLines(output: string): readonly string[] {
  const lines = output.split('\n');
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
