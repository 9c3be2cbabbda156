import { expect, test } from 'vitest';
import { viewOf } from '../../base/bytes.ts';
import { EventLog } from '../../log/index.ts';
import { layout } from '../../spec/layouts.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { MemoryCore } from '../memory/memory.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import type { Type3Media } from './cci.ts';
import { DeviceRegisters, Doe, switch_cdat, type3_cdat } from './index.ts';

const MiB256 = 0x10000000;
const MAILBOX = 0x88;
const CEL = '0da9c0b5bf414b788f7996b1623b3f17';
const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

function device(options: Partial<Type3Media> = {}) {
  const log = new EventLog();
  const core = new MemoryCore({ log, layer: 0 });
  const lsa = new Uint8Array(options.lsaSize ?? 0);
  const dpa = new Map<number, string>();
  let now = 0;
  const media: Type3Media = {
    volatileSize: MiB256,
    persistentSize: 0,
    lsaSize: 0,
    readLsa: (offset, into) => into.set(lsa.subarray(offset, offset + into.length)),
    writeLsa: (offset, from) => lsa.set(from, offset),
    writeDpa: (at, from) => dpa.set(at, hexOf(from)),
    now: () => now,
    ...options,
  };
  const registers = new DeviceRegisters({ log, core, machine: 'l1', layer: 0 }, 'hw/l1/mem0/device', media);
  const memory = new AddressSpace(core, 'bar2', registers.memory);
  /** One command as cxl_pci sends it: return code and output. */
  const send = (opcode: number, input = ''): readonly [number, string] => {
    const bytes = bytesOf(input);
    memory.store(MAILBOX + 8, 8, (opcode | (bytes.length << 16)) >>> 0, bytes.length >>> 16);
    bytes.forEach((byte, n) => {
      memory.store(MAILBOX + 0x20 + n, 1, byte);
    });
    memory.store(MAILBOX + 4, 4, 1);
    expect(memory.load(MAILBOX + 4, 4)).toBe(0);
    memory.load(MAILBOX + 0x10, 8);
    const code = memory.hi & 0xffff;
    const length = memory.load(MAILBOX + 8, 4) >>> 16;
    const out = new Uint8Array(length);
    for (let n = 0; n < length; n++) out[n] = memory.load(MAILBOX + 0x20 + n, 1);
    return [code, hexOf(out)];
  };
  return {
    registers,
    memory,
    send,
    dpa,
    tick: (ns: number) => {
      now += ns;
    },
  };
}

test('BAR2 reads as captured before any region (A, 0000:0d:00.0.memdev.txt)', () => {
  const { memory, send } = device();
  const words = (at: number, count: number) => [...Array(count).keys()].map((n) => memory.load(at + n * 4, 4));
  expect(words(0, 20)).toEqual([
    ...[0x00010000, 3, 0, 0, 0x00020001, 0x80, 8, 0, 0x00010002, 0x88, 0x820, 0],
    ...[0x00014000, 0x8a8, 8, 0, 0, 0, 0, 0],
  ]);
  expect(words(0x80, 4)).toEqual([0, 0, 0x3cb, 0]);
  expect(words(0x8a8, 2)).toEqual([0x14, 0x14]);
  // The last command of the capture was Get Event Records, which answers 32 bytes.
  send(0x0100, '00');
  expect(words(0x90, 4)).toEqual([0x00200100, 0, 0, 0]);
  expect(words(0xff0, 4)).toEqual([0, 0, 0, 0]);
});

test('commands answer with the captured payloads (A, mbox-mem0.txt)', () => {
  const { send } = device();
  const identify = `425746572056455253494f4e203030000100000000000000${'0100000000000000'}`;
  expect(send(0x4000)[1].slice(0, 134)).toBe(`${identify}${'00'.repeat(28)}${'000100'}${'00'.repeat(4)}`);
  expect(send(0x0400)).toEqual([0, `0100000000000000${CEL}68000000`]);
  expect(send(0x0200)).toEqual([0, `0201010${'0'.repeat(25)}425746572056455253494f4e20300000${'00'.repeat(48)}`]);
  expect(send(0x4100)).toEqual([0, `01${'00'.repeat(31)}`]);
  expect(send(0x4102, '0000000040000000')).toEqual([2, '']);
  expect(send(0x4500)).toEqual([0, '00000000']);
  const log = [
    '0001000001011000020100000301020000020000010240000202400000030000',
    '010308000004000001040000000500000105000002053e000040000000410000',
    '0241000003410600004300000143000002430000034300000443400005430000',
    '0044640000450000',
  ].join('');
  expect(send(0x0401, `${CEL}0000000000010000`)).toEqual([0, log.padEnd(512, '0')]);
});

test('identify counts in 256 MiB and refuses other sizes', () => {
  const both = device({ volatileSize: MiB256, persistentSize: 2 * MiB256, lsaSize: 0x1000 });
  const identify = viewOf(bytesOf(both.send(0x4000)[1]));
  expect([0x10, 0x18, 0x20, 0x38].map((at) => identify.getUint32(at, true))).toEqual([3, 1, 2, 0x1000]);
  expect(device({ volatileSize: 0x800000 }).send(0x4000)).toEqual([4, '']);
});

test('labels, clock, interrupt policy and poison keep what they are told', () => {
  const { send, tick, dpa, registers } = device({ lsaSize: 0x100 });
  expect(send(0x4103, `1000000000000000${'aabbcc'}`)).toEqual([0, '']);
  expect(send(0x4102, '1000000004000000')).toEqual([0, 'aabbcc00']);
  expect(send(0x4103, `ff00000000000000${'aabb'}`)).toEqual([2, '']);
  expect(send(0x0300)).toEqual([0, '0000000000000000']);
  send(0x0301, 'f78e1cec3469ea18');
  tick(5);
  expect(send(0x0300)).toEqual([0, 'fc8e1cec3469ea18']);
  send(0x0103, '01010101');
  expect(send(0x0102)).toEqual([0, '21314151']);
  expect(send(0x4301, '4000000000000000')).toEqual([0, '']);
  expect(send(0x4301, '4100000000000000')).toEqual([2, '']);
  expect(send(0x4300, '00000000000000000000400000000000')[1].slice(20, 24)).toBe('0100');
  expect(send(0x4300, '00000000000000000000400000000000')[1].slice(64)).toBe('43000000000000000100000000000000');
  send(0x4302, `4000000000000000${'5a'.repeat(64)}`);
  expect(dpa.get(0x40)).toBe('5a'.repeat(64));
  expect(send(0x4300, '00000000000000000000400000000000')[1]).toBe('00'.repeat(32));
  expect([send(0x4200)[0], send(0x4000, '00')[0], send(0x0100, '09')[0]]).toEqual([0x15, 0x16, 2]);
  registers.reset();
  expect(send(0x4102, '1000000004000000')).toEqual([0, 'aabbcc00']);
});

/** One object through the DOE registers of a configuration space, as pci_doe() does it; null: no answer. */
function exchange(config: RegisterSpace, request: readonly number[]): number[] | null {
  const at = config.offsetOf('DOE_CAP') - 4;
  for (const dword of request) config.write(at + 0x10, 4, dword);
  config.write(at + 8, 4, 0x80000000);
  if (!(config.read(at + 0xc, 4) & 0x80000000)) return null;
  const out: number[] = [];
  while (config.read(at + 0xc, 4) & 0x80000000) {
    out.push(config.read(at + 0x14, 4));
    config.write(at + 0x14, 4, 0);
  }
  return out;
}

/** The whole table, entry by entry, as cxl_cdat_read_table() puts it together. */
function readCdat(config: RegisterSpace): string {
  const words: number[] = [];
  for (let handle = 0; handle !== 0xffff; ) {
    const answer = exchange(config, [0x00021e98, 3, (handle << 16) >>> 0]) ?? [];
    expect(answer[1]).toBe(answer.length);
    words.push(...answer.slice(3));
    handle = (answer[2] ?? 0xffff0000) >>> 16;
  }
  const bytes = new Uint8Array(words.length * 4);
  words.forEach((word, n) => {
    viewOf(bytes).setUint32(n * 4, word, true);
  });
  expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
  return hexOf(bytes);
}

test('CDAT read through DOE is the captured table: memory device (A), switch with four ports (D)', () => {
  const log = new EventLog();
  const endpoint = new RegisterSpace(log, 'endpoint', layout('cxl-type3.config'));
  new Doe(endpoint, () => type3_cdat(MiB256, 0));
  expect(readCdat(endpoint)).toBe(
    [
      'a0000000020d000000000000000000000000180000000000000000000000000000000010000000000100180000000100',
      '10270000000000000f000000000000000100180000000200102700000000000019000000000000000100180000000400',
      'e80300000000000010000000000000000100180000000500e80300000000000010000000000000000400180000010000',
      '00000000000000000000001000000000',
    ].join(''),
  );
  const upstream = new RegisterSpace(log, 'upstream', layout('cxl-upstream.config'));
  new Doe(upstream, () => switch_cdat([0, 1, 2, 3]));
  expect(readCdat(upstream)).toBe(
    [
      '70000000025600000000000000000000050030000000000010270000000000000001',
      '00000f000000000101000f000000000102000f000000000103000f000000050030000300000000040000000000000001',
      '000010000000000101001000000000010200100000000001030010000000',
    ].join(''),
  );
  expect(exchange(endpoint, [1, 3, 0])).toEqual([1, 3, 0x01000001]);
  expect(exchange(endpoint, [1, 3, 1])).toEqual([1, 3, 0x00021e98]);
  expect(exchange(endpoint, [0x00021e98, 4, 0])).toBeNull();
  expect(exchange(endpoint, [0x00021e98, 3, 0x00770000])).toBeNull();
});

test('persistent memory after volatile memory: two ranges in CDAT, the second not volatile', () => {
  const table = type3_cdat(MiB256, 2 * MiB256);
  expect(table.length).toBe(13);
  const second = viewOf(table[7] as Uint8Array);
  expect([second.getUint8(4), second.getUint8(5), second.getUint32(8, true), second.getUint32(16, true)]).toEqual([
    1,
    4,
    MiB256,
    2 * MiB256,
  ]);
});
