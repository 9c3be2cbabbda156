/** A memory object whose touched pages can be walked in address order. */
export interface RamPages {
  readonly id: string;
  forEachPage(visit: (index: number, bytes: Uint8Array) => void): void;
}
