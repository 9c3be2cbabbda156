/** Fields of a structure as strace writes them. */
import { hex } from '../../base/addr.ts';
import { decode, type StructDef } from '../../linux/uapi/struct.ts';

export type FieldText = (value: number) => string;

export function fieldsOf(
  def: StructDef,
  bytes: Uint8Array,
  at: number,
  names: readonly string[],
  which: 'only' | 'without',
  texts: Readonly<Record<string, FieldText>>,
): string[] {
  const values = decode(def, bytes, at);
  return Object.entries(values)
    .filter(([name]) => name !== 'pad' && !name.startsWith('__') && names.includes(name) === (which === 'only'))
    .map(([name, value]) => `${name}=${(texts[name] ?? plainNumber)(value)}`);
}
/** Ids and counts in decimal, addresses and sizes in hexadecimal. */
function plainNumber(value: number): string {
  return value > 0xffff ? `0x${hex(value)}` : String(value);
}
