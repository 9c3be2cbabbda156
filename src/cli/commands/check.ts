import { writeFileSync } from 'node:fs';
import { UserError } from '../../base/assert.ts';
import { diffStep, looksTyped, parseTranscript, type TranscriptStep } from '../../lab/transcript.ts';
import { options, readText, reason, seedOf } from '../args.ts';
import { outputLines, playTranscript } from '../play.ts';

/**
 * `check [--record] FILE…`: prints a unified diff of what came against what the file expects; status 1 on difference.
 * With --record the outputs are written into the file instead (comments and typed lines stay as they are).
 */
export async function check(args: string[]): Promise<number> {
  const opts = options(args, ['record'], []);
  if (opts.rest.length === 0) throw new UserError('check wants at least one transcript FILE');
  let different = false;
  for (const file of opts.rest) {
    const text = readText(file, 'transcript');
    const outputs = new Map<number, readonly string[]>();
    let headed = false;
    await playTranscript(text, file, seedOf(opts), (step, result) => {
      const actual = outputLines(result.output);
      outputs.set(step.at, actual);
      const diff = opts.flags.record ? [] : diffStep(step.expected, actual);
      if (diff.length === 0) return;
      different = true;
      if (!headed) process.stdout.write(`--- ${file}\n+++ ${file} (as it ran)\n`);
      headed = true;
      process.stdout.write(
        `@@ -${step.at + 1},${step.expected.length} +${step.at + 1},${actual.length} @@ ${step.console}# ${step.line}\n${diff.join('\n')}\n`,
      );
    });
    if (opts.flags.record) save(file, recorded(text, parseTranscript(text, file), outputs));
  }
  return different ? 1 : 0;
}

/** The transcript with the outputs that came; lines marked (re) or (glob) are kept where they still match. */
function recorded(
  text: string,
  steps: readonly TranscriptStep[],
  outputs: ReadonlyMap<number, readonly string[]>,
): string {
  const lines = text.split('\n');
  const out: string[] = [];
  const byLine = new Map(steps.map((step) => [step.at, step]));
  let inOutput = false;
  lines.forEach((line, n) => {
    const step = byLine.get(n + 1);
    if (step) {
      out.push(line);
      const actual = outputs.get(step.at) ?? [];
      out.push(...(diffStep(step.expected, actual).length === 0 ? step.expected : actual.map(asOutput)));
      inOutput = true;
    } else if (((line.startsWith('## ') || line === '##') && !/ \((re|glob)\)$/.test(line)) || !inOutput)
      out.push(line);
  });
  return `${out.join('\n').replace(/\n+$/, '')}\n`;
}

/** A line of output that would be read back as typed is marked as a pattern. */
function asOutput(line: string): string {
  return looksTyped(line) || line === '##' || line.startsWith('## ')
    ? `${line.replace(/[\\*?]/g, '\\$&')} (glob)`
    : line;
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write "${file}": ${reason(error)}`);
  }
}
