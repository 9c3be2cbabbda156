import type { Json, MachineId, Site } from '../log/index.ts';

/** `host`, `l1`, `l2`, `host-monitor`, `l1-monitor`, `host/pts/1` … */
export type ConsoleId = string;

export interface ConsoleInfo {
  readonly id: ConsoleId;
  readonly machine: MachineId;
  readonly title: string;
  readonly kind: 'serial' | 'terminal' | 'monitor';
}

/**
 * Rows `firstRow … firstRow + kind.length - 1` of the log with everything they need that the page does not hold yet.
 * The page starts empty: the first batch's `newStrings` and `newValues` begin with index 0 (the empty string, null).
 * A batch with `firstRow` 0 starts over (reset, branch, worker restored): the page forgets what it had.
 */
export interface LogBatch {
  readonly firstRow: number;
  readonly kind: Uint8Array;
  readonly a: Uint32Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly cause: Uint32Array;
  readonly newStrings: readonly string[];
  readonly newValues: readonly Json[];
  readonly newSites: readonly Site[];
  /** All consoles there are now (not only new ones). */
  readonly consoles: readonly ConsoleInfo[];
}

/** Bytes of a RAM object by its path, or of a machine's physical address space. */
export type ByteSpace = { readonly ram: string } | { readonly machine: MachineId; readonly space: 'phys' };

/** What the page may ask of the engine, wherever it runs. Everything else the page knows comes through `subscribe`. */
export interface LabClient {
  /** Batches from row 0 on; returns the way to stop. */
  subscribe(onBatch: (batch: LogBatch) => void): () => void;
  /** Keys as a terminal sends them. */
  input(console: ConsoleId, text: string): Promise<void>;
  resize(console: ConsoleId, cols: number, rows: number): Promise<void>;
  /** Types the walkthrough, visibly. */
  bootToL2(): Promise<void>;
  /** Types one line and Enter, visibly. */
  run(console: ConsoleId, line: string): Promise<void>;
  /** Bytes as they were at `cursor`; null if nothing is there. Never has side effects. */
  bytes(space: ByteSpace, offset: number, length: number, cursor: number): Promise<Uint8Array | null>;
  /** Makes row `cursor` the present: later rows are dropped and the consoles accept input again. */
  branch(cursor: number): Promise<void>;
  reset(): Promise<void>;
  control(command: { readonly speed?: number }): Promise<void>;
  /** The session as a file: inputs, scenario, versions. */
  exportSession(): Promise<string>;
}
