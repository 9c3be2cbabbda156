import { expect, test } from 'vitest';
import { fromHalves, hi32, lo32 } from './addr.ts';

test('an address splits into halves and joins again', () => {
  const addr = 0x4_9000_1234;
  expect([hi32(addr), lo32(addr)]).toEqual([4, 0x90001234]);
  expect(fromHalves(4, 0x90001234)).toBe(addr);
});
