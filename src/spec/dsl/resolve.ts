import { assert, present } from '../../base/assert.ts';
import type { Access, BlockSpec, FieldSpec, Layout, Placement, RegisterSpec, ResetClass } from './types.ts';

/** One register of a layout with everything worked out: absolute offset, name, reset value, masks. */
export interface ResolvedRegister {
  /** Name in the layout, with the repeat index filled in. */
  readonly name: string;
  /** Byte offset in the layout. */
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  /** Repeat index, or null. */
  readonly index: number | null;
  readonly spec: RegisterSpec;
  readonly block: BlockSpec;
  readonly placement: Placement;
  readonly fields: readonly ResolvedField[];
  /** Reset value of the whole register. */
  readonly reset: number;
  /** Bits an unlocked software write sets to the written value. */
  readonly writable: number;
  readonly w1c: number;
  /** Bits that can be written 1 once. */
  readonly rwo: number;
}

export interface ResolvedField {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly lo: number;
  /** Mask of the field in its register. */
  readonly mask: number;
  readonly resetClass: ResetClass;
  /** For `rwl` fields the device enforces: `REGISTER.FIELD` of the lock, index filled in. */
  readonly lockedBy: string | null;
}

export interface ResolvedLayout {
  readonly layout: Layout;
  readonly registers: readonly ResolvedRegister[];
  readonly byName: ReadonlyMap<string, ResolvedRegister>;
}

const WRITABLE: ReadonlySet<Access> = new Set(['rw', 'rws', 'rwl']);
const W1C: ReadonlySet<Access> = new Set(['rw1c', 'rw1cs']);
const STICKY: ReadonlySet<Access> = new Set(['rws', 'rw1cs']);

/** How strong a reset is; a field comes back to its reset value when the event is at least as strong as its class. */
export const RESET_RANK: Readonly<Record<ResetClass | 'power-on', number>> = {
  flr: 0,
  cxl: 1,
  hot: 2,
  cold: 3,
  'power-on': 3,
};

const cache = new WeakMap<Layout, ResolvedLayout>();

/** Resolves a layout once; throws InvariantError for overlaps, bits outside a register, missing citations, name clashes. */
export function resolveLayout(layout: Layout): ResolvedLayout {
  const known = cache.get(layout);
  if (known) return known;
  const registers: ResolvedRegister[] = [];
  const byName = new Map<string, ResolvedRegister>();
  const taken = new Map<number, string>();
  assert(layout.size % 4 === 0, `layout ${layout.id}: size is no multiple of 4`);
  for (const placement of layout.placements) {
    const { block } = placement;
    assert(placement.at + block.size <= layout.size, `layout ${layout.id}: block ${block.id} does not fit`);
    const names = new Set<string>();
    for (const [template, spec] of Object.entries(block.registers)) {
      const count = spec.repeat?.count ?? 1;
      for (let n = 0; n < count; n++) {
        const register = resolveRegister(layout, placement, template, spec, spec.repeat ? n : null);
        for (let byte = register.offset; byte < register.offset + register.width; byte++) {
          const other = taken.get(byte);
          assert(other === undefined, `layout ${layout.id}: ${register.name} overlaps ${other}`);
          taken.set(byte, register.name);
        }
        assert(!byName.has(register.name), `layout ${layout.id}: two registers named ${register.name}`);
        byName.set(register.name, register);
        names.add(register.name);
        registers.push(register);
      }
    }
    for (const table of [placement.resets, placement.writeMasks, placement.w1cMasks]) {
      for (const name of Object.keys(table ?? {})) {
        assert(names.has(name), `layout ${layout.id}: block ${block.id} has no register ${name}`);
      }
    }
  }
  registers.sort((a, b) => a.offset - b.offset);
  const resolved = { layout, registers, byName };
  cache.set(layout, resolved);
  return resolved;
}

function resolveRegister(
  layout: Layout,
  placement: Placement,
  template: string,
  spec: RegisterSpec,
  n: number | null,
): ResolvedRegister {
  const { block } = placement;
  const fill = (text: string) => (n === null ? text : text.replaceAll('{n}', String(n)));
  const name = fill(template);
  const offset = placement.at + spec.offset + (n ?? 0) * (spec.repeat?.stride ?? 0);
  const where = `layout ${layout.id}: ${block.id}.${name}`;
  assert(spec.cite.title.length > 0 && spec.cite.doc.length > 0, `${where} has no citation`);
  assert(offset % spec.width === 0, `${where} is not aligned`);
  assert(offset + spec.width <= placement.at + block.size, `${where} is outside its block`);
  const override = placement.writeMasks?.[name];
  const fields: ResolvedField[] = [];
  let reset = 0;
  let writable = 0;
  let w1c = 0;
  let rwo = 0;
  let seen = 0;
  for (const [fieldName, field] of Object.entries(spec.fields)) {
    const [hi, lo] = field.bits;
    assert(hi >= lo && lo >= 0 && hi < spec.width * 8, `${where}.${fieldName}: bits outside the register`);
    const mask = maskOf(hi, lo);
    assert((seen & mask) === 0, `${where}.${fieldName} overlaps another field`);
    seen = (seen | mask) >>> 0;
    reset = (reset | ((field.reset ?? 0) << lo)) >>> 0;
    if (WRITABLE.has(field.access)) writable = (writable | mask) >>> 0;
    if (W1C.has(field.access)) w1c = (w1c | mask) >>> 0;
    if (field.access === 'rwo') rwo = (rwo | mask) >>> 0;
    fields.push({
      name: fieldName,
      spec: field,
      lo,
      mask,
      resetClass: field.resetClass ?? (STICKY.has(field.access) ? 'cold' : 'flr'),
      // A device with a write mask of its own enforces no locks: that is what the mask says.
      lockedBy: field.access === 'rwl' && override === undefined ? fill(field.lockedBy ?? '') || null : null,
    });
  }
  if (override !== undefined) {
    writable = override >>> 0;
    rwo = 0;
  }
  w1c = (placement.w1cMasks?.[name] ?? w1c) >>> 0;
  return {
    name,
    offset,
    width: spec.width,
    index: n,
    spec,
    block,
    placement,
    fields,
    reset: (placement.resets?.[name] ?? reset) >>> 0,
    writable: (writable & ~w1c) >>> 0,
    w1c,
    rwo,
  };
}

/** Mask with bits hi…lo set, unsigned. */
export function maskOf(hi: number, lo: number): number {
  return hi - lo === 31 ? 0xffffffff : (((1 << (hi - lo + 1)) - 1) << lo) >>> 0;
}

/** The register holding the byte at `offset`, or undefined. */
export function registerAt(resolved: ResolvedLayout, offset: number): ResolvedRegister | undefined {
  return resolved.registers.find((r) => offset >= r.offset && offset < r.offset + r.width);
}

/** Value of one field out of a register value. */
export function fieldValue(register: ResolvedRegister, field: string, value: number): number {
  const found = present(
    register.fields.find((f) => f.name === field),
    `${register.name}.${field}`,
  );
  return (value & found.mask) >>> found.lo;
}
