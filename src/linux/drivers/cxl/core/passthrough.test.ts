import { beforeEach, expect, test } from 'vitest';
import { EventLog } from '../../../../log/index.ts';
import { ShadowBytes } from '../../vfio/pci/vconfig.ts';
import { CxlPassthrough, hdm_ctrl_next } from './passthrough.ts';

const D = 0x100;
const HDM = 0x1128;
let dvsec: ShadowBytes;
let shadow: CxlPassthrough;

beforeEach(() => {
  const log = new EventLog();
  dvsec = new ShadowBytes(log, 'vfio/l1/x/dvsec', 'cxl-accel.config', 4096);
  const component = new ShadowBytes(log, 'vfio/l1/x/comp', 'cxl-accel1.component', 0x1000, 0x1000);
  component.write(0x1000, 4, 0x03110001);
  component.write(HDM, 4, 0x310);
  component.write(HDM + 0x14, 4, 4);
  component.write(HDM + 0x20, 4, 0x700);
  dvsec.write(D + 0x0a, 2, 0x1e);
  dvsec.write(D + 0x12, 2, 0x000a);
  dvsec.write(D + 0x1c, 4, 0x1000004b);
  shadow = new CxlPassthrough(dvsec, D, 0x3c, component, HDM, 0x30);
});

test('the lock is written once, and from then on holds both control registers', () => {
  shadow.dvsec_write(0x0c, 2, 6);
  shadow.dvsec_write(0x14, 2, 0xfffe);
  expect(shadow.dvsec_read(0x14, 2)).toBe(0);
  shadow.dvsec_write(0x14, 1, 1);
  shadow.dvsec_write(0x14, 2, 0);
  shadow.dvsec_write(0x0c, 2, 0);
  shadow.dvsec_write(0x10, 2, 5);
  expect([shadow.dvsec_read(0x14, 2), shadow.dvsec_read(0x0c, 2), shadow.dvsec_read(0x10, 2)]).toEqual([1, 6, 0]);
});

test('a lock that firmware left is shown but holds nothing, as posted', () => {
  dvsec.write(D + 0x14, 2, 1);
  shadow.dvsec_write(0x0c, 2, 4);
  expect(shadow.dvsec_read(0x0c, 2)).toBe(4);
});

test('status is cleared by ones; capability, range 1 and range 2 do not change', () => {
  shadow.dvsec_write(0x12, 2, 0xfff2);
  expect(shadow.dvsec_read(0x12, 2)).toBe(8);
  for (const [at, width] of [
    [0x0a, 2],
    [0x1c, 4],
    [0x24, 4],
    [0x34, 4],
  ] as const)
    shadow.dvsec_write(at, width, 0xffffffff);
  expect([0x0a, 0x1c, 0x24, 0x34].map((at) => shadow.dvsec_read(at, at === 0x0a ? 2 : 4))).toEqual([
    0x1e, 0x1000004b, 0, 0,
  ]);
});

test('a dword write over two fields reaches the first alone', () => {
  shadow.dvsec_write(0x10, 4, 0xffff0005);
  expect([shadow.dvsec_read(0x10, 2), shadow.dvsec_read(0x12, 2)]).toEqual([5, 0x0a]);
});

test('what lies before the body or past the DVSEC is refused', () => {
  expect(shadow.dvsec_read(0x08, 2)).toBe(-22);
  expect(shadow.dvsec_write(0x3a, 4, 0)).toBe(-22);
  expect(shadow.hdm_read(0x30)).toBe(-22);
  expect(shadow.hdm_write(2, 0)).toBe(-22);
  expect(shadow.cm_read(HDM - 0x1000)).toBe(-22);
  expect(shadow.cm_read(0)).toBe(0x03110001);
});

test('base and size are locked by COMMITTED and by Lock On Commit alone, target list never', () => {
  shadow.hdm_write(0x14, 9);
  expect(shadow.hdm_read(0x14)).toBe(4);
  shadow.hdm_write(0x20, 0x100);
  shadow.hdm_write(0x14, 9);
  expect([shadow.hdm_read(0x20), shadow.hdm_read(0x14)]).toEqual([0, 9]);
  shadow.hdm_write(0x20, 0x100);
  shadow.hdm_write(0x14, 7);
  expect(shadow.hdm_read(0x14)).toBe(9);
  shadow.hdm_write(0x24, 0xffffffff);
  expect(shadow.hdm_read(0x24)).toBe(0xffffffff);
  shadow.hdm_write(0, 0);
  expect(shadow.hdm_read(0)).toBe(0x310);
});

test.each([
  [0x000, 0x200, 0x600],
  [0x000, 0x300, 0x700],
  [0x000, 0xe00, 0x600],
  [0x700, 0x2ff, 0x700],
  [0x700, 0x500, 0x000],
  [0x100, 0x200, 0x600],
])('control 0x%s written 0x%s becomes 0x%s', (before, value, after) => {
  expect(hdm_ctrl_next(before, value)).toBe(after);
});
