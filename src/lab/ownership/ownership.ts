/**
 * Who owns each register: found out by writing it from every layer that can and looking where the write went and who sees it. Nothing
 * here knows the answer beforehand.
 */
import { Row } from '../../log/index.ts';
import type { Lab } from '../lab.ts';
import { type Place, READERS, type Reader, Stack, WRITERS, type Writer } from './layers.ts';

/** Where a register cell lives. */
export type Holder = 'device' | 'vconfig' | 'dvsec-shadow' | 'hdm-shadow' | 'l1-qemu' | 'other';

export interface WriteEffect {
  /** Bits that changed, by holder, of this register. */
  readonly changed: Readonly<Partial<Record<Holder, number>>>;
  /** Other register cells the write changed, `block+0xoffset`. */
  readonly besides: readonly string[];
  /** What each layer reads afterwards. */
  readonly reads: Readonly<Record<Reader, number>>;
}

export interface OwnershipRow {
  readonly name: string;
  readonly block: string;
  readonly space: Place['space'];
  readonly offset: number;
  readonly width: Place['width'];
  /** What each layer reads before anybody writes. */
  readonly before: Readonly<Record<Reader, number>>;
  /** The value written: every bit inverted from what the writer reads. */
  readonly writes: Readonly<Record<Writer, WriteEffect>>;
  /** For L2: who decides what it reads. */
  readonly owner: 'device' | 'vconfig' | 'dvsec-shadow' | 'hdm-shadow' | 'l1-qemu' | 'read-only';
}

/** Gives a lab whose L2 runs with the device passed through; asked for again whenever a write could not be undone. */
export type MakeLab = () => Promise<Lab>;

/** Every register of the CXL DVSECs and the component block, one row each, as they are found out. */
export async function* ownership(makeLab: MakeLab): AsyncGenerator<OwnershipRow> {
  let stack = new Stack(await makeLab());
  const { places } = stack;
  for (let n = 0; n < places.length; n++) {
    const before = readAll(stack, stack.places[n] as Place);
    const writes: Partial<Record<Writer, WriteEffect>> = {};
    for (const writer of WRITERS) {
      const probe = writeAndLook(stack, writer, stack.places[n] as Place);
      writes[writer] = probe.effect;
      if (!probe.undone) {
        stack.lab.stop();
        stack = new Stack(await makeLab());
      }
    }
    const place = stack.places[n] as Place;
    const all = writes as Record<Writer, WriteEffect>;
    yield {
      name: place.register.name,
      block: place.register.block.id,
      space: place.space,
      offset: place.offset,
      width: place.width,
      before,
      writes: all,
      owner: ownerOf(before, all),
    };
  }
  stack.lab.stop();
}

function ownerOf(before: OwnershipRow['before'], writes: OwnershipRow['writes']): OwnershipRow['owner'] {
  const { changed } = writes.l2;
  const below = writes['l1.user'];
  // The VMM's descriptor reads something else now, and L2 still reads what it read: the VMM answers from its own copy.
  if (below.reads['l1.user'] !== before['l1.user'] && below.reads.l2 === before.l2) return 'l1-qemu';
  if (changed['hdm-shadow'] !== undefined) return 'hdm-shadow';
  if (changed['dvsec-shadow'] !== undefined) return 'dvsec-shadow';
  if (changed.vconfig !== undefined) return 'vconfig';
  if (changed['l1-qemu'] !== undefined) return 'l1-qemu';
  return changed.device === undefined ? 'read-only' : 'device';
}

function readAll(stack: Stack, place: Place): Record<Reader, number> {
  const out: Partial<Record<Reader, number>> = {};
  for (const reader of READERS) out[reader] = stack.read(reader, place);
  return out as Record<Reader, number>;
}

function writeAndLook(stack: Stack, writer: Writer, place: Place): { effect: WriteEffect; undone: boolean } {
  const { log } = stack.lab;
  const old = stack.read(writer, place);
  const start = log.length;
  stack.write(writer, place, (2 ** (8 * place.width) - 1 - old) >>> 0);
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
  const effect = { changed, besides, reads: readAll(stack, place) };
  if (cells.size > 0) stack.write(writer, place, old);
  return { effect, undone: [...cells].every(([cell, was]) => log.cells[cell] === was) };
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

/** Bits of the register at `place` in which a changed cell differs, or null when the cell is another register's. */
function bitsOf(place: Place, path: string, offset: number, was: number, now: number): number | null {
  const block = place.register.offset;
  // Every holder keeps the device's own layout: the offset in the block tells the register.
  const at = block - offset;
  const config = /(config|dvsec)$/.test(path);
  const sameSpace = place.space === 'config' ? config : !config;
  if (!sameSpace || at < 0 || at >= 4) return null;
  const mask = place.width === 4 ? 0xffffffff : (2 ** (8 * place.width) - 1) * 2 ** (8 * at);
  const bits = ((was ^ now) & mask) >>> 0;
  return bits === 0 ? null : bits >>> (8 * at);
}
