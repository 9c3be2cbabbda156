import { expect, test } from 'vitest';
import { GiB } from '../../base/addr.ts';
import { text } from '../../base/bytes.ts';
import { EventLog, Row } from '../../log/index.ts';
import type { RamRef } from '../bus/cpu-bus.ts';
import { ConfigCycles } from '../firmware/config-cycles.ts';
import { PhysicalMachine } from './machine.ts';

function machine() {
  const out: string[] = [];
  const log = new EventLog();
  const host = new PhysicalMachine(log, {
    serial: { write: (bytes) => void out.push(text(bytes)) },
    kernel: new Uint8Array(0),
    cmdline: '',
  });
  return { log, host, bus: host.cpu.bus, out: () => out.join('') };
}

test('memory lies below the hole and above 4 GiB, and nothing answers between', () => {
  const { log, host, bus } = machine();
  bus.store(4 * GiB, 8, 1, 2);
  expect([host.ram.load(2 * GiB, 8), host.ram.hi]).toEqual([1, 2]);
  const ref: RamRef = { ram: null, offset: 0, limit: 0 };
  expect(bus.resolve(4 * GiB, ref)).toBe(true);
  expect([ref.offset, ref.limit]).toEqual([2 * GiB, 62 * GiB]);
  expect(bus.load(3 * GiB, 4)).toBe(0xffffffff);
  expect(log.kind(log.length - 1)).toBe(Row.NOTE);
  expect(bus.peek(3 * GiB, 4)).toBe(null);
  expect(host.boot.e820.reduce((sum, e) => sum + (e.type === 'usable' ? e.size : 0), 0)).toBe(
    64 * GiB - 0x400 - 0x60000,
  );
});

test('one PCI function answers configuration cycles and COM1 answers at 0x3f8', () => {
  const { host, bus, out } = machine();
  const cfg = new ConfigCycles(bus);
  expect(cfg.present()).toBe(true);
  expect([...cfg.functions(0)]).toEqual([0]);
  expect([...cfg.functions(1)]).toEqual([]);
  expect([cfg.read(0, 0, 4), cfg.read(0, 0x0a, 2)]).toEqual([0x3c008086, 0x0600]);
  bus.outp(0x3f8, 1, 0x6f);
  bus.outs(0x3f8, new Uint8Array([0x6b]));
  expect(out()).toBe('ok');
  const irqs: number[] = [];
  host.onInterrupt = (irq) => irqs.push(irq);
  bus.outp(0x3f9, 1, 1);
  host.uart.receive(new Uint8Array([1]));
  expect(irqs).toEqual([4]);
});
