import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDump } from './dump-file.ts';
import { showDevice } from './show.ts';
import { showTree } from './tree.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const lines = (text: string) => text.split('\n').filter((line) => !line.startsWith('lspci: Unable'));

for (const topology of ['a', 'd']) {
  const devices = parseDump(fixture(`${topology}-xxxx.dump`));

  test(`lspci -F -vvv decodes topology ${topology.toUpperCase()} as pciutils 3.13 does`, () => {
    const text = devices
      .map((dev) => showDevice(dev, { verbose: 3, style: 'names', domain: false, kernel: false, hexdump: 0 }))
      .join('');
    expect(lines(text)).toEqual(lines(fixture(`${topology}-F-vvv.txt`)));
  });

  test(`lspci -F -tv draws the tree of topology ${topology.toUpperCase()}`, () => {
    expect(lines(showTree(devices, 1, 'names'))).toEqual(lines(fixture(`${topology}-F-tv.txt`)));
  });
}
