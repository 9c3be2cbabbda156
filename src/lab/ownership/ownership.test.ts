import { beforeAll, expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { host, WALKTHROUGH } from '../testing/host.ts';
import { type OwnershipRow, ownership, type WriteEffect } from './ownership.ts';

const rows: OwnershipRow[] = [];
const row = (name: string): OwnershipRow => {
  const found = rows.find((one) => one.name === name);
  if (!found) throw new Error(`no register ${name}`);
  return found;
};

const wrote = (effect: WriteEffect | null): WriteEffect => {
  if (!effect) throw new Error('nobody was there to write');
  return effect;
};

beforeAll(async () => {
  for await (const one of ownership(async () => {
    const lab = await Lab.start({ seed: 1, host });
    await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
    return lab;
  }))
    rows.push(one);
});

test('every register of the CXL DVSECs and of the component block has its row', () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(new Set(rows.map(({ block }) => block)).size).toBeGreaterThanOrEqual(6);
});

test('L2 sees what L1’s VMM sees, but for the links of capabilities, which the VMM keeps; L1’s kernel sees the device', () => {
  expect(rows.filter(({ owner }) => owner === 'l1-qemu').map(({ name }) => name)).toEqual(['DVSEC0_EXT_HEADER']);
  for (const { name, before, writes } of rows)
    for (const reads of [before, ...Object.values(writes).map((effect) => effect?.reads ?? before)]) {
      if (!name.endsWith('EXT_HEADER')) expect(reads.l2, name).toBe(reads['l1.user']);
      expect(reads['l1.kernel'], name).toBe(reads.device);
    }
});

test('a guest that overwrites the DVSEC’s vendor reads the hardware through the hole (vfio-cxl-rfc, patch 10)', () => {
  const { changed, reads } = wrote(row('DVSEC0_HEADER1').writes.l2);
  expect(changed).toEqual({ vconfig: 0xffffffff });
  expect(reads.l2).toBe(reads.device);
});

test('no write from L2 to a DVSEC or to the HDM block reaches the device', () => {
  for (const { name, writes } of rows) {
    expect(writes.l2?.changed.device, name).toBeUndefined();
    expect(writes['l1.user']?.changed, name).toEqual(writes.l2?.changed);
  }
});

test('as posted, the whole DVSEC copy can be written, headers too', () => {
  for (const one of rows.filter(({ space }) => space === 'config')) {
    expect(one.writes.l2?.changed.vconfig, one.name).toBe(2 ** (8 * one.width) - 1);
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
  const { changed, reads } = wrote(row('SIZE_LO1').writes['l1.kernel']);
  expect(changed).toEqual({ device: 0xf0000000 });
  expect([reads.l2, reads.device]).toEqual([0, 0xf0000000]);
});

test('whose copy answers L2 is found by inverting copies, for read-only registers too', () => {
  expect(row('HDM_CAP').answers.l2).toEqual({ 'hdm-shadow': 0xffffffff });
  expect(row('CM_HEADER').answers.l2).toEqual({ device: 0xffffffff });
  expect(row('CXL_STATUS').answers.l2).toEqual({ vconfig: 0xffff });
  // The next-capability bits are L1's VMM's own.
  expect(row('DVSEC7_EXT_HEADER').answers.l2).toEqual({ vconfig: 0xfffff, 'l1-qemu': 0xfff00000 });
  expect(row('BASE_LO0').answers['l1.kernel']).toEqual({ device: 0xffffffff });
});

test('a write’s way is the chain of calls it became', () => {
  expect(wrote(row('BASE_LO1').writes.l2).path.map(({ name }) => name)).toEqual([
    'kvm exit mmio write',
    'memory_region_dispatch_write 0000:0d:00.0 BAR 0',
    'vfio_region_write 0000:0d:00.0 region 0',
    'pwrite64',
    'vfio_cxl_core_write',
    'emulate_hdm_regblock',
  ]);
});
