import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gunzip } from './inflate.ts';

const bytes = (length: number, of: (n: number) => number) => Uint8Array.from({ length }, (_, n) => of(n));

test('what zlib packed at any level comes out again', () => {
  const samples = [
    new Uint8Array(0),
    bytes(70_000, (n) => (n * n) >> 3),
    bytes(5000, (n) => 'CONFIG_CXL_REGION=y\n'.charCodeAt(n % 20)),
    bytes(300, (n) => (n * 2654435761) >>> 13),
  ];
  for (const sample of samples)
    for (const level of [0, 1, 6, 9]) expect(gunzip(gzipSync(sample, { level }))).toEqual(sample);
});

test('something else, or half of it, is refused', () => {
  expect(gunzip(bytes(20, (n) => n))).toBeNull();
  const packed = gzipSync(bytes(5000, (n) => n % 7));
  expect(gunzip(packed.subarray(0, packed.length >> 1))).toBeNull();
});
