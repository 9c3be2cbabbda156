import { fromHalves, hi32, lo32 } from '../../base/addr.ts';
import { viewOf } from '../../base/bytes.ts';

/**
 * C structures of the user-space ABI as declared data: field → [type, byte offset]. Kernel and VMM encode and decode with
 * the same declaration, so a layout is written once. Little endian; a u64 travels as a number (exact to 2^53).
 */
export type CType = 'u8' | 'u16' | 'u32' | 's32' | 'u64';

export interface StructDef<F extends string = string> {
  readonly name: string;
  readonly size: number;
  readonly fields: Readonly<Record<F, readonly [type: CType, offset: number]>>;
}

export type StructValue<F extends string> = Record<F, number>;

/** Declares a structure; the names of its fields become its type. */
export function struct<F extends string>(
  name: string,
  size: number,
  fields: Readonly<Record<F, readonly [CType, number]>>,
): StructDef<F> {
  return { name, size, fields };
}

/** One field of the structure at `at`. */
export function getField<F extends string>(def: StructDef<F>, field: F, bytes: Uint8Array, at = 0): number {
  const [type, offset] = def.fields[field];
  const view = viewOf(bytes);
  const where = at + offset;
  switch (type) {
    case 'u8':
      return view.getUint8(where);
    case 'u16':
      return view.getUint16(where, true);
    case 'u32':
      return view.getUint32(where, true);
    case 's32':
      return view.getInt32(where, true);
    case 'u64':
      return fromHalves(view.getUint32(where + 4, true), view.getUint32(where, true));
  }
}

export function setField<F extends string>(
  def: StructDef<F>,
  field: F,
  bytes: Uint8Array,
  value: number,
  at = 0,
): void {
  const [type, offset] = def.fields[field];
  const view = viewOf(bytes);
  const where = at + offset;
  switch (type) {
    case 'u8':
      view.setUint8(where, value);
      break;
    case 'u16':
      view.setUint16(where, value, true);
      break;
    case 'u32':
      view.setUint32(where, value >>> 0, true);
      break;
    case 's32':
      view.setInt32(where, value, true);
      break;
    case 'u64':
      view.setUint32(where, lo32(value), true);
      view.setUint32(where + 4, hi32(value), true);
      break;
  }
}

function names<F extends string>(def: StructDef<F>): F[] {
  return Object.keys(def.fields) as F[];
}

/** All fields that lie within the bytes given; fields beyond their end are 0 (a caller with a small argsz). */
export function decode<F extends string>(def: StructDef<F>, bytes: Uint8Array, at = 0): StructValue<F> {
  const out = {} as StructValue<F>;
  for (const name of names(def)) {
    const [type, offset] = def.fields[name];
    out[name] = at + offset + sizeOf(type) <= bytes.length ? getField(def, name, bytes, at) : 0;
  }
  return out;
}

/** Writes the fields of `value` that lie within the first `limit` bytes of the structure. */
export function encode<F extends string>(
  def: StructDef<F>,
  value: Readonly<Partial<StructValue<F>>>,
  bytes: Uint8Array = new Uint8Array(def.size),
  at = 0,
  limit = def.size,
): Uint8Array {
  for (const name of names(def)) {
    const [type, offset] = def.fields[name];
    const field = value[name];
    if (field !== undefined && offset + sizeOf(type) <= limit) setField(def, name, bytes, field, at);
  }
  return bytes;
}

function sizeOf(type: CType): number {
  return type === 'u8' ? 1 : type === 'u16' ? 2 : type === 'u64' ? 8 : 4;
}
