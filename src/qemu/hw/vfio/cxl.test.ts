import { expect, test } from 'vitest';
import { DEFAULT_BUILD } from '../../main.ts';
import type { QemuBuild } from '../../qdev/build.ts';
import { hdm_ctrl_index_fixed, hdm_ctrl_index_posted, vfio_cxl_base, vfio_cxl_hdm_action } from './cxl.ts';

const H = 0x1128;

test('the corrected hook sees only the four control registers', () => {
  const seen = [];
  for (let addr = 0; addr < 0x2000; addr += 4) if (hdm_ctrl_index_fixed(addr, H, 0x90) !== null) seen.push(addr);
  expect(seen).toEqual([H + 0x20, H + 0x40, H + 0x60, H + 0x80]);
});

test('the posted hook matches every offset congruent to the block, below it too', () => {
  expect(hdm_ctrl_index_posted(H + 0x20, H)).toBe(0);
  expect(hdm_ctrl_index_posted(H + 0xa0, H)).toBe(4);
  expect(hdm_ctrl_index_posted(0x1088, H)).not.toBeNull();
  expect(hdm_ctrl_index_posted(0x1008, H)).not.toBeNull();
  expect(hdm_ctrl_index_posted(H + 0x10, H)).toBeNull();
});

const variant = (vfioCxl: QemuBuild['vfioCxl'], quirks: QemuBuild['quirks'] = {}): QemuBuild => ({
  ...DEFAULT_BUILD,
  vfioCxl,
  quirks,
});

test('commit and de-commit in each variant', () => {
  const act = (name: QemuBuild['vfioCxl'], cur: number, next: number) => vfio_cxl_hdm_action(variant(name), cur, next);
  // first commit
  expect(act('off', 0, 0x200)).toBe('none');
  expect(act('posted', 0, 0x200)).toBe('del');
  expect(act('branch', 0, 0x200)).toBe('add');
  expect(act('fixed', 0, 0x200)).toBe('add');
  // de-commit
  expect(act('posted', 0x600, 0)).toBe('add');
  expect(act('branch', 0x600, 0)).toBe('none');
  expect(act('fixed', 0x600, 0)).toBe('del');
  // locked
  expect(act('posted', 0x700, 0)).toBe('none');
  expect(act('fixed', 0x700, 0)).toBe('none');
  // committed again while committed
  expect(act('fixed', 0x600, 0x200)).toBe('none');
});

test('one defect alone can be put right or put back', () => {
  expect(vfio_cxl_hdm_action(variant('posted', { 'qemu-map-swapped': 'intended' }), 0, 0x200)).toBe('add');
  expect(vfio_cxl_base(variant('fixed', { 'qemu-base-shift': 'posted' }), 0x90000000, 4)).toBe(0x400000009);
});

test('the posted base formula is right only on 4 GiB boundaries', () => {
  expect(vfio_cxl_base(variant('fixed'), 0x90000000, 4)).toBe(0x490000000);
  expect(vfio_cxl_base(variant('branch'), 0x90000000, 4)).toBe(0x400000009);
  expect(vfio_cxl_base(variant('branch'), 0, 5)).toBe(0x500000000);
});
