/** One remark on a command line. */
import { GiB, KiB, MiB } from '../../base/addr.ts';
import type { ParsedLine } from './options.ts';
import type { CommandLineTopology } from './topology.ts';
import type { Span } from './words.ts';

/** `error`: QEMU (or this lab) refuses the line. `warning`: it boots and something will not work. `info`: good to know. */
export type LintSeverity = 'error' | 'warning' | 'info';

export interface LintFinding {
  /** Names the rule: `window-too-small`. */
  readonly id: string;
  readonly severity: LintSeverity;
  /** What and where, in one sentence; for an error the words QEMU prints. */
  readonly message: string;
  /** What comes of it, and what would be right. */
  readonly why: string;
  /** Place in the line. */
  readonly start: number;
  readonly end: number;
}

export type Report = (id: string, severity: LintSeverity, span: Span, message: string, why: string) => void;

/** A rule looks at the whole machine and reports what will disappoint. */
export type Rule = (topology: CommandLineTopology, report: Report, parsed: ParsedLine) => void;

/** `4 GiB`, `256 MiB`, `8 KiB`. */
export function sizeText(bytes: number): string {
  for (const [unit, name] of [
    [GiB, 'GiB'],
    [MiB, 'MiB'],
    [KiB, 'KiB'],
  ] as const)
    if (bytes >= unit && bytes % (unit / 4) === 0) return `${bytes / unit} ${name}`;
  return `${bytes} bytes`;
}

/** `cxl.1`, or what an unnamed device is. */
export function nameOf(one: { readonly id: string; readonly type?: string; readonly kind?: string }): string {
  return one.id === '' ? `the ${one.type ?? one.kind ?? 'device'} without id` : one.id;
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
