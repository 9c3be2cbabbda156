/** Rows per chunk of the log. */
export const CHUNK_ROWS = 65_536;

/** A column store of 65,536 rows: 25 bytes a row. */
export interface Chunk {
  readonly kind: Uint8Array;
  readonly a: Uint32Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly cause: Uint32Array;
}

export function newChunk(): Chunk {
  return {
    kind: new Uint8Array(CHUNK_ROWS),
    a: new Uint32Array(CHUNK_ROWS),
    b: new Float64Array(CHUNK_ROWS),
    c: new Float64Array(CHUNK_ROWS),
    cause: new Uint32Array(CHUNK_ROWS),
  };
}
