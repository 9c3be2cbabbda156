import { expect, test } from 'vitest';
import { diffStep, lineMatches, parseTranscript } from './transcript.ts';

test('lines with a known prompt are typed, everything else is expected output of the line above', () => {
  const steps = parseTranscript('intro\nhost# echo hi\nhi\n\nl1# true\n## a comment\nl2# ls\na\nb\n', 'f');
  expect(steps.map(({ console, line, expected, at }) => [console, line, expected, at])).toEqual([
    ['host', 'echo hi', ['hi'], 2],
    ['l1', 'true', [], 5],
    ['l2', 'ls', ['a', 'b'], 7],
  ]);
});

test('a console that does not exist is named with its line, in one sentence', () => {
  expect(() => parseTranscript('host# true\nl7# ls\n', 'walk')).toThrow(
    'walk:2: there is no console "l7"; the consoles are host, l1, l2, host-monitor, l1-monitor',
  );
});

test('output that merely contains a hash is output', () => {
  expect(parseTranscript('host# cat f\n# a heading\n#1 SMP PREEMPT\n', 'f')[0]?.expected).toEqual([
    '# a heading',
    '#1 SMP PREEMPT',
  ]);
});

test('(re) and (glob) endings match as in cram', () => {
  expect(lineMatches('took [0-9]+ ms (re)', 'took 42 ms')).toBe(true);
  expect(lineMatches('took [0-9]+ ms (re)', 'took long')).toBe(false);
  expect(lineMatches('a * b? (glob)', 'a (x) bc')).toBe(true);
  expect(lineMatches('literally \\* (glob)', 'literally *')).toBe(true);
  expect(lineMatches('plain', 'plain ')).toBe(false);
});

test('a difference comes out as hunk lines, a match as nothing', () => {
  expect(diffStep(['a', 'b', 'c'], ['a', 'b', 'c'])).toEqual([]);
  expect(diffStep(['a', 'b', 'c'], ['a', 'x', 'c'])).toEqual([' a', '-b', '+x', ' c']);
  expect(diffStep(['a'], ['a', 'b'])).toEqual([' a', '+b']);
});
