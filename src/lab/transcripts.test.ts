import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Lab, type LabHost } from './lab.ts';
import { runStep } from './run-step.ts';
import { diffStep, parseTranscript } from './transcript.ts';

const FOLDER = new URL('./transcripts/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.transcript'));
const host: LabHost = {
  yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};

const lines = (output: string): readonly string[] => {
  const all = output.split('\n');
  while (all.at(-1) === '') all.pop();
  return all;
};

test.each(FILES)('%s gives the outputs that were read and recorded', { timeout: 30_000 }, async (name) => {
  const lab = await Lab.start({ seed: 1, host });
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  for (const step of parseTranscript(text, name)) {
    const { output } = await runStep(lab, step, name);
    const diff = diffStep(step.expected, lines(output));
    expect(diff, `${name}:${step.at}: ${step.console}# ${step.line}`).toEqual([]);
  }
  lab.stop();
});
