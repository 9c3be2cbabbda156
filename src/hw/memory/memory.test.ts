import { expect, test } from 'vitest';
import { EventLog, Row } from '../../log/index.ts';
import { AddressSpace } from './address-space.ts';
import type { HostMemory, MemoryRegionOps } from './api.ts';
import { MemoryCore, UINT64_SIZE } from './memory.ts';

function host(size = 1 << 20): HostMemory & { bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    hi: 0,
    load(addr, width) {
      this.hi = width === 8 ? view.getUint32(addr + 4, true) : 0;
      return width === 1
        ? (bytes[addr] as number)
        : width === 2
          ? view.getUint16(addr, true)
          : view.getUint32(addr, true);
    },
    store(addr, width, lo, hi = 0) {
      for (let n = 0; n < width; n++) bytes[addr + n] = n < 4 ? lo >>> (8 * n) : hi >>> (8 * (n - 4));
    },
    read: (addr, into) => into.set(bytes.subarray(addr, addr + into.length)),
    write: (addr, from) => bytes.set(from, addr),
  };
}

const layout = (space: AddressSpace) =>
  space.flatview.map((r) => `${r.start.toString(16)}-${(r.start + r.size - 1).toString(16)} ${r.kind} ${r.name}`);

function machine() {
  const log = new EventLog();
  const core = new MemoryCore({ log, layer: 8 });
  const system = core.memory_region_init('system', UINT64_SIZE);
  return { log, core, system, space: new AddressSpace(core, 'memory', system) };
}

test('aliases, priorities and overlaps flatten as in golden A', () => {
  const { core, system, space } = machine();
  const ram = core.memory_region_init_ram('pc.ram', 2 ** 32, host(), 0);
  const below = core.memory_region_init_alias('ram-below-4g', ram, 0, 0x80000000);
  const above = core.memory_region_init_alias('ram-above-4g', ram, 0x80000000, 0x80000000);
  const pci = core.memory_region_init('pci', UINT64_SIZE);
  const ops: MemoryRegionOps = { hi: 0, read: () => 0, write: () => {} };
  const mmcfg = core.memory_region_init_io(ops, 'pcie-mmcfg-mmio', 0x10000000);
  const pamRom = core.memory_region_init_alias('pam-rom', ram, 0xf0000, 0x10000);
  core.memory_region_set_readonly(pamRom, true);
  const bar = core.memory_region_init('cxl-rp', 0x10000);
  core.memory_region_add_subregion(bar, 0, core.memory_region_init_io(ops, '.io', 0x1000));
  core.memory_region_add_subregion(bar, 0x1000, core.memory_region_init_io(ops, '.cache_mem', 0x1000));
  core.memory_region_transaction_begin();
  core.memory_region_add_subregion(system, 0, below);
  core.memory_region_add_subregion_overlap(system, 0, pci, -1);
  core.memory_region_add_subregion_overlap(system, 0xf0000, pamRom, 1);
  core.memory_region_add_subregion(system, 0xb0000000, mmcfg);
  core.memory_region_add_subregion(system, 0x1_0000_0000, above);
  core.memory_region_add_subregion_overlap(pci, 0xc0_0000_0000, bar, 1);
  expect(space.flatview).toEqual([]);
  core.memory_region_transaction_commit();
  expect(layout(space)).toEqual([
    '0-effff ram pc.ram',
    'f0000-fffff rom pc.ram',
    '100000-7fffffff ram pc.ram',
    'b0000000-bfffffff io pcie-mmcfg-mmio',
    '100000000-17fffffff ram pc.ram',
    'c000000000-c000000fff io .io',
    'c000001000-c000001fff io .cache_mem',
  ]);
  expect(space.flatview[4]?.hva).toBe(0x80000000);
  core.memory_region_set_enabled(pamRom, false);
  expect(layout(space)[0]).toBe('0-7fffffff ram pc.ram');
});

test('a listener hears deletions before additions and nothing about what stays', () => {
  const { core, system, space } = machine();
  const heard: string[] = [];
  const ram = core.memory_region_init_ram('r', 0x4000, host(), 0x1000);
  core.memory_region_add_subregion(system, 0, ram);
  space.memory_listener_register({
    name: 'kvm',
    region_add: (s) => heard.push(`add ${s.start.toString(16)}+${s.size.toString(16)}@${s.hva?.toString(16)}`),
    region_del: (s) => heard.push(`del ${s.start.toString(16)}+${s.size.toString(16)}`),
  });
  const hole = core.memory_region_init_io({ hi: 0, read: () => 0, write: () => {} }, 'hole', 0x1000);
  core.memory_region_add_subregion_overlap(system, 0x1000, hole, 1);
  expect(heard).toEqual([
    'add 0+4000@1000',
    'del 0+4000',
    'add 0+1000@1000',
    'add 1000+1000@undefined',
    'add 2000+2000@3000',
  ]);
});

test('accesses are split and widened to what the device takes', () => {
  const { core, system, space } = machine();
  const calls: string[] = [];
  const ops: MemoryRegionOps = {
    hi: 0,
    read: (offset, width) => {
      calls.push(`r${width}@${offset}`);
      return 0x11223344;
    },
    write: (offset, width, lo) => calls.push(`w${width}@${offset}=${lo.toString(16)}`) as unknown as undefined,
    valid: { min: 1, max: 8 },
    impl: { min: 4, max: 4 },
  };
  core.memory_region_add_subregion(system, 0x1000, core.memory_region_init_io(ops, 'dev', 0x100));
  expect(space.load(0x1000, 8)).toBe(0x11223344);
  expect(space.hi).toBe(0x11223344);
  expect(space.load(0x1010, 1)).toBe(0x44);
  space.store(0x1020, 8, 0xaabbccdd, 0x01020304);
  expect(calls).toEqual(['r4@0', 'r4@4', 'r4@16', 'w4@32=aabbccdd', 'w4@36=1020304']);
});

test('an access across two ranges is split, and nobody’s bytes read zero with a note', () => {
  const { log, core, system, space } = machine();
  const memory = host();
  memory.bytes.fill(0xab, 0, 0x1000);
  core.memory_region_add_subregion(system, 0, core.memory_region_init_ram('r', 0x1000, memory, 0));
  expect(space.load(0xffe, 4)).toBe(0xabab);
  expect(log.kind(log.length - 1)).toBe(Row.NOTE);
  expect(space.load(0x5000, 8)).toBe(0);
  space.store(0xffc, 8, 1, 2);
  expect([...memory.bytes.subarray(0xffc, 0x1001)]).toEqual([1, 0, 0, 0, 0]);
  expect(space.peek(0xffe, 4)).toEqual(new Uint8Array(4));
});
