import { assert } from '../../base/assert.ts';
import { concat, viewOf } from '../../base/bytes.ts';

/** A small AML encoder (ACPI 6.5 §20; QEMU hw/acpi/aml-build.c). Every function gives the bytes of one term. */
export type Aml = Uint8Array;

const op = (...bytes: number[]): Aml => Uint8Array.from(bytes);

/** Zero, One, BytePrefix … QWordPrefix: the shortest form, as QEMU's aml_int. */
export function int(value: number): Aml {
  if (value === 0) return op(0x00);
  if (value === 1) return op(0x01);
  const width = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
  const out = new Uint8Array(1 + width);
  out[0] = width === 1 ? 0x0a : width === 2 ? 0x0b : width === 4 ? 0x0c : 0x0e;
  for (let n = 0; n < width; n++) out[1 + n] = Math.floor(value / 2 ** (8 * n)) % 256;
  return out;
}

/** StringPrefix … NUL. */
export function string(value: string): Aml {
  return Uint8Array.from([0x0d, ...ascii(value), 0]);
}

/** EISAID("PNP0A08") as a DWordConst. */
export function eisaid(id: string): Aml {
  assert(/^[A-Z]{3}[0-9A-F]{4}$/.test(id), `not an EISA id: ${id}`);
  const letter = (n: number) => id.charCodeAt(n) - 0x40;
  const high = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const low = Number.parseInt(id.slice(3), 16);
  return op(0x0c, high >> 8, high & 0xff, low >> 8, low & 0xff);
}

/** NameString of a path: `\_SB.PCI0`, `CDW1`. Segments are padded with underscores. */
export function name(path: string): Aml {
  const root = path.startsWith('\\');
  const segments = path
    .replace(/^\\/, '')
    .split('.')
    .filter((s) => s.length > 0)
    .map((s) => s.padEnd(4, '_'));
  const lead =
    segments.length === 0 ? [0] : segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length];
  return Uint8Array.from([...(root ? [0x5c] : []), ...lead, ...segments.flatMap(ascii)]);
}

/** Prefixes the package length, which counts itself. */
function pkg(opcode: Aml, body: Aml): Aml {
  const size = body.length;
  let length: number[];
  if (size + 1 < 0x40) length = [size + 1];
  else {
    const bytes = size + 2 < 0x1000 ? 2 : size + 3 < 0x100000 ? 3 : 4;
    const total = size + bytes;
    length = [((bytes - 1) << 6) | (total & 0xf)];
    for (let n = 1; n < bytes; n++) length.push((total >>> (4 + 8 * (n - 1))) & 0xff);
  }
  return concat([opcode, Uint8Array.from(length), body]);
}

export const scope = (path: string, body: readonly Aml[]): Aml => pkg(op(0x10), concat([name(path), ...body]));
export const device = (path: string, body: readonly Aml[]): Aml => pkg(op(0x5b, 0x82), concat([name(path), ...body]));
export const nameDecl = (path: string, value: Aml): Aml => concat([op(0x08), name(path), value]);
export const method = (path: string, args: number, body: readonly Aml[], serialized = false): Aml =>
  pkg(op(0x14), concat([name(path), op(args | (serialized ? 8 : 0)), ...body]));
export const buffer = (bytes: Uint8Array): Aml => pkg(op(0x11), concat([int(bytes.length), bytes]));
export const pack = (items: readonly Aml[]): Aml => pkg(op(0x12), concat([op(items.length), ...items]));
export const ret = (value: Aml): Aml => concat([op(0xa4), value]);
export const iff = (condition: Aml, body: readonly Aml[]): Aml => pkg(op(0xa0), concat([condition, ...body]));
export const otherwise = (body: readonly Aml[]): Aml => pkg(op(0xa1), concat(body));
export const equal = (a: Aml, b: Aml): Aml => concat([op(0x93), a, b]);
export const not = (a: Aml): Aml => concat([op(0x92), a]);
export const lor = (a: Aml, b: Aml): Aml => concat([op(0x91), a, b]);
export const and = (a: Aml, b: Aml, target: Aml): Aml => concat([op(0x7b), a, b, target]);
export const or = (a: Aml, b: Aml, target: Aml): Aml => concat([op(0x7d), a, b, target]);
export const store = (value: Aml, target: Aml): Aml => concat([op(0x70), value, target]);
export const dwordField = (source: Aml, index: Aml, field: string): Aml =>
  concat([op(0x8a), source, index, name(field)]);
export const local = (n: number): Aml => op(0x60 + n);
export const arg = (n: number): Aml => op(0x68 + n);

/** ToUUID("…"): a 16-byte buffer, first three fields little-endian. */
export function uuid(text: string): Aml {
  const hex = text.replaceAll('-', '');
  const byte = (n: number) => Number.parseInt(hex.slice(n * 2, n * 2 + 2), 16);
  return buffer(Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte)));
}

/** ResourceTemplate(): descriptors and the end tag in a buffer. */
export const resourceTemplate = (descriptors: readonly Uint8Array[]): Aml =>
  buffer(concat([...descriptors, op(0x79, 0)]));

const MIN_MAX_FIXED = 0x0c;

function addressSpace(
  tag: number,
  type: number,
  specific: number,
  width: 2 | 4 | 8,
  min: number,
  max: number,
): Uint8Array {
  const out = new Uint8Array(6 + 5 * width);
  const view = viewOf(out);
  out[0] = tag;
  view.setUint16(1, 3 + 5 * width, true);
  out.set([type, MIN_MAX_FIXED, specific], 3);
  [0, min, max, 0, max - min + 1].forEach((value, n) => {
    for (let b = 0; b < width; b++) out[6 + n * width + b] = Math.floor(value / 2 ** (8 * b)) % 256;
  });
  return out;
}

export const wordBusNumber = (min: number, max: number): Uint8Array => addressSpace(0x88, 2, 0, 2, min, max);
export const wordIo = (min: number, max: number): Uint8Array => addressSpace(0x88, 1, 3, 2, min, max);
export const dwordMemory = (min: number, max: number, cacheable: boolean): Uint8Array =>
  addressSpace(0x87, 0, cacheable ? 3 : 1, 4, min, max);
export const qwordMemory = (min: number, max: number, cacheable: boolean): Uint8Array =>
  addressSpace(0x8a, 0, cacheable ? 3 : 1, 8, min, max);
/** IO(Decode16, …): a fixed port range. */
export const io = (port: number, align: number, length: number): Uint8Array =>
  op(0x47, 1, port & 0xff, port >> 8, port & 0xff, port >> 8, align, length);
export const irqNoFlags = (irq: number): Uint8Array => op(0x22, (1 << irq) & 0xff, (1 << irq) >> 8);
export const memory32Fixed = (base: number, length: number): Uint8Array => {
  const out = new Uint8Array(12);
  out.set([0x86, 9, 0, 1]);
  viewOf(out).setUint32(4, base, true);
  viewOf(out).setUint32(8, length, true);
  return out;
};

function ascii(text: string): number[] {
  return Array.from(text, (c) => c.charCodeAt(0));
}
