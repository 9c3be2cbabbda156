import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDump } from './dump-file.ts';
import { ANY, matches, parseId, parseSlot } from './filter.ts';
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

const dump = parseDump(fixture('d-xxxx.dump'));

test('lspci -t with a selection draws the chosen functions in their places, with the bridges above them', () => {
  const tree = (text: string) => {
    const filter = parseSlot(text, ANY);
    if (typeof filter === 'string') throw new Error(filter);
    return showTree(dump, 0, 'names', (dev) => matches(filter, dev));
  };
  // as pciutils prints them for the same dump
  expect(tree('10:')).toBe('-\\-[0000:0c]---00.0-[0d-12]----00.0-[0e-12]--+-01.0-[10]----00.0\n');
  expect(tree('00:1f.')).toBe('-+-[0000:00]-+-1f.0\n |           +-1f.2\n |           \\-1f.3\n');
  expect(tree('77:')).toBe('-\n');
});

test('selections by id take x for any digit of the class, and refuse what pciutils refuses', () => {
  const chosen = (text: string) => {
    const filter = parseId(text, ANY);
    return typeof filter === 'string' ? filter : dump.filter((dev) => matches(filter, dev)).length;
  };
  expect(chosen('::05xx')).toBe(4);
  expect(chosen('::0502:11')).toBe(0);
  expect(chosen('19e5:')).toBe(5);
  expect(chosen('8086')).toBe('At least two fields must be given');
  expect(chosen(':::::')).toBe('Too many fields');
  expect(parseSlot('1:2:3:4', ANY)).toBe('Too many fields');
});
