/**
 * Who owns each register: found out by writing it from every layer that can and looking where the write went and who sees it. Nothing
 * here knows the answer beforehand.
 */
import { present } from '../../base/assert.ts';
import { errnoName } from '../../base/errno.ts';
import { LAYERS, type LayerId, Row } from '../../log/index.ts';
import type { Lab } from '../lab.ts';
import { type AccessRule, accessRule } from './access-rule.ts';
import { type Place, READERS, type Reader, Stack, type Subject, WRITERS, type Writer } from './layers.ts';

/** Where a register cell lives. */
export type Holder = 'device' | 'vconfig' | 'dvsec-shadow' | 'hdm-shadow' | 'l1-qemu' | 'other';

/** Bits of a register, by holder. */
export type ByHolder = Readonly<Partial<Record<Holder, number>>>;
/** What each layer reads; null: it has no way to the device. */
export type Reads = Readonly<Record<Reader, number | null>>;

export interface WriteEffect {
  /** Bits that changed, by holder, of this register. */
  readonly changed: ByHolder;
  /** Other register cells the write changed, `block+0xoffset`. */
  readonly besides: readonly string[];
  /** The errno the writer got, or the one a layer below got for it and kept to itself. */
  readonly refused: { readonly layer: LayerId; readonly errno: string } | null;
  /** The calls and accesses the write became, outermost first. */
  readonly path: readonly { readonly layer: LayerId; readonly name: string }[];
  /** What each layer reads afterwards. */
  readonly reads: Reads;
}

export interface OwnershipRow {
  readonly name: string;
  readonly block: string;
  readonly space: Place['space'];
  readonly offset: number;
  readonly width: Place['width'];
  /** What each layer reads before anybody writes. */
  readonly before: Reads;
  /** Which copy each layer's answer comes from, bit by bit. */
  readonly answers: Readonly<Record<Reader, ByHolder>>;
  /** The value written: every bit inverted from what the writer reads. Null: nobody is there to write. */
  readonly writes: Readonly<Record<Writer, WriteEffect | null>>;
  /** How L2's writes are taken, bit by bit. */
  readonly rule: AccessRule | null;
  /** For L2 (for L1’s kernel, where L2 does not have the device): who decides what it reads. */
  readonly owner: 'device' | 'vconfig' | 'dvsec-shadow' | 'hdm-shadow' | 'l1-qemu' | 'read-only';
}

/** Gives a lab in which L1 runs with the device; asked for again whenever a write could not be undone. */
export type MakeLab = () => Promise<Lab>;

export interface Wanted {
  /** The function to look at; without it, the first that L2 has. */
  readonly subject?: Subject;
  /** The register at this place comes first. */
  readonly first?: { readonly space: string; readonly offset: number };
  /** Told how many registers there are, before the first row. */
  readonly counted?: (registers: number) => void;
}

/** Every register of the CXL DVSECs and the component block, one row each, as they are found out. */
export async function* ownership(makeLab: MakeLab, wanted: Wanted = {}): AsyncGenerator<OwnershipRow> {
  const { subject, first, counted } = wanted;
  let stack = new Stack(await makeLab(), subject);
  counted?.(stack.places.length);
  const order = stack.places.map((_, n) => n);
  const front = stack.places.findIndex(
    ({ space, offset, width }) =>
      first !== undefined && space === first.space && first.offset >= offset && first.offset < offset + width,
  );
  if (front > 0) order.unshift(...order.splice(front, 1));
  for (const n of order) {
    const at = (): Place => present(stack.places[n], 'the same registers in every lab');
    const before = readAll(stack, at());
    const answers = answersOf(stack, at());
    const writes: Record<Writer, WriteEffect | null> = { l2: null, 'l1.user': null, 'l1.kernel': null };
    for (const writer of WRITERS) {
      if (!stack.ports[writer]) continue;
      const probe = writeAndLook(stack, writer, at());
      writes[writer] = probe.effect;
      if (!probe.undone) {
        stack.lab.stop();
        stack = new Stack(await makeLab(), subject);
      }
    }
    const start = stack.lab.log.length;
    const rule = accessRule(stack, at());
    if (before.l2 !== null) stack.write('l2', at(), before.l2);
    if (changedCells(stack.lab, start).size > 0) {
      stack.lab.stop();
      stack = new Stack(await makeLab(), subject);
    }
    const { space, offset, width, register } = at();
    const { name, block } = register;
    const owner = ownerOf(before, writes);
    yield { name, block: block.id, space, offset, width, before, answers, writes, rule, owner };
  }
  stack.lab.stop();
}

function ownerOf(before: Reads, writes: OwnershipRow['writes']): OwnershipRow['owner'] {
  const changed = (writes.l2 ?? writes['l1.kernel'])?.changed ?? {};
  const below = writes['l1.user'];
  // The VMM's descriptor reads something else now, and L2 still reads what it read: the VMM answers from its own copy.
  if (writes.l2 && below && below.reads['l1.user'] !== before['l1.user'] && below.reads.l2 === before.l2)
    return 'l1-qemu';
  const holders = ['hdm-shadow', 'dvsec-shadow', 'vconfig', 'l1-qemu', 'device'] as const;
  return holders.find((holder) => changed[holder] !== undefined) ?? 'read-only';
}

function readAll(stack: Stack, place: Place): Reads {
  const out: Record<Reader, number | null> = { l2: null, 'l1.user': null, 'l1.kernel': null, device: null };
  for (const reader of READERS) out[reader] = stack.read(reader, place);
  return out;
}

/**
 * A copy answers a reader in the bits that stay when every copy but this one is inverted, and do not stay when this one is too.
 * (Inverting it alone would not do: a header that is gone from vfio’s copy makes the copy no longer answer.)
 */
function answersOf(stack: Stack, place: Place): Record<Reader, ByHolder> {
  const { log } = stack.lab;
  const cells = copiesOf(stack, place);
  const before = readAll(stack, place);
  const differing = (inverted: readonly Copy[]): Reads => {
    for (const { cell, mask } of inverted) log.set(cell, ((log.cells[cell] as number) ^ mask) >>> 0);
    const now = readAll(stack, place);
    for (const { cell, mask } of inverted) log.set(cell, ((log.cells[cell] as number) ^ mask) >>> 0);
    const out: Record<Reader, number | null> = { ...before };
    for (const reader of READERS) out[reader] = ((now[reader] ?? 0) ^ (before[reader] ?? 0)) >>> 0;
    return out;
  };
  const all = differing(cells);
  const out: Record<Reader, Partial<Record<Holder, number>>> = { l2: {}, 'l1.user': {}, 'l1.kernel': {}, device: {} };
  for (const { holder } of cells) {
    const others = differing(cells.filter((copy) => copy.holder !== holder));
    for (const reader of READERS) {
      const bits = ((all[reader] ?? 0) & ~(others[reader] ?? 0)) >>> 0;
      if (bits !== 0) out[reader][holder] = bits;
    }
  }
  return out;
}

interface Copy {
  readonly holder: Holder;
  readonly cell: number;
  /** The register's bits in the cell. */
  readonly mask: number;
}

/** Every cell in which some layer keeps this register. */
function copiesOf(stack: Stack, place: Place): readonly Copy[] {
  const at = place.register.offset;
  const mask = place.width === 4 ? 0xffffffff : ((2 ** (8 * place.width) - 1) * 2 ** (8 * (at % 4))) >>> 0;
  return stack.blocks().flatMap((path): Copy[] => {
    const found = stack.lab.log.find(path);
    const dword = Math.floor(at / 4);
    if (!found || dword >= found.count || isConfig(path) !== (place.space === 'config')) return [];
    return [{ holder: holderOf(stack, path), cell: found.first + dword, mask }];
  });
}

function writeAndLook(stack: Stack, writer: Writer, place: Place): { effect: WriteEffect; undone: boolean } {
  const { log } = stack.lab;
  const old = present(stack.read(writer, place), 'what the writer reads');
  const start = log.length;
  const errno = stack.write(writer, place, (2 ** (8 * place.width) - 1 - old) >>> 0);
  const end = log.length;
  const cells = changedCells(stack.lab, start);
  const changed: Partial<Record<Holder, number>> = {};
  const besides: string[] = [];
  for (const [cell, was] of cells) {
    const { path, offset } = whereIs(stack.lab, cell);
    const holder = holderOf(stack, path);
    const bits = bitsOf(place, path, offset, was, log.cells[cell] as number);
    if (bits === null) besides.push(`${path}+0x${offset.toString(16)}`);
    else changed[holder] = ((changed[holder] ?? 0) | bits) >>> 0;
  }
  const { path, refusal } = wayOf(stack.lab, start, end);
  const refused = errno === null ? refusal : { layer: 'l1.user' as const, errno };
  const effect = { changed, besides, refused, path, reads: readAll(stack, place) };
  if (cells.size > 0) stack.write(writer, place, old);
  return { effect, undone: [...cells].every(([cell, was]) => log.cells[cell] === was) };
}

/** What the rows of a write say: the spans it went through, and the first system call that failed on the way. */
function wayOf(lab: Lab, start: number, end: number): { path: WriteEffect['path']; refusal: WriteEffect['refused'] } {
  const { log } = lab;
  const path: { layer: LayerId; name: string }[] = [];
  let refusal: WriteEffect['refused'] = null;
  for (let row = start; row < end; row++) {
    const kind = log.kind(row);
    const site = log.sites[kind === Row.END ? log.a(log.a(row) - 1) : log.a(row)];
    if (kind === Row.BEGIN || kind === Row.NOTE) {
      const layer = LAYERS[site?.layer ?? 0]?.id ?? 'lab';
      if (path.at(-1)?.name !== site?.name) path.push({ layer, name: site?.name ?? '' });
    } else if (kind === Row.END && log.b(row) < 0 && refusal === null && site?.cite?.endsWith('(2)'))
      // The caller of a system call of L1 is its VMM.
      refusal = { layer: 'l1.qemu', errno: errnoName(-log.b(row)) };
  }
  return { path, refusal };
}

/** Register cells that differ from what they were at row `start`: cell → value then. */
function changedCells(lab: Lab, start: number): Map<number, number> {
  const { log } = lab;
  const first = new Map<number, number>();
  for (let row = start; row < log.length; row++)
    if (log.kind(row) === Row.SET && !first.has(log.a(row))) first.set(log.a(row), log.b(row));
  for (const [cell, was] of [...first]) if (log.cells[cell] === was) first.delete(cell);
  return first;
}

function whereIs(lab: Lab, cell: number): { readonly path: string; readonly offset: number } {
  for (const { first, count, block } of lab.log.blocks)
    if (block.kind === 'registers' && cell >= first && cell < first + count)
      return { path: block.path, offset: (cell - first) * 4 };
  return { path: '', offset: 0 };
}

function holderOf(stack: Stack, path: string): Holder {
  if (path.startsWith('vfio/')) {
    if (path.endsWith('/vconfig')) return 'vconfig';
    // The later series keeps the body of the DVSEC apart, in the CXL core.
    return path.endsWith('/dvsec') ? 'dvsec-shadow' : 'hdm-shadow';
  }
  if (path.startsWith('hw/l2/')) return 'l1-qemu';
  return stack.device.routes.some((route) => route.block === path) ? 'device' : 'other';
}

/** Does a block keep registers of configuration space, or else of the component block? */
function isConfig(path: string): boolean {
  return /(config|dvsec)$/.test(path);
}

/** Bits of the register at `place` in which a changed cell differs, or null when the cell is another register's. */
function bitsOf(place: Place, path: string, offset: number, was: number, now: number): number | null {
  const block = place.register.offset;
  // Every holder keeps the device's own layout: the offset in the block tells the register.
  const at = block - offset;
  if (isConfig(path) !== (place.space === 'config') || at < 0 || at >= 4) return null;
  const mask = place.width === 4 ? 0xffffffff : (2 ** (8 * place.width) - 1) * 2 ** (8 * at);
  const bits = ((was ^ now) & mask) >>> 0;
  return bits === 0 ? null : bits >>> (8 * at);
}
