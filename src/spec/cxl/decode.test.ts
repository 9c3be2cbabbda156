import { expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import {
  applyXorMaps,
  decoderCount,
  dpaBase,
  encodeGranularity,
  encodeWays,
  endpointDpaOffset,
  endpointHpaOffset,
  granularityOf,
  portTarget,
  positionOf,
  waysOf,
  windowTarget,
  xorHpaOffset,
  xorMapsUsed,
} from './decode.ts';

const MAPS = [0x2020900, 0x4041200, 0x1010400, 0x800];

test('encodings: valid ones convert both ways, reserved ones are refused', () => {
  expect([0, 1, 2, 3, 4, 5, 6].map(granularityOf)).toEqual([256, 512, 1024, 2048, 4096, 8192, 16384]);
  expect([7, 0x10, 0xffff, -1].map(granularityOf)).toEqual([null, null, null, null]);
  expect([0, 1, 2, 3, 4, 8, 9, 10].map(waysOf)).toEqual([1, 2, 4, 8, 16, 3, 6, 12]);
  expect([5, 7, 0xb, 0xff].map(waysOf)).toEqual([null, null, null, null]);
  for (const ways of [1, 2, 3, 4, 6, 8, 12, 16]) expect(waysOf(encodeWays(ways) ?? -1)).toBe(ways);
  expect([encodeGranularity(300), encodeGranularity(4096), encodeWays(5)]).toEqual([null, 4, null]);
  expect([0, 1, 2, 5, 9, 12, 13].map(decoderCount)).toEqual([1, 2, 4, 10, 20, 32, null]);
  expect([1, 2, 3, 4, 6, 8, 12, 16].map(xorMapsUsed)).toEqual([0, 1, 0, 2, 1, 3, 2, 4]);
});

test('kernel vectors: 4-way modulo and 12-way modulo', () => {
  const four = (dpa: number) => [0, 1, 2, 3].map((pos) => endpointHpaOffset(dpa, pos, 2, 0));
  expect(four(0)).toEqual([0, 256, 512, 768]);
  expect(four(256)).toEqual([1024, 1280, 1536, 1792]);
  expect(four(2048)).toEqual([8192, 8448, 8704, 8960]);
  const twelve = [...Array(12).keys()].map((pos) => endpointHpaOffset(512, pos, 10, 0));
  expect(twelve).toEqual([6144, 6400, 6656, 6912, 7168, 7424, 7680, 7936, 8192, 8448, 8704, 8960]);
});

test('kernel vectors: XOR arithmetic', () => {
  const used = (ways: number) => MAPS.slice(0, xorMapsUsed(ways));
  const four: readonly (readonly [number, number, number])[] = [
    [248, 0, 248],
    [16, 1, 272],
    [16, 2, 528],
    [32, 3, 800],
    [288, 0, 1056],
    [288, 1, 1312],
    [288, 2, 1568],
    [288, 3, 1824],
    [544, 1, 2080],
    [544, 0, 2336],
    [544, 3, 2592],
    [1040, 2, 4112],
    [1568, 3, 6176],
    [32784, 1, 131088],
    [65552, 2, 262160],
    [98336, 3, 393248],
    [98328, 2, 393496],
    [98352, 2, 393520],
    [443953523, 0, 1775813747],
  ];
  for (const [dpa, pos, hpa] of four)
    expect([dpa, pos, xorHpaOffset(dpa, pos, 2, 0, used(4))]).toEqual([dpa, pos, hpa]);
  const twelve = (dpa: number) => [...Array(12).keys()].map((pos) => xorHpaOffset(dpa, pos, 10, 0, used(12)));
  expect(twelve(0)).toEqual([0, 256, 512, 768, 1024, 1280, 1536, 1792, 2304, 2048, 2816, 2560]);
  expect(twelve(512)).toEqual([6912, 6656, 6400, 6144, 7936, 7680, 7424, 7168, 8192, 8448, 8704, 8960]);
});

test('worked examples of the decoding sheet', () => {
  expect(endpointHpaOffset(0x1234, 1, 1, 0)).toBe(0x2534);
  expect(portTarget(0x390002534, 1, 0)).toBe(1);
  expect(endpointHpaOffset(0xabcde, 2, 2, 0)).toBe(0x2af2de);
  expect(endpointHpaOffset(0x10203, 1, 1, 1)).toBe(0x20603);
  expect(windowTarget(0x490020603, 512, 2)).toBe(1);
  expect(endpointHpaOffset(0x1040, 3, 2, 0)).toBe(0x4340);
  expect(portTarget(0x400004340, 1, 1)).toBe(1);
  expect(endpointHpaOffset(0x123456, 5, 3, 2)).toBe(0x91b456);
  expect(endpointHpaOffset(0x1234, 2, 8, 0)).toBe(0x3834);
  expect(endpointHpaOffset(0x1234, 4, 9, 0)).toBe(0x7034);
  expect(endpointHpaOffset(0x12345, 11, 10, 4)).toBe(0xe3345);
  expect(endpointHpaOffset(0x1001, 13, 4, 0)).toBe(0x10d01);
  expect([0x400003834, 0x400003634, 0x400003734].map((hpa) => windowTarget(hpa, 256, 3))).toEqual([0, 1, 2]);
  expect(dpaBase([{ skip: 0, size: 0x10000000, ways: 1 }], 0x10000000)).toBe(0x20000000);
  expect(dpaBase([{ skip: 0, size: 0x20000000, ways: 2 }], 0)).toBe(0x10000000);
});

test('decode and encode are inverse for every interleave, at any address', () => {
  const random = new Prng(7);
  for (const iw of [0, 1, 2, 3, 4, 8, 9, 10]) {
    for (let ig = 0; ig <= 6; ig++) {
      for (let n = 0; n < 50; n++) {
        const dpa = random.below(2 ** 32) * 16 + random.below(16);
        const pos = random.below(waysOf(iw) ?? 1);
        const hpa = endpointHpaOffset(dpa, pos, iw, ig);
        expect([positionOf(hpa, iw, ig), endpointDpaOffset(hpa, iw, ig)]).toEqual([pos, dpa]);
        expect(applyXorMaps(applyXorMaps(hpa, MAPS), MAPS)).toBe(hpa);
      }
    }
  }
});
