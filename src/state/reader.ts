import type { Json } from '../log/index.ts';

/** What pure readers of the state need: the folded cells at one moment, whoever folded them. */
export interface StateReader {
  /** Value of an object cell, or null. */
  object(path: string): Json;
  /** Paths of the objects present now that begin with `prefix`, in order of creation. */
  objectPaths(prefix: string): readonly string[];
  /** The dword at a byte offset (multiple of 4) of a register block, or null if the block or dword does not exist. */
  register(block: string, byteOffset: number): number | null;
}
