import { errnoName, strerror } from '../base/errno.ts';
import { layerIndex, type MachineId, Row } from '../log/index.ts';
import { type Failure, RUNG_LABELS, RUNGS, type Rung, type Where } from '../protocol/ladder.ts';
import { type MachineState, paths, type VfioDeviceState } from '../state/schema.ts';
import { xlat } from '../state/xlat.ts';
import { BDF, type BootChoices, bind, bootL1, bootL2, L2_REGION } from './boot-to-l2.ts';
import type { Lab } from './lab.ts';
import { liveState } from './live-state.ts';
import { type CommandResult, runStep } from './run-step.ts';
import type { TranscriptConsole } from './transcript.ts';

/**
 * From a build to a byte in the accelerator's memory, rung by rung. What a rung says is read from what happened: exit
 * statuses, published objects, spans and their results, kernel logs, the VMM's complaints. Nothing here knows a patch.
 */
export { type Failure, RUNG_LABELS, RUNGS, type Rung, type Where };

export interface Attempt {
  /** Lines typed on the host first (kbuild, qbuild). */
  readonly builds: readonly string[];
  readonly choices: BootChoices;
}

/** What came of one attempt; `failure` null: the top was reached. */
export interface Climb {
  readonly reached: readonly Rung[];
  readonly failure: Failure | null;
}

export interface LadderStep {
  readonly console: TranscriptConsole;
  readonly line: string;
}

const STORED = '0x1122334455667788';

/** Climbs; gives every typed line before it runs, so that a caller can show progress or stop. */
export async function* climb(lab: Lab, attempt: Attempt): AsyncGenerator<LadderStep, Climb> {
  const ladder = new Ladder(lab);
  const { choices } = attempt;
  const type = async function* (console: TranscriptConsole, line: string): AsyncGenerator<LadderStep, CommandResult> {
    yield { console, line };
    return ladder.type(console, line);
  };

  for (const line of attempt.builds) {
    const result = yield* type('host', line);
    if (result.status !== 0) return ladder.stop('build', 'build', firstError(result.stderr));
  }
  ladder.pass('build');

  ladder.phase();
  const started = yield* type('host', bootL1(choices));
  if (!ladder.alive('l1')) return ladder.stop('bind', 'host qemu', firstError(started.output));
  let said = '';
  for (const line of bind(choices)) said += (yield* type('l1', line)).stderr;
  if (ladder.vfio() === null)
    return ladder.stopAt('bind', 'l1', { layer: 'l1 tools', message: firstError(said) }, `no driver took ${BDF}`);
  ladder.pass('bind');

  ladder.phase();
  yield* type('l1', bootL2(choices));
  const vmm = (yield* type('l1', 'cat qemu.err')).stdout;
  const seen = ladder.vfioSeen();
  const complaint = { layer: 'l1 qemu' as const, message: firstError(vmm), all: vmm };
  if (!seen.opened) return ladder.stopAt('open', 'l1', complaint, 'the device was never opened');
  ladder.pass('open');
  if (!seen.region)
    return ladder.stopAt('regions', 'l1', complaint, 'the device shows no region with the CXL memory (index 9)');
  ladder.pass('regions');
  if (!ladder.alive('l2')) return ladder.stopAt('realize', 'l1', complaint, 'the VMM ended without a word');
  ladder.pass('realize');

  ladder.phase();
  const module = choices.l2Module ?? 'cxl-accel';
  const loaded = yield* type('l2', `modprobe ${module}`);
  const after = (yield* type('l1', 'cat qemu.err')).stdout.slice(vmm.length);
  const ended = { layer: 'l1 qemu' as const, message: firstError(after), all: after };
  const created = ladder.spans('l2', 'cxl_create_region');
  if (created.length === 0) {
    const message = loaded.stderr.includes('FATAL') ? firstError(loaded.stderr) : ended.message;
    const layer = loaded.stderr.includes('FATAL') ? ('l2 tools' as const) : ended.layer;
    return ladder.stopAt('probe', 'l2', { layer, message }, 'no driver of L2 came to the region');
  }
  ladder.pass('probe');
  if (!ladder.alive('l2') || created.some((result) => result < 0))
    return ladder.stopAt('commit', 'l2', ended, 'the region was not committed');
  ladder.pass('commit');

  ladder.phase();
  const at = `0x${(L2_REGION + 0x40).toString(16)}`;
  const stored = yield* type('l2', `devmem ${at} 64 ${STORED}; devmem ${at} 64`);
  const chain = xlat(liveState(lab.log), 'l2-gpa', L2_REGION + 0x40);
  const answer = stored.stdout.trim();
  if (answer.toLowerCase() !== STORED || chain.end !== undefined) {
    const where = chain.end === undefined ? '' : `: ${chain.end}`;
    return ladder.stop('memory', 'l1 qemu', `${STORED} stored, ${answer || 'nothing'} loaded${where}`);
  }
  ladder.pass('memory');
  return ladder.result(null);
}

class Ladder {
  private readonly reached: Rung[] = [];
  private row = 0;
  private readonly printed = new Map<MachineId, number>();

  constructor(private readonly lab: Lab) {}

  async type(console: TranscriptConsole, line: string): Promise<CommandResult> {
    return runStep(this.lab, { console, line, expected: [], at: 0 }, 'ladder');
  }

  /** What follows is looked at apart from what was before. */
  phase(): void {
    this.row = this.lab.log.length;
    for (const [machine, kernel] of this.lab.machines) this.printed.set(machine, kernel.log_buf.records.length);
  }
  pass(rung: Rung): void {
    this.reached.push(rung);
  }
  result(failure: Failure | null): Climb {
    return { reached: this.reached, failure };
  }
  stop(rung: Rung, layer: Where, message: string): Climb {
    return this.result({ rung, layer, message, errno: errnoIn(message) });
  }

  /** The kernel's own error line of this phase, else what the tool or VMM said, else `otherwise`. */
  stopAt(
    rung: Rung,
    machine: 'l1' | 'l2',
    said: { readonly layer: Where; readonly message: string; readonly all?: string },
    otherwise: string,
  ): Climb {
    const kernel = this.complaints(machine);
    const [line] = kernel;
    if (line !== undefined) {
      const errno = kernel.map(errnoIn).find((name) => name !== null) ?? this.firstErrno(machine);
      return this.result({ rung, layer: `${machine} kernel`, message: line, errno });
    }
    if (said.message !== '') {
      const { layer, message, all = message } = said;
      const errno =
        all
          .split('\n')
          .map(errnoIn)
          .find((name) => name !== null) ?? null;
      return this.result({ rung, layer, message, errno });
    }
    return this.result({ rung, layer: `${machine} kernel`, message: otherwise, errno: this.firstErrno(machine) });
  }

  alive(machine: MachineId): boolean {
    const state = this.lab.log.object(paths.machine(machine)) as MachineState | null;
    return this.lab.machines.get(machine)?.off === false && state?.state === 'running';
  }

  vfio(): VfioDeviceState | null {
    return this.lab.log.object(paths.vfioDevice('l1', BDF)) as VfioDeviceState | null;
  }

  /** Was the device open in this phase, and did it have the region, though both may be gone again? */
  vfioSeen(): { readonly opened: boolean; readonly region: boolean } {
    const { log } = this.lab;
    const cell = log.find(paths.vfioDevice('l1', BDF))?.first;
    let opened = false;
    let region = false;
    for (let row = this.row; row < log.length; row++) {
      if (log.kind(row) !== Row.OBJ || log.a(row) !== cell) continue;
      const value = log.values[log.c(row)] as VfioDeviceState | null;
      opened ||= value?.opened === true;
      region ||= value?.opened === true && value.region !== undefined;
    }
    return { opened, region };
  }

  /** Results of a function of a kernel in this phase. One that never returned counts as 0. */
  spans(machine: MachineId, name: string): readonly number[] {
    const { log } = this.lab;
    const results = new Map<number, number>();
    for (let row = this.row; row < log.length; row++) {
      if (log.kind(row) === Row.BEGIN) {
        const site = log.sites[log.a(row)];
        if (site?.name === name && site.layer === this.layer(machine)) results.set(row, 0);
      } else if (log.kind(row) === Row.END && results.has(log.a(row) - 1)) results.set(log.a(row) - 1, log.b(row));
    }
    return [...results.values()];
  }

  /** The errno of the first function of the kernel that failed in this phase. */
  private firstErrno(machine: MachineId): string | null {
    const { log } = this.lab;
    for (let row = this.row; row < log.length; row++) {
      if (log.kind(row) !== Row.END) continue;
      const result = log.b(row);
      const site = log.sites[log.a(log.a(row) - 1)];
      if (site?.layer === this.layer(machine) && result < 0 && result > -134 && Number.isInteger(result))
        return errnoName(result);
    }
    return null;
  }

  private layer(machine: MachineId): number {
    return layerIndex(machine, 'kernel');
  }

  /** Lines of error level and above in this phase, without device noise of other levels. */
  private complaints(machine: MachineId): readonly string[] {
    const records = this.lab.machines.get(machine)?.log_buf.records ?? [];
    return records
      .slice(this.printed.get(machine) ?? 0)
      .filter((record) => record.level <= 4)
      .map((record) => record.text);
  }
}

/** The line that names the fault: the first with an error word, else the first. */
function firstError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /error|fail|fatal|undefined|not |assert/i.test(line)) ?? lines[0] ?? '';
}

/** An errno that a line names by number or by the C library's text. */
function errnoIn(message: string): string | null {
  const number = /\berror -(\d+)/.exec(message)?.[1];
  if (number !== undefined) return errnoName(Number(number));
  for (let errno = 1; errno < 134; errno++) {
    const text = strerror(errno);
    if (!text.startsWith('Unknown error') && message.endsWith(`: ${text}`)) return errnoName(errno);
  }
  return null;
}
