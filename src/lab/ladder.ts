import { hex0x } from '../base/addr.ts';
import { UserError } from '../base/assert.ts';
import { type Climb, type Failure, RUNGS, type Rung, type Where, whereOf } from '../protocol/ladder.ts';
import { sizeText } from '../qemu/lint/report.ts';
import { errnoIn, firstError } from '../state/evidence.ts';
import { publishedAs } from '../state/functions.ts';
import { missingGuest } from '../state/missing.ts';
import { type Link, type LinkId, passthrough } from '../state/passthrough.ts';
import {
  type CxlObjectState,
  type DeviceState,
  type MachineState,
  paths,
  type VfioDeviceState,
} from '../state/schema.ts';
import { BDF, type BootChoices, bind, bootL1, bootL2, L2_REGION } from './boot-to-l2.ts';
import type { Lab } from './lab.ts';
import { liveRows, liveState } from './live-state.ts';
import { type CommandResult, runStep } from './run-step.ts';
import type { TranscriptConsole } from './transcript.ts';

/**
 * From a build to a byte in the accelerator's memory, rung by rung. The lines are typed here; how far they came is what
 * `state/passthrough.ts` reads out of the log, as the page's stage does. Only the first rung (a build is no link of that chain)
 * and the last (a stored value must come back) are looked at here.
 */
export interface Attempt {
  /** Lines typed on the host first (kbuild, qbuild). */
  readonly builds: readonly string[];
  readonly choices: BootChoices;
}

export interface LadderStep {
  readonly console: TranscriptConsole;
  readonly line: string;
}

const STORED = '0x1122334455667788';

/**
 * Climbs; gives every typed line before it runs, so that a caller can show progress or stop. A lab whose engine stops, or a
 * machine that is gone when its line comes, ends the climb at the rung it was on.
 */
export async function* climb(lab: Lab, attempt: Attempt): AsyncGenerator<LadderStep, Climb> {
  const ladder = new Ladder(lab);
  const crashed = new Promise<IteratorReturnResult<Climb>>((resolve) => {
    lab.onCrash = (message) =>
      resolve({ done: true, value: ladder.stopsHere('lab engine', `the engine stopped: ${message}`) });
  });
  const run = rungs(lab, ladder, attempt);
  const next = async (): Promise<IteratorResult<LadderStep, Climb>> => {
    try {
      return await run.next();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { done: true, value: ladder.stopsHere(null, error.message.replace(/^[^ ]*:\d+: /, '')) };
    }
  };
  for (;;) {
    const step = await Promise.race([next(), crashed]);
    if (step.done) return step.value;
    yield step.value;
  }
}

async function* rungs(lab: Lab, ladder: Ladder, attempt: Attempt): AsyncGenerator<LadderStep, Climb> {
  const { choices } = attempt;
  const type = async function* (console: TranscriptConsole, line: string): AsyncGenerator<LadderStep, CommandResult> {
    yield { console, line };
    return runStep(lab, { console, line, expected: [], at: 0 }, 'ladder');
  };

  for (const line of attempt.builds) {
    const result = yield* type('host', line);
    if (result.status !== 0) return ladder.stop('build', 'build', firstError(result.stderr));
  }
  ladder.pass('build');

  const started = yield* type('host', bootL1(choices));
  const l1 = lab.log.object(paths.machine('l1')) as MachineState | null;
  if (l1?.state !== 'running') {
    const missing = missingGuest(liveState(lab.log), liveRows(lab.log), 'l1');
    return ladder.stop('bind', 'host qemu', missing?.evidence.message ?? firstError(started.output));
  }
  for (const line of bind(choices)) yield* type('l1', line);
  if (!ladder.reaches('bind')) return ladder.failed('bind', `no driver took ${BDF}`);

  yield* type('l1', bootL2(choices));
  if (!ladder.reaches('open')) return ladder.failed('open', 'the device was never opened');
  if (!ladder.reaches('regions')) return ladder.failed('regions', 'the device shows no region with the CXL memory');
  if (!ladder.reaches('realize')) return ladder.failed('realize', 'the VMM ended without a word');

  yield* type('l2', `modprobe ${choices.l2Module ?? 'cxl-accel'}`);
  if (!ladder.reaches('probe')) return ladder.failed('probe', 'no driver of L2 came to the region');
  if (!ladder.reaches('commit')) return ladder.failed('commit', 'the region was not committed');

  const at = hex0x(L2_REGION + 0x40);
  const stored = yield* type('l2', `devmem ${at} 64 ${STORED}; devmem ${at} 64`);
  const answer = stored.stdout.trim();
  const link = ladder.link('memory');
  if (answer.toLowerCase() !== STORED || link?.state !== 'whole') {
    const why = link?.evidence ? `: ${link.evidence.message}` : '';
    const where = link?.evidence ? whereOf(link.evidence.layer) : 'l1 qemu';
    return ladder.stop('memory', where, `${STORED} stored, ${answer || 'nothing'} loaded${why}`);
  }
  ladder.pass('memory');
  return ladder.result(null);
}

class Ladder {
  private readonly reached: Rung[] = [];
  private readonly found: Partial<Record<Rung, string>> = {};

  constructor(private readonly lab: Lab) {}

  pass(rung: Rung): void {
    this.reached.push(rung);
    const found = this.foundAt(rung);
    if (found !== null) this.found[rung] = found;
  }
  result(failure: Failure | null): Climb {
    return { reached: this.reached, failure, found: this.found };
  }
  stop(rung: Rung, layer: Where, message: string): Climb {
    return this.result({ rung, layer, message, errno: errnoIn(message) });
  }

  /** The rung above the last reached is where it ends; `layer` null: whoever holds that rung's link. */
  stopsHere(layer: Where | null, message: string): Climb {
    const rung = RUNGS[this.reached.length] ?? 'memory';
    if (layer !== null || rung === 'build') return this.stop(rung, layer ?? 'build', message);
    return this.failed(rung, message);
  }

  /** The device's link as it is now; null where nobody has begun to pass the device on. */
  link(id: LinkId): Link | null {
    const { log } = this.lab;
    const chain = passthrough(liveState(log), liveRows(log)).find(({ bdf }) => bdf === BDF);
    return chain?.links.find((one) => one.id === id) ?? null;
  }
  reaches(rung: Rung & LinkId): boolean {
    const whole = this.link(rung)?.state === 'whole';
    if (whole) this.pass(rung);
    return whole;
  }
  failed(rung: Rung & LinkId, otherwise: string): Climb {
    const evidence = this.link(rung)?.evidence;
    if (!evidence) return this.stop(rung, rung === 'probe' || rung === 'commit' ? 'l2 kernel' : 'l1 kernel', otherwise);
    return this.result({ rung, layer: whereOf(evidence.layer), message: evidence.message, errno: evidence.errno });
  }

  /** What stands at a rung now: names and places that differ between series and builds. */
  private foundAt(rung: Rung): string | null {
    const state = liveState(this.lab.log);
    const vfio = publishedAs<VfioDeviceState>(state.object(paths.vfioDevice('l1', BDF)));
    if (rung === 'bind') return vfio?.driver ?? null;
    if (rung === 'open') return vfio ? `group ${vfio.group}` : null;
    if (rung === 'regions' && vfio?.region)
      return `index ${vfio.region.index}: ${sizeText(vfio.region.size)} at ${hex0x(vfio.region.hpa)}`;
    if (rung === 'realize') return publishedAs<MachineState>(state.object(paths.machine('l2')))?.release ?? null;
    if (rung === 'probe') {
      const path = state.objectPaths('dev/l2/').find((one) => one.endsWith(`/${BDF}`));
      return path === undefined ? null : (publishedAs<DeviceState>(state.object(path))?.driver ?? null);
    }
    if (rung !== 'commit') return null;
    for (const path of state.objectPaths('cxl/l2/')) {
      const one = publishedAs<CxlObjectState>(state.object(path));
      if (one?.kind === 'region' && one.state === 'commit') return `${one.name} at ${hex0x(one.start)}`;
    }
    return null;
  }
}
