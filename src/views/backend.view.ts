import { dpaToHpa } from '../state/decode.ts';
import { functionOf, publishedAs } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import type { VmasState } from '../state/schema.ts';

/** A device's memory as the host holds it: the mapping of the backend in its VMM, in pieces of host physical memory. */
export interface Backend {
  readonly id: string;
  readonly size: number;
  readonly pieces: readonly { readonly offset: number; readonly phys: number; readonly size: number }[];
}

export function backendOf(reader: StateReader, id: string): Backend | null {
  const backend = functionOf(reader, 'l1', id)?.backend;
  if (!backend) return null;
  for (const path of reader.objectPaths('vma/host/')) {
    const vma = publishedAs<VmasState>(reader.object(path))?.vmas.find((one) => one.name === backend.id);
    if (!vma) continue;
    let offset = 0;
    const pieces = vma.extents.map(({ phys, size }) => {
      const piece = { offset, phys, size };
      offset += size;
      return piece;
    });
    return { ...backend, pieces };
  }
  return { ...backend, pieces: [] };
}

/** Where [offset, offset + length) lies in host memory, if it lies in one piece. */
export function hostPhysOf(backend: Backend, offset: number, length: number): number | null {
  const piece = backend.pieces.find((one) => offset >= one.offset && offset + length <= one.offset + one.size);
  return piece ? piece.phys + (offset - piece.offset) : null;
}

/** L1's address of an offset of a device's memory, if a committed decoder leads there. */
export function hpaOf(reader: StateReader, id: string, offset: number): number | null {
  const fn = functionOf(reader, 'l1', id);
  return fn ? (dpaToHpa(reader, 'l1', fn, offset)?.hpa ?? null) : null;
}
