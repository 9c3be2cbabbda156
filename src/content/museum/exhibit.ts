/**
 * The review museum: defects of the posted code that can be *as posted* or *as intended*, each with the reviewer's point in our
 * words and lines that show the consequence. `host`, `l1`, `l2`: lines typed there after the machines are up, in the given order;
 * a line is [machine, text]. `kernel`: the quirk belongs to that machine's kernel; `qemu`: to L1's VMM. What comes of them
 * is computed; src/lab/transcripts/museum holds both settings, recorded. Sources: the fact sheets and the reviews they cite.
 */
export type ExhibitLine = readonly [machine: 'host' | 'l1' | 'l2', line: string];

export interface Exhibit {
  readonly id: string;
  readonly title: string;
  /** Number in the series; `stub`: L1's QEMU; `driver`: L2's driver; `type-2`: the base series. */
  readonly patch: number | 'stub' | 'driver' | 'type-2';
  /** Function whose line it is. */
  readonly function: string;
  readonly point: string;
  readonly part: 'l1' | 'l2' | 'qemu';
  /** More options of the build that carries the quirk. */
  readonly options?: string;
  /** Other builds of the scenario, typed first. */
  readonly builds?: readonly string[];
  /** Text after `cxl-accel,…` and other changes of the start of L1 (see lab/boot-to-l2.ts). */
  readonly boot?: Readonly<Record<string, string>>;
  /** How far the machines are started: only built, L1 up, device bound, or L2 up. */
  readonly until: 'build' | 'l1' | 'bound' | 'l2';
  readonly lines: readonly ExhibitLine[];
}

export const DRIVER: ExhibitLine = ['l2', 'modprobe cxl-accel'];
export const ERR: ExhibitLine = ['l1', 'cat qemu.err'];
export const KERNEL_L1: ExhibitLine = ['l1', 'dmesg -l warn,err,alert'];
