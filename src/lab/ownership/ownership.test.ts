import { beforeAll, expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { host, WALKTHROUGH } from '../testing/host.ts';
import { type OwnershipRow, ownership } from './ownership.ts';

const rows: OwnershipRow[] = [];
const row = (name: string): OwnershipRow => {
  const found = rows.find((one) => one.name === name);
  if (!found) throw new Error(`no register ${name}`);
  return found;
};

beforeAll(async () => {
  for await (const one of ownership(async () => {
    const lab = await Lab.start({ seed: 1, host });
    await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
    return lab;
  }))
    rows.push(one);
}, 60_000);

test('every register of the CXL DVSECs and of the component block has its row', () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(new Set(rows.map(({ block }) => block)).size).toBeGreaterThanOrEqual(6);
});

test('L2 sees what L1’s VMM sees, but for the links of capabilities, which the VMM keeps; L1’s kernel sees the device', () => {
  expect(rows.filter(({ owner }) => owner === 'l1-qemu').map(({ name }) => name)).toEqual(['DVSEC0_EXT_HEADER']);
  for (const { name, before, writes } of rows)
    for (const reads of [before, ...Object.values(writes).map((effect) => effect.reads)]) {
      if (!name.endsWith('EXT_HEADER')) expect(reads.l2, name).toBe(reads['l1.user']);
      expect(reads['l1.kernel'], name).toBe(reads.device);
    }
});

test('a guest that overwrites the DVSEC’s vendor reads the hardware through the hole (vfio-cxl-rfc, patch 10)', () => {
  const { changed, reads } = row('DVSEC0_HEADER1').writes.l2;
  expect(changed).toEqual({ vconfig: 0xffffffff });
  expect(reads.l2).toBe(reads.device);
});

test('no write from L2 to a DVSEC or to the HDM block reaches the device', () => {
  for (const { name, writes } of rows) {
    expect(writes.l2.changed.device, name).toBeUndefined();
    expect(writes['l1.user'].changed, name).toEqual(writes.l2.changed);
  }
});

test('as posted, the whole DVSEC copy can be written, headers too', () => {
  for (const one of rows.filter(({ space }) => space === 'config')) {
    expect(one.writes.l2.changed.vconfig, one.name).toBe(2 ** (8 * one.width) - 1);
  }
});

test('the shadow answers for the HDM block but for its last dword: is_hdm_regblock is off by one as posted', () => {
  expect(row('CTRL0').owner).toBe('hdm-shadow');
  expect(row('HDM_RSVD2').owner).toBe('hdm-shadow');
  expect(row('HDM_RSVD3').owner).toBe('read-only');
});

test('the committed decoder holds L2’s address in the shadow and L1’s in the device', () => {
  const base = row('BASE_HI0').before;
  expect([base.l2, base.device]).toEqual([1, 4]);
});

test('a write of L1’s kernel to a HDM register is the device’s, and L2 does not see it', () => {
  const { changed, reads } = row('SIZE_LO1').writes['l1.kernel'];
  expect(changed).toEqual({ device: 0xf0000000 });
  expect([reads.l2, reads.device]).toEqual([0, 0xf0000000]);
});
