import { expect, test } from 'vitest';
import { CellsAt, EventLog, Row } from '../../log/index.ts';
import { conformance } from '../../spec/dsl/conformance.ts';
import { bit, bits, block, reg16, reg32 } from '../../spec/dsl/define.ts';
import type { Layout } from '../../spec/dsl/types.ts';
import { layout, layoutIds } from '../../spec/layouts.ts';
import { RegisterSpace } from './register-space.ts';

test.each(layoutIds)('%s behaves as declared: resets, masks, walking ones, narrow writes, peek', (id) => {
  const log = new EventLog();
  const failures = conformance(
    layout(id),
    () => new RegisterSpace(log, 'under-test', layout(id)),
    () => log.length,
  );
  expect(failures).toEqual([]);
});

const cite = { doc: 'test', title: 'lock' };
const locking: Layout = {
  id: 'test.locking',
  size: 8,
  placements: [
    {
      at: 0,
      block: block({
        id: 'test',
        title: 'test',
        size: 8,
        cite,
        registers: {
          LOCK: reg16(0, cite, { LOCK: bit(0, 'rwo', 'locks') }),
          VALUE: reg32(4, cite, {
            LOW: bits(15, 0, 'rwl', 'held', { lockedBy: 'LOCK.LOCK' }),
            STICKY: bits(31, 16, 'rws', 'kept over hot reset'),
          }),
        },
      }),
    },
  ],
};

test('a locked field keeps its value and the drop is noted; sticky fields outlive a hot reset', () => {
  const log = new EventLog();
  const space = new RegisterSpace(log, 'locking', locking);
  space.write(4, 4, 0x12345678);
  space.write(0, 2, 1);
  const rows = log.length;
  space.write(4, 4, 0x99998888);
  expect(space.read(4, 4)).toBe(0x99995678);
  expect(log.kind(rows)).toBe(Row.NOTE);
  expect([log.b(rows), log.c(rows)]).toEqual([4, 0x99998888]);
  space.reset('hot');
  expect([space.get('LOCK', 'LOCK'), space.get('VALUE')]).toEqual([0, 0x99990000]);
});

test('hooks see register values, accesses may cross dwords, and history reverses', () => {
  const log = new EventLog();
  const space = new RegisterSpace(log, 'accel', layout('cxl-accel.config'));
  const at = log.length;
  const seen: number[][] = [];
  space.onWrite('CXL_CTRL', (before, after) => seen.push([before, after]));
  space.write(0x10c, 2, 0xffff);
  expect(seen).toEqual([[2, 0x4fff]]);
  expect(space.read(0x10a, 4)).toBe(0x4fff001e);
  expect(space.read(0x118, 8)).toBe(0);
  expect(space.hi).toBe(0x1000004b);
  const cell = (log.find('accel')?.first ?? 0) + 0x10c / 4;
  expect(new CellsAt(log, at).cells[cell]).toBe(2);
});
