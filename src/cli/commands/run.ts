import { UserError } from '../../base/assert.ts';
import { options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `run [--json] FILE` */
export async function run(args: string[]): Promise<number> {
  const opts = options(args, ['json'], []);
  const [file, ...more] = opts.rest;
  if (file === undefined || more.length > 0) throw new UserError('run wants exactly one transcript FILE');
  const text = readText(file, 'transcript');
  await playTranscript(text, file, seedOf(opts), (step, result) => {
    if (opts.flags.json) {
      process.stdout.write(
        `${JSON.stringify({ console: step.console, cmd: step.line, rc: result.status, stdout: result.stdout, stderr: result.stderr })}\n`,
      );
      return;
    }
    process.stdout.write(`${step.console}# ${step.line}\n${result.output}`);
    if (result.output !== '' && !result.output.endsWith('\n')) process.stdout.write('\n');
  });
  return 0;
}
