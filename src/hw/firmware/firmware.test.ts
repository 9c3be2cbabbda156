import { expect, test } from 'vitest';
import { concat, utf8 } from '../../base/bytes.ts';
import type { CpuBus } from '../bus/cpu-bus.ts';
import { runFirmware } from './firmware.ts';

/** One PCI function: 256 bytes of config space with write masks. */
class Fn {
  readonly bytes = new Uint8Array(256);
  readonly mask = new Uint8Array(256);
  readonly children: Fn[] = [];
  constructor(
    readonly devfn: number,
    readonly id: number,
    cls: number,
    readonly bridge = false,
  ) {
    this.put(0, id);
    this.put(8, cls * 0x10000);
    this.mask.set([0xff, 0xff], 4);
    this.mask[0x3c] = 0xff;
    if (bridge) {
      this.bytes[0x0e] = 1;
      this.mask.fill(0xff, 0x18, 0x1b);
      // I/O, memory and 64-bit prefetchable windows; low nibbles are the read-only type.
      this.mask.set([0xf0, 0xf0], 0x1c);
      this.mask.set([0xf0, 0xff, 0xf0, 0xff, 0xf0, 0xff, 0xf0, 0xff], 0x20);
      this.mask.fill(0xff, 0x28, 0x30);
      this.bytes.set([1, 0, 1], 0x24);
      this.bytes[0x26] = 1;
      this.bytes[0x1c] = 1;
    }
  }
  put(at: number, value: number): void {
    for (let n = 0; n < 4; n++) this.bytes[at + n] = value >>> (8 * n);
  }
  get(at: number): number {
    return new DataView(this.bytes.buffer).getUint32(at, true);
  }
  bar(n: number, size: number, flags: number): this {
    this.put(0x10 + 4 * n, flags);
    const mask = -size;
    for (let b = 0; b < 4; b++) this.mask[0x10 + 4 * n + b] = mask >>> (8 * b);
    if ((flags & 7) === 4) this.mask.fill(0xff, 0x14 + 4 * n, 0x18 + 4 * n);
    return this;
  }
  /** A PCI Express capability: port type 4 root port, 5 upstream, 6 downstream. */
  pcie(type: number, slot: boolean): this {
    this.bytes[6] = 0x10;
    this.bytes[0x34] = 0x80;
    this.bytes.set([0x10, 0, (type << 4) | 2, slot ? 1 : 0], 0x80);
    return this;
  }
  add(...fns: Fn[]): this {
    this.children.push(...fns);
    return this;
  }
}

class FakeMachine implements CpuBus {
  hi = 0;
  readonly memory = new Map<number, number>();
  private address = 0;
  private key = 0;
  private at = 0;
  private readonly items = new Map<number, Uint8Array>([[0, utf8('QEMU')]]);

  /** @param roots root buses: number → functions */
  constructor(
    private readonly roots: ReadonlyMap<number, readonly Fn[]>,
    files: Readonly<Record<string, Uint8Array>>,
  ) {
    const entries: Uint8Array[] = [];
    Object.entries(files).forEach(([name, bytes], n) => {
      this.items.set(0x20 + n, bytes);
      const entry = new Uint8Array(64);
      new DataView(entry.buffer).setUint32(0, bytes.length);
      new DataView(entry.buffer).setUint16(4, 0x20 + n);
      entry.set(utf8(name), 8);
      entries.push(entry);
    });
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, entries.length);
    this.items.set(0x19, concat([count, ...entries]));
  }
  item(key: number, bytes: Uint8Array): void {
    this.items.set(key, bytes);
  }
  private on(bus: number): readonly Fn[] {
    const root = this.roots.get(bus);
    if (root) return root;
    const search = (fns: readonly Fn[]): readonly Fn[] | null => {
      for (const fn of fns) {
        if (!fn.bridge) continue;
        const [, secondary, subordinate] = fn.bytes.subarray(0x18, 0x1b) as unknown as [number, number, number];
        if (secondary === bus) return fn.children;
        if (secondary < bus && bus <= subordinate) return search(fn.children);
      }
      return null;
    };
    for (const fns of this.roots.values()) {
      const found = search(fns);
      if (found) return found;
    }
    return [];
  }
  private selected(): Fn | undefined {
    const devfn = (this.address >>> 8) & 0xff;
    return this.on((this.address >>> 16) & 0xff).find((fn) => fn.devfn === devfn);
  }
  inp(port: number, width: 1 | 2 | 4): number {
    if (port === 0xcf8) return this.address;
    const at = (this.address & 0xfc) + (port & 3);
    const fn = this.selected();
    let value = 0;
    for (let n = width - 1; n >= 0; n--) value = value * 256 + (fn ? (fn.bytes[at + n] as number) : 0xff);
    return value;
  }
  outp(port: number, width: 1 | 2 | 4, value: number): void {
    if (port === 0xcf8) this.address = value;
    else if (port === 0x510) {
      this.key = value;
      this.at = 0;
    } else if (port >= 0xcfc && port < 0xd00) {
      const at = (this.address & 0xfc) + (port & 3);
      const fn = this.selected();
      if (!fn) return;
      for (let n = 0; n < width; n++) {
        const mask = fn.mask[at + n] as number;
        fn.bytes[at + n] = ((fn.bytes[at + n] as number) & ~mask) | ((value >>> (8 * n)) & mask);
      }
    }
  }
  ins(_port: number, into: Uint8Array): void {
    const item = this.items.get(this.key);
    for (let n = 0; n < into.length; n++) into[n] = item?.[this.at++] ?? 0;
  }
  outs(): void {}
  load(addr: number, width: number): number {
    let value = 0;
    for (let n = Math.min(width, 4) - 1; n >= 0; n--) value = value * 256 + (this.memory.get(addr + n) ?? 0);
    return value;
  }
  store(addr: number, width: number, lo: number): void {
    for (let n = 0; n < Math.min(width, 4); n++) this.memory.set(addr + n, (lo >>> (8 * n)) & 0xff);
  }
  peek(): null {
    return null;
  }
  copyFrom(addr: number, into: Uint8Array): void {
    for (let n = 0; n < into.length; n++) into[n] = this.memory.get(addr + n) ?? 0;
  }
  copyTo(addr: number, from: Uint8Array): void {
    from.forEach((byte, n) => {
      this.memory.set(addr + n, byte);
    });
  }
  resolve(): boolean {
    return false;
  }
}

function e820(...entries: [number, number, number][]): Uint8Array {
  const bytes = new Uint8Array(entries.length * 20);
  const view = new DataView(bytes.buffer);
  entries.forEach(([start, size, type], n) => {
    view.setUint32(n * 20, start % 2 ** 32, true);
    view.setUint32(n * 20 + 4, Math.floor(start / 2 ** 32), true);
    view.setUint32(n * 20 + 8, size % 2 ** 32, true);
    view.setUint32(n * 20 + 12, Math.floor(size / 2 ** 32), true);
    view.setUint32(n * 20 + 16, type, true);
  });
  return bytes;
}

function loader(): Uint8Array {
  const command = (write: (view: DataView, bytes: Uint8Array) => void) => {
    const bytes = new Uint8Array(128);
    write(new DataView(bytes.buffer), bytes);
    return bytes;
  };
  const allocate = (file: string, align: number, zone: number) =>
    command((view, bytes) => {
      view.setUint32(0, 1, true);
      bytes.set(utf8(file), 4);
      view.setUint32(60, align, true);
      bytes[64] = zone;
    });
  return concat([
    allocate('etc/acpi/rsdp', 16, 2),
    allocate('etc/acpi/tables', 64, 1),
    command((view, bytes) => {
      view.setUint32(0, 2, true);
      bytes.set(utf8('etc/acpi/rsdp'), 4);
      bytes.set(utf8('etc/acpi/tables'), 60);
      view.setUint32(116, 16, true);
      bytes[120] = 4;
    }),
    command((view, bytes) => {
      view.setUint32(0, 3, true);
      bytes.set(utf8('etc/acpi/rsdp'), 4);
      view.setUint32(60, 8, true);
      view.setUint32(64, 0, true);
      view.setUint32(68, 20, true);
    }),
  ]);
}

const endpoint = () => new Fn(0, 0x0d938086, 0x0502).bar(0, 0x10000, 4).bar(2, 0x1000, 4).bar(4, 0x1000, 0);
const rootPort = (slot: number) => new Fn(slot << 3, 0x70758086, 0x0604, true).bar(0, 0x10000, 4).pcie(4, true);

function q35(cxl: readonly Fn[]): FakeMachine {
  const bus0 = [
    new Fn(0, 0x29c08086, 0x0600),
    new Fn(8, 0x000b1b36, 0x0600),
    Object.assign(new Fn(0xf8, 0x29188086, 0x0601)),
    new Fn(0xfa, 0x29228086, 0x0106).bar(4, 32, 1).bar(5, 0x1000, 0),
    new Fn(0xfb, 0x29308086, 0x0c05).bar(4, 64, 1),
  ];
  (bus0[2] as Fn).bytes[0x0e] = 0x80;
  const tables = new Uint8Array(0x20000);
  const rsdp = new Uint8Array(20);
  rsdp.set(utf8('RSD PTR '));
  tables.set(utf8('TBL'), 0);
  const machine = new FakeMachine(
    new Map<number, readonly Fn[]>([
      [0, bus0],
      [12, cxl],
    ]),
    {
      'etc/e820': e820([0, 2 ** 31, 1], [2 ** 32, 2 ** 31, 1], [0xfd_0000_0000, 0x3_0000_0000, 2]),
      'etc/extra-pci-roots': new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]),
      'etc/acpi/tables': tables,
      'etc/acpi/rsdp': rsdp,
      'etc/table-loader': loader(),
    },
  );
  const line = utf8('console=ttyS0\0');
  machine.item(0x14, new Uint8Array([line.length, 0, 0, 0]));
  machine.item(0x15, line);
  machine.item(0x08, new Uint8Array([3, 0, 0, 0]));
  machine.item(0x11, new Uint8Array([1, 2, 3]));
  return machine;
}

const bar64 = (fn: Fn, n: number) => fn.get(0x14 + 4 * n) * 2 ** 32 + (fn.get(0x10 + 4 * n) & ~15) + 0;
const u = (value: number) => (value < 0 ? value + 2 ** 32 : value).toString(16);
const mem = (fn: Fn) => fn.get(0x20).toString(16);
const pref = (fn: Fn) => u((((fn.get(0x24) & 0xfff0) << 16) >>> 0) + fn.get(0x28) * 2 ** 32);

test('one root port and one expander are placed as in golden A', () => {
  const ep = endpoint();
  const rp = rootPort(0).add(ep);
  const machine = q35([rp]);
  const boot = runFirmware(machine);
  expect([...rp.bytes.subarray(0x18, 0x1b)]).toEqual([12, 13, 13]);
  expect(u(bar64(rp, 0))).toBe('c000000000');
  expect([mem(rp), pref(rp)]).toEqual(['fe90fe80', 'c040000000']);
  expect([ep.get(0x10) & ~15, ep.get(0x18) & ~15, ep.get(0x20)].map(u)).toEqual(['fe800000', 'fe810000', 'fe811000']);
  expect(boot.cmdline).toBe('console=ttyS0');
  expect([...boot.kernel]).toEqual([1, 2, 3]);
  expect(boot.rsdp).toBe(0xf52a0);
  expect(machine.load(0xf52b0, 4)).toBe(0x7ffe0000);
  let sum = 0;
  for (let n = 0; n < 20; n++) sum += machine.load(0xf52a0 + n, 1);
  expect(sum & 0xff).toBe(0);
  expect(boot.e820.map((e) => `${e.start.toString(16)}-${(e.start + e.size - 1).toString(16)} ${e.type}`)).toEqual([
    '0-9fbff usable',
    '9fc00-9ffff reserved',
    'f0000-fffff reserved',
    '100000-7ffdefff usable',
    '7ffdf000-7fffffff reserved',
    'b0000000-bfffffff reserved',
    'fed1c000-fed1ffff reserved',
    'fffc0000-ffffffff reserved',
    '100000000-17fffffff usable',
    'fd00000000-ffffffffff reserved',
  ]);
});

test('two root ports share the space as in golden B', () => {
  const eps = [endpoint(), endpoint()];
  const rps = [rootPort(0).add(eps[0] as Fn), rootPort(1).add(eps[1] as Fn)];
  runFirmware(q35(rps));
  expect(rps.map((rp) => u(bar64(rp, 0)))).toEqual(['c000000000', 'c000010000']);
  expect(rps.map(mem)).toEqual(['fe90fe80', 'fe70fe60']);
  expect(rps.map(pref)).toEqual(['c060000000', 'c040000000']);
  expect(eps.map((ep) => u(ep.get(0x10) & ~15))).toEqual(['fe800000', 'fe600000']);
});

test('a switch with four expanders is placed as in golden D', () => {
  const eps = [endpoint(), endpoint(), endpoint(), endpoint()];
  const dsps = eps.map((ep, n) => new Fn(n << 3, 0xa12919e5, 0x0604, true).bar(0, 0x10000, 4).pcie(6, true).add(ep));
  const usp = new Fn(0, 0xa12819e5, 0x0604, true)
    .bar(0, 0x10000, 4)
    .pcie(5, false)
    .add(...dsps);
  const rp = rootPort(0).add(usp);
  runFirmware(q35([rp]));
  expect([...rp.bytes.subarray(0x18, 0x1b)]).toEqual([0x0c, 0x0d, 0x12]);
  expect([mem(rp), mem(usp), ...dsps.map(mem)]).toEqual([
    'fe90fde0',
    'fe70fde0',
    'fe50fe40',
    'fe30fe20',
    'fe10fe00',
    'fdf0fde0',
  ]);
  expect([pref(rp), pref(usp), ...dsps.map(pref)]).toEqual([
    'c040000000',
    'c040000000',
    'c0a0000000',
    'c080000000',
    'c060000000',
    'c040000000',
  ]);
  expect(u(usp.get(0x10) & ~15)).toBe('fe800000');
  expect(dsps.map((dsp) => u(dsp.get(0x10) & ~15))).toEqual(['fe600000', 'fe610000', 'fe620000', 'fe630000']);
  expect(eps.map((ep) => u(ep.get(0x10) & ~15))).toEqual(['fe400000', 'fe200000', 'fe000000', 'fde00000']);
});
