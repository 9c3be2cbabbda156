import { UserError } from '../base/assert.ts';
import { concat, text as decode } from '../base/bytes.ts';
import { MACHINES, type MachineId } from '../log/index.ts';
import type { ConsoleId } from '../protocol/client.ts';
import { Channel } from './consoles.ts';
import type { Lab } from './lab.ts';
import type { TranscriptStep } from './transcript.ts';

/** What a typed line gave. */
export interface CommandResult {
  /** Exit status, or null when the line did not come back to a prompt (a VM runs in the foreground, a machine went down). */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout and stderr as they came on the terminal, without prompts, echo and carriage returns. */
  readonly output: string;
}

/** Virtual time one line may take before it is left standing: an hour. */
const PATIENCE_NS = 3600e9;
/** Scheduler steps one line may compute without coming to rest; then it gets Ctrl-C, as from an impatient person. */
const PATIENCE_STEPS = 3_000_000;

/**
 * Types one line of a transcript where it belongs and waits until everything has come to rest. A console whose
 * foreground is taken (its shell runs a VM) gets another login on the same machine, as a person would open one.
 * @throws UserError if the machine is not there
 */
export async function runStep(lab: Lab, step: TranscriptStep, file: string): Promise<CommandResult> {
  const id = await consoleFor(lab, step, file);
  const parts: Uint8Array[] = [];
  const channels: number[] = [];
  const stop = lab.consoles.listen((console, bytes, channel) => {
    if (console !== id || channel === Channel.EDIT) return;
    parts.push(bytes.slice());
    channels.push(channel);
  });
  const before = lab.consoles.shell(id).prompts;
  lab.allow(PATIENCE_NS, { console: id, count: PATIENCE_STEPS });
  lab.input(id, `${step.line}\r`);
  await lab.settled();
  stop();
  const after = lab.consoles.shell(id);
  const status = after.prompts > before && after.atPrompt ? after.status : null;
  const join = (wanted: (channel: number) => boolean) =>
    plain(decode(concat(parts.filter((_, n) => wanted(channels[n] as number)))));
  if (lab.consoles.find(id)?.kind === 'monitor') {
    const output = monitorAnswer(join(() => true));
    return { status: null, stdout: output, stderr: '', output };
  }
  return {
    status,
    stdout: withoutGuestPrompt(
      lab,
      join((channel) => channel !== Channel.ERR),
    ),
    stderr: join((channel) => channel === Channel.ERR),
    output: withoutGuestPrompt(
      lab,
      join(() => true),
    ),
  };
}

async function consoleFor(lab: Lab, step: TranscriptStep, file: string): Promise<ConsoleId> {
  const { console } = step;
  if (lab.consoles.find(console) === undefined) {
    throw new UserError(`${file}:${step.at}: there is no console "${console}" at this point: ${absent(console)}`);
  }
  const machine = MACHINES.find((id) => id === console);
  if (machine === undefined) return console;
  // Typing at the console of a host that is off switches it on.
  if (machine === 'host' && lab.machines.get(machine)?.off) return console;
  if (lab.machines.get(machine)?.off !== false)
    throw new UserError(`${file}:${step.at}: ${machine} is not running at this point`);
  if (lab.consoles.shell(console).atPrompt) return console;
  const free = lab.consoles
    .list()
    .find((info) => info.machine === machine && info.kind === 'terminal' && lab.consoles.shell(info.id).atPrompt);
  if (free) return free.id;
  const opened = lab.openTerminal(machine);
  await lab.settled();
  return opened ?? console;
}

function absent(console: string): string {
  if (console.endsWith('-monitor')) return 'no QEMU runs there';
  return `${console} has not been booted`;
}

/** Text without carriage returns. */
function plain(text: string): string {
  return text.replace(/\r+\n/g, '\n').replace(/\r/g, '');
}

/** A nested guest's prompt at the end is the guest's, not output of the command that booted it. */
function withoutGuestPrompt(lab: Lab, text: string): string {
  for (const machine of ['l1', 'l2'] as const satisfies readonly MachineId[]) {
    const { prompt, atPrompt } = lab.consoles.shell(machine);
    const shown = prompt.replace(/\u001b\[[0-9;]*m/g, '');
    if (!atPrompt || shown === '') continue;
    const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
    if (bare.endsWith(shown)) return bare.slice(0, bare.length - shown.length);
  }
  return text;
}

/** A monitor echoes the line by itself and shows its prompt again: what is between them is the answer. */
function monitorAnswer(text: string): string {
  const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  const start = bare.indexOf('\n') + 1;
  return bare.slice(start).replace(/\(qemu\) $/, '');
}
