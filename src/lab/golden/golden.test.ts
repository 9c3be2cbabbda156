import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { LabHost } from '../lab.ts';
import { parseCapture } from './capture.ts';
import { replay } from './replay.ts';

const host: LabHost = {
  yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};

/** Commands with a difference that is known, by capture; each has an entry in the ledger. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  A: [],
  A2: ['041-attrs-bound', '066-hw-gctrl-read'],
  'A-hypervisor-bit': [],
  B: ['007-rd-line-at-240', '008-rd-line-at-496', '063-iomem', '068-disable-while-online'],
  D: ['057-rescan'],
};

for (const [name, known] of Object.entries(KNOWN))
  test(`capture ${name} is answered as the real thing did`, async () => {
    const text = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), 'utf8');
    const { scores, differences } = await replay(parseCapture(text), host);
    const unknown = differences.filter(({ id }) => !known.includes(id));
    expect(unknown.map(({ id, stream, want, have }) => ({ id, stream, want, have }))).toEqual([]);
    for (const { statusEqual, commands } of scores.values()) expect(statusEqual).toBe(commands);
    const cxl = scores.get('cxl');
    expect(cxl?.equal).toBe(cxl?.compared);
  }, 60_000);
