import { expect, test } from 'vitest';
import { MUSEUM } from '../../content/museum.ts';
import { type Visit, visitFromText, visitToText } from './visit.ts';

const id = MUSEUM[3]?.id ?? '';
const visit = (change: Partial<Visit>): Visit => ({
  id,
  front: 'posted',
  at: { posted: null, intended: null },
  together: true,
  ...change,
});

test('an exhibit from its beginning is its name; a moment comes back as it went', () => {
  expect(visitToText(visit({}))).toBe(id);
  const visits = [
    visit({}),
    visit({ front: 'intended' }),
    visit({ at: { posted: 5231, intended: null } }),
    visit({ front: 'intended', at: { posted: null, intended: 7 } }),
    visit({ at: { posted: 5231, intended: 4100 }, together: false }),
    visit({ front: 'intended', at: { posted: null, intended: 4100 }, together: false }),
  ];
  for (const one of visits) expect(visitFromText(visitToText(one))).toEqual(one);
});

test('an exhibit or a moment that is none is said in a sentence', () => {
  expect(visitFromText('nothing-like-it')).toMatch(/“nothing-like-it”, which the museum does not have/);
  expect(visitFromText(`${id}@posted:x`)).toMatch(/“posted:x”: it would be like/);
});
