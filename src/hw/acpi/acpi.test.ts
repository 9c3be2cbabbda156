import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { viewOf } from '../../base/bytes.ts';
import { cxlCrs, cxlm, cxlOsc } from './dsdt.ts';
import { type AcpiDescription, buildTables, freeRanges, placeTables } from './index.ts';

const golden = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}.bin`, import.meta.url)));

const A: AcpiDescription = {
  cpus: 2,
  mcfg: { base: 0xb0000000, startBus: 0, endBus: 255 },
  pci0: {
    firstBus: 0,
    lastBus: 11,
    io: [
      { start: 0, end: 0xcf7 },
      { start: 0xd00, end: 0xffff },
    ],
    memory: [
      { start: 0x80000000, end: 0xafffffff },
      { start: 0xc0000000, end: 0xfe7fffff },
    ],
    memory64: [
      { start: 0x5c0000000, end: 0xbfffffffff },
      { start: 0xc000010000, end: 0xc03fffffff },
    ],
  },
  cxlRoots: [
    {
      uid: 12,
      firstBus: 12,
      lastBus: 13,
      io: [],
      memory: [{ start: 0xfe800000, end: 0xfe9fffff }],
      memory64: [
        { start: 0xc000000000, end: 0xc00000ffff },
        { start: 0xc040000000, end: 0xc05fffffff },
      ],
    },
  ],
  cedt: {
    hostBridges: [{ uid: 12, base: 0x480000000, size: 0x10000 }],
    windows: [{ base: 0x490000000, size: 0x100000000, granularity: 256, targets: [12] }],
  },
  srat: [
    { start: 0, size: 0xa0000 },
    { start: 0x100000, size: 0x7ff00000 },
    { start: 0x100000000, size: 0x80000000 },
    { start: 0x180000000, size: 0x300000000, hotplug: true },
  ],
  slots: [8],
  serialPorts: [1],
};

test('tables placed where SeaBIOS placed them are byte for byte those of capture A', () => {
  const built = buildTables(A);
  const { tables } = placeTables(built, 0x7ffe0000, 0xf52a0);
  for (const name of ['FACP', 'FACS', 'APIC', 'HPET', 'SRAT', 'MCFG', 'CEDT', 'WAET']) {
    const { offset, size } = built.offsets.get(name) ?? { offset: 0, size: 0 };
    expect([name, tables.slice(offset, offset + size)]).toEqual([name, golden(name)]);
  }
});

test('every checksum is 0 and the root pointers lead to every table', () => {
  const built = buildTables({
    ...A,
    dmar: {
      base: 0xfed90000,
      addressWidth: 39,
      interruptRemapping: true,
      ioapic: { id: 0, bus: 0xff, slot: 0, fn: 0 },
    },
  });
  const { tables, rsdp } = placeTables(built, 0x7ffe0000, 0xf52a0);
  const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
  expect(sum(rsdp)).toBe(0);
  const root = viewOf(rsdp).getUint32(16, true) - 0x7ffe0000;
  expect(root).toBe(built.offsets.get('RSDT')?.offset);
  const view = viewOf(tables);
  const found: string[] = [];
  for (let at = root + 36; at < root + view.getUint32(root + 4, true); at += 4) {
    const table = view.getUint32(at, true) - 0x7ffe0000;
    const bytes = tables.subarray(table, table + view.getUint32(table + 4, true));
    expect(sum(bytes)).toBe(0);
    found.push(String.fromCharCode(...bytes.subarray(0, 4)));
  }
  expect(found).toEqual(['FACP', 'APIC', 'HPET', 'SRAT', 'MCFG', 'DMAR', 'CEDT', 'WAET']);
  const dsdt = built.offsets.get('DSDT') ?? { offset: 0, size: 0 };
  expect(sum(tables.subarray(dsdt.offset, dsdt.offset + dsdt.size))).toBe(0);
});

test('AML of the host bridge and of the CXL root is the AML QEMU wrote', () => {
  const dsdt = golden('DSDT');
  const contains = (part: Uint8Array) => {
    for (let at = 0; at + part.length <= dsdt.length; at++) {
      let n = 0;
      while (n < part.length && dsdt[at + n] === part[n]) n++;
      if (n === part.length) return true;
    }
    return false;
  };
  expect(contains(cxlOsc())).toBe(true);
  expect(contains(cxlm())).toBe(true);
  const root = A.cxlRoots[0];
  expect(root && contains(cxlCrs(root))).toBe(true);
});

test('free ranges are what the expanders left', () => {
  expect(freeRanges([{ start: 0xfe800000, end: 0xfe9fffff }], 0xc0000000, 0xfebfffff)).toEqual([
    { start: 0xc0000000, end: 0xfe7fffff },
    { start: 0xfea00000, end: 0xfebfffff },
  ]);
});
