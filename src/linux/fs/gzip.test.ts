import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gzip_stored } from './gzip.ts';

test('a real gunzip reads it back', () => {
  const content = new Uint8Array(70_000).map((_, n) => n % 251);
  expect(new Uint8Array(gunzipSync(gzip_stored(content)))).toEqual(content);
});
