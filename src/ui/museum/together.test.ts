import { expect, test } from 'vitest';
import { lineAt, sameMoment } from './together.ts';

const posted = [
  { from: 100, to: 200 },
  { from: 200, to: 260 },
  { from: 270, to: 300 },
];
const intended = [
  { from: 100, to: 300 },
  { from: 300, to: 900 },
];

test('a cursor stands in a line from its first row on, and after it until the next begins', () => {
  expect([0, 100, 101, 200, 201, 265, 300].map((row) => lineAt(posted, row))).toEqual([-1, -1, 0, 0, 1, 1, 2]);
});

test('the other run stands at the same line, as far through it; a shorter run stands at its end', () => {
  expect(sameMoment(posted, intended, 50)).toBe(50);
  expect(sameMoment(posted, intended, 150)).toBe(200);
  expect(sameMoment(posted, intended, 230)).toBe(600);
  expect(sameMoment(posted, intended, 260)).toBe(900);
  expect(sameMoment(posted, intended, 290)).toBe(900);
  expect(sameMoment(intended, posted, 600)).toBe(230);
});

test('whatever row a line is entered at, the other run enters the same line', () => {
  for (const cursor of [101, 150, 200, 201, 259, 260])
    expect(lineAt(intended, sameMoment(posted, intended, cursor))).toBe(lineAt(posted, cursor));
});

test('a run of which nothing is known yet stays at its beginning', () => {
  expect(sameMoment(posted, [], 250)).toBe(0);
  expect(sameMoment([], [], 10)).toBe(0);
});
