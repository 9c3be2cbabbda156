/** mm/filemap.c and mm/shmem.c as far as a mapped tmpfs file needs them: its pages, in System RAM from the first mmap on. */
import type { Kernel } from '../include/kernel.ts';
import { type Extent, GRANULE, type PageAllocator } from './page-alloc.ts';

const CLEAR = new Uint8Array(64 * 1024);

/** Zeroes a granule that somebody else has used. */
export function clear_granule(kernel: Kernel, granule: number): void {
  for (let at = 0; at < GRANULE; at += CLEAR.length) kernel.cpu.bus.copyTo(granule + at, CLEAR);
}

/** The pages of one file. Reads, writes and mappings all meet here. */
export class FilePages {
  constructor(
    private readonly kernel: Kernel,
    private readonly allocator: PageAllocator,
    readonly extents: readonly Extent[],
  ) {}

  get size(): number {
    return this.extents.reduce((sum, extent) => sum + extent.size, 0);
  }

  read(offset: number, into: Uint8Array): void {
    this.each(offset, into.length, (phys, at, length) =>
      this.kernel.cpu.bus.copyFrom(phys, into.subarray(at, at + length)),
    );
  }
  write(offset: number, from: Uint8Array): void {
    this.each(offset, from.length, (phys, at, length) =>
      this.kernel.cpu.bus.copyTo(phys, from.subarray(at, at + length)),
    );
  }

  /** Runs from `offset` of the file on, `length` bytes. */
  from(offset: number, length: number): readonly Extent[] {
    const out: Extent[] = [];
    let at = 0;
    for (const { phys, size } of this.extents) {
      const first = Math.max(at, offset);
      const last = Math.min(at + size, offset + length);
      if (first < last) out.push({ phys: phys + (first - at), size: last - first });
      at += size;
    }
    return out;
  }

  private each(offset: number, length: number, run: (phys: number, at: number, length: number) => void): void {
    let at = 0;
    for (const { phys, size } of this.from(offset, length)) {
      for (let done = 0; done < size; ) {
        const here = phys + done;
        const granule = here - (here % GRANULE);
        if (this.allocator.takeDirty(granule)) clear_granule(this.kernel, granule);
        const part = Math.min(size - done, granule + GRANULE - here);
        run(here, at, part);
        done += part;
        at += part;
      }
    }
  }
}
