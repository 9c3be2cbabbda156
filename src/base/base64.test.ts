import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from './base64.ts';
import { utf8 } from './bytes.ts';

test('base64 of the vectors in RFC 4648 section 10', () => {
  const vectors = {
    '': '',
    f: 'Zg==',
    fo: 'Zm8=',
    foo: 'Zm9v',
    foob: 'Zm9vYg==',
    fooba: 'Zm9vYmE=',
    foobar: 'Zm9vYmFy',
  };
  for (const [plain, coded] of Object.entries(vectors)) {
    expect(toBase64(utf8(plain))).toBe(coded);
    expect(fromBase64(coded)).toEqual(utf8(plain));
  }
});

test('every byte comes back, and what is not base64 gives null', () => {
  const all = Uint8Array.from({ length: 256 }, (_, n) => n);
  expect(fromBase64(toBase64(all))).toEqual(all);
  for (const wrong of ['A', 'Zg=', 'Zm 8=', '*', '====', 'Zg==Zg==']) expect(fromBase64(wrong)).toBeNull();
});
