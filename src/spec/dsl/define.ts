import type { Access, BlockSpec, Cite, FieldSpec, RegisterSpec } from './types.ts';

/** Short constructors for register declarations; they only build the data of types.ts. */
type FieldOptions = Omit<FieldSpec, 'bits' | 'access' | 'meaning'>;

/** A field of several bits. */
export function bits(hi: number, lo: number, access: Access, meaning: string, options: FieldOptions = {}): FieldSpec {
  return { bits: [hi, lo], access, meaning, ...options };
}

/** A one-bit field. */
export function bit(n: number, access: Access, meaning: string, options: FieldOptions = {}): FieldSpec {
  return { bits: [n, n], access, meaning, ...options };
}

type Fields = Readonly<Record<string, FieldSpec>>;

export function reg8(offset: number, cite: Cite, fields: Fields): RegisterSpec {
  return { offset, width: 1, cite, fields };
}
export function reg16(offset: number, cite: Cite, fields: Fields): RegisterSpec {
  return { offset, width: 2, cite, fields };
}
export function reg32(offset: number, cite: Cite, fields: Fields): RegisterSpec {
  return { offset, width: 4, cite, fields };
}
/** A register repeated `count` times every `stride` bytes; its name must contain `{n}`. */
export function repeat(count: number, stride: number, spec: RegisterSpec): RegisterSpec {
  return { ...spec, repeat: { count, stride } };
}

/** `cites('PCIe 6.0')('7.5.1.1', 'Command Register')`. */
export function cites(doc: string): (section: string, title: string) => Cite {
  return (section, title) => ({ doc, section, title });
}

/** Declares a block; whoever resolves a layout with it validates it (`resolve.ts`). */
export function block(spec: BlockSpec): BlockSpec {
  return spec;
}
