import { expect, test } from 'vitest';
import { EventLog } from '../../log/index.ts';
import { layout } from '../../spec/layouts.ts';
import { AddressSpace } from '../memory/address-space.ts';
import type { HostMemory } from '../memory/api.ts';
import { MemoryCore } from '../memory/memory.ts';
import { UINT64_SIZE } from '../memory/memory-region.ts';
import { BackedDevice, CxlComponent, type CxlEnv, CxlHostBridge, CxlRootPort, FixedWindow } from './index.ts';

class Heap implements HostMemory {
  hi = 0;
  readonly bytes = new Map<number, number>();
  load(addr: number, width: number): number {
    let lo = 0;
    this.hi = 0;
    for (let n = 0; n < width; n++) {
      const byte = this.bytes.get(addr + n) ?? 0;
      if (n < 4) lo += byte * 2 ** (8 * n);
      else this.hi += byte * 2 ** (8 * (n - 4));
    }
    return lo;
  }
  store(addr: number, width: number, lo: number, hi = 0): void {
    for (let n = 0; n < width; n++)
      this.bytes.set(addr + n, ((n < 4 ? lo >>> (8 * n) : hi >>> (8 * (n - 4))) & 0xff) >>> 0);
  }
  read(addr: number, into: Uint8Array): void {
    for (let n = 0; n < into.length; n++) into[n] = this.bytes.get(addr + n) ?? 0;
  }
  write(addr: number, from: Uint8Array): void {
    for (let n = 0; n < from.length; n++) this.bytes.set(addr + n, from[n] ?? 0);
  }
}

const MiB256 = 0x10000000;

function env() {
  const log = new EventLog();
  const core = new MemoryCore({ log, layer: 0 });
  const cxl: CxlEnv = { log, core, machine: 'l1', layer: 0 };
  return { log, core, cxl, system: core.memory_region_init('system', UINT64_SIZE) };
}

function build(rootPorts: number) {
  const { log, core, cxl, system } = env();
  const heap = new Heap();
  const devices: BackedDevice[] = [];
  const ports = [...Array(rootPorts).keys()].map((n) => {
    const port = new CxlRootPort(
      `rp${n}`,
      n,
      new CxlComponent(cxl, `hw/l1/rp${n}/component`, layout('cxl-rp.component'), 'cxl-rp'),
    );
    const component = new CxlComponent(cxl, `hw/l1/accel${n}/component`, layout('cxl-accel.component'), 'cxl-accel');
    const device = new BackedDevice(`accel${n}`, component, heap, 0x1000000000 * (n + 1), MiB256);
    port.device = device;
    devices.push(device);
    return port;
  });
  const bridge = new CxlHostBridge(cxl, 'cxl.1', 12, ports);
  const window = new FixedWindow(cxl, 0, 0x490000000, 0x100000000, 256, [bridge]);
  core.memory_region_add_subregion(system, 0x490000000, window.memory);
  core.memory_region_add_subregion(system, 0x480000000, bridge.component.memory);
  const memory = new AddressSpace(core, 'memory', system);
  return { log, heap, devices, bridge, window, memory };
}

function program(component: CxlComponent, n: number, base: number, size: number, ctrl: number, targets = 0): void {
  const { registers } = component;
  const at = CxlComponent.decoderOffset(n);
  const write = (offset: number, value: number) => registers.write(at + offset, 4, value >>> 0);
  write(4, Math.floor(base / 2 ** 32));
  write(0, base % 2 ** 32);
  write(12, Math.floor(size / 2 ** 32));
  write(8, size % 2 ** 32);
  write(0x14, targets);
  write(0x10, ctrl);
}

test('registers answer as QEMU’s did in capture A2 (hw-*)', () => {
  const { cxl, core, system } = env();
  const component = new CxlComponent(cxl, 'c', layout('cxl-type3.component'), 'cxl-type3');
  core.memory_region_add_subregion(system, 0xfe800000, component.memory);
  const memory = new AddressSpace(core, 'memory', system);
  const base = 0xfe800000;
  const rw = (offset: number, value: number) => {
    memory.store(base + offset, 4, value);
    return memory.load(base + offset, 4);
  };
  expect(rw(0x112c, 2)).toBe(2);
  expect(rw(0x1138, 0x9fffffff)).toBe(0x90000000);
  expect(rw(0x113c, 4)).toBe(4);
  expect(rw(0x1140, 0x1fffffff)).toBe(0x10000000);
  expect(rw(0x1144, 0xffffffff)).toBe(0xffffffff);
  expect(rw(0x114c, 0xffffffff)).toBe(0xf0000000);
  expect(rw(0x1150, 0xffffffff)).toBe(0xffffffff);
  expect(rw(0x1148, 0xfffffdff)).toBe(0x11ff);
  expect(rw(0x1148, 0x1200)).toBe(0x1600);
  expect(rw(0x1138, 0xa0000000)).toBe(0xa0000000);
  expect(rw(0x1148, 0x1000)).toBe(0x1000);
  expect(rw(0x1168, 0x1200)).toBe(0x1600);
  expect(rw(0x1148, 0x1300)).toBe(0x1700);
  expect(rw(0x1148, 0x1000)).toBe(0x1000);
  expect(rw(0x1188, 0x120f)).toBe(0x160f);
  expect(rw(0x11a8, 0x12f0)).toBe(0x16f0);
  expect(rw(0x1128, 0xffffffff)).toBe(0x1b12);
  expect(rw(0x1000, 0xffffffff)).toBe(0x03110001);
  expect([rw(0x1084, 0xffffffff), rw(0x1088, 0xffffffff), rw(0x108c, 0xffffffff), rw(0x1090, 0xffffffff)]).toEqual([
    0x1cfff, 0x1cfff, 0, 0x7f,
  ]);
  expect([memory.load(base, 4), memory.load(base + 0x2000, 4), memory.load(base + 0xf000, 4)]).toEqual([0, 0, 0]);
  expect([
    memory.load(base + 0x1000, 8),
    memory.hi,
    memory.load(base + 0x1000, 2),
    memory.load(base + 0x1001, 1),
  ]).toEqual([0, 0, 0, 0]);
});

test('component blocks read as captured: passthrough host bridge, root port; profile B of the accelerator', () => {
  const { bridge, devices } = build(1);
  const words = (component: CxlComponent, at: number, count: number) =>
    [...Array(count).keys()].map((n) => component.registers.read(at + n * 4, 4));
  expect(words(bridge.component, 0, 6)).toEqual([0x05110001, 0, 0x0d820004, 0x12830000, 0x27820006, 0xaa010008]);
  expect(bridge.component.registers.read(0x128, 4)).toBe(0x312);
  const accel = (devices[0] as BackedDevice).component;
  expect(words(accel, 0, 4)).toEqual([0x03110001, 0, 0x0d820004, 0x12830005]);
  expect(words(accel, 0x80, 6)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(words(accel, 0x128, 2)).toEqual([0x312, 0]);
});

test('one root port: the window reaches the accelerator once its decoder is committed', () => {
  const { devices, memory, window, heap } = build(1);
  const device = devices[0] as BackedDevice;
  memory.store(0x490001000, 8, 0x11223344, 0x55667788);
  expect(memory.load(0x490001000, 4)).toBe(0);
  expect(window.explain(0x490001000).at(-1)).toMatchObject({
    stage: 'endpoint',
    ok: false,
    register: { name: 'CTRL0' },
  });
  program(device.component, 0, 0x490000000, MiB256, 0x200);
  expect(device.component.registers.get('CTRL0')).toBe(0x600);
  memory.store(0x490001000, 8, 0x11223344, 0x55667788);
  expect([memory.load(0x490001000, 8), memory.hi]).toEqual([0x11223344, 0x55667788]);
  expect(heap.load(0x1000000000 + 0x1000, 4)).toBe(0x11223344);
  expect(window.explain(0x490001000).map((hop) => [hop.stage, hop.ok])).toEqual([
    ['window', true],
    ['host-bridge', true],
    ['root-port', true],
    ['endpoint', true],
    ['memory', true],
  ]);
  expect(memory.load(0x4a0000000, 4)).toBe(0);
  device.component.reset();
  expect(memory.load(0x490001000, 4)).toBe(0);
});

test('two root ports: captured 2-way register set routes by the target list, bulk copies agree with single loads', () => {
  const { devices, bridge, memory, window, heap } = build(2);
  program(bridge.component, 0, 0x490000000, 2 * MiB256, 0x1610, 0x0100);
  for (const device of devices) program(device.component, 0, 0x490000000, 2 * MiB256, 0x1610);
  memory.store(0x490002534, 4, 0xabcd1234);
  expect(heap.load(0x2000000000 + 0x1234, 4)).toBe(0xabcd1234);
  const bytes = new Uint8Array(2048).map((_, n) => (n * 7 + (n >> 8)) & 0xff);
  window.writeBulk(0x10080, bytes);
  const back = new Uint8Array(2048);
  window.readBulk(0x10080, back);
  expect(back).toEqual(bytes);
  for (let n = 0; n < 2048; n += 4) {
    const word = memory.load(0x490010080 + n, 4);
    expect(word).toBe(new DataView(bytes.buffer).getUint32(n, true));
  }
  // FINDINGS 19: an access across a granule goes whole to the first device.
  memory.store(0x4900200fc, 8, 1, 2);
  expect(heap.load(0x1000000000 + 0x10100, 4)).toBe(2);
});

test('an uncommitted lower decoder hides the ones above it (FINDINGS 3)', () => {
  const { devices, memory } = build(1);
  const { component } = devices[0] as BackedDevice;
  program(component, 0, 0x490000000, 0x8000000 * 2, 0x200);
  program(component, 1, 0x4a0000000, MiB256, 0x200);
  component.registers.write(CxlComponent.decoderOffset(0) + 0x10, 4, 0);
  memory.store(0x4a0000000, 4, 5);
  expect(memory.load(0x4a0000000, 4)).toBe(0);
});
