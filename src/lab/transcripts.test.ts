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

/** Time stamps move with every change of an image's size; the walkthrough and the session tests watch over them. */
const unstamped = (all: readonly string[]) => all.map((line) => line.replace(/^\[ *\d+\.\d{6}\] /, '[T] '));

test.each(FILES)('%s gives the outputs that were read and recorded', { timeout: 30_000 }, async (name) => {
  const lab = await Lab.start({ seed: 1, host });
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  for (const step of parseTranscript(text, name)) {
    const { output } = await runStep(lab, step, name);
    const diff = diffStep(unstamped(step.expected), unstamped(lines(output)));
    expect(diff, `${name}:${step.at}: ${step.console}# ${step.line}`).toEqual([]);
  }
  lab.stop();
});
