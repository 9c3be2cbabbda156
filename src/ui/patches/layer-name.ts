import type { Where } from '../../protocol/ladder.ts';

/** A layer as the page writes it: `l1 kernel` is L1's kernel. */
export function layerName(layer: Where): string {
  return layer
    .replace(/^l([12]) /, 'L$1’s ')
    .replace(/^host /, 'the host’s ')
    .replace('qemu', 'QEMU');
}
