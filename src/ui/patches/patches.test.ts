import { expect, test } from 'vitest';
import { RFC_V1_PATCHES } from '../../content/series/rfc-v1.ts';
import { POSTED_SERIES } from '../../protocol/build-choice.ts';
import { choiceToText } from '../../protocol/choice-text.ts';
import { PATCH_FACTS } from './dependencies.ts';
import { matrixMarkdown } from './matrix-text.ts';

test('what a patch calls is what calls it, seen from the other side', () => {
  for (const [number, { needs, neededBy }] of PATCH_FACTS) {
    for (const other of needs) expect(PATCH_FACTS.get(other)?.neededBy).toContain(number);
    for (const other of neededBy) expect(PATCH_FACTS.get(other)?.needs).toContain(number);
  }
  expect(PATCH_FACTS.get(7)).toMatchObject({ needs: [6], neededBy: [12], within: 4 });
  expect(PATCH_FACTS.get(8)?.functions).toContain('is_hdm_regblock');
  expect(PATCH_FACTS.size).toBe(RFC_V1_PATCHES.length);
});

test('a row of the matrix is a row of a Markdown table, whatever its message holds', () => {
  const text = matrixMarkdown([
    {
      id: '06',
      title: 'vfio_pci_rw()',
      kind: 'patch',
      choice: choiceToText({ ...POSTED_SERIES, without: [6] }),
      builds: ['kbuild l1 --without 6 -o k1'],
      reached: [],
      found: {},
      failure: { rung: 'build', layer: 'build', message: 'a | b\nc', errno: null },
      linked: { choice: 'soft=6', builds: ['kbuild l1 --soft 6 -o k1'], reached: ['build'], found: {}, failure: null },
    },
  ]);
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[2]).toBe('| 06 | vfio\\_pci\\_rw() | build | build |  | `a \\| b c` | `kbuild l1 --without 6 -o k1` |');
  expect(lines[3]).toContain('reaches the memory');
});
