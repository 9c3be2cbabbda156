import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Prng } from '../../../base/prng.ts';
import { sha256 } from './sha256.ts';

test('digests are those of another implementation, at every border of a block', () => {
  const random = new Prng(3);
  for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 128, 5000]) {
    const bytes = Uint8Array.from({ length }, () => random.below(256));
    expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});
