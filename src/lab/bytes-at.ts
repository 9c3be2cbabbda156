import type { RamRef } from '../hw/bus/cpu-bus.ts';
import { ramAt } from '../hw/memory/sparse-ram.ts';
import type { BytesSpace } from '../protocol/client.ts';
import type { Lab } from './lab.ts';

/** Bytes of a memory object, or of a machine's physical address space, as they were at log row `cursor`. */
export function bytesAt(
  lab: Lab,
  space: BytesSpace,
  offset: number,
  length: number,
  cursor: number,
): Uint8Array | null {
  if ('ram' in space) {
    const { ram } = lab.physical;
    return space.ram === ram.id ? ramAt(lab.log, ram.cell, offset, length, cursor, ram) : null;
  }
  const kernel = lab.machines.get(space.machine);
  if (!kernel) return null;
  const where: RamRef = { ram: null, offset: 0, limit: 0 };
  if (kernel.cpu.bus.resolve(offset, where) && where.ram !== null && where.limit >= length) {
    return bytesAt(lab, { ram: where.ram.id }, where.offset, length, cursor);
  }
  return kernel.cpu.bus.peek(offset, length);
}
