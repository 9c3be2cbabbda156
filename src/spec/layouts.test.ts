import { expect, test } from 'vitest';
import { resolveLayout } from './dsl/resolve.ts';
import { layout, layoutById, layoutIds } from './layouts.ts';

test('every layout resolves: nothing overlaps, everything fits and is cited', () => {
  for (const id of layoutIds) expect(resolveLayout(layout(id)).registers.length).toBeGreaterThan(0);
  expect(layoutById('nonsense')).toBeUndefined();
});
