import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUSEUM } from '../content/museum.ts';
import { KERNEL_QUIRKS } from '../spec/quirks/kernel.ts';
import { QEMU_QUIRKS } from '../spec/quirks/qemu.ts';
import { exhibitLines } from './museum.ts';
import { parseTranscript } from './transcript.ts';

const FOLDER = new URL('./transcripts/museum/', import.meta.url);
const steps = (id: string, setting: 'posted' | 'intended') => {
  const name = `${id}.${setting}.transcript`;
  return parseTranscript(readFileSync(new URL(name, FOLDER), 'utf8'), name);
};

test('at least twenty exhibits, each a quirk that some build has, each shown in both settings', () => {
  expect(MUSEUM.length).toBeGreaterThanOrEqual(20);
  const known = new Set([...Object.keys(KERNEL_QUIRKS), ...Object.keys(QEMU_QUIRKS)]);
  expect(MUSEUM.filter(({ id }) => !known.has(id)).map(({ id }) => id)).toEqual([]);
  const files = MUSEUM.flatMap(({ id }) => [`${id}.intended.transcript`, `${id}.posted.transcript`]);
  expect(readdirSync(FOLDER).sort()).toEqual(files.sort());
});

test('every quirk has an exhibit, or the fidelity ledger says why it has none', () => {
  const ledger = readFileSync(new URL('../content/fidelity.md', import.meta.url), 'utf8');
  const shown = new Set(MUSEUM.map(({ id }) => id));
  const quirks = [...Object.keys(KERNEL_QUIRKS), ...Object.keys(QEMU_QUIRKS)];
  expect(quirks.filter((id) => !shown.has(id) && !ledger.includes(`\`${id}\``))).toEqual([]);
});

test.each(MUSEUM.map((exhibit) => [exhibit.id, exhibit] as const))(
  '%s: the recorded lines are those of the exhibit, and the settings differ',
  (id, exhibit) => {
    const [posted, intended] = (['posted', 'intended'] as const).map((setting) => {
      const recorded = steps(id, setting);
      expect(recorded.map((step) => `${step.console}# ${step.line}`)).toEqual(exhibitLines(exhibit, setting));
      return recorded.map((step) =>
        step.expected.map((line) => line.replace(/^\[ *\d+\.\d{6}\] /, '').replace(/-g[0-9a-f]{12}/g, '')),
      );
    });
    expect(posted).not.toEqual(intended);
  },
);
