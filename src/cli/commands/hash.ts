import { UserError } from '../../base/assert.ts';
import { options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `hash FILE` */
export async function hash(args: string[]): Promise<number> {
  const opts = options(args, [], []);
  const [file, ...more] = opts.rest;
  if (file === undefined || more.length > 0) throw new UserError('hash wants exactly one transcript FILE');
  const lab = await playTranscript(readText(file, 'transcript'), file, seedOf(opts), () => {});
  process.stdout.write(`${lab.hash()}\n`);
  return 0;
}
