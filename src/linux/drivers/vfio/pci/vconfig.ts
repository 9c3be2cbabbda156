import type { Width } from '../../../../base/addr.ts';
import type { CellId, EventLog } from '../../../../log/index.ts';

/** Bytes kept as register cells of the event log: vfio's emulated config space and the HDM shadow. Little endian. */
export class ShadowBytes {
  private readonly first: CellId;

  constructor(
    private readonly log: EventLog,
    path: string,
    layout: string,
    readonly size: number,
    /** Offset of the first byte kept. */
    origin = 0,
  ) {
    this.first = log.registerCells(path, layout, size / 4) - origin / 4;
  }

  /** An access of 1, 2 or 4 bytes within one dword. */
  read(offset: number, width: Width): number {
    const dword = this.log.cells[this.first + (offset >>> 2)] as number;
    if (width >= 4) return dword;
    const value = dword >>> ((offset & 3) * 8);
    return width === 1 ? value & 0xff : value & 0xffff;
  }
  write(offset: number, width: Width, value: number): void {
    const cell = this.first + (offset >>> 2);
    if (width >= 4) {
      this.log.set(cell, value >>> 0);
      return;
    }
    const shift = (offset & 3) * 8;
    const mask = (width === 1 ? 0xff : 0xffff) << shift;
    const before = this.log.cells[cell] as number;
    this.log.set(cell, ((before & ~mask) | ((value << shift) & mask)) >>> 0);
  }
}
