import { describe, expect, test } from 'vitest';
import { EventLog } from '../../../../log/index.ts';
import { ShadowBytes } from './vconfig.ts';
import { hdm_window_end, hdm_write } from './vfio_cxl_hdm.ts';

const H = 0x1128;

function shadow(): ShadowBytes {
  const bytes = new ShadowBytes(new EventLog(), 'vfio/l1/x/comp', 'cxl-accel.component', 0x1000, 0x1000);
  bytes.write(H, 4, 0x312);
  return bytes;
}

/** [what, writes [hdm offset, value] in order, register read at the end, value expected] */
const RULES: readonly [string, readonly (readonly [number, number])[], number, number][] = [
  ['the capability register ignores writes', [[0x00, 0xffffffff]], 0x00, 0x312],
  ['global control keeps poison and enable', [[0x04, 0xffffffff]], 0x04, 3],
  ['the reserved dwords after it stay zero', [[0x08, 0xffffffff]], 0x08, 0],
  ['BASE_LO is stored unmasked', [[0x10, 0x9fffffff]], 0x10, 0x9fffffff],
  ['BASE_HI is stored raw', [[0x34, 0xffffffff]], 0x34, 0xffffffff],
  ['SIZE_LO keeps its low bits', [[0x58, 0x10000001]], 0x58, 0x10000001],
  ['COMMIT sets COMMITTED at once', [[0x20, 0x200]], 0x20, 0x600],
  ['COMMIT_ERROR and COMMITTED cannot be written', [[0x20, 0xc00]], 0x20, 0],
  ['all other control bits are raw', [[0x40, 0xfffff1ff]], 0x40, 0xfffff1ff],
  ['LOCK and COMMIT in one go give 0x700', [[0x20, 0x300]], 0x20, 0x700],
  [
    'LOCK without COMMIT stays writable',
    [
      [0x20, 0x100],
      [0x10, 0xa0000000],
      [0x20, 0],
    ],
    0x20,
    0,
  ],
  [
    'a locked decoder drops BASE',
    [
      [0x10, 0x90000000],
      [0x20, 0x300],
      [0x10, 0x10000000],
    ],
    0x10,
    0x90000000,
  ],
  [
    'a locked decoder drops CTRL',
    [
      [0x20, 0x300],
      [0x20, 0],
    ],
    0x20,
    0x700,
  ],
  [
    'a locked decoder drops the skip registers',
    [
      [0x20, 0x300],
      [0x24, 0x1000],
    ],
    0x24,
    0,
  ],
  [
    'a lock of one decoder leaves the next alone',
    [
      [0x20, 0x300],
      [0x40, 0x200],
    ],
    0x40,
    0x600,
  ],
  [
    'BASE changes while committed and unlocked',
    [
      [0x20, 0x200],
      [0x10, 0x50000000],
    ],
    0x10,
    0x50000000,
  ],
  [
    'clearing COMMIT clears COMMITTED',
    [
      [0x20, 0x200],
      [0x20, 0],
    ],
    0x20,
    0,
  ],
  ['the reserved dword of a decoder is written raw', [[0x2c, 0x1234]], 0x2c, 0x1234],
  ['a later decoder commits before an earlier one', [[0x80, 0x200]], 0x80, 0x600],
  [
    'global control is not gated by a lock',
    [
      [0x20, 0x300],
      [0x04, 2],
    ],
    0x04,
    2,
  ],
];

describe('HDM emulation of patch 08', () => {
  test.each(RULES)('%s', (_what, writes, register, expected) => {
    const bytes = shadow();
    for (const [hdm, value] of writes) hdm_write(bytes, H, hdm, value);
    expect(bytes.read(H + register, 4)).toBe(expected);
  });

  test('the posted window leaves out the last dword', () => {
    expect(hdm_window_end(H, 0x90, true)).toBe(0x11b4);
    expect(hdm_window_end(H, 0x90, false)).toBe(0x11b8);
  });
});
