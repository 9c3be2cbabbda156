import { expect, test } from 'vitest';
import { kernelWithPrograms, runBash } from '../testing/scripts.ts';

/** Script, and what GNU's tools (coreutils 9.1, sed 4.9, grep 3.8) gave for it in a directory with the file f. */
const CASES: readonly (readonly [script: string, status: number, stdout: string, stderr: string])[] = [
  ["cut -d' ' -f2,1 f", 0, 'b 2\na 1\n', ''],
  ["cut -d' ' --complement -f1 f; cut -b2- f; cut -c1,3 --output-delimiter=_ f", 0, '2\n1\n 2\n 1\nb_2\na_1\n', ''],
  [
    'cut f',
    1,
    '',
    "cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n",
  ],
  ['cut -f 0 f', 1, '', "cut: fields are numbered from 1\nTry 'cut --help' for more information.\n"],
  ['cut -f1 nope', 1, '', 'cut: nope: No such file or directory\n'],
  ['sort nope', 2, '', 'sort: cannot read: nope: No such file or directory\n'],
  ['sort -Z f', 2, '', "sort: invalid option -- 'Z'\nTry 'sort --help' for more information.\n"],
  [
    'tr a < f',
    1,
    '',
    "tr: missing operand after 'a'\nTwo strings must be given when translating.\nTry 'tr --help' for more information.\n",
  ],
  ['sed p nope', 2, '', "sed: can't read nope: No such file or directory\n"],
  ["grep '[' f", 2, '', 'grep: Unmatched [, [^, [:, [., or [=\n'],
  ['wc -l f f', 0, ' 2 f\n 2 f\n 4 total\n', ''],
  ['uname x', 1, '', "uname: extra operand 'x'\nTry 'uname --help' for more information.\n"],
  ['dd conv=bad if=f', 1, '', "dd: invalid conversion: 'bad'\nTry 'dd --help' for more information.\n"],
  ['dd status=bad', 1, '', "dd: invalid status level: 'bad'\nTry 'dd --help' for more information.\n"],
  ['od -t q f', 1, '', "od: invalid character 'q' in type string 'q'\n"],
  ['xxd -s -2 f', 0, '00000006: 310a                                     1.\n', ''],
  [
    'xxd -i f',
    0,
    'unsigned char f[] = {\n  0x62, 0x20, 0x32, 0x0a, 0x61, 0x20, 0x31, 0x0a\n};\nunsigned int f_len = 8;\n',
    '',
  ],
  ['pgrep', 2, '', 'pgrep: no matching criteria specified\n'],
  ["pgrep '['", 2, '', 'pgrep: invalid regular expression: [\n'],
];

test.each(CASES)('%s', async (script, status, stdout, stderr) => {
  const k = kernelWithPrograms();
  k.file('/root/f', 'b 2\na 1\n');
  expect(await runBash(k, '-c', script)).toEqual({ status, stdout, stderr });
});
