/**
 * Who said what when something failed: the line of a kernel or VMM, the innermost function that gave the error, the errno. Read from
 * the trail of a stretch of rows; nothing is concluded that no row says.
 */
import { errnoName, strerror } from '../base/errno.ts';
import { type LayerId, layerIndex, type MachineId } from '../log/index.ts';
import type { Call, Tell, Trail } from './trail.ts';

export interface Evidence {
  /** The row that says it, for a reader who wants to see what led there. */
  readonly row: number | null;
  readonly layer: LayerId;
  /** The function that failed, where one is known. */
  readonly fn: string | null;
  /** The line that says it, or in one sentence what was seen when nobody said anything. */
  readonly message: string;
  readonly errno: string | null;
  /** The address of L2 that gets lost, if it is about one. */
  readonly address?: number;
  readonly size?: number;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Whose kernel is asked first. */
  readonly machine: MachineId;
  /** The VMM that is asked next. */
  readonly vmm: 'host' | 'l1' | null;
  /** The VMM ended in it: if nobody spoke it is its fault, whatever the kernel refused before. */
  readonly died?: boolean;
  /** It was shot: unless the kernel tells of an oops, nothing that was said before is the reason. */
  readonly killed?: boolean;
}

const LAYER_OF: Readonly<Record<MachineId, LayerId>> = { host: 'host.kernel', l1: 'l1.kernel', l2: 'l2.kernel' };

/** The frame of a WARN_ON: what the kernel says of it itself comes after. */
const SPLAT = /^-+\[|^WARNING: CPU: /;

export function evidenceIn(trail: Trail, stretch: Stretch, otherwise: string): Evidence {
  const { from, to, machine, vmm } = stretch;
  const within = (row: number): boolean => row >= from && row < to;
  const kernel = layerIndex(machine, 'kernel');
  const tells = trail.tells.filter(({ row, text }) => within(row) && !SPLAT.test(text));
  const fails = trail.fails.filter(({ begin, end }) => within(begin) && within(end));
  const own = fails.filter(({ layer }) => layer === kernel);
  const told = tells.filter(({ layer }) => layer === kernel);
  const said = stretch.killed && !told.some(({ level }) => level <= KERN_ALERT) ? [] : told;
  if (said.length > 0) return ofKernel(trail, LAYER_OF[machine], said, own);
  if (vmm !== null && !stretch.killed) {
    const layer = layerIndex(vmm, 'qemu');
    const lines = tells.filter((tell) => tell.layer === layer);
    if (lines.length > 0) return ofVmm(trail, vmm, layer, lines, fails);
  }
  if (vmm !== null && stretch.died) {
    const last = stretch.killed ? undefined : fails.findLast(({ layer }) => layer === layerIndex(vmm, 'qemu'));
    return { row: last?.end ?? null, layer: `${vmm}.qemu`, fn: last?.name ?? null, message: otherwise, errno: null };
  }
  const failed = innermost(own, own.at(-1) ?? null);
  return {
    row: failed?.end ?? null,
    layer: LAYER_OF[machine],
    fn: failed?.name ?? null,
    message: otherwise,
    errno: failed ? errnoName(failed.result) : null,
  };
}

const KERN_ALERT = 1;

/** The first line, and the failure of a function that it was said in. */
function ofKernel(trail: Trail, layer: LayerId, said: readonly Tell[], own: readonly Call[]): Evidence {
  const [tell] = said as readonly [Tell];
  const around = new Set(trail.around(tell.row).map(({ begin }) => begin));
  // What an oops unwinds gives no errno of its own.
  const oops = said.filter(({ level }) => level <= KERN_ALERT);
  const gave = own.filter(({ begin, end }) => !oops.some(({ row }) => row > begin && row < end));
  const named = errnoIn(tell.text);
  const within = gave.find(({ begin }) => around.has(begin));
  const began = named === null ? (within ?? gave[0]) : gave.find(({ result }) => errnoName(result) === named);
  const failed = innermost(gave, began ?? null);
  const told = said.map(({ text }) => errnoIn(text)).find((one) => one !== null) ?? null;
  return {
    row: tell.row,
    layer,
    fn: failed?.name ?? trail.around(tell.row)[0]?.name ?? null,
    message: tell.text,
    errno: named ?? (failed ? errnoName(failed.result) : told),
  };
}

/** The line that names the fault; the kernel's function that gave the errno it ends with, else the VMM's own. */
function ofVmm(
  trail: Trail,
  vmm: 'host' | 'l1',
  layer: number,
  lines: readonly Tell[],
  fails: readonly Call[],
): Evidence {
  const tell = lines.find(({ text }) => ERROR_WORD.test(text)) ?? (lines[0] as Tell);
  const errno = lines.flatMap(({ text }) => text.split('\n').map(errnoIn)).find((one) => one !== null) ?? null;
  const last = lines.at(-1) as Tell;
  const kernel = layerIndex(vmm, 'kernel');
  const below = fails.filter((call) => call.layer === kernel && call.end < last.row);
  const given = errno === null ? null : (below.findLast(({ result }) => errnoName(result) === errno) ?? null);
  const around = trail.around(tell.row).find((one) => one.layer === layer);
  const own = fails.findLast((call) => call.layer === layer);
  return {
    row: tell.row,
    layer: `${vmm}.qemu`,
    fn: (innermost(below, given) ?? around ?? own)?.name ?? null,
    message: firstError(tell.text),
    errno,
  };
}

/** Of the functions inside `outer` that gave the same errno, the first that returned: the one that began it. */
function innermost(calls: readonly Call[], outer: Call | null): Call | null {
  if (!outer) return null;
  return (
    calls.find(({ begin, end, result }) => result === outer.result && begin >= outer.begin && end <= outer.end) ?? outer
  );
}

const ERROR_WORD = /error|fail|fatal|undefined|not |assert|no such/i;

/** The line that names the fault: the first with an error word, else the first. */
export function firstError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => ERROR_WORD.test(line)) ?? lines[0] ?? '';
}

/** An errno that a line names by number or by the C library's text. */
export function errnoIn(message: string): string | null {
  const number = /(?:\berror|=) -(\d+)\b|(?:: |\()-(\d+)\)?$/.exec(message);
  if (number) return errnoName(Number(number[1] ?? number[2]));
  for (let errno = 1; errno < 134; errno++) {
    const text = strerror(errno);
    if (!text.startsWith('Unknown error') && message.endsWith(`: ${text}`)) return errnoName(errno);
  }
  return null;
}
