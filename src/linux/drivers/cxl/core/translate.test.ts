import { expect, test } from 'vitest';
import { Prng } from '../../../../base/prng.ts';
import { eiw_to_ways } from './interleave.ts';
import {
  cxl_calculate_dpa_offset,
  cxl_calculate_hpa_offset,
  cxl_calculate_position,
  cxl_do_xormap_calc,
  hbiw_to_nr_maps,
  ULLONG_MAX,
} from './translate.ts';

const MAPS = [0x2020900n, 0x4041200n, 0x1010400n, 0x800n];

function to_hpa(dpa: bigint, pos: number, eiw: number, eig: number, hb_ways: number): bigint {
  const maps = MAPS.slice(0, hbiw_to_nr_maps(hb_ways));
  return cxl_do_xormap_calc(maps, cxl_calculate_hpa_offset(dpa, pos, eiw, eig), hb_ways);
}

/** dpa, position, expected address (reference/cxl/decoding.md section 8): granularity 256. */
const FOUR = [
  [248, 0, 248],
  [288, 2, 1568],
  [544, 1, 2080],
  [544, 0, 2336],
  [1568, 3, 6176],
  [98352, 2, 393520],
  [443953523, 0, 1775813747],
] as const;
/** Eight ways over four bridges, and twelve over twelve, with large addresses (driver writers' guide 2.13.24.1, 25.1). */
const EIGHT = [
  [272, 1, 2064],
  [49176, 2, 393496],
  [244690459, 5, 1957525275],
  [529382429, 5, 4235060509],
  [344295715, 7, 2754367011],
] as const;
const TWELVE_LARGE = [
  [288, 0, 3360],
  [299017087, 7, 3588205439],
  [328998732, 10, 3947985996],
  [231458716, 7, 2777503900],
] as const;
const TWELVE = [6912, 6656, 6400, 6144, 7936, 7680, 7424, 7168, 8192, 8448, 8704, 8960] as const;

test('published XOR vectors: four, eight and twelve ways', () => {
  for (const [dpa, pos, hpa] of EIGHT) expect(to_hpa(BigInt(dpa), pos, 3, 0, 4)).toBe(BigInt(hpa));
  for (const [dpa, pos, hpa] of TWELVE_LARGE) expect(to_hpa(BigInt(dpa), pos, 10, 0, 12)).toBe(BigInt(hpa));
  for (const [dpa, pos, hpa] of FOUR) expect(to_hpa(BigInt(dpa), pos, 2, 0, 4)).toBe(BigInt(hpa));
  for (const [pos, hpa] of TWELVE.entries()) expect(to_hpa(512n, pos, 10, 0, 12)).toBe(BigInt(hpa));
});

test('device address and position come back from the host address, modulo and XOR, for random parameters', () => {
  const random = new Prng(5);
  for (let i = 0; i < 3000; i++) {
    const eiw = [0, 1, 2, 3, 4, 8, 9, 10][random.below(8)] as number;
    const eig = random.below(7);
    const pos = random.below(eiw_to_ways(eiw));
    const dpa = BigInt(random.below(2 ** 26)) * 2n ** 26n + BigInt(random.below(2 ** 26));
    const hb_ways = [1, 2, 3, 4, 6, 8, 12, 16][random.below(8)] as number;
    const maps = MAPS.slice(0, hbiw_to_nr_maps(hb_ways));
    const offset = cxl_do_xormap_calc(maps, to_hpa(dpa, pos, eiw, eig, hb_ways), hb_ways);
    expect([cxl_calculate_dpa_offset(offset, eiw, eig), cxl_calculate_position(offset, eiw, eig)]).toEqual([dpa, pos]);
  }
});

test('parameters without a meaning give all ones', () => {
  expect(cxl_calculate_hpa_offset(0n, 0, 5, 0)).toBe(ULLONG_MAX);
  expect(cxl_calculate_hpa_offset(0n, 2, 1, 0)).toBe(ULLONG_MAX);
  expect(cxl_calculate_dpa_offset(0n, 1, 7)).toBe(ULLONG_MAX);
  expect(cxl_calculate_position(0n, 0xff, 0)).toBe(-1);
});
