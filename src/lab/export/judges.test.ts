/** Real tools read what the lab exports: pciutils the config dumps and the sysfs tree, iasl the ACPI tables. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTree } from '../../cli/tree.ts';
import type { MachineId } from '../../log/index.ts';
import { Lab } from '../lab.ts';
import { runStep } from '../run-step.ts';
import { configDumps } from './config.ts';
import { readFile } from './files.ts';
import { sysfsTree } from './sysfs.ts';

const WALKTHROUGH = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');
const GUESTS = ['l1', 'l2'] as const;

function run(command: string, args: readonly string[]) {
  const r = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return { status: r.status, stdout: r.stdout ?? '', text: (r.stdout ?? '') + (r.stderr ?? '') };
}

/** Version of an installed tool, or null with a warning that its tests are skipped. */
function installed(tool: string, args: readonly string[], version: RegExp, wanted: string): boolean {
  const found = version.test(run(tool, args).text);
  if (!found) console.warn(`SKIPPED: ${tool} (${wanted}) is not installed, nothing judges what it reads`);
  return found;
}
const LSPCI = installed('lspci', ['--version'], /lspci version 3\.9\./, 'pciutils 3.9');
const IASL = installed('iasl', ['-v'], /ASL\+ Optimizing Compiler/, 'acpica-tools');

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'cxlab-'));
  lab = await Lab.start({
    seed: 1,
    host: { yieldToHost: () => new Promise((resolve) => setImmediate(resolve)), pace: () => Promise.resolve() },
  });
  await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
});
afterAll(() => {
  lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

const typed = async (machine: MachineId, line: string): Promise<string> =>
  (await runStep(lab, { console: machine, line, expected: [], at: 1 }, 'test')).stdout;

/** pciutils 3.13 (ours) names things differently from 3.9 and shows more; what both show, in one form (modules: real lspci asks its own machine). */
function common(text: string): string[] {
  const dropped =
    /^\t\t(CXLCtl2|CXLCap2|CXLCap3|LnkCap2|LnkCtl2|DevCtl2):|Cache Size Not|IDOReq|10BitTagReq-? OBFF|^\t\t\t(ECRC|PoisonTLP)|DVSEC( for .*)?$|^\tKernel modules:|^lspci:/;
  return text
    .split('\n')
    .filter((line) => !dropped.test(line))
    .map((line) =>
      line
        .replace(/(?:MSI|IntMsg(?:Num)?) 0+$/, 'IntMsgNum 0')
        .replace(/ (?:Lnk)?Disabled?([-+]) CommClk/, ' LnkDisable$1 CommClk')
        .replace(' TEE-IO-', '')
        .replace(/ ECRC.*ACSViol.*$/, '')
        .replace(/ CorrIntErr.*$/, '')
        .replace('Mem HW Init', 'MemHWInit')
        .replace('Cache SF Cov', 'CacheSFCov')
        .replace('Cache SF Gran', 'CacheSFGran')
        .replace('Cache Clean', 'CacheClean')
        .replace(/^(\t\tRange\d: \S+) \[size=.*$/, '$1')
        // 3.9 compares the kernel's resource flags with a config register's and says 32-bit of every such window.
        .replace(
          /(Prefetchable memory behind bridge: )0*([0-9a-f]+)-0*([0-9a-f]+)( \[size=\w+\]) \[(32|64)-bit\]$/,
          '$1$2-$3$4',
        ),
    );
}

describe.skipIf(!LSPCI).each(GUESTS)('pciutils 3.9 reads %s', (machine) => {
  test('lspci -F of the exported dump says what the lab’s lspci says of it', async () => {
    const dump = await lab.withProcess(machine, configDumps);
    const file = join(dir, `${machine}.dump`);
    writeFileSync(file, dump);
    const real = run('lspci', ['-F', file, '-vvv']);
    expect(real.status).toBe(0);
    const ours = await typed(machine, 'lspci -xxxx > /tmp/dump; lspci -F /tmp/dump -vvv');
    expect(ours.length).toBeGreaterThan(5000);
    expect(common(ours)).toEqual(common(real.stdout));
    expect(run('lspci', ['-F', file, '-nn']).stdout).toBe(await typed(machine, 'lspci -F /tmp/dump -nn'));
    expect(run('lspci', ['-F', file, '-t']).stdout).toBe(await typed(machine, 'lspci -F /tmp/dump -t'));
  });

  test('the exported sysfs tree is one that lspci walks', async () => {
    const root = join(dir, machine);
    writeTree(root, await lab.withProcess(machine, (sys) => sysfsTree(sys)));
    const sysfs = (...args: string[]) =>
      run('lspci', ['-A', 'linux-sysfs', '-O', `sysfs.path=${join(root, 'sys/bus/pci')}`, ...args]).stdout;
    expect(common(sysfs('-vvv'))).toEqual(common(await typed(machine, 'lspci -vvv')));
    expect(sysfs('-nnD')).toBe(await typed(machine, 'lspci -nnD'));
    // Not the root port: 3.9 does not look for a bridge's subsystem in its capability.
    for (const at of ['00:', '0d:']) expect(sysfs('-mm', '-s', at)).toBe(await typed(machine, `lspci -mm -s ${at}`));
    expect(sysfs('-xxxx', '-s', '0d:00.0')).toBe(await typed(machine, 'lspci -xxxx -s 0d:00.0'));
  });
});

describe.skipIf(!IASL).each(GUESTS)('iasl reads the tables of %s', (machine) => {
  const tables = [
    'APIC',
    'CEDT',
    'DSDT',
    'FACP',
    'HPET',
    'MCFG',
    'WAET',
    ...(machine === 'l1' ? ['DMAR', 'SRAT'] : []),
  ];
  test.each(tables)('%s', async (signature) => {
    const bytes = await lab.withProcess(machine, (sys) => readFile(sys, `/sys/firmware/acpi/tables/${signature}`));
    if (typeof bytes === 'number') throw new Error(`no table ${signature}`);
    expect(bytes.reduce((sum, byte) => sum + byte, 0) & 255).toBe(0);
    const file = join(dir, `${machine}-${signature}`);
    writeFileSync(`${file}.dat`, bytes);
    const disassembly = run('iasl', ['-p', file, '-d', `${file}.dat`]);
    expect(disassembly.status).toBe(0);
    expect(disassembly.text).not.toMatch(/error|invalid|could not/i);
    const source = readFileSync(`${file}.dsl`, 'utf8');
    expect(source).not.toMatch(/Incorrect checksum|Invalid|\*\*\*\* Unknown (?!ACPI table signature)/);
    if (signature !== 'DSDT') return;
    expect(source).toContain('ACPI0017');
    expect(run('iasl', ['-p', `${file}-again`, `${file}.dsl`]).text).toContain('Compilation successful. 0 Errors');
  });
});
