import { TWO32, type Width } from '../../base/addr.ts';
import { assert, present } from '../../base/assert.ts';
import type { CellId, EventLog, SiteId } from '../../log/index.ts';
import {
  RESET_RANK,
  type ResolvedField,
  type ResolvedLayout,
  type ResolvedRegister,
  resolveLayout,
} from '../../spec/dsl/resolve.ts';
import type { Layout, ResetClass } from '../../spec/dsl/types.ts';
import type { Registers } from './api.ts';

export interface RegisterHooks {
  /** Is this `rwl` field locked now? Without it the field's own `lockedBy` (`REGISTER.FIELD`) is looked at. */
  lock?(register: string, field: string): boolean;
  /** Log layer for the note about dropped bits. */
  readonly layer?: number;
}

interface Hook {
  /** Byte lanes of the register within its dword, as a mask. */
  readonly lanes: number;
  readonly shift: number;
  readonly mask: number;
  readonly run: (before: number, after: number) => void;
}

interface Lock {
  readonly register: ResolvedRegister;
  readonly field: ResolvedField;
  /** Mask within the dword. */
  readonly mask: number;
  /** Where the locking field is, if `lockedBy` names one. */
  readonly by: { readonly dword: number; readonly mask: number } | null;
}

const LANES: readonly number[] = [0, 0xff, 0xffff, 0, 0xffffffff];

/** What all spaces of one layout begin with; masks by dword. */
interface Template {
  readonly writable: Uint32Array;
  readonly w1c: Uint32Array;
  readonly rwo: Uint32Array;
  readonly resetValue: Uint32Array;
  readonly resetMasks: readonly Uint32Array[];
  readonly locks: readonly (readonly Lock[] | undefined)[];
}

const templates = new WeakMap<ResolvedLayout, Template>();

function templateOf(resolved: ResolvedLayout): Template {
  const known = templates.get(resolved);
  if (known) return known;
  const dwords = resolved.layout.size / 4;
  const masks = () => new Uint32Array(dwords);
  const locks: (Lock[] | undefined)[] = [];
  const template: Template = {
    writable: masks(),
    w1c: masks(),
    rwo: masks(),
    resetValue: masks(),
    resetMasks: [masks(), masks(), masks(), masks()],
    locks,
  };
  for (const register of resolved.registers) install(resolved, register, template, locks);
  templates.set(resolved, template);
  return template;
}

function install(
  resolved: ResolvedLayout,
  register: ResolvedRegister,
  into: Template,
  locks: (Lock[] | undefined)[],
): void {
  const dword = register.offset >>> 2;
  const shift = (register.offset & 3) * 8;
  const add = (array: Uint32Array, mask: number) => {
    array[dword] = (array[dword] as number) | (mask << shift);
  };
  add(into.writable, register.writable);
  add(into.w1c, register.w1c);
  add(into.rwo, register.rwo);
  add(into.resetValue, register.reset);
  let declared = 0;
  for (const field of register.fields) {
    declared |= field.mask;
    for (let rank = RESET_RANK[field.resetClass]; rank < 4; rank++)
      add(into.resetMasks[rank] as Uint32Array, field.mask);
    if (field.lockedBy !== null)
      listAt(locks, dword).push({
        register,
        field,
        mask: (field.mask << shift) >>> 0,
        by: lockPlace(resolved, field.lockedBy),
      });
  }
  // Bits no field names keep the placement's reset value over every reset.
  const rest = (LANES[register.width] as number) & ~declared;
  for (const masks of into.resetMasks) add(masks, rest);
}

function lockPlace(resolved: ResolvedLayout, name: string): Lock['by'] {
  const [registerName, fieldName] = name.split('.');
  const register = resolved.byName.get(registerName ?? '');
  const field = register?.fields.find((f) => f.name === fieldName);
  if (!register || !field) return null;
  return { dword: register.offset >>> 2, mask: (field.mask << ((register.offset & 3) * 8)) >>> 0 };
}

/**
 * One `Layout` with its cells in the event log (api.ts). Masks are worked out once per dword, so an access is a few
 * array reads; accesses that cross dwords go byte by byte. A write whose bits do not all arrive leaves a note.
 */
export class RegisterSpace implements Registers {
  hi = 0;
  private readonly first: CellId;
  private readonly resolved: ResolvedLayout;
  private readonly writable: Uint32Array;
  private readonly w1c: Uint32Array;
  private readonly rwo: Uint32Array;
  /** Reset values per dword, and which bits each reset class puts back (`RESET_RANK` × dword). */
  private readonly resetValue: Uint32Array;
  private readonly resetMasks: readonly Uint32Array[];
  private readonly locks: Template['locks'];
  private readonly hooks: (Hook[] | undefined)[] = [];
  private readonly dropped: SiteId;

  constructor(
    private readonly log: EventLog,
    readonly path: string,
    readonly layout: Layout,
    private readonly rules: RegisterHooks = {},
  ) {
    const dwords = layout.size / 4;
    this.resolved = resolveLayout(layout);
    this.first = log.registerCells(path, layout.id, dwords);
    const template = templateOf(this.resolved);
    this.writable = template.writable.slice();
    this.w1c = template.w1c;
    this.rwo = template.rwo;
    this.resetValue = template.resetValue.slice();
    this.resetMasks = template.resetMasks;
    this.locks = template.locks;
    this.dropped = log.site({
      layer: rules.layer ?? 0,
      name: `write dropped: ${path}`,
      args: ['offset', 'value'],
      cite: layout.id,
    });
    this.reset('power-on');
  }

  read(offset: number, width: Width): number {
    return this.peek(offset, width);
  }

  peek(offset: number, width: Width): number {
    const lane = offset & 3;
    if (lane + width <= 4) {
      const value = this.log.cells[this.first + (offset >>> 2)] as number;
      this.hi = 0;
      return width === 4 ? value : ((value >>> (lane * 8)) & (LANES[width] as number)) >>> 0;
    }
    return this.peekAcross(offset, width);
  }

  write(offset: number, width: Width, lo: number, hi = 0): void {
    const lane = offset & 3;
    if (lane + width <= 4) {
      const shift = lane * 8;
      this.writeDword(offset >>> 2, ((LANES[width] as number) << shift) >>> 0, (lo << shift) >>> 0);
      return;
    }
    if (lane === 0) {
      this.writeDword(offset >>> 2, 0xffffffff, lo >>> 0);
      this.writeDword((offset >>> 2) + 1, 0xffffffff, hi >>> 0);
      return;
    }
    for (let n = 0; n < width; n++) {
      const byte = ((n < 4 ? lo >>> (n * 8) : hi >>> ((n - 4) * 8)) & 0xff) >>> 0;
      this.write(offset + n, 1, byte);
    }
  }

  get(register: string, field?: string): number {
    const found = this.register(register);
    const value = this.valueOf(found);
    if (field === undefined) return value;
    const { mask, lo } = this.field(found, field);
    return (value & mask) >>> lo;
  }

  set(register: string, value: number, field?: string): void {
    const found = this.register(register);
    this.poke(found.offset, found.width, field === undefined ? value : this.merged(found, value, field));
  }

  /** As `set`, and the value is also what resets give from now on: for what a device decides when it is built. */
  init(register: string, value: number, field?: string): void {
    const found = this.register(register);
    const whole = field === undefined ? value : this.merged(found, value, field);
    const dword = found.offset >>> 2;
    const shift = (found.offset & 3) * 8;
    const lanes = ((LANES[found.width] as number) << shift) >>> 0;
    this.resetValue[dword] = ((this.resetValue[dword] as number) & ~lanes) | ((whole << shift) & lanes);
    this.poke(found.offset, found.width, whole);
  }

  poke(offset: number, width: Width, value: number): void {
    const lane = offset & 3;
    if (lane + width <= 4) {
      const shift = lane * 8;
      const lanes = ((LANES[width] as number) << shift) >>> 0;
      const cell = this.first + (offset >>> 2);
      const before = this.log.cells[cell] as number;
      this.log.set(cell, ((before & ~lanes) | ((value << shift) & lanes)) >>> 0);
      return;
    }
    for (let n = 0; n < width; n++) this.poke(offset + n, 1, Math.floor(value / 2 ** (8 * n)) & 0xff);
  }

  reset(kind: ResetClass | 'power-on'): void {
    const masks = this.resetMasks[RESET_RANK[kind]] as Uint32Array;
    for (let dword = 0; dword < masks.length; dword++) {
      const mask = masks[dword] as number;
      if (mask === 0) continue;
      const cell = this.first + dword;
      const before = this.log.cells[cell] as number;
      this.log.set(cell, ((before & ~mask) | ((this.resetValue[dword] as number) & mask)) >>> 0);
    }
  }

  onWrite(register: string, hook: (before: number, after: number) => void): void {
    const found = this.register(register);
    const dword = found.offset >>> 2;
    const shift = (found.offset & 3) * 8;
    const mask = LANES[found.width] as number;
    listAt(this.hooks, dword).push({ lanes: (mask << shift) >>> 0, shift, mask, run: hook });
  }

  /** Replaces the plain write mask of a register (a BAR's size, a property of the device). */
  setWriteMask(register: string, mask: number): void {
    const found = this.register(register);
    const dword = found.offset >>> 2;
    const shift = (found.offset & 3) * 8;
    const lanes = ((LANES[found.width] as number) << shift) >>> 0;
    this.writable[dword] = ((this.writable[dword] as number) & ~lanes) | ((mask << shift) & lanes);
  }

  /** True if the layout has a register of this name. */
  has(register: string): boolean {
    return this.resolved.byName.has(register);
  }

  /** Byte offset of a register in the layout. */
  offsetOf(register: string): number {
    return this.register(register).offset;
  }

  // --- inside -------------------------------------------------------------------------------------------------

  private writeDword(dword: number, lanes: number, value: number): void {
    const cell = this.first + dword;
    const before = this.log.cells[cell] as number;
    const w1c = (this.w1c[dword] as number) & lanes;
    let writable = (this.writable[dword] as number) & lanes;
    const locks = this.locks[dword];
    if (locks) {
      for (let n = 0; n < locks.length; n++) {
        const lock = locks[n] as Lock;
        if ((lock.mask & lanes) !== 0 && this.isLocked(lock)) writable &= ~lock.mask;
      }
    }
    let after = (before & ~writable) | (value & writable);
    after = (after & ~(value & w1c)) | (value & lanes & (this.rwo[dword] as number));
    after >>>= 0;
    if (((value ^ after) & lanes & ~w1c) !== 0) this.log.note(this.dropped, dword * 4, value);
    if (after !== before) this.log.set(cell, after);
    const hooks = this.hooks[dword];
    if (!hooks) return;
    for (let n = 0; n < hooks.length; n++) {
      const hook = hooks[n] as Hook;
      if ((hook.lanes & lanes) === 0) continue;
      hook.run(((before >>> hook.shift) & hook.mask) >>> 0, ((after >>> hook.shift) & hook.mask) >>> 0);
    }
  }

  private isLocked(lock: Lock): boolean {
    if (this.rules.lock) return this.rules.lock(lock.register.name, lock.field.name);
    const { by } = lock;
    return by !== null && ((this.log.cells[this.first + by.dword] as number) & by.mask) !== 0;
  }

  private peekAcross(offset: number, width: Width): number {
    let lo = 0;
    let hi = 0;
    for (let n = 0; n < width; n++) {
      const byte = this.peek(offset + n, 1);
      if (n < 4) lo += byte * 2 ** (8 * n);
      else hi += byte * 2 ** (8 * (n - 4));
    }
    this.hi = hi % TWO32;
    return lo;
  }

  private valueOf(register: ResolvedRegister): number {
    const value = this.log.cells[this.first + (register.offset >>> 2)] as number;
    return ((value >>> ((register.offset & 3) * 8)) & (LANES[register.width] as number)) >>> 0;
  }

  private merged(register: ResolvedRegister, value: number, field: string): number {
    const { mask, lo } = this.field(register, field);
    return ((this.valueOf(register) & ~mask) | ((value << lo) & mask)) >>> 0;
  }

  private register(name: string): ResolvedRegister {
    return present(this.resolved.byName.get(name), `register ${name} in layout ${this.layout.id}`);
  }

  private field(register: ResolvedRegister, name: string): ResolvedField {
    const found = register.fields.find((f) => f.name === name);
    assert(found, `no field ${name} in ${register.name}`);
    return found;
  }
}

/** The list at an index, made on first use. */
function listAt<T>(lists: (T[] | undefined)[], index: number): T[] {
  const known = lists[index];
  if (known) return known;
  const made: T[] = [];
  lists[index] = made;
  return made;
}
