/**
 * One counter for "some mapping, somewhere, changed" (memory slots, VMAs, regions). Every translation cache in the lab
 * compares it with the value it was filled under; bumping it is the only invalidation there is.
 */
export class MapEpoch {
  value = 1;
  bump(): void {
    this.value++;
  }
}
