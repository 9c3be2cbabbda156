/** The five registers in which AER (PCIe 7.8.4) and CXL RAS (CXL 8.2.4.17) keep errors: the same pattern over different bits. */
import { bit, reg32 } from './dsl/define.ts';
import type { Cite, RegisterSpec } from './dsl/types.ts';

/** Bit, name, what went wrong. */
export type ErrorTable = readonly (readonly [bit: number, name: string, meaning: string])[];

export interface ErrorRegisters {
  /** `AER`, `RAS`. */
  readonly prefix: string;
  /** Offset of the first. */
  readonly at: number;
  /** Where the specification has the n-th of the five. */
  cite(n: number, title: string): Cite;
  readonly uncorrectable: ErrorTable;
  readonly correctable: ErrorTable;
  /** Reset values of the three registers that do not begin with 0. */
  readonly masked: number;
  readonly severe: number;
  readonly correctableMasked: number;
}

export function errorRegisters(what: ErrorRegisters): Readonly<Record<string, RegisterSpec>> {
  const { prefix, at, uncorrectable, correctable } = what;
  const register = (n: number, title: string, table: ErrorTable, reset: number, suffix: string): RegisterSpec =>
    reg32(
      at + 4 * n,
      what.cite(n, title),
      Object.fromEntries(
        table.map(([index, name, meaning]) => [
          name,
          bit(index, title.includes('Status') ? 'rw1cs' : 'rws', `${meaning}${suffix}`, {
            inert: true,
            reset: (reset >>> index) & 1,
          }),
        ]),
      ),
    );
  return {
    [`${prefix}_UNCOR_STATUS`]: register(0, 'Uncorrectable Error Status Register', uncorrectable, 0, ' happened'),
    [`${prefix}_UNCOR_MASK`]: register(
      1,
      'Uncorrectable Error Mask Register',
      uncorrectable,
      what.masked,
      ' is not reported',
    ),
    [`${prefix}_UNCOR_SEVERITY`]: register(
      2,
      'Uncorrectable Error Severity Register',
      uncorrectable,
      what.severe,
      ' counts as fatal',
    ),
    [`${prefix}_COR_STATUS`]: register(3, 'Correctable Error Status Register', correctable, 0, ' happened'),
    [`${prefix}_COR_MASK`]: register(
      4,
      'Correctable Error Mask Register',
      correctable,
      what.correctableMasked,
      ' is not reported',
    ),
  };
}
