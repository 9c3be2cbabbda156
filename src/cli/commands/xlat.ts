import { UserError } from '../../base/assert.ts';
import { liveState } from '../../lab/live-state.ts';
import { XLAT_SPACES, xlat } from '../../state/xlat.ts';
import { chainJson, chainText, parseQuery } from '../../state/xlat-text.ts';
import { options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `xlat --after FILE [--json] SPACE:ADDR…` */
export async function xlatCommand(args: string[]): Promise<number> {
  const opts = options(args, ['json'], ['after']);
  const file = opts.values.after;
  if (file === undefined) throw new UserError('xlat wants --after FILE, the transcript after which to translate');
  if (opts.rest.length === 0)
    throw new UserError(`xlat wants at least one SPACE:ADDR; the spaces are ${XLAT_SPACES.join(', ')}`);
  const queries = opts.rest.map((word) => {
    const query = parseQuery(word);
    if (typeof query === 'string') throw new UserError(query);
    return query;
  });
  const lab = await playTranscript(readText(file, 'transcript'), file, seedOf(opts), () => {});
  const reader = liveState(lab.log);
  for (const [space, address] of queries) {
    const chain = xlat(reader, space, address);
    process.stdout.write(opts.flags.json ? `${JSON.stringify(chainJson(chain))}\n` : chainText(chain));
  }
  return 0;
}
