import { MACHINES, type MachineId, Row } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import { decodeHpa } from '../state/decode.ts';
import { functionsOf, publishedAs } from '../state/functions.ts';
import type { PciFunctionState, VmasState } from '../state/schema.ts';
import { threadsOf } from './stage.view.ts';

/**
 * The functions an access went through, in order: from the bridge down to the device as the guest sees it, and on to the
 * device the registers belong to. Read from the row itself (whose register cell changed) and from the spans around it (whose
 * code ran): nothing is assumed about what a command does. A load or store through a mapped window traps nowhere; what it
 * leaves in the log is the page it brought in at the first touch, and later ones by the same process leave nothing.
 */
export function accessPath(log: MirrorLog, row: number): readonly string[] {
  return touchPath(log, row) ?? registerPath(log, row);
}

function registerPath(log: MirrorLog, row: number): readonly string[] {
  const owner = ownerOf(log, row);
  if (!owner) return [];
  const origin = originOf(log, row);
  const path: string[] = [];
  // A guest's store reaches a device of the machine below through its own appearance of it.
  const thread = threadsOf(log).find(({ device }) => device.machine === owner.machine && device.id === owner.fn.id);
  if (origin === 'l2' && owner.machine === 'l1' && thread?.guest)
    path.push(...withParents(log, thread.guest.machine, thread.guest.id));
  if (origin !== 'l2' || path.length === 0) path.push(...withParents(log, owner.machine, owner.fn.id));
  else path.push(`${owner.machine}/${owner.fn.id}`);
  // A register that vfio shadows is kept by the machine below, for the device it passes through.
  const below = owner.shadow
    ? threadsOf(log).find(({ guest }) => guest?.machine === owner.machine && guest.id === owner.fn.id)
    : undefined;
  if (below) path.push(`${below.device.machine}/${below.device.id}`);
  return path;
}

/** Through the window of the machine whose process touched the page, to the device, and on to the device that stands for. */
function touchPath(log: MirrorLog, row: number): readonly string[] | null {
  const touch = touchOf(log, row);
  if (!touch) return null;
  const { machine, fn } = touch;
  const below = threadsOf(log).find(({ guest }) => guest?.machine === machine && guest.id === fn.id);
  return [...withParents(log, machine, fn.id), ...(below ? [`${below.device.machine}/${below.device.id}`] : [])];
}

const VMAS = /^vma\/(l1|l2)\//;

/** The device whose memory a row brought into a mapping. */
function touchOf(log: MirrorLog, row: number): { readonly machine: 'l1' | 'l2'; readonly fn: PciFunctionState } | null {
  const { kind, a, b, c } = log.columns;
  if (kind[row] !== Row.OBJ) return null;
  const of = VMAS.exec(log.blockOfCell(a[row] as number)?.block.path ?? '')?.[1];
  const machine = of === 'l1' || of === 'l2' ? of : null;
  if (!machine) return null;
  const before = new Set(extentsOf(log, b[row] as number));
  const phys = extentsOf(log, c[row] as number).find((one) => !before.has(one));
  const fn = phys === undefined ? undefined : decodeHpa(log, machine, phys).target?.fn;
  return fn ? { machine, fn } : null;
}

/** Where the pages of mappings of devices begin; memory of the process's own leads to no device. */
function extentsOf(log: MirrorLog, value: number): readonly number[] {
  const vmas = publishedAs<VmasState>(log.value(value))?.vmas ?? [];
  return vmas.flatMap(({ kind, extents }) =>
    kind === 'devmem' || kind === 'vfio' ? extents.map((one) => one.phys) : [],
  );
}

interface Owner {
  readonly machine: MachineId;
  readonly fn: PciFunctionState;
  readonly shadow: boolean;
}

/** The function whose registers a row changed. */
function ownerOf(log: MirrorLog, row: number): Owner | null {
  if (log.columns.kind[row] !== Row.SET) return null;
  const block = log.blockOfCell(log.columns.a[row] as number)?.block.path;
  if (block === undefined) return null;
  for (const machine of ['l1', 'l2'] as const) {
    for (const fn of functionsOf(log, machine)) {
      const route = fn.routes.find((one) => one.block === block);
      if (route) return { machine, fn, shadow: route.answeredBy === 'vfio-shadow' };
    }
  }
  return null;
}

/** The innermost machine whose code is among the causes: where the access began. */
function originOf(log: MirrorLog, row: number): MachineId | null {
  const layers = log.causes(row).map((cause) => {
    const site = log.site(log.columns.a[cause] as number);
    return site ? log.layerId(site.layer) : '';
  });
  return MACHINES.findLast((machine) => layers.some((layer) => layer.startsWith(`${machine}.`))) ?? null;
}

function withParents(log: MirrorLog, machine: MachineId, id: string): readonly string[] {
  const functions = functionsOf(log, machine);
  const chain: string[] = [];
  for (let at: string | null = id; at !== null && chain.length < 8; ) {
    const fn = functions.find((one) => one.id === at);
    if (!fn) break;
    chain.unshift(`${machine}/${fn.id}`);
    at = fn.parent;
  }
  return chain;
}

/** The last change of a device's register, or first touch of its memory, in [from, to), or -1. */
export function lastStore(log: MirrorLog, from: number, to: number): number {
  const rows = log.changesBetween(from, to);
  for (let n = rows.length - 1, looked = 0; n >= 0 && looked < 400; n--, looked++)
    if (touchOf(log, rows[n] as number) ?? ownerOf(log, rows[n] as number)) return rows[n] as number;
  return -1;
}
