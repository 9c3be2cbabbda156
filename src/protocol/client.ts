import type { Json, MachineId, Site } from '../log/index.ts';
import type { IoctlArgument } from '../state/schema.ts';

/** Consoles of the session: the machines' own (`host`, `l1`, `l2`), extra logins (`l1/pts/1`), QEMU monitors. */
export type ConsoleId = string;

export interface ConsoleInfo {
  readonly id: ConsoleId;
  readonly machine: MachineId;
  readonly title: string;
  readonly kind: 'serial' | 'terminal' | 'monitor';
}

/** Rows of the log from `firstRow` on, as columns (transferred), with the directory entries they need. */
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
  readonly consoles: readonly ConsoleInfo[];
  /** Oldest row the engine still holds. */
  readonly start: number;
}

/** One input of the session, with the deterministic moment it arrived at: enough to have the same session again. */
export interface RecordedInput {
  readonly console: ConsoleId;
  readonly text: string;
  /** True when nothing could run: then `timersFired` says when; otherwise `position` does. */
  readonly idle: boolean;
  readonly position: number;
  readonly timersFired: number;
}

/** A session is its inputs. */
export interface SessionRecord {
  readonly version: 1;
  readonly seed: number;
  readonly inputs: readonly RecordedInput[];
}

/** A moment at which nothing could run: where a session was left, after its last input. */
export interface SessionMoment {
  readonly position: number;
  readonly timersFired: number;
}

/** A session to be had again elsewhere: its inputs, the moment it was at, and its state's hash there (null while something runs). */
export interface SharedSession {
  readonly record: SessionRecord;
  readonly moment: SessionMoment | null;
  readonly hash: string | null;
}

/** A structure of the user-space ABI taken apart. */
export interface DecodedIoctl {
  readonly call: string;
  readonly fields: readonly {
    readonly name: string;
    readonly offset: number;
    readonly size: number;
    readonly value: number;
  }[];
}

export type BytesSpace = { readonly ram: string } | { readonly machine: MachineId; readonly space: 'phys' };

export type Boot = 'booted' | 'stopped' | 'elsewhere';

/** What the page can ask of the lab, wherever it runs. */
export interface LabClient {
  /** A lab beside the session: to be looked at, nothing can be typed in it. */
  readonly readOnly?: boolean;
  subscribe(onBatch: (batch: LogBatch) => void): () => void;
  input(console: ConsoleId, text: string): Promise<void>;
  resize(console: ConsoleId, columns: number, rows: number): Promise<void>;
  /**
   * Types the walkthrough of the RFC up to the loaded L2 driver, visibly. `elsewhere`, and nothing typed, where this session is
   * no place for it: a guest runs already, or the host's shell is busy. `stopped`: it came to an end before L2 was up.
   */
  bootToL2(): Promise<Boot>;
  /** Types a scenario of the gallery (content/scenarios.ts) into this session, visibly. */
  playScenario(id: string): Promise<void>;
  /** Types the lines of a transcript (`host# …`, `l1# …`), each once the one before has come to rest. */
  playTranscript(text: string): Promise<void>;
  /** Types `line` on the console and presses Enter. */
  run(console: ConsoleId, line: string): Promise<void>;
  /** Another login on a machine; gives its console. */
  openConsole(machine: MachineId): Promise<ConsoleId | null>;
  /** Bytes of a memory as they were at log row `cursor`; null when nothing answers there. */
  bytes(space: BytesSpace, offset: number, length: number, cursor: number): Promise<Uint8Array | null>;
  /** Starts again from the inputs given up to log row `cursor`; what came after stays in the saved branches. */
  branch(cursor: number): Promise<void>;
  reset(): Promise<void>;
  /** Sessions that branches, resets and scenarios left behind, the latest first. */
  keptSessions?(): Promise<readonly { readonly why: string; readonly record: SessionRecord }[]>;
  /** Goes on with another session; the present one is kept (gives whether there was anything to keep). */
  openSession?(record: SessionRecord, moment?: SessionMoment | null): Promise<boolean>;
  /** The session as it is now. */
  sharedSession?(): Promise<SharedSession>;
  /** The state's hash when the session that was opened has come to its moment; null if it never did. */
  restored?(): Promise<string | null>;
  /** Takes the last typed line out of the stored session: the way back when that line is what ends the engine. */
  dropLastLine?(): Promise<void>;
  control(change: { readonly speed?: number }): Promise<void>;
  exportSession(): Promise<string>;
  /** The session's inputs up to log row `cursor`: enough to have a copy of it as it was there. */
  record?(cursor: number): Promise<SessionRecord>;
  /** Name and fields of a logged ioctl; null for one that is not known. */
  decodeIoctl?(request: number, argument: IoctlArgument): Promise<DecodedIoctl | null>;
}
