import type { LayerId } from '../log/index.ts';

/** The rungs from a build to a byte in the accelerator's memory, and how a climb ended (lab/ladder.ts climbs). */
export const RUNGS = ['build', 'bind', 'open', 'regions', 'realize', 'probe', 'commit', 'memory'] as const;
export type Rung = (typeof RUNGS)[number];

export const RUNG_LABELS: Readonly<Record<Rung, string>> = {
  build: 'build',
  bind: 'bind',
  open: 'open',
  regions: 'regions',
  realize: 'VMM realize',
  probe: 'L2 probe',
  commit: 'decoder commit',
  memory: 'load/store',
};

export type Where =
  | 'build'
  | 'host qemu'
  | 'l1 kernel'
  | 'l1 tools'
  | 'l1 qemu'
  | 'l2 kernel'
  | 'l2 tools'
  /** Our own fault: an invariant of the lab broke. */
  | 'lab engine';

/** A layer of the log in the ladder's words. */
export function whereOf(layer: LayerId): Where {
  switch (layer) {
    case 'host.qemu':
      return 'host qemu';
    case 'l1.kernel':
    case 'l1.kvm':
      return 'l1 kernel';
    case 'l1.qemu':
      return 'l1 qemu';
    case 'l1.user':
      return 'l1 tools';
    case 'l2.user':
      return 'l2 tools';
    case 'l2.kernel':
      return 'l2 kernel';
    default:
      return 'build';
  }
}

export interface Failure {
  readonly rung: Rung;
  readonly layer: Where;
  /** The line that says it, or in one sentence what was seen when nobody said anything. */
  readonly message: string;
  readonly errno: string | null;
}

/** What came of one attempt; `failure` null: the top was reached. */
export interface Climb {
  readonly reached: readonly Rung[];
  readonly failure: Failure | null;
  /** Of a reached rung, what was found there: a driver's name, a region's index and place. */
  readonly found: Readonly<Partial<Record<Rung, string>>>;
}

/**
 * Rows of the matrix by kind: everything on; one patch out; a part around the series gone; a part of another make; an option; the
 * later series; one defect turned round.
 */
export const MATRIX_KINDS = ['none', 'patch', 'part', 'variant', 'option', 'later', 'defect'] as const;
export type MatrixKind = (typeof MATRIX_KINDS)[number];

/** A row of the matrix before it was tried. */
export interface MatrixSwitch {
  readonly id: string;
  readonly title: string;
  readonly kind: MatrixKind;
}
