/**
 * Registers are data (ARCHITECTURE, decision 3). A block is declared once; reads, writes, resets, the inspector, the
 * documents and the conformance tests are readers of the declaration.
 */

/** Where a statement comes from: `{ doc: 'CXL 3.1', section: '8.2.4.20.7', title: 'Decoder 0 Control' }`. */
export interface Cite {
  readonly doc: string;
  readonly section?: string;
  readonly title: string;
}

/**
 * How software may change a field. `ro` never; `hwinit` set by the device before software; `rw`; `rws` sticky over hot
 * reset; `rwl` rw until `lockedBy` says so; `rwo` the first write of 1 wins; `rw1c`/`rw1cs` write 1 to clear;
 * `rsvdp` reserved, preserve (reads its reset value, writes dropped); `rsvdz` reserved, zero.
 */
export type Access = 'ro' | 'hwinit' | 'rw' | 'rws' | 'rwl' | 'rwo' | 'rw1c' | 'rw1cs' | 'rsvdp' | 'rsvdz';

/**
 * What puts a field back to its reset value, weakest first: `flr` function level reset and everything stronger;
 * `cxl` a CXL reset and stronger; `hot` hot/secondary bus reset and stronger; `cold` power-on only (sticky).
 */
export type ResetClass = 'flr' | 'cxl' | 'hot' | 'cold';

export interface FieldSpec {
  /** Bit numbers in the register, high first; equal for one bit. */
  readonly bits: readonly [hi: number, lo: number];
  readonly access: Access;
  /** Value of the field after reset (default 0). */
  readonly reset?: number;
  readonly resetClass?: ResetClass;
  /** For `rwl`: the field that locks it, as `REGISTER.FIELD` or in words the device model resolves. */
  readonly lockedBy?: string;
  /** Is the bit modelled, or stored without effect (named-but-inert)? Default: modelled. */
  readonly inert?: boolean;
  /** One plain sentence. */
  readonly meaning: string;
  /** Words for values: `{ 0: '256 B', 1: '512 B' }`. */
  readonly values?: Readonly<Record<number, string>>;
}

export interface RegisterSpec {
  /** Byte offset in the block. */
  readonly offset: number;
  /** Bytes: 1, 2 or 4 (a 64-bit register is declared as _LO and _HI). */
  readonly width: 1 | 2 | 4;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly cite: Cite;
  /** Repeats `count` times every `stride` bytes; the name then contains `{n}`. */
  readonly repeat?: { readonly stride: number; readonly count: number };
}

/** A block of registers with a fixed size in bytes, placed somewhere in a bigger space (config space, component block). */
export interface BlockSpec {
  /** Stable id, for example `cxl.dvsec.device` or `cxl.hdm`. */
  readonly id: string;
  readonly title: string;
  readonly size: number;
  readonly cite: Cite;
  readonly registers: Readonly<Record<string, RegisterSpec>>;
}

/** A block at a byte offset of a register space, with the reset values this device has where they differ from the spec's. */
export interface Placement {
  readonly at: number;
  readonly block: BlockSpec;
  /** Register name (with n resolved) → reset value of the whole register. */
  readonly resets?: Readonly<Record<string, number>>;
  /** Register name → software write mask of the device where it differs from what the access types give (QEMU's own masks). */
  readonly writeMasks?: Readonly<Record<string, number>>;
  /** Register name → write-1-to-clear mask of the device where it differs from the access types. */
  readonly w1cMasks?: Readonly<Record<string, number>>;
  /** Title for this placement where the block's own is not enough (`MSI-X of the accelerator`). */
  readonly title?: string;
}

/** A whole register space of one component: 4096 bytes of config space, 4 KiB of CXL.cachemem … */
export interface Layout {
  /** Stable id, stored in the log with the cells so that the page can explain them. */
  readonly id: string;
  readonly size: number;
  readonly placements: readonly Placement[];
}
