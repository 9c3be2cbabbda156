import { type Addr, hex0x } from '../base/addr.ts';
import { decodeHpa } from './decode.ts';
import type { StateReader } from './reader.ts';
import { type HopSpace, SPACE_LABELS, XLAT_SPACES, type Xlat, type XlatSpace } from './xlat.ts';

/** Words for address chains: what the headless runner and the guests' `xlat` command take and print. */

const LIMIT = 2 ** 52;

/** A number as both take it: decimal or 0x…, `_` between digits. Null when it is none or too large. */
export function parseAddress(text: string): Addr | null {
  const digits = text.replace(/_/g, '');
  const value = /^(0x[0-9a-fA-F]+|\d+)$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(value) && value < LIMIT ? value : null;
}

/** `SPACE:ADDR`, or the sentence saying what is wrong with it. */
export function parseQuery(text: string): readonly [XlatSpace, Addr] | string {
  const colon = text.indexOf(':');
  const space = XLAT_SPACES.find((name) => name === text.slice(0, colon));
  if (colon < 0 || space === undefined) return `"${text}" is not SPACE:ADDR; the spaces are ${XLAT_SPACES.join(', ')}`;
  const address = parseAddress(text.slice(colon + 1));
  if (address === null) return `"${text.slice(colon + 1)}" is not an address: decimal or 0x… below 2^52 is meant`;
  return [space, address];
}

const line = (mark: string, label: string, address: Addr, how: string): string =>
  `${mark} ${label.padEnd(14)} ${hex0x(address).padEnd(16)}${how === '' ? '' : `  ${how}`}`.trimEnd();

/** Which machine's decoders take an address of this space apart, or null. */
const decodes = (space: HopSpace): 'l1' | 'l2' | null => (space === 'l1-hpa' ? 'l1' : space === 'l2-gpa' ? 'l2' : null);

/** A chain, one hop a line, `*` at the asked one; with a reader also every decoder between a window address and the DPA, each on a line of its own. */
export function chainText(chain: Xlat, reader?: StateReader): string {
  const lines = [`${chain.query.space}:${hex0x(chain.query.address)}`];
  chain.hops.forEach((hop, n) => {
    const first = hop.mechanism === 'asked' || hop.mechanism === 'start';
    const how = first ? '' : `${hop.mechanism}${hop.arithmetic === '' ? '' : `: ${hop.arithmetic}`}`;
    lines.push(line(n === chain.at ? '*' : ' ', SPACE_LABELS[hop.space], hop.address, how));
    const machine = decodes(hop.space);
    if (machine === null || !reader) return;
    for (const step of decodeHpa(reader, machine, hop.address).steps)
      lines.push(`    ${step.ok ? '↓' : '✗'} ${step.text}${step.arithmetic === '' ? '' : `  [${step.arithmetic}]`}`);
  });
  if (chain.top !== undefined) lines.push(`  above: ${chain.top}`);
  if (chain.end !== undefined) lines.push(`  ends: ${chain.end}`);
  return `${lines.join('\n')}\n`;
}

/** The same as data. */
export function chainJson(chain: Xlat) {
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
