import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';
import { USAGE } from './usage.ts';

/** What cxl-cli 81 writes, up to the texts behind the options, which are our own. */
const create = (...args: string[]) => {
  const { options, line } = USAGE['create-region'];
  return parseOptions(args, options, line);
};
const HEAD = '\n usage: cxl create-region <target0> ... [<options>]\n\n';

test('a wrong value is answered with the usage of its option alone', () => {
  const row = '    -g, --granularity <n>\n                          bytes on one memdev before the next\n';
  expect(create('-g', '2k').error).toBe(`  Error: switch \`g' expects a numerical value\n${HEAD}${row}`);
  expect(create('--gran=0x10').error).toBe(`  Error: option \`granularity' expects a numerical value\n${HEAD}${row}`);
  expect(create('-g').error).toBe(`  Error: switch \`g' requires a value\n${HEAD}${row}`);
});

test('long options may be cut short while they stay unique, and switches negated', () => {
  expect(create('--siz=3', '--hum', 'mem0').options).toEqual(
    new Map([
      ['size', '3'],
      ['human', '+'],
    ]),
  );
  expect(create('--human', '--no-human').options.has('human')).toBe(false);
  expect(create('--de').error).toBe(`  Error: Ambiguous option: de (could be --decoder or --debug)\n${HEAD}`);
  expect(create('--human=3').error).toContain("  Error: option `human' takes no value\n");
});

test('-h shows all options, an unknown one too, after the error', () => {
  const all = create('-h').error ?? '';
  expect(all.startsWith(`${HEAD}    -b, --bus <bus name>  `)).toBe(true);
  expect(all).toContain('\n        --debug           ');
  expect(all.endsWith('\n\n')).toBe(true);
  expect(create('--foo').error).toBe(`  Error: unknown option \`foo'\n${all}`);
});
