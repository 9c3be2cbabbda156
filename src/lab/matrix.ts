import { RFC_V1_PATCHES } from '../content/series/rfc-v1.ts';
import { Lab, type LabHost } from './lab.ts';
import { type Attempt, type Climb, climb, type LadderStep } from './ladder.ts';

/**
 * Every build with one switch off, booted towards L2 in a lab of its own: how far it came and who said what. A switch
 * without which nothing links is tried a second time, made to link (`kbuild --soft`, or the driver left out too).
 */
export interface Switch {
  readonly id: string;
  readonly title: string;
  /** `patch`: one of the series; `part`: the three around it; `variant`: another make of a part. */
  readonly kind: 'none' | 'patch' | 'part' | 'variant';
  readonly attempts: readonly Attempt[];
}

export interface MatrixRow extends Climb {
  readonly id: string;
  readonly title: string;
  readonly kind: Switch['kind'];
  /** What was typed on the host to make it so. */
  readonly builds: readonly string[];
  /** The second attempt, made to link. */
  readonly linked?: Climb & { readonly builds: readonly string[] };
}

export type MatrixProgress =
  | {
      readonly kind: 'step';
      readonly id: string;
      readonly index: number;
      readonly count: number;
      readonly step: LadderStep;
    }
  | { readonly kind: 'row'; readonly index: number; readonly count: number; readonly row: MatrixRow };

const l1 = (options: string): Attempt => ({ builds: [`kbuild l1 ${options} -o k`], choices: { l1Kernel: 'k' } });
const plain = (options: string): Attempt => ({ ...l1(options), choices: { l1Kernel: 'k', driver: 'vfio-pci' } });

function patchAttempts(number: number): readonly Attempt[] {
  const out = l1(`--without ${number}`);
  // A whole file has no stand-in: what is left is plain vfio-pci.
  if (number === 4) return [out, plain('--without 4,12')];
  if (number === 12) return [out, plain('--without 12')];
  return [out, l1(`--soft ${number}`)];
}

export const SWITCHES: readonly Switch[] = [
  { id: 'all', title: 'everything on', kind: 'none', attempts: [{ builds: [], choices: {} }] },
  ...RFC_V1_PATCHES.map(
    ({ number, subject }): Switch => ({
      id: String(number).padStart(2, '0'),
      title: subject,
      kind: 'patch',
      attempts: patchAttempts(number),
    }),
  ),
  {
    id: 'device',
    title: "host's QEMU without cxl-accel",
    kind: 'part',
    attempts: [{ builds: ['qbuild --accel none -o q'], choices: { hostQemu: './q' } }],
  },
  {
    id: 'qemu',
    title: "L1's QEMU without the VFIO stub (upstream)",
    kind: 'part',
    attempts: [{ builds: ['qbuild --variant upstream -o q'], choices: { l1Qemu: 'q' } }],
  },
  {
    id: 'driver',
    title: "L2's kernel without the test driver",
    kind: 'part',
    attempts: [{ builds: ['kbuild l2 --config CONFIG_CXL_ACCEL=n -o k2'], choices: { l2Kernel: '/boot/k2' } }],
  },
  {
    id: 'qemu-posted',
    title: "L1's QEMU as posted (map and unmap swapped)",
    kind: 'variant',
    attempts: [{ builds: ['qbuild --variant posted -o q'], choices: { l1Qemu: 'q' } }],
  },
  {
    id: 'qemu-branch',
    title: "L1's QEMU of the later branch (BASE_LO >> 28)",
    kind: 'variant',
    attempts: [{ builds: ['qbuild --variant branch -o q'], choices: { l1Qemu: 'q' } }],
  },
  {
    id: 'device-A',
    title: "host's cxl-accel of the RFC's time (profile A)",
    kind: 'variant',
    attempts: [{ builds: ['qbuild --accel A -o q'], choices: { hostQemu: './q' } }],
  },
  {
    id: 'driver-2025',
    title: "L2's driver: the sample of 2025",
    kind: 'variant',
    attempts: [
      { builds: ['kbuild l2 --driver 2025 -o k2'], choices: { l2Kernel: '/boot/k2', l2Module: 'qemu-cxl-accel' } },
    ],
  },
];

/** One attempt in a fresh lab; gives the lines typed, and its outcome at the end. The lab is gone afterwards. */
async function* attempted(host: LabHost, seed: number, attempt: Attempt): AsyncGenerator<LadderStep, Climb> {
  const lab = await Lab.start({ seed, host });
  try {
    return yield* climb(lab, attempt);
  } finally {
    lab.stop();
  }
}

/**
 * Runs the switches one by one. A consumer that leaves its `for await` loop cancels the rest; every typed line is a
 * moment to do so.
 */
export async function* matrix(
  host: LabHost,
  options: { readonly seed?: number; readonly only?: readonly string[] } = {},
): AsyncGenerator<MatrixProgress> {
  const { seed = 1, only } = options;
  const chosen = SWITCHES.filter(({ id }) => only === undefined || only.includes(id));
  const count = chosen.length;
  for (const [index, { id, title, kind, attempts }] of chosen.entries()) {
    const climbs: (Climb & { readonly builds: readonly string[] })[] = [];
    for (const attempt of attempts) {
      const run = attempted(host, seed, attempt);
      let next = await run.next();
      while (!next.done) {
        yield { kind: 'step', id, index, count, step: next.value };
        next = await run.next();
      }
      climbs.push({ ...next.value, builds: attempt.builds });
      const failed = next.value.failure?.rung;
      if (failed !== 'build' && failed !== 'bind') break;
    }
    const [first, linked] = climbs;
    if (first) yield { kind: 'row', index, count, row: { id, title, kind, ...first, ...(linked ? { linked } : {}) } };
  }
}
