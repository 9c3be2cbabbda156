/** SeaBIOS src/fw/romfile_loader.c: runs QEMU's `etc/table-loader` script (128-byte entries). Left out: WRITE_POINTER (needs fw_cfg DMA). */
import { alignDown } from '../../base/addr.ts';
import { assert, present } from '../../base/assert.ts';
import { text, viewOf } from '../../base/bytes.ts';
import type { CpuBus } from '../bus/cpu-bus.ts';
import type { FwCfg } from './fw-cfg.ts';

const ALLOCATE = 1;
const ADD_POINTER = 2;
const ADD_CHECKSUM = 3;
const ZONE_FSEG = 2;

/** Memory firmware hands out from its top downwards. */
export class Zone {
  constructor(
    private readonly bottom: number,
    public top: number,
  ) {}
  allocate(size: number, align: number): number {
    const at = alignDown(this.top - size, Math.max(align, 16));
    assert(at >= this.bottom, 'firmware: out of memory for tables');
    this.top = at;
    return at;
  }
}

/** Addresses of the files it placed. */
export function romfile_loader_execute(
  bus: CpuBus,
  cfg: FwCfg,
  zones: { readonly high: Zone; readonly fseg: Zone },
): ReadonlyMap<string, number> {
  const placed = new Map<string, number>();
  const script = cfg.file('etc/table-loader');
  if (!script) return placed;
  const view = viewOf(script);
  const name = (at: number) => {
    const bytes = script.subarray(at, at + 56);
    const end = bytes.indexOf(0);
    return text(bytes.subarray(0, end < 0 ? 56 : end));
  };
  const where = (file: string) => present(placed.get(file), `table-loader: file ${file} not allocated`);
  for (let at = 0; at + 128 <= script.length; at += 128) {
    const command = view.getUint32(at, true);
    if (command === ALLOCATE) {
      const file = name(at + 4);
      const bytes = present(cfg.file(file), `fw_cfg file ${file}`);
      const zone = script[at + 64] === ZONE_FSEG ? zones.fseg : zones.high;
      const addr = zone.allocate(bytes.length, view.getUint32(at + 60, true));
      bus.copyTo(addr, bytes);
      placed.set(file, addr);
    } else if (command === ADD_POINTER) {
      const addr = where(name(at + 4)) + view.getUint32(at + 116, true);
      const source = where(name(at + 60));
      const size = script[at + 120];
      assert(size === 4 || size === 8 || size === 2 || size === 1, 'table-loader: pointer size');
      if (size === 8) {
        const lo = bus.load(addr, 8);
        const sum = bus.hi * 2 ** 32 + lo + source;
        bus.store(addr, 8, sum % 2 ** 32, Math.floor(sum / 2 ** 32));
      } else bus.store(addr, size, (bus.load(addr, size) + source) % 2 ** (8 * size));
    } else if (command === ADD_CHECKSUM) {
      const base = where(name(at + 4));
      const bytes = new Uint8Array(view.getUint32(at + 68, true));
      bus.copyFrom(base + view.getUint32(at + 64, true), bytes);
      let sum = 0;
      for (const byte of bytes) sum = (sum + byte) & 0xff;
      const cell = base + view.getUint32(at + 60, true);
      bus.store(cell, 1, (bus.load(cell, 1) - sum) & 0xff);
    }
  }
  return placed;
}
