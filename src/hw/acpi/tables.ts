import { hi32, lo32 } from '../../base/addr.ts';
import { assert, present } from '../../base/assert.ts';
import { concat, viewOf } from '../../base/bytes.ts';
import { encodeGranularity, encodeWays } from '../../spec/cxl/decode.ts';
import type { CedtDescription, DmarDescription, SratMemory } from './description.ts';

/** Little-endian bytes, appended one field after another. */
export class Bytes {
  private readonly parts: number[] = [];
  u8(...values: number[]): this {
    this.parts.push(...values.map((v) => v & 0xff));
    return this;
  }
  u16(value: number): this {
    return this.u8(value, value >> 8);
  }
  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }
  u64(value: number): this {
    return this.u32(lo32(value)).u32(hi32(value));
  }
  text(value: string, width: number): this {
    for (let n = 0; n < width; n++) this.parts.push(n < value.length ? value.charCodeAt(n) : 0x20);
    return this;
  }
  zero(count: number): this {
    for (let n = 0; n < count; n++) this.parts.push(0);
    return this;
  }
  /** Generic address structure. */
  gas(space: number, width: number, size: number, address: number): this {
    return this.u8(space, width, 0, size).u64(address);
  }
  done(): Uint8Array {
    return Uint8Array.from(this.parts);
  }
}

/** A table with QEMU's header (BOCHS / BXPC); checksum left 0. */
export function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const header = new Bytes()
    .text(signature, 4)
    .u32(36 + body.length)
    .u8(revision, 0)
    .text('BOCHS ', 6)
    .text('BXPC    ', 8)
    .u32(1)
    .text('BXPC', 4)
    .u32(1)
    .done();
  return concat([header, body]);
}

/** Fills the byte that makes all bytes of `bytes` add up to 0. */
export function setChecksum(bytes: Uint8Array, at: number): void {
  bytes[at] = 0;
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes[at] = -sum & 0xff;
}

/** CHBS and CFMWS records (CXL 3.1 9.18.1; QEMU hw/acpi/cxl.c). */
export function cedt(description: CedtDescription): Uint8Array {
  const out = new Bytes();
  for (const { uid, base, size } of description.hostBridges) {
    out.u8(0, 0).u16(32).u32(uid).u32(1).u32(0).u64(base).u64(size);
  }
  for (const window of description.windows) {
    const ways = window.targets.length;
    out
      .u8(1, 0)
      .u16(36 + 4 * ways)
      .u32(0)
      .u64(window.base)
      .u64(window.size)
      .u8(present(encodeWays(ways), `encoding of ${ways} ways`), 0)
      .u16(0)
      .u32(present(encodeGranularity(window.granularity), `encoding of granularity ${window.granularity}`))
      .u16(window.restrictions ?? 0x000f)
      .u16(window.qtgId ?? 0);
    for (const uid of window.targets) out.u32(uid);
  }
  return table('CEDT', 1, out.done());
}

export function mcfg(base: number, startBus: number, endBus: number): Uint8Array {
  return table('MCFG', 1, new Bytes().zero(8).u64(base).u16(0).u8(startBus, endBus).u32(0).done());
}

/** MADT: local APICs, one IOAPIC, the ISA overrides of q35. */
export function madt(cpus: number): Uint8Array {
  const out = new Bytes().u32(0xfee00000).u32(1);
  for (let n = 0; n < cpus; n++) out.u8(0, 8, n, n).u32(1);
  out.u8(1, 12, 0, 0).u32(0xfec00000).u32(0);
  out.u8(2, 10, 0, 0).u32(2).u16(0);
  for (const irq of [5, 9, 10, 11]) out.u8(2, 10, 0, irq).u32(irq).u16(0x0d);
  out.u8(4, 6, 0xff).u16(0).u8(1);
  return table('APIC', 3, out.done());
}

/** FADT revision 3 of q35; FACS and DSDT pointers are offsets until the tables are placed. */
export function fadt(facs: number, dsdt: number): Uint8Array {
  const body = new Bytes()
    .u32(facs)
    .u32(dsdt)
    .u8(1, 0)
    .u16(9)
    .u32(0xb2)
    .u8(2, 3, 0, 0)
    .u32(0x600)
    .u32(0)
    .u32(0x604)
    .u32(0)
    .u32(0)
    .u32(0x608)
    .u32(0x620)
    .u32(0)
    .u8(4, 2, 0, 4, 16, 0, 0, 0)
    .u16(0x0fff)
    .u16(0x0fff)
    .u16(0)
    .u16(0)
    .u8(0, 0, 0, 0, 0x32)
    .u16(2)
    .u8(0)
    .u32(0x000084a5)
    .gas(1, 8, 0, 0xcf9)
    .u8(0x0f)
    .u16(0)
    .u8(0)
    .u64(0)
    .u64(dsdt)
    .gas(1, 0x20, 0, 0x600)
    .gas(0, 0, 0, 0)
    .gas(1, 0x10, 0, 0x604)
    .gas(0, 0, 0, 0)
    .gas(0, 0, 0, 0)
    .gas(1, 0x20, 0, 0x608)
    .gas(1, 0x80, 0, 0x620)
    .gas(0, 0, 0, 0)
    .done();
  const out = table('FACP', 3, body);
  assert(out.length === 244, 'FADT revision 3 is 244 bytes');
  return out;
}

export function facs(): Uint8Array {
  return new Bytes().text('FACS', 4).u32(64).zero(56).done();
}

export function hpet(): Uint8Array {
  return table('HPET', 1, new Bytes().u32(0x8086a201).gas(0, 0, 0, 0xfed00000).u8(0).u16(0).u8(0).done());
}

export function waet(): Uint8Array {
  return table('WAET', 1, new Bytes().u32(2).done());
}

/** SRAT with every CPU and all memory in node 0, as QEMU makes it for `slots=`. */
export function srat(cpus: number, memory: readonly SratMemory[]): Uint8Array {
  const out = new Bytes().u32(1).u64(0);
  for (let n = 0; n < cpus; n++) out.u8(0, 16, 0, n).u32(1).u8(0, 0, 0, 0).u32(0);
  for (const { start, size, hotplug } of memory) {
    out
      .u8(1, 40)
      .u32(0)
      .u16(0)
      .u64(start)
      .u64(size)
      .u32(0)
      .u32(size === 0 ? 0 : hotplug ? 3 : 1)
      .u64(0);
  }
  return table('SRAT', 1, out.done());
}

/** DMAR with one unit that takes everything (VT-d 4.0 §8; QEMU build_dmar_q35). */
export function dmar(description: DmarDescription): Uint8Array {
  const { base, addressWidth, interruptRemapping, deviceIotlb, ioapic } = description;
  const out = new Bytes().u8(addressWidth - 1, interruptRemapping ? 1 : 0).zero(10);
  out
    .u16(0)
    .u16(16 + 8)
    .u8(1, 0)
    .u16(0)
    .u64(base)
    .u8(3, 8)
    .u16(0)
    .u8(ioapic.id, ioapic.bus, ioapic.slot, ioapic.fn);
  if (deviceIotlb) out.u16(2).u16(8).u8(1, 0).u16(0);
  return table('DMAR', 1, out.done());
}

export function rsdt(pointers: readonly number[]): Uint8Array {
  const out = new Bytes();
  for (const pointer of pointers) out.u32(pointer);
  return table('RSDT', 1, out.done());
}

/** RSDP revision 0, 20 bytes, checksum left 0. */
export function rsdp(rsdtAddress: number): Uint8Array {
  return new Bytes().text('RSD PTR ', 8).u8(0).text('BOCHS ', 6).u8(0).u32(rsdtAddress).done();
}

/** Reads a little-endian pointer of 4 or 8 bytes. */
export function pointerAt(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getUint32(at, true);
}
