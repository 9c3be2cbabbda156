/** Ways out of the middle of a script. */
export class BreakSignal extends Error {
  constructor(
    readonly kind: 'break' | 'continue',
    public levels: number,
  ) {
    super(kind);
  }
}
export class ReturnSignal extends Error {
  constructor(readonly status: number) {
    super('return');
  }
}
/** The shell ends; `replaced` after exec, when no EXIT trap runs. */
export class ExitSignal extends Error {
  constructor(
    readonly status: number,
    readonly replaced = false,
  ) {
    super('exit');
  }
}
/** An error that ends the line it is on: a script file goes on with the next one. */
export class DiscardSignal extends Error {
  constructor(readonly status: number) {
    super('discard');
  }
}
/** Ctrl-C at an interactive shell: back to the prompt. */
export class InterruptSignal extends Error {}

export const SIGNALS: readonly (readonly [number, string])[] = [
  [1, 'HUP'],
  [2, 'INT'],
  [3, 'QUIT'],
  [4, 'ILL'],
  [5, 'TRAP'],
  [6, 'ABRT'],
  [7, 'BUS'],
  [8, 'FPE'],
  [9, 'KILL'],
  [10, 'USR1'],
  [11, 'SEGV'],
  [12, 'USR2'],
  [13, 'PIPE'],
  [14, 'ALRM'],
  [15, 'TERM'],
  [17, 'CHLD'],
  [18, 'CONT'],
  [19, 'STOP'],
  [20, 'TSTP'],
  [21, 'TTIN'],
  [22, 'TTOU'],
  [28, 'WINCH'],
];

/** Number of a signal by name (`INT`, `SIGINT`, `2`), or null. */
export function signalNumber(name: string): number | null {
  if (/^\d+$/.test(name)) return Number(name) < 65 ? Number(name) : null;
  const bare = name.toUpperCase().replace(/^SIG/, '');
  return SIGNALS.find(([, n]) => n === bare)?.[0] ?? null;
}
export function signalName(number: number): string {
  return SIGNALS.find(([n]) => n === number)?.[1] ?? String(number);
}
const DEATHS: Record<number, string> = {
  1: 'Hangup',
  3: 'Quit',
  6: 'Aborted',
  7: 'Bus error',
  9: 'Killed',
  11: 'Segmentation fault',
  14: 'Alarm clock',
  15: 'Terminated',
};
export function deathText(signal: number): string | undefined {
  return DEATHS[signal];
}
