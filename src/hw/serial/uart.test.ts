import { expect, test } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { Uart } from './uart.ts';

function port() {
  const out: string[] = [];
  let interrupts = 0;
  const uart = new Uart({ write: (bytes) => void out.push(text(bytes)) }, () => {
    interrupts++;
  });
  return { uart, out: () => out.join(''), interrupts: () => interrupts };
}

test('bytes written to the holding register and bursts reach the line', () => {
  const { uart, out } = port();
  uart.write(0, 0x48);
  uart.outs(0, utf8('ello'));
  expect(out()).toBe('Hello');
  expect(uart.read(5)).toBe(0x60);
});

test('received bytes interrupt once a burst and are read in order', () => {
  const { uart, interrupts } = port();
  uart.receive(utf8('a'));
  expect(interrupts()).toBe(0);
  uart.write(1, 1);
  expect(interrupts()).toBe(1);
  uart.receive(utf8('bc'));
  expect(interrupts()).toBe(2);
  expect(uart.read(2) & 0xf).toBe(4);
  expect([uart.peek(0), uart.read(0), uart.read(0), uart.read(5) & 1, uart.read(0), uart.read(5) & 1]).toEqual([
    0x61, 0x61, 0x62, 1, 0x63, 0,
  ]);
  expect(interrupts()).toBe(2);
});

test('the divisor latch hides the data registers', () => {
  const { uart, out } = port();
  uart.write(3, 0x83);
  uart.write(0, 1);
  uart.write(1, 0);
  expect([uart.read(0), uart.read(1)]).toEqual([1, 0]);
  uart.write(3, 3);
  expect([uart.read(1), out()]).toEqual([0, '']);
});
