import { UserError } from '../base/assert.ts';
import { MACHINES, type MachineId } from '../log/index.ts';

/** One typed line of a transcript and what is expected to follow it. */
export interface TranscriptStep {
  readonly console: TranscriptConsole;
  readonly line: string;
  /** Output lines that stand after it in the file. */
  readonly expected: readonly string[];
  /** Line number in the file, from 1. */
  readonly at: number;
}

/** A machine's console, or the monitor of the QEMU that runs on it. */
export type TranscriptConsole = MachineId | 'host-monitor' | 'l1-monitor';
export const TRANSCRIPT_CONSOLES: readonly TranscriptConsole[] = [...MACHINES, 'host-monitor', 'l1-monitor'];

const PROMPT = /^([A-Za-z0-9_-]+)# ?(.*)$/;
/** A line of this form for a console that does not exist is a mistake; an output line that looks so is marked (glob) or (re). */
const NEAR_PROMPT = /^[A-Za-z][A-Za-z0-9_-]*# \S/;
const MARKED = / \((?:re|glob)\)$/;

/** Would this output line be read as something typed? */
export function looksTyped(line: string): boolean {
  return PROMPT.exec(line)?.[1] !== undefined && (isConsole(line) || NEAR_PROMPT.test(line));
}

function isConsole(line: string): boolean {
  return TRANSCRIPT_CONSOLES.some((name) => line.startsWith(`${name}#`));
}

/**
 * Reads a transcript: lines `host# …`, `l1# …`, `l2# …` (also `host-monitor# …`, `l1-monitor# …`) are typed, in order;
 * lines starting `## ` are comments; all other lines are expected output of the command above them.
 * @throws UserError naming the line for a console that does not exist
 */
export function parseTranscript(text: string, file: string): readonly TranscriptStep[] {
  const steps: { console: TranscriptConsole; line: string; expected: string[]; at: number }[] = [];
  text.split('\n').forEach((raw, n) => {
    const line = raw.replace(/\r$/, '');
    const match = PROMPT.exec(line);
    const console = TRANSCRIPT_CONSOLES.find((name) => name === match?.[1]);
    if (match && console && !MARKED.test(line)) {
      steps.push({ console, line: match[2] ?? '', expected: [], at: n + 1 });
      return;
    }
    if (NEAR_PROMPT.test(line) && !MARKED.test(line)) {
      throw new UserError(
        `${file}:${n + 1}: there is no console "${line.slice(0, line.indexOf('#'))}"; the consoles are ${TRANSCRIPT_CONSOLES.join(', ')}`,
      );
    }
    if ((line.startsWith('## ') || line === '##') && !MARKED.test(line)) return;
    checkPattern(line, `${file}:${n + 1}`);
    steps.at(-1)?.expected.push(line);
  });
  for (const step of steps) while (step.expected.at(-1) === '') step.expected.pop();
  return steps;
}

function checkPattern(line: string, where: string): void {
  if (!line.endsWith(' (re)')) return;
  try {
    lineMatches(line, '');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${where}: "${line.slice(0, -5)}" is not a regular expression`);
  }
}

/** Does an output line match an expected one, which may end in ` (re)` or ` (glob)` as in cram? */
export function lineMatches(expected: string, actual: string): boolean {
  if (expected.endsWith(' (re)')) return new RegExp(`^(?:${expected.slice(0, -5)})$`).test(actual);
  if (expected.endsWith(' (glob)')) return globToRegExp(expected.slice(0, -7)).test(actual);
  return expected === actual;
}

function globToRegExp(glob: string): RegExp {
  let source = '';
  for (let n = 0; n < glob.length; n++) {
    const char = glob[n] as string;
    if (char === '\\' && n + 1 < glob.length && '*?\\'.includes(glob[n + 1] as string)) source += `\\${glob[++n]}`;
    else if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else source += char.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

/** Lines of a unified diff hunk between what a step expected and what came; empty when they match. */
export function diffStep(expected: readonly string[], actual: readonly string[]): readonly string[] {
  const table: number[][] = Array.from({ length: expected.length + 1 }, () =>
    new Array<number>(actual.length + 1).fill(0),
  );
  const same = (i: number, j: number) => lineMatches(expected[i] as string, actual[j] as string);
  for (let i = expected.length - 1; i >= 0; i--)
    for (let j = actual.length - 1; j >= 0; j--) {
      const row = table[i] as number[];
      const below = table[i + 1] as number[];
      row[j] = same(i, j) ? (below[j + 1] as number) + 1 : Math.max(below[j] as number, row[j + 1] as number);
    }
  const lines: string[] = [];
  let changed = false;
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && same(i, j)) {
      lines.push(` ${actual[j]}`);
      i++;
      j++;
    } else if (j >= actual.length || (i < expected.length && at(table, i + 1, j) >= at(table, i, j + 1))) {
      lines.push(`-${expected[i++]}`);
      changed = true;
    } else {
      lines.push(`+${actual[j++]}`);
      changed = true;
    }
  }
  return changed ? lines : [];
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
