import { describe, expect, it } from 'vitest';
import { type Box, layoutStage, type StageLayout } from './stage-layout.ts';
import { syntheticStage } from './testing/synthetic-stage.ts';

/** Bridges, ports of each, devices behind a switch on each port (0: the device itself). */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 0],
  [1, 2, 0],
  [1, 1, 4],
  [2, 1, 0],
  [3, 1, 0],
  [2, 3, 0],
  [2, 1, 4],
  [4, 2, 8],
  [8, 4, 8],
];
const ROOMS: readonly (readonly [number, number])[] = [
  [340, 300],
  [520, 320],
  [860, 330],
  [1400, 800],
  [4000, 3000],
];

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.w - 0.01 && b.x < a.x + a.w - 0.01 && a.y < b.y + b.h - 0.01 && b.y < a.y + a.h - 0.01;

function boxes(layout: StageLayout): readonly (Box & { readonly key: string })[] {
  return [...layout.nodes, ...layout.groups, ...layout.bands];
}

describe.each(SHAPES)('%i bridges, %i ports, %i devices behind a switch', (bridges, ports, devices) => {
  it.each(ROOMS)('nothing overlaps and nothing leaves its machine in %i × %i', (width, height) => {
    const layout = layoutStage(syntheticStage(bridges, ports, devices), width, height);
    const all = boxes(layout);
    const wrong: string[] = [];
    all.forEach((one, n) => {
      for (const other of all.slice(n + 1)) if (overlap(one, other)) wrong.push(`${one.key} over ${other.key}`);
      const machine = layout.machines.find((mark) => mark.machine.id === 'l1');
      if (
        !machine ||
        one.x < machine.x ||
        one.x + one.w > machine.x + machine.w ||
        one.y + one.h > machine.y + machine.h
      )
        wrong.push(`${one.key} outside`);
      if (one.w < 20) wrong.push(`${one.key} is ${one.w} wide`);
    });
    expect(wrong).toEqual([]);
  });

  it('tells of every device, alone or among its alike siblings', () => {
    for (const [width, height] of ROOMS) {
      const { nodes, groups } = layoutStage(syntheticStage(bridges, ports, devices), width, height);
      const told = nodes.filter((mark) => mark.node.kind === 'memory').length;
      const grouped = groups.reduce((sum, mark) => sum + mark.nodes.length, 0);
      expect(told + grouped).toBe(bridges * ports * Math.max(1, devices));
    }
  });
});

it('tells more the more room there is', () => {
  const stage = syntheticStage(4, 2, 8);
  const details = [0.5, 1, 2, 8].map((zoom) => layoutStage(stage, 520 * zoom, 320 * zoom).detail);
  expect(details[0]).toBe('group');
  expect(details.at(-1)).toBe('full');
});
