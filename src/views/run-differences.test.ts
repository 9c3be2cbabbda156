import { expect, test } from 'vitest';
import { unmatched } from './line-diff.ts';
import { comparable, printedDifferences } from './run-differences.view.ts';

test('lines correspond in order; what has no counterpart is marked', () => {
  expect(unmatched(['a', 'b', 'c', 'b'], ['a', 'c', 'd'])).toEqual([false, true, false, true]);
  expect(unmatched(['x'], [])).toEqual([true]);
  expect(unmatched([], ['x'])).toEqual([]);
});

test('time stamps and build ids are no difference', () => {
  expect(comparable('[    0.791117] cxl: up\n\nLinux 6.11.0-rc2-gabcdef012345 #1 \n')).toEqual([
    'cxl: up',
    'Linux 6.11.0-rc2 #1',
  ]);
});

test('what two runs printed differently is said line by line, and what they share is not', () => {
  const typed = (line: string, output: string) => ({ console: 'l2', line, output, own: true });
  const posted = [typed('a', 'same\n'), typed('b', 'one\ntwo\n'), typed('c', ''), typed('only here', 'x')];
  const intended = [typed('a', 'same\n'), typed('b', 'one\n'), typed('c', 'three\nfour\n')];
  expect(printedDifferences(posted, intended)).toEqual([
    { text: 'l2# b', first: 'two', second: 'nothing more' },
    { text: 'l2# c', first: 'nothing', second: 'three (and 1 more)' },
  ]);
});
