import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { LabHost } from '../lab.ts';
import { parseCapture } from './capture.ts';
import { type Replay, replay } from './replay.ts';
import { scoresOf } from './scores.ts';

const host: LabHost = {
  yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};

const capture = (name: string) =>
  parseCapture(brotliDecompressSync(readFileSync(new URL(`./fixtures/${name}.json.br`, import.meta.url))).toString());

const committed: unknown = JSON.parse(
  readFileSync(new URL('../../content/scores.json', import.meta.url), 'utf8'),
);
const recorded = (name: string): unknown =>
  Array.isArray(committed) ? committed.find((one: { folder?: string }) => one.folder === name) : undefined;

/** Tools below the mark; each difference has an entry in the ledger. */
const BELOW: Readonly<Record<string, readonly string[]>> = {};

function judge(result: Replay): void {
  const low = [...result.scores]
    .filter(([, { equal, compared }]) => equal < 0.98 * compared)
    .map(([tool, { equal, compared }]) => `${tool} ${equal}/${compared}`);
  expect(low.filter((line) => !(BELOW[result.name] ?? []).some((tool) => line.startsWith(`${tool} `)))).toEqual([]);
  for (const [tool, { statusEqual, commands }] of result.scores) expect([tool, statusEqual]).toEqual([tool, commands]);
  for (const { label, equal, points } of result.points) expect([label, equal]).toEqual([label, points]);
}

for (const name of ['A', 'A2', 'A-hypervisor-bit', 'B', 'D'])
  test(`capture ${name} is answered as the real thing did, and scores.json says so`, async () => {
    const result = await replay(capture(name), host);
    judge(result);
    expect(recorded(name)).toEqual(scoresOf(result));
  }, 120_000);
