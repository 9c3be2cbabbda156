import { UserError } from '../../base/assert.ts';
import { diffStep } from '../../lab/transcript.ts';
import { options, readText, seedOf } from '../args.ts';
import { outputLines, playTranscript } from '../play.ts';

/** `check FILE…`: prints a unified diff of what came against what the file expects; status 1 on difference. */
export async function check(args: string[]): Promise<number> {
  const opts = options(args, [], []);
  if (opts.rest.length === 0) throw new UserError('check wants at least one transcript FILE');
  let different = false;
  for (const file of opts.rest) {
    const text = readText(file, 'transcript');
    let headed = false;
    await playTranscript(text, file, seedOf(opts), (step, result) => {
      const actual = outputLines(result.output);
      const diff = diffStep(step.expected, actual);
      if (diff.length === 0) return;
      different = true;
      if (!headed) process.stdout.write(`--- ${file}\n+++ ${file} (as it ran)\n`);
      headed = true;
      process.stdout.write(
        `@@ -${step.at + 1},${step.expected.length} +${step.at + 1},${actual.length} @@ ${step.console}# ${step.line}\n${diff.join('\n')}\n`,
      );
    });
  }
  return different ? 1 : 0;
}
