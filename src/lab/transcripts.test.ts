import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';
import { host } from './testing/host.ts';
import { diffStep, parseTranscript } from './transcript.ts';

/** Our own, and the scenarios of the page's gallery. */
const FILES = ['./transcripts/', '../content/scenarios/'].flatMap((folder) => {
  const at = new URL(folder, import.meta.url);
  return readdirSync(at, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.transcript'))
    .map((name) => [name, new URL(name, at)] as const);
});

const lines = (output: string): readonly string[] => {
  const all = output.split('\n');
  while (all.at(-1) === '') all.pop();
  return all;
};

/** Time stamps move with every change of an image's size; the walkthrough and the session tests watch over them. */
const unstamped = (all: readonly string[]) => all.map((line) => line.replace(/^\[ *\d+\.\d{6}\] /, '[T] '));

test.each(FILES)('%s gives the outputs that were read and recorded', async (name, file) => {
  const lab = await Lab.start({ seed: 1, host });
  const text = readFileSync(file, 'utf8');
  for (const step of parseTranscript(text, name)) {
    const { output } = await runStep(lab, step, name);
    const diff = diffStep(unstamped(step.expected), unstamped(lines(output)));
    expect(diff, `${name}:${step.at}: ${step.console}# ${step.line}`).toEqual([]);
  }
  lab.stop();
});
