/** Traps: signals between commands, EXIT, ERR with `set -e`, DEBUG and RETURN. */
import { SIGINT } from '../../linux/uapi/constants.ts';
import { BreakSignal, DiscardSignal, ExitSignal, InterruptSignal, ReturnSignal, signalName } from './control.ts';
import type { Shell } from './shell.ts';
import type { FunctionDef } from './state.ts';

const SIGNALS = [1, 2, 3, 10, 12, 13, 14, 15];

/** A child does not catch what its parent caught; what is ignored stays ignored. */
export function resetTrap(parent: Shell, child: Shell, name: string): void {
  if (parent.traps.get(name) === '') return;
  const number = SIGNALS.find((n) => signalName(n) === name);
  if (number !== undefined) child.sys.onSignal(number, null);
}

export async function exitTrap(sh: Shell, status: number): Promise<number> {
  const text = sh.traps.get('EXIT');
  if (!text) return status;
  sh.traps.delete('EXIT');
  sh.status = status;
  sh.line = 1;
  try {
    await sh.evalText(text, false);
  } catch (error) {
    if (error instanceof ExitSignal) return error.status;
    if (!(error instanceof ReturnSignal || error instanceof BreakSignal || error instanceof DiscardSignal)) throw error;
  }
  return status;
}

/** Runs traps of signals that arrived. */
export async function runSignalTraps(sh: Shell): Promise<void> {
  while (sh.pendingSignals.length > 0) {
    const number = sh.pendingSignals.shift() ?? 0;
    const text = sh.traps.get(signalName(number));
    if (text) await runTrap(sh, text);
    else if (number === SIGINT && sh.interactive) {
      sh.status = 130;
      throw new InterruptSignal();
    }
  }
}

/** The command it interrupts finds its status, line and BASH_COMMAND as they were. */
async function runTrap(sh: Shell, text: string): Promise<void> {
  const { status, line, commandText, pipestatus, lastArg } = sh;
  sh.trapping++;
  try {
    await sh.evalText(text);
  } finally {
    sh.trapping--;
  }
  Object.assign(sh, { status, line, commandText, pipestatus, lastArg });
}

/** Runs the trap of a pseudo signal, but not inside itself. */
async function runPseudoTrap(sh: Shell, name: 'ERR' | 'DEBUG' | 'RETURN'): Promise<void> {
  const text = sh.traps.get(name);
  if (!text || sh.inTrap.has(name)) return;
  sh.inTrap.add(name);
  try {
    await runTrap(sh, text);
  } finally {
    sh.inTrap.delete(name);
  }
}

/** After a command that failed: ERR trap, then `set -e`. */
export async function checkFailure(sh: Shell): Promise<void> {
  if (sh.status === 0 || sh.tested > 0) return;
  await runPseudoTrap(sh, 'ERR');
  if (sh.options.has('errexit')) throw new ExitSignal(sh.status);
}

/** Before a command: DEBUG, which finds the command in BASH_COMMAND. */
export async function beforeCommand(sh: Shell, line: number, text: string): Promise<void> {
  sh.line = line;
  if (!sh.trapping) sh.commandText = text;
  if (sh.traps.has('DEBUG') && sh.trapping === 0) await runPseudoTrap(sh, 'DEBUG');
}

/**
 * A function's body: ERR, DEBUG and RETURN are not its unless -E or -T hand them down; what it sets itself stays.
 */
export async function withFunctionTraps(sh: Shell, def: FunctionDef, body: () => Promise<number>): Promise<number> {
  const kept = new Map<string, string>();
  const hide = (name: string): void => {
    const text = sh.traps.get(name);
    if (text !== undefined) kept.set(name, text);
    sh.traps.delete(name);
  };
  if (!sh.options.has('errtrace')) hide('ERR');
  if (!sh.options.has('functrace')) {
    hide('DEBUG');
    hide('RETURN');
  } else await beforeCommand(sh, def.line, sh.commandText);
  try {
    const status = await body();
    if (sh.traps.has('RETURN')) await runPseudoTrap(sh, 'RETURN');
    return status;
  } finally {
    for (const [name, text] of kept) if (!sh.traps.has(name)) sh.traps.set(name, text);
  }
}
