import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KCONFIG } from '../content/series/kconfig.ts';
import {
  BARS,
  type BuildChoice,
  choiceFault,
  configFault,
  DECODERS,
  DEVICES,
  DRIVERS,
  MEMORIES,
  type Part,
  POSTED_SERIES,
  QEMUS,
  type Quirks,
  quirksOf,
  SERIES,
  V3_SERIES,
  VFIO_DRIVERS,
} from './build-choice.ts';
import { choiceFromText, choiceToText } from './choice-text.ts';

const numbers = fc
  .uniqueArray(fc.integer({ min: 1, max: 13 }), { maxLength: 13 })
  .map((list) => list.sort((a, b) => a - b));
const config = (machine: 'l1' | 'l2', series: string) =>
  fc.uniqueArray(
    fc.constantFrom(
      ...KCONFIG.flatMap(({ name }) => ['y', 'm', 'n'].map((value) => `${name}=${value}`)).filter(
        (word) => configFault(word, machine, series) === null,
      ),
    ),
    { maxLength: 4 },
  );
const quirks = (part: Part): fc.Arbitrary<Quirks> =>
  fc.dictionary(fc.constantFrom(...Object.keys(quirksOf(part, 'posted'))), fc.constantFrom('posted', 'intended'), {
    noNullPrototype: true,
  });

const choices: fc.Arbitrary<BuildChoice> = fc
  .constantFrom(...SERIES)
  .chain((series) =>
    fc.record({
      series: fc.constant(series),
      without: numbers,
      soft: numbers,
      config: config('l1', series),
      configL2: config('l2', series),
      quirks: fc.record({ l1: quirks('l1'), l2: quirks('l2'), qemu: quirks('qemu') }),
      device: fc.constantFrom(...DEVICES),
      reset: fc.boolean(),
      decoders: fc.constantFrom(...DECODERS),
      committed: fc.boolean(),
      memory: fc.constantFrom(...MEMORIES),
      bar: fc.constantFrom(...BARS),
      hypervisor: fc.boolean(),
      failIoremap: fc.boolean(),
      bind: fc.constantFrom(...VFIO_DRIVERS),
      qemu: fc.constantFrom(...QEMUS),
      released: fc.boolean(),
      driver: fc.constantFrom(...DRIVERS),
    }),
  )
  .map((choice) => {
    const soft = choice.soft.filter((number) => number !== 4 && number !== 12 && !choice.without.includes(number));
    return choice.series === 'v3'
      ? { ...choice, without: [], soft: [], quirks: { ...choice.quirks, l1: {} } }
      : { ...choice, soft };
  });

test('every choice that can be built comes back from its text', () => {
  fc.assert(
    fc.property(choices, (choice) => {
      expect(choiceFault(choice)).toBeNull();
      const text = choiceToText(choice);
      expect(choiceFromText(text)).toEqual(choice);
      // As it arrives in an address, whoever encoded it.
      expect(choiceFromText(new URLSearchParams(`patches=${text}`).get('patches') ?? '?')).toEqual(choice);
      expect(choiceFromText(text.replaceAll(',', '%2C').replaceAll(';', '&'))).toEqual(choice);
    }),
  );
});

test('the whole series are short texts', () => {
  expect(choiceToText(POSTED_SERIES)).toBe('');
  expect(choiceToText(V3_SERIES)).toBe('series=v3');
  expect(choiceFromText('series=v3')).toEqual(V3_SERIES);
  expect(choiceToText({ ...V3_SERIES, committed: false })).toBe('series=v3;committed=0');
});

test.each([
  ['series=v9', 'This link wants series “v9”; there are rfc-v1, v3.'],
  ['without=77', 'This link leaves out patch “77”; patches are 1 to 13.'],
  ['without=4,x', 'This link leaves out patch “4,x”; patches are 1 to 13.'],
  ['soft=4', 'Patch 4 is a whole file, nothing can stand in for it; leave it out instead.'],
  ['without=6;soft=6', 'Patch 6 is both left out and given a stand-in; it is one or the other.'],
  [
    'series=v3;without=6',
    'The v3 series is built whole: no patch of it can be left out and no defect of L1’s kernel set.',
  ],
  ['device=C', 'This link wants device “C”; there are B, A, none.'],
  ['reset=yes', 'This link sets reset=yes; it is 1 or 0.'],
  ['config=FROB=y', 'This link sets an option: The tree of L1’s kernel has no CONFIG_FROB.'],
  ['config=CXL_REGION=m', 'This link sets an option: CONFIG_CXL_REGION is y or n, never m.'],
  [
    'config=CXL_REGION',
    'This link sets an option: “CXL_REGION” is no option; one is written CXL_REGION=n, with y, m or n.',
  ],
  ['config-l2=VFIO_CXL_CORE=n', 'This link sets an option: The tree of L2’s kernel has no CONFIG_VFIO_CXL_CORE.'],
  ['l1=frob:posted', 'This link sets “frob” for L1’s kernel; the museum lists the defects it can have.'],
  [
    'stub=qemu-base-shift',
    'This link sets “qemu-base-shift”; a defect is qemu-base-shift:posted or qemu-base-shift:intended.',
  ],
  ['device=A;device=B', 'This link sets “device” twice.'],
])('%s is answered in a sentence', (text, sentence) => {
  expect(choiceFromText(text)).toBe(sentence);
});

test('any text is a choice or a sentence', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('', 'without=', 'l1=', 'config=', 'series='), (text, name) => {
      const read = choiceFromText(name + text);
      expect(typeof read === 'string' ? read.endsWith('.') && read.length > 10 : choiceFault(read) === null).toBe(true);
    }),
  );
});
