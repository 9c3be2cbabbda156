import { expect, test } from 'vitest';
import { kernelWithPrograms, runBash } from '../testing/scripts.ts';

/** Three memory blocks of one node, three of another, the last of them offline; what the real lsmem 2.38.1 printed for the same files. */
const BLOCKS: readonly (readonly [index: number, node: number, state: string, zones: string])[] = [
  [0, 0, 'online', 'none'],
  [1, 0, 'online', 'DMA32'],
  [2, 0, 'online', 'Normal'],
  [146, 1, 'online', 'Normal'],
  [147, 1, 'online', 'Normal'],
  [148, 1, 'offline', 'Normal Movable'],
];
const CASES: readonly (readonly [script: string, stdout: string])[] = [
  [
    'lsmem',
    'RANGE                                  SIZE   STATE REMOVABLE   BLOCK\n' +
      '0x0000000000000000-0x0000000017ffffff  384M  online       yes     0-2\n' +
      '0x0000000490000000-0x000000049fffffff  256M  online       yes 146-147\n' +
      '0x00000004a0000000-0x00000004a7ffffff  128M offline               148\n\n' +
      'Memory block size:       128M\nTotal online memory:     640M\nTotal offline memory:    128M\n',
  ],
  [
    'lsmem -o SIZE,ZONES,NODE --summary=never',
    ' SIZE          ZONES NODE\n 128M           None    0\n 128M          DMA32    0\n 128M         Normal    0\n' +
      ' 256M         Normal    1\n 128M Normal/Movable    1\n',
  ],
  ['lsmem -rb -S NODE -o SIZE,BLOCK', 'SIZE BLOCK\n402653184 0-2\n402653184 146-148\n'],
];

test.each(CASES)('%s', async (script, stdout) => {
  const k = kernelWithPrograms();
  const base = '/sys/devices/system/memory';
  k.mkdir(base);
  k.file(`${base}/block_size_bytes`, '8000000\n');
  for (const [index, node, state, zones] of BLOCKS) {
    k.mkdir(`${base}/memory${index}/node${node}`);
    k.file(`${base}/memory${index}/state`, `${state}\n`);
    k.file(`${base}/memory${index}/removable`, '1\n');
    k.file(`${base}/memory${index}/valid_zones`, `${zones}\n`);
  }
  expect((await runBash(k, '-c', script)).stdout).toBe(stdout);
});
