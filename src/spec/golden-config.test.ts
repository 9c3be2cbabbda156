import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveLayout } from './dsl/resolve.ts';
import { layout } from './layouts.ts';

/**
 * Reset values against `lspci -xxxx` of golden capture A (QEMU 10.0.13, Linux 6.12.107; rows of zeros left out). Registers
 * firmware or Linux had written by then are left out: command, BARs, windows, interrupt lines, MSI, error reporting, GPF.
 */
const WRITTEN =
  /^(COMMAND|BAR\d|(PRIMARY|SECONDARY|SUBORDINATE)_BUS|IO_|MEMORY_|PREF_|BRIDGE_CONTROL|INTERRUPT_LINE|MSI_(CONTROL|ADDRESS|DATA|MASK)|MSIX_CONTROL|DEVCTL|SLTCTL|AER_(ROOT_COMMAND|UNCOR_MASK|COR_MASK)|GPF_PHASE|CXL_CTRL|PCIEXBAR|PAM|SMRAM|PMBASE|ACPI_CNTL|PIRQ|RCBA|HOSTC|DSN_LO|CXL_RANGE1_SIZE_LO)/;

function dump(bdf: string, file = 'lspci-xxxx.dump'): Uint8Array {
  const text = readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8');
  const part = text.split(/\n\n/).find((p) => p.trimStart().startsWith(bdf)) ?? '';
  const out = new Uint8Array(4096);
  for (const row of part.split('\n')) {
    const found = /^([0-9a-f]+): ((?:[0-9a-f]{2} ?)+)$/.exec(row.trim());
    if (found?.[1] && found[2])
      out.set(
        found[2]
          .trim()
          .split(' ')
          .map((b) => Number.parseInt(b, 16)),
        Number.parseInt(found[1], 16),
      );
  }
  return out;
}

test.each([
  ['00:00.0', 'mch.config', []],
  ['00:01.0', 'pxb-cxl.config', []],
  ['00:1f.0', 'ich9-lpc.config', []],
  ['00:1f.2', 'ich9-ahci.config', []],
  ['00:1f.3', 'ich9-smb.config', []],
  // The port’s link and slot follow the card below and its own slot=: PciBridge sets them.
  ['0c:00.0', 'cxl-rp.config', ['LNKSTA', 'SLTCAP', 'SLTSTA']],
  // DOE at 0x190 lies over Flex Bus +0x14 in QEMU 10 with sn=.
  ['0d:00.0', 'cxl-type3.config', []],
] as const)('%s resets to what the capture shows (%s)', (bdf, id, except) => {
  const bytes = dump(bdf);
  const view = new DataView(bytes.buffer);
  for (const register of resolveLayout(layout(id)).registers) {
    if (WRITTEN.test(register.name) || (except as readonly string[]).includes(register.name)) continue;
    const { offset, width } = register;
    const value =
      width === 1 ? view.getUint8(offset) : width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
    expect([register.name, register.reset]).toEqual([register.name, value]);
  }
});

test('every byte the root port and the q35 functions show is declared', () => {
  const undeclared: string[] = [];
  for (const [bdf, id] of [
    ['00:00.0', 'mch.config'],
    ['00:01.0', 'pxb-cxl.config'],
    ['00:1f.0', 'ich9-lpc.config'],
    ['00:1f.2', 'ich9-ahci.config'],
    ['00:1f.3', 'ich9-smb.config'],
    ['0c:00.0', 'cxl-rp.config'],
    ['0d:00.0', 'cxl-type3.config'],
  ] as const) {
    const declared = new Set<number>();
    for (const { offset, width } of resolveLayout(layout(id)).registers) {
      for (let n = 0; n < width; n++) declared.add(offset + n);
    }
    dump(bdf).forEach((byte, at) => {
      if (byte !== 0 && !declared.has(at)) undeclared.push(`${bdf} 0x${at.toString(16)}`);
    });
  }
  expect(undeclared).toEqual([]);
});

test.each([
  ['0d:00.0', 'cxl-upstream.config', []],
  // Port and slot number are the command line's, the link is that of the card below.
  ['0e:01.0', 'cxl-downstream.config', ['LNKCAP', 'LNKSTA', 'SLTCAP', 'SLTSTA']],
  ['0f:00.0', 'cxl-type3.config', []],
] as const)('capture D: %s resets to what it shows and shows nothing undeclared (%s)', (bdf, id, except) => {
  const bytes = dump(bdf, 'lspci-xxxx-D.dump');
  const view = new DataView(bytes.buffer);
  const declared = new Set<number>();
  for (const register of resolveLayout(layout(id)).registers) {
    const { offset, width } = register;
    for (let n = 0; n < width; n++) declared.add(offset + n);
    if (WRITTEN.test(register.name) || (except as readonly string[]).includes(register.name)) continue;
    const value =
      width === 1 ? view.getUint8(offset) : width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
    expect([register.name, register.reset]).toEqual([register.name, value]);
  }
  expect([...bytes.entries()].filter(([at, byte]) => byte !== 0 && !declared.has(at))).toEqual([]);
});
