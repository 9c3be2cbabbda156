import { type Addr, alignUp, GiB, hi32, lo32, MiB } from '../../../../base/addr.ts';
import { utf8, viewOf } from '../../../../base/bytes.ts';

/** The mock platform's CEDT (tools/testing/cxl/test/cxl.c, v6.12): bridges, windows, XOR maps, as bytes. */

export const FAKE_QTG_ID = 42;
const SZ_256M = 256 * MiB;
/** Bits of a physical address, QEMU's default CPU (ledger: firmware-physbits). */
const PHYS_BITS = 40;

/** gen_pool of 2 MiB chunks in the highest 64 GiB of the physical address space; first fit, nothing is ever given back. */
export class MockPool {
  private next = 2 ** PHYS_BITS - 64 * GiB;
  private readonly end = 2 ** PHYS_BITS;

  alloc(size: number, align: number): Addr | null {
    const start = alignUp(this.next, Math.max(align, 2 * MiB));
    if (start + size > this.end) return null;
    this.next = alignUp(start + size, 2 * MiB);
    return start;
  }
}

interface Window {
  readonly arithmetic: 0 | 1;
  readonly eniw: number;
  readonly hbig: number;
  readonly volatile: boolean;
  readonly size: number;
  readonly targets: readonly number[];
}

const RAM = true;
const PMEM = false;
const window = (
  arithmetic: 0 | 1,
  eniw: number,
  hbig: number,
  volatile: boolean,
  size: number,
  targets: readonly number[],
): Window => ({ arithmetic, eniw, hbig, volatile, size, targets });

const MODULO_WINDOWS: readonly Window[] = [
  window(0, 0, 4, RAM, 4 * SZ_256M, [0]),
  window(0, 1, 4, RAM, 8 * SZ_256M, [0, 1]),
  window(0, 0, 4, PMEM, 4 * SZ_256M, [0]),
  window(0, 1, 4, PMEM, 8 * SZ_256M, [0, 1]),
  window(0, 0, 4, PMEM, 4 * SZ_256M, [2]),
  window(0, 0, 4, RAM, SZ_256M, [3]),
];
const XOR_WINDOWS: readonly Window[] = [
  window(1, 0, 4, PMEM, 8 * SZ_256M, [0]),
  window(1, 1, 0, PMEM, 8 * SZ_256M, [0, 1]),
  window(1, 8, 1, PMEM, 12 * SZ_256M, [0, 1, 2]),
];
const XORMAPS = [0x404100, 0x808200] as const;
/** CXL version of each host bridge: the last one is restricted. */
const CHBS_VERSIONS = [1, 1, 1, 0] as const;

function record(type: number, length: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint8(0, type);
  view.setUint16(2, length, true);
  return { bytes, view };
}
function quad(view: DataView, at: number, value: number): void {
  view.setUint32(at, lo32(value), true);
  view.setUint32(at + 4, hi32(value), true);
}

function chbs(uid: number, version: number, base: Addr, length: number): Uint8Array {
  const { bytes, view } = record(0, 32);
  view.setUint32(4, uid, true);
  view.setUint32(8, version, true);
  quad(view, 16, base);
  quad(view, 24, length);
  return bytes;
}

function cfmws(base: Addr, one: Window): Uint8Array {
  const { bytes, view } = record(1, 36 + 4 * one.targets.length);
  quad(view, 8, base);
  quad(view, 16, one.size);
  view.setUint8(24, one.eniw);
  view.setUint8(25, one.arithmetic);
  view.setUint32(28, one.hbig, true);
  // host-only coherent, and volatile or persistent
  view.setUint16(32, 0x2 | (one.volatile ? 0x4 : 0x8), true);
  view.setUint16(34, FAKE_QTG_ID, true);
  one.targets.forEach((uid, n) => {
    view.setUint32(36 + 4 * n, uid, true);
  });
  return bytes;
}

function cxims(hbig: number, maps: readonly number[]): Uint8Array {
  const { bytes, view } = record(2, 8 + 8 * maps.length);
  view.setUint8(6, hbig);
  view.setUint8(7, maps.length);
  maps.forEach((map, n) => {
    quad(view, 8 + 8 * n, map);
  });
  return bytes;
}

/**
 * populate_cedt: the table, and the base of modulo window 0, in which firmware's region lies; null when the pool has no
 * room. With the XOR windows that base stays 0, so the decoders found committed are in no window at all.
 */
export function populate_cedt(pool: MockPool, xor: boolean): { table: Uint8Array; window0: Addr } | null {
  const records: Uint8Array[] = [];
  for (const [uid, version] of CHBS_VERSIONS.entries()) {
    const length = version === 1 ? 0x10000 : 0x2000;
    const base = pool.alloc(length, length);
    if (base === null) return null;
    records.push(chbs(uid, version, base, length));
  }
  let window0: Addr = 0;
  for (const [n, one] of (xor ? XOR_WINDOWS : MODULO_WINDOWS).entries()) {
    const base = pool.alloc(one.size, SZ_256M);
    if (base === null) return null;
    if (!xor && n === 0) window0 = base;
    records.push(cfmws(base, one));
  }
  records.push(cxims(0, XORMAPS));
  const length = 36 + records.reduce((sum, part) => sum + part.length, 0);
  const table = new Uint8Array(length);
  table.set(utf8('CEDT'));
  viewOf(table).setUint32(4, length, true);
  table[8] = 1;
  let at = 36;
  for (const part of records) {
    table.set(part, at);
    at += part.length;
  }
  return { table, window0 };
}
