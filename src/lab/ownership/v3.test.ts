import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { host } from '../testing/host.ts';
import { type OwnershipRow, ownership } from './ownership.ts';

/** The ownership table of the later series, where it differs from the RFC's (ownership.test.ts). */
const TRANSCRIPT = readFileSync(new URL('../../content/scenarios/series-v3.transcript', import.meta.url), 'utf8');
const COMMITTED = TRANSCRIPT.slice(
  TRANSCRIPT.indexOf('## One decoder, committed'),
  TRANSCRIPT.indexOf('l2# devmem 0x110000040 64 0x'),
);
const BUILDS = TRANSCRIPT.split('\n').filter((line) => line.startsWith('host# kbuild'));
const rows: OwnershipRow[] = [];
const row = (name: string): OwnershipRow => {
  const found = rows.find((one) => one.name === name);
  if (!found) throw new Error(`no register ${name}`);
  return found;
};

beforeAll(async () => {
  for await (const one of ownership(async () => {
    const lab = await Lab.start({ seed: 1, host });
    await lab.type(`${BUILDS.join('\n')}\n${COMMITTED}`);
    return lab;
  }))
    rows.push(one);
});

test('the body of the device DVSEC and the component block belong to the CXL core, nothing to vconfig', () => {
  const owners = new Set(rows.map(({ owner }) => owner));
  expect([...owners].sort()).toEqual(['dvsec-shadow', 'hdm-shadow', 'read-only']);
  expect(rows.filter(({ owner }) => owner === 'dvsec-shadow').map(({ name }) => name)).toEqual([
    'CXL_CTRL',
    'CXL_CTRL2',
    'CXL_LOCK',
  ]);
});

test('headers of the DVSEC, which the RFC lets a guest overwrite, are read-only', () => {
  for (const name of ['DVSEC0_HEADER1', 'CXL_CAP', 'CXL_RANGE1_SIZE_LO', 'CXL_RANGE2_BASE_LO', 'LOCATOR0_LO'])
    expect(row(name).owner, name).toBe('read-only');
});

test('the committed decoder is locked for the guest, holds its address, and the device keeps the host’s', () => {
  expect(row('BASE_HI0').owner).toBe('read-only');
  expect([row('BASE_HI0').before.l2, row('BASE_HI0').before.device]).toEqual([1, 4]);
  expect(row('CTRL0').owner).toBe('hdm-shadow');
});

test('no write from L2 or from user space reaches the device', () => {
  for (const { name, writes } of rows) {
    expect(writes.l2?.changed.device, name).toBeUndefined();
    expect(writes['l1.user']?.changed.device, name).toBeUndefined();
  }
});

test('the rules are those of the series: control read-write, lock once, status cleared by ones, ranges fixed', () => {
  const rules = ['CXL_CAP', 'CXL_CTRL', 'CXL_STATUS2', 'CXL_LOCK', 'CXL_RANGE1_SIZE_LO', 'CXL_RANGE2_BASE_LO'] as const;
  expect(rules.map((name) => row(name).rule)).toEqual([
    { rw: 0, rw1c: 0, rwo: 0 },
    { rw: 0xffff, rw1c: 0, rwo: 0 },
    { rw: 0, rw1c: 2, rwo: 0 },
    { rw: 0, rw1c: 0, rwo: 1 },
    { rw: 0, rw1c: 0, rwo: 0 },
    { rw: 0, rw1c: 0, rwo: 0 },
  ]);
});
