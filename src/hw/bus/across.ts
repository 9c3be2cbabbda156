import type { Addr, Width } from '../../base/addr.ts';

/** Accesses that cross into the next page, byte by byte. Ours: stands for what a CPU splits such an access into. */
interface Port {
  /** High half of the last 8-byte load. */
  hi: number;
  load(addr: Addr, width: Width): number;
  store(addr: Addr, width: Width, lo: number, hi: number): void;
}

export function load_across(port: Port, addr: Addr, width: Width): number {
  let lo = 0;
  let hi = 0;
  for (let n = width - 1; n >= 0; n--) {
    const byte = port.load(addr + n, 1);
    if (n < 4) lo = lo * 256 + byte;
    else hi = hi * 256 + byte;
  }
  port.hi = hi;
  return lo;
}

export function store_across(port: Port, addr: Addr, width: Width, lo: number, hi: number): void {
  for (let n = 0; n < width; n++) port.store(addr + n, 1, n < 4 ? lo >>> (8 * n) : hi >>> (8 * (n - 4)), 0);
}
