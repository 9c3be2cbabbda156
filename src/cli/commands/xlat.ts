import { hex0x } from '../../base/addr.ts';
import { UserError } from '../../base/assert.ts';
import { liveState } from '../../lab/live-state.ts';
import { SPACE_LABELS, XLAT_SPACES, type Xlat, type XlatSpace, xlat } from '../../state/xlat.ts';
import { options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `xlat --after FILE [--json] SPACE:ADDR…` */
export async function xlatCommand(args: string[]): Promise<number> {
  const opts = options(args, ['json'], ['after']);
  const file = opts.values.after;
  if (file === undefined) throw new UserError('xlat wants --after FILE, the transcript after which to translate');
  if (opts.rest.length === 0)
    throw new UserError(`xlat wants at least one SPACE:ADDR; the spaces are ${XLAT_SPACES.join(', ')}`);
  const queries = opts.rest.map(parseQuery);
  const lab = await playTranscript(readText(file, 'transcript'), file, seedOf(opts), () => {});
  const reader = liveState(lab.log);
  const chains = queries.map(([space, address]) => xlat(reader, space, address));
  for (const chain of chains)
    process.stdout.write(opts.flags.json ? `${JSON.stringify(asJson(chain))}\n` : asText(chain));
  return 0;
}

function parseQuery(text: string): readonly [XlatSpace, number] {
  const colon = text.indexOf(':');
  const space = XLAT_SPACES.find((name) => name === text.slice(0, colon));
  if (colon < 0 || space === undefined)
    throw new UserError(`"${text}" is not SPACE:ADDR; the spaces are ${XLAT_SPACES.join(', ')}`);
  const address = text.slice(colon + 1).replace(/_/g, '');
  const value = /^(0x[0-9a-fA-F]+|\d+)$/.test(address) ? Number(address) : Number.NaN;
  if (!Number.isSafeInteger(value) || value >= 2 ** 52)
    throw new UserError(`"${address}" is not an address: decimal or 0x… below 2^52 is meant`);
  return [space, value];
}

function asJson(chain: Xlat) {
  return {
    query: { space: chain.query.space, address: hex0x(chain.query.address) },
    hops: chain.hops.map((hop) => ({
      space: hop.space,
      address: hex0x(hop.address),
      mechanism: hop.mechanism,
      arithmetic: hop.arithmetic,
    })),
    at: chain.at,
    ...(chain.end === undefined ? {} : { end: chain.end }),
    ...(chain.top === undefined ? {} : { top: chain.top }),
  };
}

function asText(chain: Xlat): string {
  let text = `${chain.query.space}:${hex0x(chain.query.address)}\n`;
  chain.hops.forEach((hop, n) => {
    const label = SPACE_LABELS[hop.space].padEnd(14);
    const how =
      hop.mechanism === 'asked' || hop.mechanism === 'start'
        ? ''
        : `  ${hop.mechanism}${hop.arithmetic === '' ? '' : `: ${hop.arithmetic}`}`;
    text += `${n === chain.at ? '*' : ' '} ${label} ${hex0x(hop.address).padEnd(16)}${how}\n`;
  });
  if (chain.top !== undefined) text += `  above: ${chain.top}\n`;
  if (chain.end !== undefined) text += `  ends: ${chain.end}\n`;
  return text;
}
