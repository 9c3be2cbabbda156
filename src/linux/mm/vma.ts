/** struct vm_area_struct as far as the lab maps things: anonymous memory by extents, files by faults. */
import { type Addr, alignUp, type Hva, PAGE_SIZE } from '../../base/addr.ts';
import type { VmasState } from '../../state/schema.ts';
import type { File, VmArea } from '../include/fs.ts';
import type { Process } from '../include/tasks.ts';
import { type Extent, GRANULE } from './page-alloc.ts';

export class Vma implements VmArea {
  fault: ((offset: number) => number) | null = null;
  linear: Addr | null = null;
  close: (() => void) | null = null;
  label: VmArea['label'] = { kind: 'anon', name: '' };
  /** Anonymous memory, in order. */
  extents: readonly Extent[] = [];
  /** The memory belongs to a file and stays when the mapping goes. */
  shared = false;
  /** Granules of an anonymous mapping that were touched (first touch clears what a former owner left). */
  readonly touched = new Set<number>();
  /** Faulted-in pages of a file mapping: byte offset → physical address. */
  readonly pages = new Map<number, Addr>();

  constructor(
    readonly process: Process,
    readonly start: Hva,
    readonly length: number,
    readonly prot: number,
    readonly flags: number,
    readonly file: File | null,
    readonly offset: number,
  ) {}

  get end(): Hva {
    return this.start + alignUp(this.length, PAGE_SIZE);
  }

  map_pages(extents: readonly Extent[], shared: boolean): void {
    this.extents = extents;
    this.shared = shared;
  }

  /** Physical address of an offset of an anonymous mapping, with the bytes left in its extent in `left`. */
  left = 0;
  physAt(offset: number): Addr {
    let at = 0;
    for (const extent of this.extents) {
      if (offset < at + extent.size) {
        this.left = at + extent.size - offset;
        return extent.phys + (offset - at);
      }
      at += extent.size;
    }
    this.left = 0;
    return -1;
  }

  /** Physical runs for the published state. */
  runs(): Extent[] {
    if (this.fault === null) {
      // The last granule may reach beyond the mapping.
      let left = alignUp(this.length, PAGE_SIZE);
      const out: Extent[] = [];
      for (const { phys, size } of this.extents) {
        out.push({ phys, size: Math.min(size, left) });
        left -= size;
        if (left <= 0) break;
      }
      return out;
    }
    if (this.linear !== null) return [{ phys: this.linear, size: alignUp(this.length, PAGE_SIZE) }];
    const out: { phys: Addr; size: number }[] = [];
    for (const [, phys] of [...this.pages].sort((a, b) => a[0] - b[0])) {
      const last = out.at(-1);
      if (last && last.phys + last.size === phys) last.size += PAGE_SIZE;
      else out.push({ phys, size: PAGE_SIZE });
    }
    return out;
  }

  state(): VmasState['vmas'][number] {
    const { kind, name } = this.label;
    return { start: this.start, size: this.length, kind, name, extents: this.runs() };
  }

  static granuleOf(phys: Addr): Addr {
    return phys - (phys % GRANULE);
  }
}
